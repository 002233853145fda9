"""Forest plots: one row per model, group or cue, drawn in percent so that a row fits any width."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from hounsfield.core.report import Figure
from hounsfield.stages.reporting.numbers import with_interval
from hounsfield.stages.reporting.svg import element, tick_text, ticks
from hounsfield.stages.reporting.words import Both

HEIGHT = 22
Placer = Callable[[float], str]


@dataclass(frozen=True)
class Row:
    """One row of a forest plot.

    Parameters
    ----------
    label : Both
    figure : Figure
    how : str
        How the numbers are written.
    kind : str
        Style: ``main``, ``other`` or ``probe``.
    remark : Both or None
        A few words below the label.
    """

    label: Both
    figure: Figure
    how: str = "decimal"
    kind: str = "other"
    remark: Both | None = None


@dataclass(frozen=True)
class Drawn:
    """A row as the page shows it."""

    label: Both
    numbers: str
    picture: Markup
    kind: str
    remark: Both | None


@dataclass(frozen=True)
class Forest:
    """Rows on one axis."""

    rows: tuple[Drawn, ...]
    axis: Markup


def forest(rows: Sequence[Row], *, reference: float | None = None, chance: float | None = None) -> Forest:
    """Lay rows out on one axis.

    Parameters
    ----------
    rows : sequence of Row
    reference : float or None
        Value of a dashed line through all rows.
    chance : float or None
        Value of a dotted line through all rows; kept inside the axis.
    """
    low, high = _limits([row.figure for row in rows], [v for v in (reference, chance) if v is not None])

    def place(value: float) -> str:
        return f"{3 + 94 * (value - low) / (high - low):.2f}%"

    drawn = tuple(
        Drawn(
            row.label,
            with_interval(row.figure, row.how),
            _row(row, place, [(reference, "reference"), (chance, "chance")]),
            row.kind,
            row.remark,
        )
        for row in rows
    )
    percent = all(row.how == "percent" for row in rows) and bool(rows)
    marks = Markup().join(
        element("line", x1=place(t), x2=place(t), y1=0, y2=5, class_="whisker")
        + element(
            "text", f"{100 * t:g}%" if percent else tick_text(t), x=place(t), y=17, text_anchor="middle", class_="tick"
        )
        for t in ticks(low, high, 3)
    )
    return Forest(drawn, element("svg", marks, class_="strip", width="100%", height=HEIGHT, aria_hidden="true"))


def _row(row: Row, place: Placer, lines: Sequence[tuple[float | None, str]]) -> Markup:
    drawn = Markup().join(
        element("line", x1=place(at), x2=place(at), y1=0, y2=HEIGHT, class_=kind)
        for at, kind in lines
        if at is not None
    )
    figure, middle = row.figure, HEIGHT / 2
    if figure.low is not None and figure.high is not None:
        drawn += element(
            "line", x1=place(figure.low), x2=place(figure.high), y1=middle, y2=middle, class_=f"ci {row.kind}"
        )
    if figure.value is not None and math.isfinite(figure.value):
        drawn += element("circle", cx=place(figure.value), cy=middle, r=4.5, class_=f"pt {row.kind}")
    return element("svg", drawn, class_="strip", width="100%", height=HEIGHT, aria_hidden="true")


def _limits(figures: Sequence[Figure], extra: Sequence[float]) -> tuple[float, float]:
    found = [value for f in figures for value in (f.value, f.low, f.high) if value is not None and math.isfinite(value)]
    found += list(extra)
    if not found:
        return 0.0, 1.0
    low, high = min(found), max(found)
    margin = 0.04 * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin

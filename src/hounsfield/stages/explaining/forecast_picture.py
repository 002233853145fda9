"""The picture of an explained forecast: traces up to the present, coloured where they raise or lower what is said."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.stages.explaining.forecast_result import ExplainedForecast, Moved, Question
from hounsfield.stages.explaining.paper import LEAD_TEXT, LINE, MARGIN, SOFT, Strip, heading, polyline, text

LEFT, COLUMN, ROW = 34.0, 25.0, 19.0
"""Millimetres: names, a stretch, a variable."""
FRAME, RAISED, LOWERED = "#d8dee6", "#c2571a", "#1479c9"
OPAQUE = 0.55
FILLED = 0.8
"""Share of a row's height between the lowest and the highest value."""


@dataclass(frozen=True)
class Trail:
    """One variable up to the present.

    Parameters
    ----------
    name, unit : str
    ages_h : numpy.ndarray
        ``m`` hours before the present reading, falling.
    values : numpy.ndarray
        ``m``, NaN where not measured.
    """

    name: str
    unit: str
    ages_h: Float64Array
    values: Float64Array


def draw_forecast(
    found: ExplainedForecast, trails: Sequence[Trail], edges_h: Sequence[float], *, asked: Sequence[int]
) -> str:
    """Return a picture as SVG whose user unit is a millimetre.

    Parameters
    ----------
    found : ExplainedForecast
    trails : sequence of Trail
        In the order in which they are drawn.
    edges_h : sequence of float
        Between stretches, hours before the present reading: 0 first, rising.
    asked : sequence of int
        The questions that are drawn, one block each.

    Notes
    -----
    Each stretch is as wide as the others, so time runs the faster the longer ago it is; the times stand below. Orange:
    what is said is higher because of it; blue: lower; without colour: the move is less than what counts.
    """
    columns = max(len(edges_h) - 1, 1)
    width = LEFT + columns * COLUMN + MARGIN
    pieces: list[str] = []
    top = MARGIN
    for place in asked:
        question = found.questions[place]
        pieces.append(heading(MARGIN, top + LEAD_TEXT, question.name, _said(question, trails[0].unit)))
        top += LINE + 1.0
        most = max((abs(m.moved[place]) for m in found.stretches if m.counts[place]), default=0.0)
        for trail in trails:
            mine = [m for m in found.stretches if m.variable == trail.name]
            all_of_it = next((m for m in found.wholes if m.variable == trail.name), None)
            pieces += _row(trail, mine, all_of_it, edges_h, top, place, most)
            top += ROW
        pieces += _times(edges_h, top)
        top += LINE + 4.0
    size = f'width="{width:.6g}mm" height="{top:.6g}mm" viewBox="0 0 {width:.6g} {top:.6g}"'
    family = "font-family=\"system-ui, 'Noto Sans', 'Noto Sans CJK SC', sans-serif\""
    paper = f'<rect width="{width:.6g}" height="{top:.6g}" fill="#ffffff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {family}>{paper}{"".join(pieces)}</svg>'


def _said(question: Question, unit: str) -> str:
    told = f"{question.median:.4g} ({question.low:.4g} to {question.high:.4g}) {unit}".rstrip()
    return told if question.came is None else f"{told}, came {question.came:.4g}"


def _row(
    trail: Trail,
    mine: Sequence[Moved],
    whole: Moved | None,
    edges_h: Sequence[float],
    top: float,
    place: int,
    most: float,
) -> list[str]:
    columns = len(edges_h) - 1
    known = trail.values[np.isfinite(trail.values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    scale = FILLED * ROW / (high - low) if high > low else 1.0
    strip = Strip(LEFT, top, columns * COLUMN, ROW, -float(columns), 0.0, COLUMN, (low + high) / 2, scale)
    pieces: list[str] = []
    for one in mine:
        column = _column(one, edges_h)
        x = LEFT + (columns - 1 - column) * COLUMN
        if one.counts[place] and most > 0:
            shade = OPAQUE * abs(one.moved[place]) / most
            colour = RAISED if one.moved[place] > 0 else LOWERED
            pieces.append(
                f'<rect class="map" x="{x:.6g}" y="{top:.6g}" width="{COLUMN:.6g}" height="{ROW:.6g}" '
                f'fill="{colour}" fill-opacity="{shade:.3g}"/>'
            )
            pieces.append(text(x + COLUMN - 0.8, top + ROW - 0.9, signed(one.moved[place]), anchor="end", halo=True))
    for column in range(columns + 1):
        x = LEFT + column * COLUMN
        pieces.append(f'<path d="M{x:.5g} {top:.5g}v{ROW:.5g}" stroke="{FRAME}" stroke-width="0.2"/>')
    pieces.append(
        f'<rect x="{LEFT:.6g}" y="{top:.6g}" width="{columns * COLUMN:.6g}" height="{ROW:.6g}" fill="none" '
        f'stroke="{FRAME}" stroke-width="0.2"/>'
    )
    at: Float64Array = -np.interp(trail.ages_h, np.asarray(edges_h), np.arange(columns + 1.0))
    pieces.append(polyline(strip, at, trail.values, dots=True))
    label = f"{trail.name} ({trail.unit})" if trail.unit else trail.name
    pieces.append(text(MARGIN, top + LEAD_TEXT + 0.5, label))
    if whole is not None:
        pieces.append(text(MARGIN, top + LEAD_TEXT + LINE + 0.5, f"all: {signed(whole.moved[place])}", soft=True))
    for value in (low, high) if high > low else (low,):
        pieces.append(text(LEFT - 1.0, strip.y(value) + 1.0, f"{value:.3g}", soft=True, anchor="end"))
    return pieces


def _column(one: Moved, edges_h: Sequence[float]) -> int:
    """Return in which stretch, newest first, the newest step of a part lies."""
    newest = one.to_h if one.to_h is not None else 0.0
    inside = [k for k in range(len(edges_h) - 1) if edges_h[k] <= newest + 1e-9]
    return inside[-1] if inside else 0


def _times(edges_h: Sequence[float], top: float) -> list[str]:
    columns = len(edges_h) - 1
    pieces = []
    for place, age in enumerate(edges_h):
        x = LEFT + (columns - place) * COLUMN
        pieces.append(f'<path d="M{x:.5g} {top:.5g}v1" stroke="{SOFT}" stroke-width="0.2"/>')
        label = "now" if place == 0 else f"{ago(age)} ago"
        pieces.append(text(x, top + LEAD_TEXT + 0.8, label, soft=True, anchor="end" if place == 0 else "middle"))
    return pieces


def ago(hours: float) -> str:
    """Write how long ago something was, to about two digits: ``1.7 h``, ``49 min``."""
    for unit, factor in (("h", 1.0), ("min", 60.0)):
        if hours * factor >= 1 - 1e-9:
            return f"{_short(hours * factor)} {unit}"
    return f"{_short(hours * 3600)} s"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.2g}"


def signed(value: float) -> str:
    """Write a move with its sign."""
    return f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")

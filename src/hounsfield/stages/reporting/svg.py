"""The few SVG pieces that all charts share: elements, two-language text, a frame with ticks."""

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from hounsfield.stages.reporting.words import Both

WIDTH, HEIGHT = 340, 300
LEFT, RIGHT, TOP, BOTTOM = 50, 14, 12, 46


def element(tag: str, inside: Markup | str = "", **attributes: str | float) -> Markup:
    """Return one SVG element; ``_`` in an attribute name stands for ``-``, text and values are escaped."""
    parts = [f' {name.strip("_").replace("_", "-")}="{escape(_short(value))}"' for name, value in attributes.items()]
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), Markup("".join(parts)), inside)  # noqa: S704  # escaped above


def text(words: Both, x: float, y: float, *, kind: str = "", anchor: str = "middle", turn: bool = False) -> Markup:
    """Return a text in both languages, of which the style sheet shows one."""
    where: dict[str, str | float] = {"x": x, "y": y, "text_anchor": anchor}
    if turn:
        where["transform"] = f"rotate(-90 {_short(x)} {_short(y)})"
    if words.en == words.zh:
        return element("text", words.en, class_=kind, **where)
    english = element("text", words.en, class_=f"en {kind}".strip(), **where)
    chinese = element("text", words.zh, class_=f"zh {kind}".strip(), **where)
    return english + chinese


@dataclass(frozen=True)
class Frame:
    """Axes of a chart: data limits and where they lie in the picture."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        """Return the horizontal place of a value."""
        share = (value - self.x_low) / ((self.x_high - self.x_low) or 1.0)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Return the vertical place of a value."""
        share = (value - self.y_low) / ((self.y_high - self.y_low) or 1.0)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def points(self, xs: tuple[float, ...], ys: tuple[float, ...]) -> str:
        """Return points for a polyline, those outside the limits cut to them."""
        inside = [
            (min(max(x, self.x_low), self.x_high), min(max(y, self.y_low), self.y_high))
            for x, y in zip(xs, ys, strict=True)
            if math.isfinite(x) and math.isfinite(y)
        ]
        return " ".join(f"{_short(self.x(x))},{_short(self.y(y))}" for x, y in inside)

    def line(self, xs: tuple[float, ...], ys: tuple[float, ...], kind: str) -> Markup:
        """Return a line through points."""
        return element("polyline", points=self.points(xs, ys), class_=kind)

    def band(self, xs: tuple[float, ...], low: tuple[float, ...], high: tuple[float, ...]) -> Markup:
        """Return the area between two lines."""
        return element("polygon", points=self.points(xs + xs[::-1], high + low[::-1]), class_="band")

    def dot(self, x: float, y: float, kind: str, radius: float = 4) -> Markup:
        """Return one dot."""
        return element("circle", cx=self.x(x), cy=self.y(y), r=radius, class_=kind)

    def axes(self, x_title: Both, y_title: Both) -> Markup:
        """Return grid lines, tick labels and the titles of both axes."""
        drawn = Markup()
        for tick in ticks(self.x_low, self.x_high):
            at = self.x(tick)
            drawn += element("line", x1=at, x2=at, y1=TOP, y2=HEIGHT - BOTTOM, class_="grid")
            drawn += text(Both.same(tick_text(tick)), at, HEIGHT - BOTTOM + 15, kind="tick")
        for tick in ticks(self.y_low, self.y_high):
            at = self.y(tick)
            drawn += element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=at, y2=at, class_="grid")
            drawn += text(Both.same(tick_text(tick)), LEFT - 6, at + 4, kind="tick", anchor="end")
        middle = (TOP + HEIGHT - BOTTOM) / 2
        drawn += text(x_title, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, kind="title")
        return drawn + text(y_title, 13, middle, kind="title", turn=True)


def ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """Return round tick values within limits.

    Parameters
    ----------
    low, high : float
        The limits.
    count : int
        About how many.
    """
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return (low,) if math.isfinite(low) else ()
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((power * factor for factor in (1, 2, 2.5, 5, 10)), key=lambda s: abs(s - rough))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(float(np.round(number * step, 12)) for number in range(first, last + 1))


def tick_text(value: float) -> str:
    """Write a tick label."""
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def picture(inside: Markup, label: Both, *, kind: str = "chart") -> Markup:
    """Return a whole SVG picture of the standard size."""
    return element(
        "svg",
        inside,
        class_=kind,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"{label.en} / {label.zh}",
    )


def _short(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")

"""The pieces of a drawn trace in millimetres: strips, the grid of ECG paper, plain axes, bands of a map, lines."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np

from hounsfield.core.signal import Signal
from hounsfield.core.types import Float64Array
from hounsfield.core.units import conversion, is_voltage

MM_PER_S, MM_PER_MV = 25.0, 10.0
"""The usual speed and gain of an electrocardiograph (IEC 60601-2-25)."""
SMALL, LARGE = 1.0, 5.0
"""Edges of its squares, mm."""
MARGIN, LINE, LEAD_TEXT = 4.0, 4.5, 3.2
LEAST_HEIGHT, MOST_HEIGHT = 20.0, 60.0
"""Of a lead on paper, mm; what goes beyond is cut off."""
PLAIN_WIDTH, PLAIN_HEIGHT, PLAIN_LEFT = 200.0, 22.0, 18.0
LEVELS = 12
"""Shades of a map."""
OPAQUE = 0.6
POINTS_PER_MM = 8
INK, SOFT, FINE, BOLD, BAND = "#16202b", "#566473", "#f4cdc8", "#e3a099", "#1479c9"
HOUR_S = 3600.0


@dataclass(frozen=True)
class Strip:
    """Where one lead of one line lies, in mm, and what of it: x = left + (t - start) per, y from the middle upwards.

    Parameters
    ----------
    left, top, width, height : float
    start, stop : float
        Times at both ends, s or samples.
    per : float
        Millimetres for each of them.
    middle : float
        Value at half the height.
    scale : float
        Millimetres for each unit of the lead.
    """

    left: float
    top: float
    width: float
    height: float
    start: float
    stop: float
    per: float
    middle: float
    scale: float

    def x(self, time: float) -> float:
        """Return where a time lies."""
        return self.left + (time - self.start) * self.per

    def y(self, value: float) -> float:
        """Return where a value lies, no further than the strip's edges."""
        raw = self.top + self.height / 2 - (value - self.middle) * self.scale
        return min(max(raw, self.top), self.top + self.height)


def in_millivolts(unit: str) -> float:
    """Return what a unit of voltage is in mV; 1 for other units, which stay as they are."""
    return conversion(unit, "mV") or 1.0


def why_no_grid(signal: Signal, leads: Sequence[str]) -> str:
    """Return why leads cannot be drawn on ECG paper, one clause; ``""`` where they can.

    Parameters
    ----------
    signal : Signal
    leads : sequence of str
        Those that are drawn.
    """
    if signal.times_s is not None:
        return "the times of the series are irregular"
    if signal.rate_hz is None:
        return "the record tells no rate"
    for name in leads:
        unit = signal.units[signal.leads.index(name)]
        if not is_voltage(unit):
            return f"lead {name} is in {unit}, not in mV" if unit else f"the unit of lead {name} is not known"
    return ""


def strips_on_paper(series: Sequence[Float64Array], span: tuple[float, float], top: float) -> list[Strip]:
    """Return a strip for each lead, as high as its values need, a multiple of a large square.

    Parameters
    ----------
    series : sequence of numpy.ndarray
        Values of each lead in mV, ``t``; all lines of a lead have one height.
    span : tuple of float
        Seconds from and to.
    top : float
    """
    strips = []
    for values in series:
        low, high = _range(values, quantile=0.001)
        wanted = LARGE * math.ceil(((high - low) * MM_PER_MV + LARGE) / LARGE)
        height = min(max(wanted, LEAST_HEIGHT), MOST_HEIGHT)
        middle = (low + high) / 2
        width = (span[1] - span[0]) * MM_PER_S
        strips.append(Strip(MARGIN, top, width, height, *span, MM_PER_S, middle, MM_PER_MV))
        top += height
    return strips


def strips_plain(series: Sequence[Float64Array], span: tuple[float, float], top: float) -> list[Strip]:
    """Return a strip for each lead, its values from edge to edge.

    Parameters and returns are as of `strips_on_paper`; values in their own unit.
    """
    strips = []
    per = PLAIN_WIDTH / max(span[1] - span[0], 1e-9)
    for values in series:
        low, high = _range(values, quantile=0.0)
        scale = 0.86 * PLAIN_HEIGHT / (high - low) if high > low else 1.0
        strips.append(Strip(PLAIN_LEFT, top, PLAIN_WIDTH, PLAIN_HEIGHT, *span, per, (low + high) / 2, scale))
        top += PLAIN_HEIGHT
    return strips


def _range(values: Float64Array, *, quantile: float) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 0.0
    low, high = np.quantile(known, (quantile, 1.0 - quantile))
    return float(low), float(high)


def grid(strip: Strip) -> str:
    """Return small and large squares from the strip's left upper corner on."""
    return _squares(strip, SMALL, "fine", FINE, 0.1) + _squares(strip, LARGE, "bold", BOLD, 0.2)


def _squares(strip: Strip, edge: float, kind: str, colour: str, wide: float) -> str:
    across = np.arange(0.0, strip.width + 1e-6, edge)
    down = np.arange(0.0, strip.height + 1e-6, edge)
    path = "".join(f"M{strip.left + x:.6g} {strip.top:.6g}v{strip.height:.6g}" for x in across)
    path += "".join(f"M{strip.left:.6g} {strip.top + y:.6g}h{strip.width:.6g}" for y in down)
    return f'<path class="{kind}" d="{path}" fill="none" stroke="{colour}" stroke-width="{wide}"/>'


def plain_axes(strip: Strip, signal: Signal, *, last: bool) -> str:
    """Return a frame, the lowest and highest value beside it, and below the last lead the times."""
    bottom = strip.top + strip.height
    drawn = (
        f'<rect x="{strip.left:.6g}" y="{strip.top:.6g}" width="{strip.width:.6g}" height="{strip.height:.6g}" '
        f'fill="none" stroke="#d8dee6" stroke-width="0.2"/>'
    )
    reach = 0.43 * strip.height / strip.scale
    for value in (strip.middle - reach, strip.middle + reach):
        drawn += text(strip.left - 1.0, strip.y(value) + 1.0, f"{value:.3g}", soft=True, anchor="end")
    if not last:
        return drawn
    unit, divisor = _axis(signal, strip.stop - strip.start)
    for place, time in enumerate(_ticks(strip.start / divisor, strip.stop / divisor)):
        x = strip.x(time * divisor)
        drawn += f'<path d="M{x:.5g} {bottom:.5g}v1" stroke="{SOFT}" stroke-width="0.2"/>'
        label = f"{time:g} {unit}" if place == 0 else f"{time:g}"
        drawn += text(x, bottom + LEAD_TEXT + 0.6, label, soft=True, anchor="middle")
    return drawn


def _axis(signal: Signal, span: float) -> tuple[str, float]:
    """Return the unit of the axis of time and what one of it is in the signal's own."""
    if signal.times_s is None and signal.rate_hz is None:
        return "steps", 1.0
    return ("h", HOUR_S) if span > 2 * HOUR_S else ("s", 1.0)


def _ticks(low: float, high: float, count: int = 8) -> list[float]:
    rough = max(high - low, 1e-9) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * f for f in (1, 2, 5, 10) if power * f >= rough - 1e-12)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def bands(strip: Strip, height: float, at: Float64Array, values: Float64Array) -> list[str]:
    """Return what speaks for the answer as bands over a line, the more opaque the more it does.

    Parameters
    ----------
    strip : Strip
        The first lead of the line.
    height : float
        Of all leads together.
    at, values : numpy.ndarray
        ``t``: where each step lies, and the map; negative values are not shown, the largest of the whole map is 1.

    Notes
    -----
    A step reaches from half-way to the step before to half-way to the next. Neighbours of one shade are one band.
    """
    largest = float(values.max()) if len(values) else 0.0
    if largest <= 0:
        return []
    levels = np.rint(LEVELS * np.clip(values / largest, 0.0, 1.0)).astype(np.int64)
    gaps = np.diff(at) if len(at) > 1 else np.ones(1)
    edges = np.concatenate([[at[0] - gaps[0] / 2], (at[1:] + at[:-1]) / 2, [at[-1] + gaps[-1] / 2]])
    turns = np.flatnonzero(np.diff(levels)) + 1
    drawn = []
    for first, last in pairwise([0, *turns.tolist(), len(levels)]):
        level = int(levels[first])
        left, right = max(float(edges[first]), strip.start), min(float(edges[last]), strip.stop)
        if level > 1 and right > left:
            x = strip.x(left)
            drawn.append(
                f'<rect class="map" x="{x:.6g}" y="{strip.top:.6g}" width="{strip.x(right) - x:.4g}" '
                f'height="{height:.6g}" fill="{BAND}" fill-opacity="{OPAQUE * level / LEVELS:.3g}"/>'
            )
    return drawn


def polyline(strip: Strip, times: Float64Array, values: Float64Array, *, dots: bool) -> str:
    """Return a lead's trace; what is missing is a gap, and values of irregular times are dots on it.

    Parameters
    ----------
    strip : Strip
    times, values : numpy.ndarray
        ``t``.
    dots : bool
        Whether a missing value is no gap but was not measured: what was is joined, with a dot for each.
    """
    if dots:
        known = np.isfinite(values)
        times, values = times[known], values[known]
    drawn = ""
    for piece in np.split(np.arange(len(values)), np.flatnonzero(~np.isfinite(values))):
        inside = piece[np.isfinite(values[piece])]
        if not len(inside):
            continue
        few = _thinned(times[inside], values[inside], strip.per)
        points = [(strip.x(float(times[inside[i]])), strip.y(float(values[inside[i]]))) for i in few]
        if len(points) > 1:
            path = "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
            drawn += f'<path class="trace" d="M{path}" fill="none" stroke="{INK}" stroke-width="0.3" '
            drawn += 'stroke-linejoin="round"/>'
        if dots or len(points) == 1:
            drawn += "".join(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="0.5" fill="{INK}"/>' for x, y in points)
    return drawn


def _thinned(times: Float64Array, values: Float64Array, per: float) -> list[int]:
    """Return which samples are drawn: lowest and highest of each cell where there are more than a printer can show."""
    width = (times[-1] - times[0]) * per
    if len(values) <= max(POINTS_PER_MM * width, 2):
        return list(range(len(values)))
    cells = np.floor((times - times[0]) * per * POINTS_PER_MM / 2).astype(np.int64)
    kept: list[int] = []
    for cell in np.split(np.arange(len(values)), np.flatnonzero(np.diff(cells)) + 1):
        pair = {int(cell[np.argmin(values[cell])]), int(cell[np.argmax(values[cell])])}
        kept += sorted(pair)
    return sorted({0, *kept, len(values) - 1})


def text(x: float, y: float, words: str, *, soft: bool = False, anchor: str = "start", halo: bool = False) -> str:
    """Return a text, escaped; a `halo` keeps it readable on a grid."""
    return _text(x, y, escape(words), f'{_colour(soft=soft)} text-anchor="{anchor}"{_HALO if halo else ""}')


def heading(x: float, y: float, title: str, rest: str) -> str:
    """Return a title in bold and what is said beside it, both escaped."""
    words = f'<tspan font-weight="600">{escape(title)}</tspan>' + (f"&#160; {escape(rest)}" if rest else "")
    return _text(x, y, words, _colour(soft=False))


_HALO = ' stroke="#ffffff" stroke-width="0.8" paint-order="stroke"'


def _colour(*, soft: bool) -> str:
    return f'fill="{SOFT if soft else INK}"'


def _text(x: float, y: float, words: str, style: str) -> str:
    return f'<text x="{x:.5g}" y="{y:.5g}" font-size="3" {style}>{words}</text>'


def clock(seconds: float) -> str:
    """Write a time in a record: ``12.40 s``, ``1:02:03.5``."""
    if abs(seconds) < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(abs(seconds), 1), 60.0)
    hours, minutes = divmod(minutes, 60.0)
    sign = "-" if seconds < 0 else ""
    return f"{sign}{hours:.0f}:{minutes:02.0f}:{rest:04.1f}" if hours else f"{sign}{minutes:.0f}:{rest:04.1f}"

"""Traces with a map along time drawn over them: on the grid of ECG paper where that can be, else on plain axes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.signal import Signal
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.stages.explaining.paper import (
    LEAD_TEXT,
    LINE,
    MARGIN,
    Strip,
    bands,
    clock,
    grid,
    heading,
    in_millivolts,
    plain_axes,
    polyline,
    strips_on_paper,
    strips_plain,
    text,
    why_no_grid,
)
from hounsfield.stages.explaining.picture import Panel

LINE_S, MOST_S = 10.0, 30.0
"""Seconds in one line of ECG paper, and in all."""
MOST_LEADS = 12
LEAST_WIDTH = 150.0
"""Millimetres, so that what is written has room."""


@dataclass(frozen=True)
class Trace:
    """A signal to draw, and where the steps of a map lie in it.

    Parameters
    ----------
    signal : Signal
        As recorded.
    leads : tuple of str
        Its leads that the model looks at, in its order; others are not drawn.
    at : numpy.ndarray
        ``t``: where each step of a map lies, in seconds since the first sample, or in samples where the signal has
        neither rate nor times. What lies outside was not looked at, and is not drawn.
    anchor_s : float or None
        Where the beat is that is asked about, in the same seconds.
    """

    signal: Signal
    leads: tuple[str, ...]
    at: Float64Array
    anchor_s: float | None = None


def draw_trace(trace: Trace, panels: Sequence[Panel]) -> str:
    """Return a picture as SVG whose user unit is a millimetre, also in print.

    Parameters
    ----------
    trace : Trace
    panels : sequence of Panel
        The first says what is explained; each further one is drawn where it has a map ``t``, else only its words are
        written. The trace is drawn at least once.

    Notes
    -----
    25 mm are a second and 10 mm a millivolt where every lead is a voltage and the rate is known: small squares are 40
    ms by 0.1 mV. Else axes are plain, and the reason stands below. Of what is longer than 30 s on paper the stretch is
    drawn where the first map is highest.
    """
    shown = _chosen_leads(trace)
    reason = why_no_grid(trace.signal, shown)
    pieces: list[str] = []
    top, wide = MARGIN, LEAST_WIDTH
    heads, maps = panels[:1], [p for p in panels[1:] if p.values is not None]
    for panel in heads:
        top = _written(pieces, top, panel)
    start, stop = _stretch(trace, maps[0].values if maps else None, on_paper=not reason)
    for panel in maps or [Panel("")]:
        if panel.title:
            top = _written(pieces, top, panel)
        for first, last in _lines(start, stop, on_paper=not reason):
            strips = _strips(trace, shown, (first, last), top, on_paper=not reason)
            pieces += _drawn(trace, strips, panel.values, on_paper=not reason)
            top = strips[-1].top + strips[-1].height + LINE
            wide = max(wide, strips[0].left + strips[0].width + MARGIN)
        top += 1.0
    for panel in panels[1:]:
        if panel.values is None:
            top = _written(pieces, top, panel)
    for line in _notes(trace, shown, (start, stop), reason):
        pieces.append(text(MARGIN, top + LEAD_TEXT, line, soft=True))
        top += LINE
    return _svg(wide, top + MARGIN, pieces)


def _svg(width: float, height: float, pieces: Sequence[str]) -> str:
    size = f'width="{width:.6g}mm" height="{height:.6g}mm" viewBox="0 0 {width:.6g} {height:.6g}"'
    family = "font-family=\"system-ui, 'Noto Sans', 'Noto Sans CJK SC', sans-serif\""
    paper = f'<rect width="{width:.6g}" height="{height:.6g}" fill="#ffffff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {family}>{paper}{"".join(pieces)}</svg>'


def _written(pieces: list[str], top: float, panel: Panel) -> float:
    pieces.append(heading(MARGIN, top + LEAD_TEXT, panel.title, ", ".join(panel.lines)))
    return top + LINE + 0.5


def _chosen_leads(trace: Trace) -> tuple[str, ...]:
    """Return the leads to draw: the first ones that hold anything."""
    known = [n for n in trace.leads if np.isfinite(trace.signal.lead(n)).any()]
    return tuple(known[:MOST_LEADS]) or trace.leads[:1]


def _stretch(trace: Trace, values: Float64Array | None, *, on_paper: bool) -> tuple[float, float]:
    """Return from when to when is drawn."""
    at = trace.at
    step = _step(at)
    start, stop = float(at[0]), float(at[-1]) + step
    if not on_paper or stop - start <= MOST_S:
        return start, stop
    centre = float(at[int(np.argmax(values))]) if values is not None else start
    first = min(max(start, centre - MOST_S / 2), stop - MOST_S)
    return first, first + MOST_S


def _step(at: Float64Array) -> float:
    return float(np.median(np.diff(at))) if len(at) > 1 else 1.0


def _lines(start: float, stop: float, *, on_paper: bool) -> Iterator[tuple[float, float]]:
    if not on_paper:
        yield start, stop
        return
    first = start
    while first < stop - 1e-9:
        yield first, min(first + LINE_S, stop)
        first += LINE_S


def _strips(
    trace: Trace, shown: tuple[str, ...], span: tuple[float, float], top: float, *, on_paper: bool
) -> list[Strip]:
    series = [_series(trace, name) for name in shown]
    if on_paper:
        return strips_on_paper(series, span, top)
    return strips_plain(series, span, top)


def _series(trace: Trace, name: str) -> Float64Array:
    """Return one lead within what was looked at, in mV where it is a voltage."""
    signal = trace.signal
    row = signal.lead(name).astype(np.float64) * in_millivolts(signal.units[signal.leads.index(name)])
    places = _places(signal)
    inside = (places >= trace.at[0]) & (places <= trace.at[-1] + _step(trace.at))
    return row[inside] if inside.any() else row


def _places(signal: Signal) -> Float64Array:
    """Return where each sample lies, on the axis of `Trace.at`."""
    if signal.times_s is not None:
        return np.asarray(signal.times_s, np.float64) - float(signal.times_s[0])
    return np.arange(signal.samples) / (signal.rate_hz or 1.0)


def _drawn(trace: Trace, strips: Sequence[Strip], values: Float64Array | None, *, on_paper: bool) -> list[str]:
    """Return one line: grid or axes, the map's bands over all leads, each lead's name and trace."""
    signal, places = trace.signal, _places(trace.signal)
    pieces: list[str] = []
    for strip in strips:
        pieces.append(grid(strip) if on_paper else plain_axes(strip, signal, last=strip is strips[-1]))
    if values is not None:
        height = strips[-1].top + strips[-1].height - strips[0].top
        pieces += bands(strips[0], height, trace.at[: len(values)], values)
    if trace.anchor_s is not None and strips[0].start <= trace.anchor_s <= strips[0].stop:
        x, y = strips[0].x(trace.anchor_s), strips[0].top
        pieces.append(f'<path class="anchor" d="M{x - 1:.2f} {y - 1.6:.2f}h2l-1 1.6z" fill="#16202b"/>')
    shown = _chosen_leads(trace)
    for strip, name in zip(strips, shown, strict=True):
        unit = signal.units[signal.leads.index(name)]
        row = signal.lead(name).astype(np.float64) * in_millivolts(unit)
        inside: IntArray = np.flatnonzero((places >= strip.start - 1e-9) & (places <= strip.stop + 1e-9))
        pieces.append(polyline(strip, places[inside], row[inside], dots=signal.times_s is not None))
        label = name if on_paper or not unit else f"{name} ({unit})"
        pieces.append(text(strip.left + 1.0, strip.top + LEAD_TEXT + 0.5, label, halo=True))
    return pieces


def _notes(trace: Trace, shown: tuple[str, ...], span: tuple[float, float], reason: str) -> list[str]:
    signal = trace.signal
    notes = []
    if reason:
        notes.append(f"No ECG grid: {reason}.")
    else:
        first, last = span
        notes.append(
            f"25 mm/s, 10 mm/mV: a small square is 40 ms by 0.1 mV. From {clock(signal.start_s + first)} to "
            f"{clock(signal.start_s + last)} of the record."
        )
        looked = float(trace.at[-1]) + _step(trace.at) - float(trace.at[0])
        if looked > last - first + 1e-6:
            notes.append(f"{last - first:.0f} s of the {looked:.0f} s that the model looks at are drawn.")
    length = signal.duration_s
    rest = None if length is None else length - (float(trace.at[-1]) - float(trace.at[0]))
    if length is not None and rest is not None and rest > max(2 * _step(trace.at), 0.01 * length):
        notes.append(f"The model looks at {length - rest:.4g} s of {length:.4g} s; the rest is not drawn.")
    if len(shown) < len(trace.leads):
        notes.append(f"{len(shown)} of {len(trace.leads)} leads are drawn; the map is of all of them.")
    if trace.anchor_s is not None:
        notes.append("The triangle marks the beat that is asked about.")
    return notes

"""The picture of one explained case: panels of an image, or traces of a signal."""

from collections.abc import Mapping

from hounsfield.core.errors import case_id
from hounsfield.core.kinds import Content
from hounsfield.core.leads import place_of
from hounsfield.core.signal import Signal
from hounsfield.core.types import BoolArray, Float32Array, Float64Array
from hounsfield.learn.prepare.protocol import Preparation
from hounsfield.learn.prepare.signal import SignalPreparation
from hounsfield.stages.explaining.picture import Panel, draw
from hounsfield.stages.explaining.result import Explained
from hounsfield.stages.explaining.trace import Trace, draw_trace
from hounsfield.stages.explaining.words import method_words


def picture_name(kind: str, sample: str, place: int) -> str:
    """Return the name of a case's picture: a number and a hash, no identifier."""
    stem, ending = ("trace", "svg") if kind == "signal" else ("image", "png")
    return f"{stem}-{place + 1:02d}-{case_id(sample)}.{ending}"


def image_picture(
    found: Explained, image: Float32Array, maps: Mapping[str, Float64Array], mask: BoolArray | None
) -> bytes:
    """Return an image and each map that passed as PNG.

    Parameters
    ----------
    found : Explained
    image : numpy.ndarray
        As the network sees it, ``c y x`` or ``c z y x``, 0 to 1.
    maps : mapping of str to numpy.ndarray
    mask : numpy.ndarray or None
    """
    panels = panels_of(found, maps)
    depths = (scores.peak[0] for scores in found.maps if scores.shown)
    return draw(image, panels, mask=mask, depth=next(depths, None) if image.ndim == 4 else None)


def signal_picture(
    found: Explained, signal: Signal, spec: SignalPreparation, maps: Mapping[str, Float64Array]
) -> bytes:
    """Return a signal as recorded and each map that passed as SVG.

    Parameters
    ----------
    found : Explained
    signal : Signal
        As read: of a beat the window around it.
    spec : SignalPreparation
        What the network sees of it; it says where in the signal each step of a map lies.
    maps : mapping of str to numpy.ndarray
        ``t``.
    """
    return draw_trace(trace_of(signal, spec), panels_of(found, maps)).encode("utf-8")


def trace_of(signal: Signal, spec: SignalPreparation) -> Trace:
    """Return a signal with the leads that a plan looks at, and where in it each prepared step lies."""
    places = [place_of(lead, signal.leads) for lead in spec.leads]
    if len(spec.leads) == len(signal.leads) == 1:
        places = [0]
    leads = tuple(dict.fromkeys(signal.leads[p] for p in places if p is not None))
    return Trace(signal, leads, spec.moments(signal), spec.before_s if spec.anchored else None)


def peak_seconds(content: Content, spec: Preparation, peak: tuple[int, ...]) -> float | None:
    """Return when in a record a map along time is highest, seconds; None of images, and where no time is known."""
    if not isinstance(content, Signal) or not isinstance(spec, SignalPreparation):
        return None
    if content.times_s is None and content.rate_hz is None:
        return None
    at = spec.moments(content)
    return round(content.start_s + float(at[min(peak[0], len(at) - 1)]), 4)


def panels_of(found: Explained, maps: Mapping[str, Float64Array]) -> list[Panel]:
    """Return what is written of a case and of each map, with the maps that are shown."""
    panels = [Panel(f"{found.predicted or 'none'}", (f"explained: {found.answer}",))]
    for scores in found.maps:
        title = method_words(scores.method).en
        if scores.shown:
            far = "" if scores.z is None else f", z = {scores.z:.1f}"
            lines = [f"p = {scores.p:.2f}{far}", f"deletion {scores.deletion:.2f}, insertion {scores.insertion:.2f}"]
            if scores.stays_the_same:
                lines.append("the same with random weights")
        else:
            lines = ["not shown:", scores.reason]
        panels.append(Panel(title, tuple(lines), maps[scores.method] if scores.shown else None))
    return panels

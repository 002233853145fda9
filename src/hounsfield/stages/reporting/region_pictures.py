"""Pictures of a measurement, each a whole SVG file: a region with its histogram and a map, and correlations."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from hounsfield.core.types import BoolArray, Float64Array
from hounsfield.stages.reporting.svg import element, tick_text, ticks

PANEL = 300.0
"""Longest side of a picture in an SVG's units."""
_GAP, _TOP, _BOTTOM = 24.0, 30.0, 34.0
_INK, _BAR, _LINE = "#18222d", "#3b6ea5", "#ff3ba7"
_RAMP = np.array([[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]], dtype=np.float64)
_SIGNED = np.array([[33, 84, 158], [247, 247, 247], [178, 32, 44]], dtype=np.float64)
_NOTHING = (225, 225, 225)
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Shown:
    """One slice of a region.

    Parameters
    ----------
    title : str
    plane : numpy.ndarray
        ``y x`` float64: the image around the region.
    mask : numpy.ndarray
        ``y x`` bool: the region in it.
    spacing_mm : tuple of float
        Of rows and columns.
    inside : numpy.ndarray
        ``n`` float64: the intensities of the whole region.
    feature : numpy.ndarray or None
        ``y x`` float64, over the same piece of the image, in whatever steps; NaN where it has no value.
    feature_name : str
    """

    title: str
    plane: Float64Array = field(repr=False)
    mask: BoolArray = field(repr=False)
    spacing_mm: tuple[float, float]
    inside: Float64Array = field(repr=False)
    feature: Float64Array | None = field(default=None, repr=False)
    feature_name: str = ""


def region_svg(shown: Shown, *, bins: int = 32) -> str:
    """Return a region on its slice with its outline, its histogram and the map of a feature, as an SVG file.

    Parameters
    ----------
    shown : Shown
    bins : int
        Of the histogram.
    """
    height, width = _size(shown.plane.shape, shown.spacing_mm)
    finite = shown.plane[np.isfinite(shown.plane)]
    low, high = (float(v) for v in np.percentile(finite, (1, 99))) if finite.size else (0.0, 1.0)
    grey = np.repeat(_bytes((shown.plane - low) / ((high - low) or 1.0))[..., None], 3, axis=2)
    outline = _outline(shown.mask, width, height)
    drawn = _panel(0, "region", _image(grey, width, height) + outline)
    drawn += _panel(width + _GAP, "intensities of the region", _histogram(shown.inside, bins, height))
    wide = width + _GAP + PANEL
    if shown.feature is not None:
        picture = _image(coloured(shown.feature, _RAMP, *_limits(shown.feature)), width, height)
        inside = picture + outline + _scale(shown.feature, width, height)
        drawn += _panel(wide + _GAP, shown.feature_name, inside)
        wide += _GAP + width
    return _file(drawn + _words(shown.title, 0, 13, size=13), wide, height + _TOP + _BOTTOM, shown.title)


def correlations_svg(correlations: Float64Array, names: Sequence[str]) -> str:
    """Return a map of correlations as an SVG file, red for 1, blue for -1.

    Parameters
    ----------
    correlations : numpy.ndarray
        ``f f``, -1 to 1, in the order in which they are to be shown.
    names : sequence of str
    """
    cell = 10.0
    side, margin = cell * len(names), 8.0 + 5.6 * max((len(n) for n in names), default=0)
    picture = coloured(correlations, _SIGNED, -1.0, 1.0)
    drawn = Markup("")
    for n, name in enumerate(names):
        drawn += _words(name, margin - 4, _TOP + cell * n + 8, size=9, anchor="end")
    drawn += element("g", _image(picture, side, side), transform=f"translate({margin:g} {_TOP:g})")
    title = f"Spearman's correlation of {len(names)} features, alike ones together (red 1, white 0, blue -1)"
    return _file(drawn + _words(title, 0, 13, size=13), max(margin + side, 620.0), side + _TOP + 8, title)


def coloured(values: Float64Array, ramp: Float64Array, low: float, high: float) -> Bytes:
    """Return colours ``y x 3`` of values, grey where there is none."""
    share = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
    share = np.where(np.isfinite(share), share, 0.0) * (len(ramp) - 1)
    stops = np.arange(len(ramp))
    made = np.stack([np.interp(share, stops, ramp[:, c]) for c in range(3)], axis=-1)
    made[~np.isfinite(values)] = _NOTHING
    return np.rint(made).astype(np.uint8)


def _bytes(share: Float64Array) -> Bytes:
    return np.rint(255 * np.clip(np.nan_to_num(share, nan=0.0), 0, 1)).astype(np.uint8)


def _size(shape: tuple[int, ...], spacing_mm: tuple[float, float]) -> tuple[float, float]:
    """Return height and width in which lengths along both axes are true."""
    height, width = (n * s for n, s in zip(shape, spacing_mm, strict=True))
    longest = max(height, width)
    # a region as thin as a line is still to be seen
    return max(40.0, PANEL * height / longest), max(40.0, PANEL * width / longest)


def _limits(values: Float64Array) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)


def _image(colours: Bytes, width: float, height: float) -> Markup:
    from PIL import Image as Pillow

    out = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(colours)).save(out, format="PNG", optimize=True)
    data = f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
    return element(
        "image", href=data, style="image-rendering:pixelated", width=width, height=height, preserveAspectRatio="none"
    )


def _outline(mask: BoolArray, width: float, height: float) -> Markup:
    """Return the edges between voxels inside and outside, as one path."""
    padded = np.pad(mask, 1)
    across = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1])
    down = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1])
    path = "".join(f"M{x} {y}h1" for y, x in across) + "".join(f"M{x} {y}v1" for y, x in down)
    scale = f"scale({width / mask.shape[1]:.6g} {height / mask.shape[0]:.6g})"
    return element(
        "path",
        d=path,
        fill="none",
        stroke=_LINE,
        stroke_width="1.5",
        vector_effect="non-scaling-stroke",
        transform=scale,
    )


def _histogram(inside: Float64Array, bins: int, height: float) -> Markup:
    finite = inside[np.isfinite(inside)]
    low, high = _limits(finite)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    counts, _ = np.histogram(finite, bins=bins, range=(low, high))
    most, step = max(int(counts.max()), 1), PANEL / bins
    drawn = Markup("")
    for n, count in enumerate(counts.tolist()):
        tall = height * count / most
        drawn += element("rect", x=n * step, y=height - tall, width=max(step - 1, 0.5), height=tall, fill=_BAR)
    drawn += element("line", x1=0.0, x2=PANEL, y1=height, y2=height, stroke=_INK)
    for tick in ticks(low, high):
        at = PANEL * (tick - low) / (high - low)
        drawn += element("line", x1=at, x2=at, y1=height, y2=height + 4, stroke=_INK)
        drawn += _words(tick_text(tick), at, height + 16, anchor="middle")
    return drawn + _words(f"{finite.size} voxels, highest bar {most}", 0, height + 30)


def _scale(values: Float64Array, width: float, height: float) -> Markup:
    low, high = _limits(values)
    bar = _image(coloured(np.linspace(0, 1, 64)[None], _RAMP, 0.0, 1.0), width, 8.0)
    drawn = element("g", bar, transform=f"translate(0 {height + 6:g})")
    drawn += _words(f"{low:.4g}", 0, height + 28)
    return drawn + _words(f"{high:.4g}", width, height + 28, anchor="end")


def _panel(left: float, title: str, inside: Markup) -> Markup:
    return element("g", _words(title, 0, -4) + inside, transform=f"translate({left:g} {_TOP:g})")


def _words(words: str, x: float, y: float, *, size: int = 11, anchor: str = "start") -> Markup:
    return element("text", words, x=x, y=y, font_size=f"{size}px", text_anchor=anchor, fill=_INK)


def _file(inside: Markup, width: float, height: float, label: str) -> str:
    paper = element("rect", x="-8", y="-4", width="100%", height="100%", fill="white")
    drawn = element(
        "svg",
        paper + inside,
        font_family="sans-serif",
        role="img",
        aria_label=label,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"-8 -4 {width + 16:.0f} {height + 8:.0f}",
        width=f"{width + 16:.0f}",
    )
    return f"{drawn}\n"

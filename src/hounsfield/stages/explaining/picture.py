"""One PNG per image: the image, and each map that passed laid over it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from hounsfield.core.types import BoolArray, Float32Array, Float64Array

PANEL = 288
"""Edge of a panel in pixels."""
LINE = 18
"""Height of a line of text."""
_RAMP = np.array([[0.35, 0.0, 0.45], [0.86, 0.16, 0.34], [1.0, 0.55, 0.1], [1.0, 0.93, 0.45]])
_OUTLINE = np.array([0.25, 0.95, 1.0])
_INK, _PAPER = (24, 34, 45), (255, 255, 255)
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Panel:
    """One picture of the row.

    Parameters
    ----------
    title : str
    lines : tuple of str
        Scores, written below.
    values : numpy.ndarray or None
        The map, where it is shown.
    """

    title: str
    lines: tuple[str, ...] = ()
    values: Float64Array | None = None


def draw(
    image: Float32Array, panels: Sequence[Panel], *, mask: BoolArray | None = None, depth: int | None = None
) -> bytes:
    """Return a row of panels as PNG.

    Parameters
    ----------
    image : numpy.ndarray
        ``c y x`` or ``c z y x``, 0 to 1.
    panels : sequence of Panel
    mask : numpy.ndarray or None
        Outlined in the first panel.
    depth : int or None
        Slice of a volume that panels without a map show; else each shows the slice in which its map is highest.
    """
    font = ImageFont.load_default(14)
    most = max(len(p.lines) for p in panels)
    pictures = [_panel(image, p, mask=mask if place == 0 else None, depth=depth) for place, p in enumerate(panels)]
    width, height = pictures[0].size
    canvas = Pillow.new("RGB", (len(panels) * (width + 8) - 8, height + LINE * (1 + most) + 6), _PAPER)
    pen = ImageDraw.Draw(canvas)
    for place, (panel, picture) in enumerate(zip(panels, pictures, strict=True)):
        left = place * (width + 8)
        canvas.paste(picture, (left, LINE + 2))
        pen.text((left + 2, 0), panel.title, fill=_INK, font=font)
        for number, line in enumerate(panel.lines):
            pen.text((left + 2, height + LINE * (1 + number) + 4), line, fill=_INK, font=font)
    file = io.BytesIO()
    canvas.save(file, "PNG", optimize=True)
    return file.getvalue()


def overlay(grey: Float64Array, values: Float64Array) -> Float64Array:
    """Return colours ``y x 3``, 0 to 1: the map's positive part over a grey image, opaque where it is highest.

    Parameters
    ----------
    grey : numpy.ndarray
        ``y x`` or ``y x 3``, 0 to 1.
    values : numpy.ndarray
        ``y x``, 1 at its highest; negative values are not shown.
    """
    base = np.repeat(grey[..., None], 3, axis=2) if grey.ndim == 2 else grey
    strength = np.clip(values, 0.0, 1.0)
    place = strength * (len(_RAMP) - 1)
    low = np.minimum(place.astype(np.int64), len(_RAMP) - 2)
    rest = (place - low)[..., None]
    colour = _RAMP[low] * (1 - rest) + _RAMP[low + 1] * rest
    alpha = (0.65 * np.clip((strength - 0.15) / 0.5, 0, 1))[..., None]
    mixed: Float64Array = base * (1 - alpha) + colour * alpha
    return mixed


def outline(mask: BoolArray) -> BoolArray:
    """Return the places of a mask ``y x`` that touch its outside."""
    padded = np.pad(mask, 1, mode="edge")
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    edge: BoolArray = mask & ~inner
    return edge


def _panel(image: Float32Array, panel: Panel, *, mask: BoolArray | None, depth: int | None) -> Pillow.Image:
    values = panel.values
    if image.ndim == 4:
        peak = int(np.unravel_index(int(np.argmax(values)), values.shape)[0]) if values is not None else depth
        level = image.shape[1] // 2 if peak is None else peak
        image = image[:, level]
        mask = mask[level] if mask is not None else None
        largest = float(values.max()) if values is not None else 0.0
        values = values[level] if values is not None else None
    else:
        largest = float(values.max()) if values is not None else 0.0
    size = _size(image.shape[1:])
    grey = _resized(np.moveaxis(image[:3], 0, -1) if len(image) >= 3 else image[0], size)
    shown = grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2)
    if values is not None and largest > 0:
        shown = overlay(grey, _resized((values / largest).astype(np.float32), size))
    if mask is not None and mask.any():
        shown = shown.copy()
        shown[outline(_resized(mask.astype(np.float32), size) > 0.5)] = _OUTLINE
    pixels: Bytes = np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)
    return Pillow.fromarray(pixels)


def _size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return width and height of a panel."""
    rows, columns = shape
    scale = PANEL / max(rows, columns)
    return max(1, round(columns * scale)), max(1, round(rows * scale))


def _resized(values: Float32Array, size: tuple[int, int]) -> Float64Array:
    planes = [values] if values.ndim == 2 else [values[..., c] for c in range(values.shape[-1])]
    done = [
        np.asarray(Pillow.fromarray(p.astype(np.float32)).resize(size, Pillow.Resampling.BILINEAR), dtype=np.float64)
        for p in planes
    ]
    return done[0] if values.ndim == 2 else np.stack(done, axis=-1)

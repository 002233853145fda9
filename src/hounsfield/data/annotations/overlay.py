"""Overlays: the slice that shows the most of what was marked, with outlines, names and a scale bar, as PNG."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.image import Image
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.annotations.colours import colour
from hounsfield.data.annotations.files import misfit, refuse, stem, write_whole
from hounsfield.geometry.affines import reorient, spacing_mm
from hounsfield.geometry.outlines import outlines

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

FOLDER = "overlays"
SIDE = 768
"""Longest side of the picture in pixels."""
WINDOW_HU = (-160.0, 240.0)
"""Soft tissue: level 40, width 400."""
UNSURE = (255, 210, 0)
MOST_TINT = 0.6
LUNG_HU = (-1350.0, 150.0)
"""Lung: level -600, width 1500."""
_AERATED_HU = -400.0
_RIM = 4
_SHARE = 0.25
_BARS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
_LINE = 22
_FONT = 14


class OverlayWriter:
    """Writes ``overlays/<case>.png``.

    Notes
    -----
    Of a volume the slice with the most marked voxels is shown, in the plane that it was taken in (the finest two axes;
    axial where all are alike), as radiologists look at it: the patient's right is on the left, the head is up. CT in HU
    has a soft-tissue window, or that of the lung where a quarter of what surrounds the marks is aerated; other images
    lie between their 1st and 99th percentile; three channels of a byte are colours, of other channels the first is
    shown. Names that the built-in font cannot draw (it has Latin letters only) stand as the number of the class. A
    sheared volume (tilted gantry) is drawn as if it were not: the picture is for looking, the labels are for measuring.
    Where the annotation says how unsure the model was, such places are tinted.
    """

    def accepts(self, answer: Annotation, source: Source) -> str:
        """Refuse only what does not lie on its image."""
        return misfit(answer, source)

    def write(self, answer: Annotation, source: Source, folder: Path) -> tuple[Path, ...]:
        """Write one picture."""
        refuse(self.accepts(answer, source), source, instead="the annotation on the grid of its image")
        return (write_whole(folder / FOLDER / f"{stem(source.name)}.png", overlay_png(answer, source.image)),)

    def finish(self, folder: Path) -> tuple[Path, ...]:
        """Join nothing: every case has its own file."""
        return ()


@dataclass(frozen=True)
class _Shown:
    """The slice that is shown.

    Parameters
    ----------
    values : numpy.ndarray
        ``y x`` or ``y x 3``.
    masks : tuple of numpy.ndarray
        Bool ``y x``, one for each class.
    step_mm : (float, float) or None
        Between rows, between columns.
    note : str
        Which slice of how many.
    right_on_left : bool
        Whether the patient's right is known to be on the left.
    unsure : numpy.ndarray or None
        ``y x``, 0 to 1.
    """

    values: AnyArray
    masks: tuple[AnyArray, ...]
    step_mm: tuple[float, float] | None
    note: str = ""
    right_on_left: bool = False
    unsure: AnyArray | None = None


def overlay_png(answer: Annotation, image: Image) -> bytes:
    """Return a picture of an annotation on its image.

    Parameters
    ----------
    answer : Annotation
    image : Image
        Of the annotation's size.

    Returns
    -------
    bytes
        PNG; the same input gives the same bytes.
    """
    from PIL import Image as Picture
    from PIL import ImageDraw

    shown = _plane(answer, image) if answer.ndim == 2 else _slice(answer, image)
    rows, columns = shown.values.shape[:2]
    steps = shown.step_mm or (1.0, 1.0)
    scale = SIDE / max(rows * steps[0], columns * steps[1])
    factor = (steps[0] * scale, steps[1] * scale)
    size = (max(1, round(rows * factor[0])), max(1, round(columns * factor[1])))
    grey = _grey(shown, image)
    body = _stretched(grey if shown.unsure is None else _tinted(grey, shown.unsure), size)
    names = [(n, _drawable(name, n)) for n, name in enumerate(answer.classes) if shown.masks[n].any()]
    picture = Picture.new("RGB", (max(size[1], 240), size[0] + _LINE * (len(names) + 2)), (0, 0, 0))
    picture.paste(Picture.fromarray(body), (0, 0))
    draw = ImageDraw.Draw(picture)
    for number, mask in enumerate(shown.masks):
        for outline in outlines(mask):
            for line in (outline.outer, *outline.holes):
                corners = (np.concatenate([line, line[:1]]) + 0.5) * (factor[1], factor[0])
                draw.line([(float(x), float(y)) for x, y in corners], fill=colour(number), width=2)
    _legend(draw, names, shown, (size, factor[1]))
    out = io.BytesIO()
    picture.save(out, format="PNG")
    return out.getvalue()


def _plane(answer: Annotation, image: Image) -> _Shown:
    coloured = image.channels in (3, 4) and image.array.dtype == np.uint8
    values = np.moveaxis(image.array[:3], 0, -1) if coloured else image.array[0]
    masks = tuple(answer.mask(n) for n in range(len(answer.classes)))
    steps = image.grid.spacing_mm if image.grid is not None else None
    return _Shown(values, masks, None if steps is None else (steps[1], steps[0]), unsure=answer.uncertainty)


def _slice(answer: Annotation, image: Image) -> _Shown:
    affine = image.grid.affine_ras if image.grid is not None else np.diag([-1.0, -1.0, -1.0, 1.0])
    values, turned = reorient(image.array[0], affine, "LPI")
    x, y, z = spacing_mm(turned)
    thick = max(range(3), key=lambda axis: ((z, y, x)[axis] * (1.02 if axis == 0 else 1.0), -axis))
    others = tuple(axis for axis in range(3) if axis != thick)
    masks = [reorient(answer.mask(n), affine, "LPI")[0] for n in range(len(answer.classes))]
    marked = np.sum([m.sum(axis=others) for m in masks], axis=0)
    place = int(marked.argmax()) if marked.any() else values.shape[thick] // 2
    steps = ((z, y, x)[others[0]], (z, y, x)[others[1]])
    return _Shown(
        np.take(values, place, axis=thick),
        tuple(np.take(m, place, axis=thick) for m in masks),
        steps if image.grid is not None else None,
        _note(answer.size, affine, thick, place) if image.grid is not None else "",
        right_on_left=image.grid is not None and thick != 2,
        unsure=None
        if answer.uncertainty is None
        else np.take(reorient(answer.uncertainty, affine, "LPI")[0], place, axis=thick),
    )


def _note(size: tuple[int, ...], affine: Float64Array, axis: int, place: int) -> str:
    """Return which slice is shown, by its number in the file where it is one of the file's slices."""
    numbers = np.broadcast_to(np.arange(size[0])[:, None, None], size)
    shown = np.take(reorient(numbers, affine, "LPI")[0], place, axis=axis)
    name = ("axial", "coronal", "sagittal")[axis]
    return f"{name}, slice {shown.flat[0]} of 0 to {size[0] - 1}" if (shown == shown.flat[0]).all() else name


def _window_hu(shown: _Shown) -> tuple[float, float]:
    """Return between which CT numbers a slice is shown: those of the lung where the marks lie in it."""
    marked = np.logical_or.reduce(shown.masks)
    around = ndimage.binary_dilation(marked, iterations=_RIM) & ~marked if marked.any() else marked
    aerated = around.any() and float((shown.values[around] < _AERATED_HU).mean()) >= _SHARE
    return LUNG_HU if aerated else WINDOW_HU


def _grey(what: _Shown, image: Image) -> Float64Array:
    """Return values as 0 to 255, ``y x 3``."""
    values = what.values
    shown = np.asarray(values, dtype=np.float64)
    if shown.ndim == 3 and values.dtype == np.uint8:
        return shown
    finite = np.isfinite(shown)
    if image.units == "HU":
        low, high = _window_hu(what)
    else:
        low, high = (float(v) for v in np.percentile(shown[finite], [1, 99])) if finite.any() else (0.0, 1.0)
    shown = np.clip((np.where(finite, shown, low) - low) / max(high - low, 1e-12), 0, 1) * 255
    return shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, axis=2)


def _tinted(grey: Float64Array, unsure: AnyArray) -> Float64Array:
    """Return grey values ``y x 3`` with the colour `UNSURE` laid over them, the denser the less sure the model was."""
    share = (MOST_TINT * np.clip(np.asarray(unsure, dtype=np.float64), 0.0, 1.0))[..., None]
    mixed: Float64Array = grey * (1.0 - share) + np.array(UNSURE, dtype=np.float64) * share
    return mixed


def _stretched(values: Float64Array, size: tuple[int, int]) -> AnyArray:
    """Return a picture at another size, pixel edges at pixel edges; averaged first where it shrinks."""
    steps = [n / m for n, m in zip(values.shape, size, strict=False)]
    parts = []
    for channel in np.moveaxis(values, -1, 0):
        smooth = ndimage.gaussian_filter(channel, [max(0.0, (s - 1) / 2) for s in steps], mode="nearest")
        shift = [0.5 * s - 0.5 for s in steps]
        parts.append(ndimage.affine_transform(smooth, steps, shift, size, order=1, mode="nearest"))
    return np.ascontiguousarray(np.rint(np.clip(np.stack(parts, axis=-1), 0, 255)).astype(np.uint8))


def _drawable(name: str, index: int) -> str:
    """Return a name where the built-in font has its letters, else the number of the class."""
    plain = name if len(name) <= 40 else name[:39] + "…"
    latin = all(ord(c) < 0x250 and c.isprintable() for c in name)
    return plain.replace("…", "...") if latin and name.strip() else f"class {index + 1}"


def _legend(
    draw: "ImageDraw", names: list[tuple[int, str]], shown: _Shown, scaling: tuple[tuple[int, int], float]
) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(_FONT)
    (height, width), per_step = scaling
    if shown.right_on_left:
        draw.text((4, height // 2), "R", fill=(255, 255, 255), font=font)
    # the bar is at most a third of the picture long
    step = shown.step_mm[1] if shown.step_mm else 1.0
    length = max((b for b in _BARS if b / step * per_step <= width / 3), default=_BARS[0])
    end = 8 + length / step * per_step
    level = height + _LINE // 2
    draw.line([(8, level), (end, level)], fill=(255, 255, 255), width=3)
    unit = "mm" if shown.step_mm else "px"
    draw.text((end + 8, height + 2), f"{length} {unit}", fill=(255, 255, 255), font=font)
    for line, (index, name) in enumerate(names, start=1):
        top = height + _LINE * line
        draw.rectangle([8, top + 4, 20, top + 16], fill=colour(index))
        draw.text((28, top + 2), name, fill=(255, 255, 255), font=font)
    text = shown.note if names else f"{shown.note}{', ' if shown.note else ''}nothing marked"
    if shown.unsure is not None:
        text = f"{text}{', ' if text else ''}yellow: unsure"
    draw.text((8, height + _LINE * (len(names) + 1) + 2), text, fill=(190, 190, 190), font=font)

"""Overlays: the middle slices of a volume with the outlines of its masks, as one PNG."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hounsfield.core.image import Image
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.geometry.affines import reorient, spacing_mm

COLOURS = ((255, 99, 71), (70, 200, 255), (255, 214, 10), (80, 220, 100), (230, 120, 255), (255, 160, 60))
"""Told apart on grey, also by most people who see colours differently; the first two are never alike."""
_GREYS = 256 - len(COLOURS)
"""With the colours they fill a palette, so that a picture takes one byte for a pixel."""
SIDE = 384
"""Longest side of one view in pixels."""
WINDOW_HU = (-160.0, 240.0)
"""Soft tissue: level 40, width 400."""
_GAP = 4
_THINNEST = SIDE / 8
"""A view with fewer pixels on its short side shows nothing: of a volume of few slices only these are drawn."""
_LARGEST_STRETCH = 40.0


@dataclass(frozen=True)
class _View:
    """One of the three views: which axis of ``z y x`` is cut, and which spacings its rows and columns have."""

    axis: int
    rows: int
    columns: int


_VIEWS = (_View(0, 1, 0), _View(1, 2, 0), _View(2, 2, 1))
"""Axial, coronal, sagittal; rows and columns name axes of x y z."""


def overlay(image: Image, masks: Sequence[BoolArray]) -> bytes:
    """Draw the outlines of masks on the slices through their middle.

    Parameters
    ----------
    image : Image
        ``c z y x`` with a grid; the first channel is drawn.
    masks : sequence of numpy.ndarray
        Each ``z y x`` of bool, on the image's grid.

    Returns
    -------
    bytes
        A PNG with the axial, coronal and sagittal view side by side, as radiologists look at them: the patient's
        right is on the left, the head is up. The same input gives the same bytes.

    Raises
    ------
    ValueError
        If the image has no grid or is no volume.

    Notes
    -----
    Slices go through the middle of what any mask marks along each axis, or through the middle of the volume. Where only
    one of the views is thick enough to be seen, it is shown at three places. CT
    in HU is shown in a soft-tissue window, anything else between its 1st and 99th percentile. A sheared volume
    (tilted gantry) is drawn as if it were not: the picture is for looking whether a mask lies where it should.
    """
    if image.grid is None or image.ndim != 3:
        raise ValueError("an overlay needs a volume with a grid")
    # rows downwards to the feet or the back, columns to the patient's left
    values, affine = reorient(image.array[0], image.grid.affine_ras, "LPI")
    turned = [reorient(np.asarray(mask), image.grid.affine_ras, "LPI")[0].astype(np.bool_) for mask in masks]
    low, high = _window(image, values)
    step = spacing_mm(affine)
    extent = [values.shape[2 - n] * step[n] for n in range(3)]
    scale = SIDE / max(extent)
    views = [v for v in _VIEWS if min(extent[v.rows], extent[v.columns]) * scale >= _THINNEST] or [_widest(extent)]
    shares = (0.5,) if len(views) > 1 else (0.25, 0.5, 0.75)
    cuts = [(v, place) for v in views for place in _places(turned, v.axis, values.shape[v.axis], shares)]
    return _png(_beside([_drawn(cut, values, turned, (low, high), (step, scale)) for cut in cuts]))


def _widest(extent: Sequence[float]) -> _View:
    return max(_VIEWS, key=lambda view: extent[view.rows] * extent[view.columns])


def _drawn(
    cut: tuple[_View, int],
    values: AnyArray,
    masks: Sequence[AnyArray],
    window: tuple[float, float],
    scaling: tuple[tuple[float, float, float], float],
) -> AnyArray:
    view, place = cut
    low, high = window
    plane = np.asarray(np.take(values, place, axis=view.axis), dtype=np.float64)
    grey = np.clip((plane - low) / (high - low), 0, 1) * (_GREYS - 1)
    step, scale = scaling
    height, width = (
        max(1, round(n * min(step[axis] * scale, _LARGEST_STRETCH)))
        for n, axis in zip(plane.shape, (view.rows, view.columns), strict=True)
    )
    size = (height, width)
    picture = np.rint(_stretched(grey, size, order=1)).astype(np.uint8)
    for number, mask in enumerate(masks):
        area = _stretched(np.take(mask, place, axis=view.axis).astype(np.float64), size, order=0) > 0.5
        picture[area & ~ndimage.binary_erosion(area, iterations=1, border_value=1)] = _GREYS + number % len(COLOURS)
    return picture


def _places(masks: Sequence[AnyArray], axis: int, length: int, shares: Sequence[float]) -> list[int]:
    """Return the slices before which given shares of what is marked lie, each once; of all voxels if none is marked."""
    others = tuple(n for n in range(3) if n != axis)
    marked = np.zeros(length, dtype=np.float64)
    for mask in masks:
        marked += np.asarray(mask, dtype=np.bool_).sum(axis=others)
    if not marked.any():
        marked += 1.0
    so_far = np.cumsum(marked)
    return sorted({int(np.searchsorted(so_far, so_far[-1] * share)) for share in shares})


def _window(image: Image, values: AnyArray) -> tuple[float, float]:
    if image.units == "HU":
        return WINDOW_HU
    low, high = (float(v) for v in np.percentile(np.asarray(values, dtype=np.float32), (1, 99)))
    return (low, high) if high > low else (low, low + 1.0)


def _stretched(plane: Float64Array, size: tuple[int, int], *, order: int) -> Float64Array:
    """Return a plane at another size; pixel edges stay at pixel edges."""
    scale = [n / m for n, m in zip(plane.shape, size, strict=True)]
    moved = ndimage.affine_transform(plane, scale, [0.5 * s - 0.5 for s in scale], size, order=order, mode="nearest")
    return np.asarray(moved, dtype=np.float64)


def _beside(pictures: Sequence[AnyArray]) -> AnyArray:
    height = max(p.shape[0] for p in pictures)
    parts: list[AnyArray] = []
    for picture in pictures:
        above = (height - picture.shape[0]) // 2
        parts.append(np.pad(picture, ((above, height - picture.shape[0] - above), (0, _GAP))))
    return np.concatenate(parts, axis=1)[:, :-_GAP]


def _png(picture: AnyArray) -> bytes:
    from PIL import Image as Pillow

    out = io.BytesIO()
    drawn = Pillow.fromarray(np.ascontiguousarray(picture))
    greys = [(round(n * 255 / (_GREYS - 1)),) * 3 for n in range(_GREYS)]
    drawn.putpalette([part for colour in (*greys, *COLOURS) for part in colour])
    drawn.save(out, format="PNG", optimize=True)
    return out.getvalue()

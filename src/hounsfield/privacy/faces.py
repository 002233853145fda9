"""Takes the face out of a volume of a head: by geometry alone, the same each time, without any learned weights."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import RefusedError
from hounsfield.core.types import AnyArray, BoolArray, Float32Array, Float64Array

BRAIN_RADII_MM = (78.0, 96.0, 72.0)
"""Half axes of the ellipsoid that is never touched: right-left, anterior-posterior, inferior-superior.

Larger than an adult's brain (about 70 x 88 x 65 mm) by a margin.
"""

BRAIN_DEPTH_MM = 82.0
"""How far below the top of the head its centre lies: scalp and skull are about 10 mm thick."""

BROW_MM = 12.0
"""How far above the brain's centre the face begins: the brow."""

EAR_MM, EAR_DEPTH_MM = 14.0, 14.0
"""How far the ears reach out of and into the head."""

HEAD_WIDTHS_MM = (90.0, 240.0)
LEAST_HEIGHT_MM = 120.0
SURFACE_MM = 30.0
"""How deep the face is taken off: skin, fat, nose and lips, but not the base of the skull."""


@dataclass(frozen=True)
class Defaced:
    """A volume without its face.

    Parameters
    ----------
    volume : numpy.ndarray
        ``z y x``, dtype of the input.
    removed : numpy.ndarray
        ``z y x``, bool: voxels that were set to the background.
    """

    volume: AnyArray
    removed: BoolArray


def deface(volume: AnyArray, affine_ras: Float64Array) -> Defaced:
    """Take the face and the ears out of a volume of a head.

    Parameters
    ----------
    volume : numpy.ndarray
        ``z y x``: CT in HU or MR, any orientation.
    affine_ras : numpy.ndarray
        4 x 4: voxel indices (x, y, z, 1) to millimetres, right, anterior, superior.

    Returns
    -------
    Defaced

    Raises
    ------
    RefusedError
        If the volume does not hold a head from its top to the chin: a face cannot be found then, and must not be
        believed to be gone.

    Notes
    -----
    The head is what is not air, its largest part. From its top an ellipsoid is placed where the brain is; it is kept
    with all that lies behind it. In front of it, from the brow down, everything is set to the background to the depth
    of 30 mm below the skin, and so is the air before the face, where a reconstruction may show its outline in noise;
    the ears go with the skin at both sides. It does not know disease or age: a head that is much smaller than an
    adult's loses less depth behind the face, and the skull's base may show. What is left is no proof that nobody
    can be recognised; look at the surface before you share it.
    """
    head = head_mask(volume)
    points = _millimetres(volume.shape, affine_ras)
    frame = _frame(head, points)
    removed = _face(head, points, frame, affine_ras) & ~_brain(points, frame)
    clean = volume.copy()
    clean[removed] = _background(volume, head)
    return Defaced(clean, removed)


@dataclass(frozen=True)
class _Frame:
    """Where a head lies, in mm: middle from right to left, front-most skin, the brain's centre, half its width."""

    middle: float
    front: float
    centre: tuple[float, float, float]
    half_width: float


def head_mask(volume: AnyArray) -> BoolArray:
    """Return the largest connected part that is not air, its cavities filled: ``z y x``, bool.

    Notes
    -----
    The threshold is Otsu's between air and the rest, halfway towards air, so that skin and fat are in.
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    values = volume.astype(np.float32)
    low, high = (float(v) for v in np.percentile(values, [1, 99.5]))
    if high <= low:
        raise _no_head("all its values are alike")
    inside = np.clip(values, low, high)
    tissue = inside > low + 0.5 * (float(threshold_otsu(inside.ravel())) - low)
    tissue = ndimage.binary_opening(tissue, iterations=1)
    labels, count = ndimage.label(tissue)
    if not count:
        raise _no_head("nothing in it stands out from air")
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    head = labels == int(np.argmax(sizes))
    filled: BoolArray = ndimage.binary_fill_holes(head)
    return filled


def _millimetres(shape: tuple[int, ...], affine_ras: Float64Array) -> Float32Array:
    """Return right, anterior and superior of every voxel: ``k z y x`` in mm."""
    z, y, x = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in shape), indexing="ij", sparse=True)
    a = affine_ras.astype(np.float32)
    return np.stack([a[i, 0] * x + a[i, 1] * y + a[i, 2] * z + a[i, 3] for i in range(3)])


def _frame(head: BoolArray, points: Float32Array) -> _Frame:
    right, anterior, superior = (axis[head] for axis in points)
    top = float(np.percentile(superior, 99.95))
    if top - float(superior.min()) < LEAST_HEIGHT_MM:
        raise _no_head(f"what is not air is {top - float(superior.min()):.0f} mm high")
    cap = (superior < top - 30) & (superior > top - LEAST_HEIGHT_MM)
    sides = np.percentile(right[cap], [0.5, 99.5])
    width = float(sides[1] - sides[0])
    if not HEAD_WIDTHS_MM[0] <= width <= HEAD_WIDTHS_MM[1]:
        raise _no_head(f"what is not air is {width:.0f} mm wide")
    level = (superior < top - 40) & (superior > top - 80)  # above the brow: the skull alone
    behind, before = (float(v) for v in np.percentile(anterior[level], [0.5, 99.5]))
    middle = float(sides.mean())
    return _Frame(middle, before, (middle, (behind + before) / 2, top - BRAIN_DEPTH_MM), width / 2)


def _brain(points: Float32Array, frame: _Frame) -> BoolArray:
    offsets = (points[i] - frame.centre[i] for i in range(3))
    inside: BoolArray = sum((d / r) ** 2 for d, r in zip(offsets, BRAIN_RADII_MM, strict=True)) <= 1.0
    return inside


def _face(head: BoolArray, points: Float32Array, frame: _Frame, affine_ras: Float64Array) -> BoolArray:
    """Return the face with the air before it, and the ears."""
    from scipy import ndimage

    spacing = np.linalg.norm(affine_ras[:3, :3], axis=0)[::-1]
    depth = ndimage.distance_transform_edt(head, sampling=spacing)
    right, anterior, superior = points
    low_enough = superior < frame.centre[2] + BROW_MM
    # a plane that leans back towards the chin: the face recedes below the brow, the jaw reaches back to the ears
    lean = np.clip(frame.centre[2] + BROW_MM - superior, 0, 60)
    in_front = anterior > frame.front - 30 - 0.5 * lean
    face = low_enough & in_front & (depth < SURFACE_MM)
    aside = np.abs(right - frame.middle)
    level_of_ears = np.abs(superior - (frame.centre[2] - 25)) < 50
    ears = level_of_ears & (aside > frame.half_width - EAR_MM) & (depth < EAR_DEPTH_MM)
    ears &= np.abs(anterior - frame.centre[1]) < 60
    found: BoolArray = face | ears
    return found


def _background(volume: AnyArray, head: BoolArray) -> float:
    outside = volume[~head].astype(np.float64)
    return float(np.median(outside)) if outside.size else float(volume.astype(np.float64).min())


def _no_head(found: str) -> RefusedError:
    return RefusedError(
        f"The volume does not show a whole head: {found}.",
        expected="CT or MR of a head, from its top to below the brow at least, 90 to 240 mm wide",
        next_step="leave face removal out for this volume, or withhold it",
    )

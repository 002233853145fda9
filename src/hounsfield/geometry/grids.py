"""Grids: whether two arrays lie on the same voxels, and what differs where they do not."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.geometry.affines import apply, orientation, reorient, spacing_mm

TOLERANCE_MM = 0.01
"""Headers of different programs differ in the last digits; no voxel is so small that this would hide a shift."""


def corners(affine: Float64Array, size: Sequence[int]) -> Float64Array:
    """Return the centres of the eight corner voxels in mm: ``8 3``.

    Parameters
    ----------
    affine : numpy.ndarray
        4 x 4.
    size : sequence of int
        ``z y x``.
    """
    last = np.array([max(int(n) - 1, 0) for n in size][::-1], dtype=np.float64)
    unit = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], dtype=np.float64)
    return apply(affine, unit * last)


def farthest_mm(one: Float64Array, other: Float64Array, size: Sequence[int]) -> float:
    """Return by how many mm a voxel of a grid of `size` (``z y x``) lies elsewhere under the other affine, at most."""
    return float(np.linalg.norm(corners(one, size) - corners(other, size), axis=1).max())


def difference(
    one: Float64Array,
    other: Float64Array,
    sizes: tuple[Sequence[int], Sequence[int]],
    *,
    tolerance_mm: float = TOLERANCE_MM,
) -> str:
    """Say in one clause what differs between two grids; empty where they are the same.

    Parameters
    ----------
    one, other : numpy.ndarray
        4 x 4 RAS.
    sizes : pair of sequences of int
        ``z y x`` of each.
    tolerance_mm : float
        How far the same voxel may lie apart.

    Notes
    -----
    What is named first is what explains the most: size, then orientation, spacing, direction, place. No figure in it
    tells who the patient is.
    """
    first, second = (tuple(int(n) for n in s) for s in sizes)
    turned = orientation(one) != orientation(other)
    if turned and _same_when_turned(one, other, first, second, tolerance_mm):
        return f"the same voxels in another order of axes ({orientation(one)} and {orientation(other)})"
    if first != second:
        return f"the size differs: {_times(first)} and {_times(second)} voxels (z y x)"
    far = farthest_mm(one, other, first)
    if far <= tolerance_mm:
        return ""
    if turned:
        return f"the axes run {orientation(one)} and {orientation(other)}"
    here, there = spacing_mm(one), spacing_mm(other)
    if any(abs(a - b) * max(n - 1, 1) > tolerance_mm for a, b, n in zip(here, there, first[::-1], strict=True)):
        return f"the spacing differs: {_times(here)} and {_times(there)} mm (x y z)"
    shift = float(np.linalg.norm(np.asarray(one)[:3, 3] - np.asarray(other)[:3, 3]))
    if far > shift + tolerance_mm:
        return f"the directions differ: voxels lie up to {far:.3g} mm apart"
    return f"one lies {shift:.3g} mm beside the other"


def same_grid(
    one: Float64Array,
    other: Float64Array,
    sizes: tuple[Sequence[int], Sequence[int]],
    *,
    tolerance_mm: float = TOLERANCE_MM,
) -> bool:
    """Tell whether two arrays lie on the same voxels in the same order."""
    return not difference(one, other, sizes, tolerance_mm=tolerance_mm)


def _same_when_turned(
    one: Float64Array, other: Float64Array, first: tuple[int, ...], second: tuple[int, ...], tolerance_mm: float
) -> bool:
    plain = np.broadcast_to(np.zeros((), np.uint8), second)
    array, affine = reorient(plain, other, orientation(one))
    return array.shape == first and farthest_mm(one, affine, first) <= tolerance_mm


def _times(values: Sequence[float]) -> str:
    return " x ".join(f"{v:.4g}" for v in values)

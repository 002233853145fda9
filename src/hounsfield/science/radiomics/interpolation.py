"""Interpolation: a region on a grid of other spacing, aligned by the image's centre (IBSI manual, section 2.4)."""

import math
from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array, IntArray
from hounsfield.science.compiled import compiled
from hounsfield.science.radiomics.settings import Interpolation

MOST_ALONG = 1 << 16
"""Voxels along an axis beyond which a header is wrong, or the spacing wanted."""
_REACH = 40
"""Voxels beyond a box from which a cubic spline still takes something: its weights fall by a factor of 3.7 a voxel."""


@dataclass(frozen=True)
class Axis:
    """The centres of new voxels along one axis.

    Parameters
    ----------
    places : numpy.ndarray
        float64, in indices of the old voxels.
    spacing_mm : float
        Of the new voxels.
    """

    places: Float64Array
    spacing_mm: float


def axis(length: int, spacing_mm: float, wanted_mm: float | None) -> Axis:
    """Return the new voxels along one axis.

    Parameters
    ----------
    length : int
        Number of old voxels.
    spacing_mm : float
        Of the old voxels.
    wanted_mm : float or None
        Of the new ones; None, or the same, leaves the axis as it is.

    Raises
    ------
    ReadError
        If there would be more than `MOST_ALONG`.

    Notes
    -----
    As many voxels as cover the old extent, ``ceil(length * old / new)``, their middle in the middle of the old ones.
    """
    if wanted_mm is None or math.isclose(wanted_mm, spacing_mm, rel_tol=1e-6):
        return Axis(np.arange(length, dtype=np.float64), spacing_mm)
    # 60 voxels of 3 mm are 90 of 2 mm, also where a header says 3.0000002
    count = max(1, math.ceil(round(length * spacing_mm / wanted_mm, 4)))
    if count > MOST_ALONG:
        raise ReadError(
            f"{length} voxels of {spacing_mm:g} mm would become {count} of {wanted_mm:g} mm.",
            expected=f"at most {MOST_ALONG} voxels along an axis",
            next_step="correct the spacing in the header, or choose another",
        )
    step = wanted_mm / spacing_mm
    steps = np.arange(count, dtype=np.float64) - (count - 1) / 2.0
    return Axis((length - 1) / 2.0 + steps * step, wanted_mm)


def axes_of(shape: tuple[int, ...], spacing_mm: tuple[float, float, float], how: Interpolation) -> list[Axis]:
    """Return the new voxels along z, y, x.

    Parameters
    ----------
    shape : tuple of int
        ``z y x`` of the image.
    spacing_mm : tuple of float
        Along z, y, x.
    how : Interpolation
    """
    return [axis(n, s, w) for n, s, w in zip(shape, spacing_mm, how.spacing_mm[::-1], strict=True)]


def touched(places: Axis, first: int, last: int) -> slice:
    """Return which new voxels lie within one old voxel of the old voxels `first` to `last`."""
    inside = np.flatnonzero((places.places > first - 1) & (places.places < last + 1))
    return slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)


def interpolate(array: AnyArray, axes: list[Axis], *, order: int) -> Float64Array:
    """Return an array's values at the centres of new voxels.

    Parameters
    ----------
    array : numpy.ndarray
        ``z y x``.
    axes : list of Axis
        Along z, y, x: where new values are wanted; only what they need of the array is touched.
    order : int
        1 linear, 3 cubic spline.

    Returns
    -------
    numpy.ndarray
        float64. Beyond the outermost centres the outermost values hold; splines are mirrored at them.
    """
    cuts, inner = [], []
    for n, one in zip(array.shape, axes, strict=True):
        reach = 1 if order == 1 else _REACH
        low = max(0, math.floor(float(one.places.min())) - reach)
        high = min(n, math.floor(float(one.places.max())) + reach + 2)
        cuts.append(slice(low, high))
        inner.append(np.clip(one.places, 0, n - 1) - low)
    values = array[tuple(cuts)].astype(np.float64)
    whole = [np.array_equal(p, np.rint(p)) for p in inner]
    if order == 3:
        from scipy.ndimage import spline_filter1d

        for n, straight in enumerate(whole):
            if not straight and values.shape[n] > 1:
                values = spline_filter1d(values, 3, axis=n, mode="mirror")
    # the axis that shrinks most is taken first
    for n in sorted(range(3), key=lambda k: len(inner[k]) / values.shape[k]):
        if whole[n]:
            values = np.take(values, np.rint(inner[n]).astype(np.int64), axis=n)
        else:
            values = _along(values, n, *_weights(inner[n], values.shape[n], order))
    return np.ascontiguousarray(values)


def interpolate_mask(mask: BoolArray, axes: list[Axis], threshold: float) -> BoolArray:
    """Return which new voxels belong to a region: those whose linearly interpolated share reaches the threshold."""
    # shares are sums of products: without the margin, exactly one half would be decided by rounding
    return np.asarray(interpolate(mask, axes, order=1) >= threshold - 1e-9)


def _weights(places: Float64Array, length: int, order: int) -> tuple[IntArray, Float64Array]:
    base = np.floor(places).astype(np.int64)
    part = places - base
    if order == 1:
        index = np.stack([base, base + 1], axis=1)
        weight = np.stack([1.0 - part, part], axis=1)
        return np.minimum(index, length - 1), weight
    rest = 1.0 - part
    weight = np.stack(
        [
            rest**3 / 6.0,
            2.0 / 3.0 - part**2 * (2.0 - part) / 2.0,
            2.0 / 3.0 - rest**2 * (2.0 - rest) / 2.0,
            part**3 / 6.0,
        ],
        axis=1,
    )
    index = base[:, None] + np.arange(-1, 3)
    if length == 1:
        return np.zeros_like(index), np.tile([1.0, 0.0, 0.0, 0.0], (len(base), 1))
    period = 2 * (length - 1)
    index = np.abs(index) % period
    return np.where(index >= length, period - index, index), weight


def _along(values: Float64Array, n: int, index: IntArray, weight: Float64Array) -> Float64Array:
    before, after = math.prod(values.shape[:n]), math.prod(values.shape[n + 1 :])
    flat = np.ascontiguousarray(values).reshape(before, values.shape[n], after)
    moved = _mix(flat, index, weight)
    return moved.reshape(*values.shape[:n], len(index), *values.shape[n + 1 :])


@compiled
def _mix(values: Float64Array, index: IntArray, weight: Float64Array) -> Float64Array:
    out = np.zeros((values.shape[0], len(index), values.shape[2]))
    for b in range(values.shape[0]):
        for m in range(len(index)):
            for t in range(index.shape[1]):
                w = weight[m, t]
                if w != 0.0:
                    source = values[b, index[m, t]]
                    for a in range(values.shape[2]):
                        out[b, m, a] += w * source[a]
    return out

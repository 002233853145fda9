"""Spatial autocorrelation: Moran's I and Geary's C, exactly, in n log n (IBSI manual, section 3.1)."""

from itertools import product

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, FloatArray, IntArray
from hounsfield.science.compiled import compiled

_FEW = 1 << 11
"""Voxels up to which every pair is taken by itself: transforms of so small a region's box take as long."""


def autocorrelation(image: FloatArray, mask: BoolArray, spacing_mm: tuple[float, float, float]) -> Float64Array:
    """Return Moran's I and Geary's C of a region's intensities, every pair of voxels weighted by 1 / distance.

    Parameters
    ----------
    image : numpy.ndarray
        ``z y x``: the region's box.
    mask : numpy.ndarray
        ``z y x``, bool: the region.
    spacing_mm : tuple of float
        Along z, y, x.

    Returns
    -------
    numpy.ndarray
        ``2``; NaN for one voxel and for a constant region.

    Notes
    -----
    Up to two thousand voxels every pair is taken. Of more, a sum over all pairs ``w(i - j) a_i b_j`` is
    ``sum_k W(k) A(k) conj(B(k))`` over the frequencies of a grid twice as long along each axis. Those frequencies fall
    into eight classes, odd or even along each axis, and each class is a transform of the box itself after a turn of
    phase: the longer grid is never held in memory. Two real arrays share one complex transform.
    """
    values = image[mask].astype(np.float64)
    mean = float(values.mean())
    second = float(((values - mean) ** 2).sum())
    if len(values) < 2 or values.min() == values.max():
        return np.full(2, np.nan)
    count = len(values)
    if count <= _FEW:
        pairs, moran, geary = _every_pair(np.argwhere(mask), values - mean, _nearness(mask.shape, spacing_mm))
    else:
        del values
        pairs, moran, geary = _pair_sums(image, mean, mask, spacing_mm)
    return np.array([count / pairs * moran / second, (count - 1) / (2.0 * pairs) * geary / second])


def _nearness(shape: tuple[int, ...], spacing_mm: tuple[float, float, float]) -> Float64Array:
    """Return 1 / distance for so many steps along each axis, 0 for none."""
    squares = [(np.arange(n) * s) ** 2 for n, s in zip(shape, spacing_mm, strict=True)]
    far = squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :]
    far[0, 0, 0] = np.inf
    np.sqrt(far, out=far)
    near: Float64Array = np.divide(1.0, far, out=far)
    return near


@compiled
def _every_pair(places: IntArray, away: Float64Array, nearness: Float64Array) -> tuple[float, float, float]:
    """Return the sums over pairs of w, of w a_i a_j, and of w (a_i - a_j)²; a is an intensity less the mean."""
    pairs = moran = geary = 0.0
    for a in range(len(places)):
        for b in range(a):
            z, y, x = places[a, 0] - places[b, 0], places[a, 1] - places[b, 1], places[a, 2] - places[b, 2]
            w, apart = nearness[z, abs(y), abs(x)], away[a] - away[b]
            pairs += w
            moran += w * away[a] * away[b]
            geary += w * apart * apart
    return pairs, moran, geary


def _pair_sums(
    image: FloatArray, mean: float, mask: BoolArray, spacing_mm: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Return the sums over pairs of w, of w a_i a_j, and of w (a_i - a_j)²; a is an intensity less the mean."""
    from scipy.fft import dctn, fftn, next_fast_len

    # a length of one needs no frequencies beyond the one it has
    size = tuple(int(next_fast_len(n)) if n > 1 else 1 for n in image.shape)
    # the weights are even along each axis, so that their transform is a cosine transform and real
    weight = _nearness(tuple(n + (n > 1) for n in size), spacing_mm)
    for n in range(3):
        if size[n] > 1:
            weight = dctn(weight, type=1, axes=[n], overwrite_x=True)
    where = tuple(slice(0, n) for n in image.shape)
    sums = np.zeros(3)
    box = np.zeros(size, dtype=np.complex128)
    for odd in product(*((0, 1) if n > 1 else (0,) for n in size)):
        turn = [np.exp(-1j * np.pi * o * np.arange(n) / n) for o, n in zip(odd, size, strict=True)]
        phase = turn[0][:, None, None] * turn[1][None, :, None], turn[2]
        for pair in (0, 1):
            box[:] = 0.0
            _fill(box[where], image, mean, mask, phase[0][where[0], where[1], 0].copy(), phase[1], pair)
            box = fftn(box, overwrite_x=True)
            _gather(box, weight, np.array(odd), pair, sums)
    total = float(np.prod([2 * n if n > 1 else 1 for n in size]))
    pairs, moran, mixed = (float(s) / total for s in sums)
    return pairs, moran, 2.0 * (mixed - moran)


@compiled
def _fill(  # compiled: by position only
    box: "np.typing.NDArray[np.complex128]",
    image: FloatArray,
    mean: float,
    mask: BoolArray,
    plane: "np.typing.NDArray[np.complex128]",
    line: "np.typing.NDArray[np.complex128]",
    pair: int,
) -> None:
    """Lay mask + i a (pair 0) or mask + i a² (pair 1), turned in phase, into a box of zeros."""
    for z in range(image.shape[0]):
        for y in range(image.shape[1]):
            for x in range(image.shape[2]):
                if mask[z, y, x]:
                    a = image[z, y, x] - mean
                    second = a if pair == 0 else a * a
                    box[z, y, x] = plane[z, y] * line[x] * complex(1.0, second)


@compiled
def _gather(
    box: "np.typing.NDArray[np.complex128]",
    weight: Float64Array,
    odd: "np.typing.NDArray[np.int64]",
    pair: int,
    sums: Float64Array,
) -> None:
    """Add a class of frequencies to the sums; frequency k of the class is 2 k + odd of the longer grid."""
    nz, ny, nx = box.shape
    for z in range(nz):
        oz = (-z - odd[0]) % nz
        wz = min(2 * z + odd[0], 2 * nz - 2 * z - odd[0]) if nz > 1 else 0
        for y in range(ny):
            oy = (-y - odd[1]) % ny
            wy = min(2 * y + odd[1], 2 * ny - 2 * y - odd[1]) if ny > 1 else 0
            for x in range(nx):
                ox = (-x - odd[2]) % nx
                wx = min(2 * x + odd[2], 2 * nx - 2 * x - odd[2]) if nx > 1 else 0
                here, there = box[z, y, x], box[oz, oy, ox]
                # the transforms of the real and of the imaginary part, by symmetry
                first = 0.5 * (here + there.conjugate())
                second = -0.5j * (here - there.conjugate())
                w = weight[wz, wy, wx]
                if pair == 0:
                    sums[0] += w * (first.real * first.real + first.imag * first.imag)
                    sums[1] += w * (second.real * second.real + second.imag * second.imag)
                else:
                    sums[2] += w * (first.real * second.real + first.imag * second.imag)

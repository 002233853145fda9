"""How alike two volumes are as volumes: small, band-passed, aligned along all three axes, without their common part.

Measured on 24 x 24 x 24 voxels: different people stay below .82 (260 hippocampi in MR, 1,584 adrenal shapes); copies
with noise, another scale of values, slight smoothing or in another file format lie above .91. A copy cut to a smaller
field of view, or mirrored, is not found.
"""

import numpy as np
import numpy.typing as npt

from hounsfield.core.types import Float32Array, Float64Array, IntArray

SIDE = 24
"""Edge of the small volume in voxels."""
NEAR_VOLUME = 0.95
"""Likeness from which two volumes are taken for one."""
MAX_SHIFT = 2
"""Largest shift that is undone, in voxels of the small volume (8 %)."""
_BAND = (0.7, 3.0)
_PRIOR = 10
_BLOCK = 64


def small_volume(volume: Float32Array) -> npt.NDArray[np.uint8]:
    """Return a volume averaged over boxes and stretched between its 0.5th and 99.5th percentile.

    Parameters
    ----------
    volume : float32 array (z y x)

    Returns
    -------
    uint8 array (z y x), 24 x 24 x 24
    """
    small = volume
    for axis in range(3):
        weights = _overlaps(small.shape[axis])
        small = np.moveaxis(np.tensordot(weights, small, axes=(1, axis)), 0, axis)
    low, high = (float(v) for v in np.percentile(small, (0.5, 99.5)))
    stretched = np.clip((small - low) / max(high - low, 1e-6), 0, 1)
    return np.asarray(np.rint(stretched * 255), dtype=np.uint8)


def compare_volumes(small: npt.NDArray[np.uint8], left: IntArray, right: IntArray) -> Float64Array:
    """Return the correlation of pairs of volumes after alignment.

    Parameters
    ----------
    small : uint8 array (n z y x)
        See `small_volume`.
    left, right : int64 array (p,)
        Volume numbers.

    Returns
    -------
    float64 array (p,)
        -1 to 1; unchanged by gain and offset of either volume.
    """
    banded = _banded(small)
    total = banded.sum(axis=0)
    parts = []
    for at in range(0, len(left), _BLOCK):
        first, second = banded[left[at : at + _BLOCK]], banded[right[at : at + _BLOCK]]
        # what all others have in common says nothing of a pair
        common = (total - first - second) / (len(banded) - 2 + _PRIOR)
        parts.append(_aligned_correlation(first - common, second - common))
    return np.concatenate(parts) if parts else np.zeros(0)


def _overlaps(length: int) -> Float32Array:
    """Return the matrix ``24 length`` that averages over boxes."""
    edges = np.linspace(0, length, SIDE + 1)
    places = np.arange(length)
    low, high = np.maximum(edges[:-1, None], places), np.minimum(edges[1:, None], places + 1)
    shared = np.clip(high - low, 0, None)
    return np.asarray(shared / shared.sum(axis=1, keepdims=True), dtype=np.float32)


def _banded(small: npt.NDArray[np.uint8]) -> Float32Array:
    from scipy.ndimage import gaussian_filter

    out = np.empty(small.shape, dtype=np.float32)
    for i, volume in enumerate(small):
        values = volume.astype(np.float32)
        band = gaussian_filter(values, _BAND[0]) - gaussian_filter(values, _BAND[1])
        band -= band.mean()
        out[i] = band / max(float(np.sqrt((band**2).mean())), 1e-3)
    return out


def _aligned_correlation(first: Float32Array, second: Float32Array) -> Float64Array:
    from scipy.fft import irfftn, rfftn

    axes, shape = (1, 2, 3), first.shape[1:]
    moving = rfftn(second, axes=axes)
    surface = np.asarray(irfftn(rfftn(first, axes=axes) * np.conj(moving), s=shape, axes=axes))
    steps = np.arange(-MAX_SHIFT, MAX_SHIFT + 1)
    near = surface[:, steps[:, None, None], steps[None, :, None], steps[None, None, :]].reshape(len(first), -1)
    shifts = np.stack(np.unravel_index(near.argmax(axis=1), (len(steps),) * 3), axis=1) - MAX_SHIFT
    pair = np.arange(len(first))
    fine = shifts.astype(np.float64)
    for axis in range(3):
        step = np.eye(3, dtype=np.int64)[axis]
        before, peak, after = (surface[pair, *(shifts + k * step).T] for k in (-1, 0, 1))
        # place of the vertex of a parabola through three neighbours, -0.5 to 0.5
        bend = np.minimum(before - 2 * peak + after, -1e-6)
        fine[:, axis] += np.clip(0.5 * (before - after) / bend, -0.5, 0.5)
    phase = np.zeros((len(first), *moving.shape[1:]))
    for axis, length in enumerate(shape):
        frequency = np.fft.rfftfreq(length) if axis == 2 else np.fft.fftfreq(length)
        along = [1, 1, 1, 1]
        along[axis + 1] = len(frequency)
        phase = phase + 2 * np.pi * frequency.reshape(along) * fine[:, axis, None, None, None]
    moved = np.asarray(irfftn(moving * np.exp(-1j * phase), s=shape, axes=axes), dtype=np.float32)
    return np.array([_overlap(a, b, d) for a, b, d in zip(first, moved, fine, strict=True)], dtype=np.float64)


def _overlap(first: Float32Array, moved: Float32Array, shift: Float64Array) -> float:
    """Return the correlation of a volume and another that was moved, where both have voxels."""
    kept = tuple(
        slice(lost if d > 0 else 1, n - (lost if d < 0 else 1))
        for d, n, lost in zip(shift, first.shape, (int(np.ceil(abs(d))) + 1 for d in shift), strict=True)
    )
    a, b = first[kept], moved[kept]
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 0 else 0.0

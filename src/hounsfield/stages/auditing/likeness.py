"""How alike small pictures are, beyond what the pictures of a cohort have in common.

Two chest X-rays of two people correlate at .95: they share an anatomy and a pose. What they do not share are fine
structures. So pictures are band-passed, aligned, and freed of their mean and of the few directions in which the
whole cohort varies before they are correlated. Measured: pictures of different people stay below .76 (662 chest
X-rays, 746 CT slices) and .86 (300 simulated slices of 128 pixels); shifted, re-encoded, resized copies lie above .92.
"""

from dataclasses import dataclass

import numpy as np

from hounsfield.bundle.spool import Spool
from hounsfield.core.types import BoolArray, Float32Array, Float64Array, IntArray
from hounsfield.stages.auditing.thumbnails import PICTURE, Glance

MAX_SHIFT = 6
"""Largest shift that is undone, in pixels of the small picture (6 %)."""

_COARSE = 16
_FINE_BAND = (1.0, 4.0)
_COARSE_BAND = (1.0, 4.0)
_PRIOR = 10
_LEARN_FROM = 1000
_DIRECTIONS = 10
_PICTURES_PER_DIRECTION = 30
_LEAST_SPREAD = 0.1
_BLOCK = 512


@dataclass(frozen=True, eq=False)
class Likeness:
    """Band-passed pictures of a cohort, ready to be compared.

    Parameters
    ----------
    fine : Spool of float16 (y x), 96 x 96
        Band-passed, mean 0, standard deviation 1. On disk: for 20,000 pictures they would be 370 MiB.
    total : float32 array (y x)
        Sum over the pictures that the common part is learned from.
    counted : bool array (n,)
        Which pictures are in that sum.
    directions : float32 array (d, y * x)
        Orthonormal directions in which the cohort as a whole varies.
    """

    fine: Spool
    total: Float32Array
    counted: BoolArray
    directions: Float32Array

    def compare(self, left: IntArray, right: IntArray) -> Float64Array:
        """Return the correlation of pairs of pictures after alignment.

        Parameters
        ----------
        left, right : int64 array (p,)
            Picture numbers.

        Returns
        -------
        float64 array (p,)
            -1 to 1; unchanged by gain and offset of either picture.
        """
        parts = [self._block(left[at : at + _BLOCK], right[at : at + _BLOCK]) for at in range(0, len(left), _BLOCK)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _block(self, left: IntArray, right: IntArray) -> Float64Array:
        first, second = self.fine.take(left).astype(np.float32), self.fine.take(right).astype(np.float32)
        moved, shifts = _aligned(first, second)
        mean = self._mean(left, right, first, second)
        first, moved = self._rest(first - mean), self._rest(moved - mean)
        values = [_overlap(a, b, *shift) for a, b, shift in zip(first, moved, shifts, strict=True)]
        return np.array(values, dtype=np.float64)

    def _mean(self, left: IntArray, right: IntArray, first: Float32Array, second: Float32Array) -> Float32Array:
        """Return the mean of the other pictures, shrunk towards nothing where they are few."""
        in_left, in_right = self.counted[left], self.counted[right]
        rest = self.total[None] - first * in_left[:, None, None] - second * in_right[:, None, None]
        others = int(self.counted.sum()) - in_left.astype(np.int64) - in_right
        return np.asarray(rest / (others + _PRIOR)[:, None, None], dtype=np.float32)

    def _rest(self, pictures: Float32Array) -> Float32Array:
        flat = pictures.reshape(len(pictures), -1)
        rest = flat - (flat @ self.directions.T) @ self.directions
        return np.asarray(rest.reshape(pictures.shape), dtype=np.float32)


def likeness(glances: list[Glance]) -> Likeness:
    """Prepare the pictures of a cohort for comparison.

    Parameters
    ----------
    glances : list of Glance
        In a stable order.
    """
    count = len(glances)
    fine = Spool((PICTURE, PICTURE), "float16")
    for at in range(0, count, _BLOCK):
        pictures = np.stack([g.picture for g in glances[at : at + _BLOCK]]).astype(np.float32)
        fine.extend(_standard(_band(pictures, _FINE_BAND)))
    counted = np.zeros(count, dtype=np.bool_)
    counted[:: max(1, -(-count // _LEARN_FROM))] = True
    learned = fine.take(np.flatnonzero(counted)).astype(np.float32).reshape(int(counted.sum()), -1)
    total = np.asarray(learned.sum(axis=0).reshape(PICTURE, PICTURE), dtype=np.float32)
    return Likeness(fine, total, counted, _directions(learned))


def _directions(pictures: Float32Array) -> Float32Array:
    """Return the leading principal directions of pictures (n, p), as many as their number supports.

    A direction that only a few pictures make up may be a repeated picture itself, so it is not taken: the
    participation ratio of a direction's loadings must reach a tenth of the pictures.
    """
    count = len(pictures)
    wanted = min(_DIRECTIONS, count // _PICTURES_PER_DIRECTION)
    centred = pictures - pictures.mean(axis=0)
    if not wanted:
        return np.zeros((0, pictures.shape[1]), dtype=np.float32)
    _, loadings = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    leading = loadings[:, -wanted:]
    broad = 1.0 / (leading**4).sum(axis=0) >= _LEAST_SPREAD * count
    found = leading[:, broad].T.astype(np.float32) @ centred
    found /= np.linalg.norm(found, axis=1, keepdims=True) + 1e-6
    return np.asarray(found, dtype=np.float32)


def coarse_signatures(glances: list[Glance]) -> Float32Array:
    """Return one short unit vector per picture, whose inner products say which pairs deserve a real comparison.

    Parameters
    ----------
    glances : list of Glance
        In a stable order.

    Returns
    -------
    float32 array (n, 256)
        A perceptual hash that is kept real-valued: band-passed 16 x 16 pictures less their common part.
    """
    step = PICTURE // _COARSE
    vectors = np.empty((len(glances), _COARSE * _COARSE), dtype=np.float32)
    for at in range(0, len(glances), _BLOCK):
        pictures = np.stack([g.picture for g in glances[at : at + _BLOCK]]).astype(np.float32)
        small = pictures.reshape(-1, _COARSE, step, _COARSE, step).mean(axis=(2, 4), dtype=np.float32)
        vectors[at : at + _BLOCK] = _standard(_band(small, _COARSE_BAND)).reshape(len(small), -1)
    vectors -= vectors.sum(axis=0, keepdims=True) / (len(vectors) + _PRIOR)
    for at in range(0, len(vectors), _BLOCK):  # a norm takes two copies of what it is taken of
        some = vectors[at : at + _BLOCK]
        some /= np.linalg.norm(some, axis=1, keepdims=True) + 1e-6
    return vectors


def _band(pictures: Float32Array, sigmas: tuple[float, float]) -> Float32Array:
    """Return pictures (n y x) between two Gaussian scales in pixels."""
    from scipy.ndimage import gaussian_filter

    narrow, wide = ((0.0, s, s) for s in sigmas)
    kept = gaussian_filter(pictures, narrow, truncate=3.0) - gaussian_filter(pictures, wide, truncate=2.5)
    return np.asarray(kept, dtype=np.float32)


def _standard(pictures: Float32Array) -> Float32Array:
    centred = pictures - pictures.mean(axis=(1, 2), keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=(1, 2), keepdims=True))
    return np.asarray(centred / np.maximum(spread, 1e-3), dtype=np.float32)


def _aligned(first: Float32Array, second: Float32Array) -> tuple[Float32Array, list[tuple[float, float]]]:
    """Move the second of each pair onto the first, to a fraction of a pixel; return it and the shifts (y, x)."""
    from scipy.fft import irfft2, rfft2

    side = first.shape[1]
    moving = rfft2(second)
    surface = np.asarray(irfft2(rfft2(first) * np.conj(moving), s=first.shape[1:]))
    steps = np.arange(-MAX_SHIFT, MAX_SHIFT + 1)
    near = surface[:, steps[:, None], steps[None, :]].reshape(len(first), -1)
    rows, columns = np.divmod(near.argmax(axis=1), len(steps))
    y, x, pair = steps[rows], steps[columns], np.arange(len(first))
    peak = surface[pair, y, x]
    dy = y + _vertex(surface[pair, y - 1, x], peak, surface[pair, y + 1, x])
    dx = x + _vertex(surface[pair, y, x - 1], peak, surface[pair, y, x + 1])
    angle_y = 2 * np.pi * np.fft.fftfreq(side)[None, :, None] * dy[:, None, None]
    angle_x = 2 * np.pi * np.fft.rfftfreq(side)[None, None, :] * dx[:, None, None]
    phase = np.exp(-1j * (angle_y + angle_x)).astype(np.complex64)
    moved = np.asarray(irfft2(moving * phase, s=first.shape[1:]), dtype=np.float32)
    return moved, list(zip(dy.tolist(), dx.tolist(), strict=True))


def _vertex(before: Float32Array, peak: Float32Array, after: Float32Array) -> Float64Array:
    """Return the place of a parabola's vertex through three neighbours, -0.5 to 0.5."""
    bend = np.minimum(before - 2 * peak + after, -1e-6)
    return np.asarray(np.clip(0.5 * (before - after) / bend, -0.5, 0.5), dtype=np.float64)


def _overlap(first: Float32Array, moved: Float32Array, dy: float, dx: float) -> float:
    """Return the correlation of a picture and another that was moved by (dy, dx), where both have pixels."""
    rows, columns = _inside(dy, first.shape[0]), _inside(dx, first.shape[1])
    a, b = first[rows, columns], moved[rows, columns]
    a = a - a.mean()
    b = b - b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 0 else 0.0


def _inside(shift: float, length: int) -> slice:
    lost = int(np.ceil(abs(shift))) + 1
    return slice(lost if shift > 0 else 1, length - (lost if shift < 0 else 1))

"""What kind of picture a prepared image is, in cheap numbers: the eyes of the input guard."""

from functools import cache

import numpy as np
import scipy.fft

from hounsfield.core.types import AnyArray, Float32Array, Float64Array, IntArray
from hounsfield.learn.prepare.image import grey_planes

CELLS = 4
"""Means and spreads are taken over a grid of this many cells a side: too coarse to show a patient."""
EDGE_CELLS = 3
ORIENTATIONS = 6
GREYS = 16
BANDS = 8
SCALES = 3
"""Local patterns are looked at in the image, in its half, and in its quarter."""
LEAST_EDGE = 16
"""Smaller planes are enlarged by repeating pixels: every number needs some to look at."""
FLOOR = 1e-4


def looks(stored: AnyArray) -> Float64Array:
    """Describe the kind of one prepared image.

    Parameters
    ----------
    stored : numpy.ndarray
        ``c y x`` or ``c z y x``, uint8 or float16, as `hounsfield.learn.prepare` stores it.

    Returns
    -------
    numpy.ndarray
        One vector, float64, of the same length for images of the same number of axes: coarse brightness and its
        spread, grey levels, local patterns at three scales, directions of edges by place, power by spatial
        frequency, mirror symmetry, noise.

    Notes
    -----
    A volume is described by its three middle slices. Shares enter as their square roots, so that Euclidean distance
    is Hellinger's. Local binary patterns: Ojala, Pietikainen, Maenpaa, IEEE TPAMI 24(7), 2002. Histograms of
    oriented gradients: Dalal, Triggs, CVPR 2005.
    """
    return np.concatenate([_plane(grey) for grey in grey_planes(stored)])


def _plane(grey: Float32Array) -> Float64Array:
    grey = np.clip(_large_enough(grey), 0, 1)
    mean = _cells(grey, CELLS)
    spread = np.sqrt(np.maximum(_cells(grey**2, CELLS) - mean**2, 0))
    parts = [mean.ravel(), spread.ravel(), _greys(grey), _orientations(grey), _bands(grey), _symmetry(grey)]
    scaled = grey
    for _ in range(SCALES):
        parts += [_patterns(scaled), _roughness(scaled)]
        scaled = _halved(scaled)
    return np.concatenate([np.asarray(p, dtype=np.float64) for p in parts])


def _large_enough(grey: Float32Array) -> Float32Array:
    for axis in (0, 1):
        times = -(-LEAST_EDGE // grey.shape[axis])
        if times > 1:
            grey = np.repeat(grey, times, axis=axis)
    return grey


def _cells(values: Float32Array, count: int) -> Float64Array:
    rows, columns = (np.arange(count) * n // count for n in values.shape)
    total = np.add.reduceat(np.add.reduceat(values.astype(np.float64), rows, axis=0), columns, axis=1)
    heights, widths = (np.diff([*starts, n]) for starts, n in zip((rows, columns), values.shape, strict=True))
    cells: Float64Array = total / np.outer(heights, widths)
    return cells


def _greys(grey: Float32Array) -> Float64Array:
    counts = np.bincount(np.minimum((grey * GREYS).astype(np.int64), GREYS - 1).ravel(), minlength=GREYS)
    ends = [np.count_nonzero(grey < 1 / 255) / grey.size, np.count_nonzero(grey > 254 / 255) / grey.size]
    shares: Float64Array = np.sqrt(np.concatenate([counts / grey.size, ends]))
    return shares


def _orientations(grey: Float32Array) -> Float64Array:
    small = grey
    while min(small.shape) >= 8 * LEAST_EDGE:
        small = _halved(small)
    down, right = np.gradient(small)
    size = np.hypot(down, right)
    turn = (np.arctan2(down, right) % np.pi) * (ORIENTATIONS / np.pi)
    place = np.rint(turn).astype(np.int64) % ORIENTATIONS
    shares = np.stack([_cells(size * (place == o), EDGE_CELLS) for o in range(ORIENTATIONS)])
    rooted: Float64Array = np.sqrt(shares / (shares.sum() + FLOOR)).ravel()
    return rooted


def _bands(grey: Float32Array) -> Float64Array:
    height, width = grey.shape
    power = np.abs(scipy.fft.rfft2((grey - grey.mean()) * _window(height, width))) ** 2
    place, count = _places(height, width)
    energy = np.bincount(place.ravel(), power.ravel(), minlength=count + 1)[:count]
    wide = np.bincount(place.ravel(), minlength=count + 1)[:count]
    density: Float64Array = np.log10(energy / np.maximum(wide, 1) / power.size + FLOOR**2)
    return density


@cache
def _window(height: int, width: int) -> Float32Array:
    return np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)


@cache
def _places(height: int, width: int) -> tuple[IntArray, int]:
    """Return to which band, and which of two directions, each frequency belongs."""
    vertical, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    radius = np.hypot(vertical, across)
    octave = np.log2(np.maximum(radius, 1e-9) / 0.5) * (BANDS / np.log2(min(height, width) / 2))
    band = np.clip(np.floor(octave).astype(np.int64) + BANDS, -1, BANDS - 1)
    place = np.where(band < 0, 2 * BANDS, 2 * band + (np.abs(vertical) > np.abs(across)))
    return np.where(radius > 0.5, 2 * BANDS, place), 2 * BANDS


def _symmetry(grey: Float32Array) -> Float64Array:
    coarse = _cells(grey, 12 if min(grey.shape) >= 12 else CELLS)
    coarse -= coarse.mean()
    total = float((coarse**2).sum()) + FLOOR
    flips = (coarse[:, ::-1], coarse[::-1], coarse[::-1, ::-1])
    return np.array([float((coarse * flipped).sum()) / total for flipped in flips])


def _patterns(grey: Float32Array) -> Float64Array:
    inner = grey[1:-1, 1:-1]
    height, width = grey.shape
    steps = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    code = np.zeros(inner.shape, dtype=np.uint8)
    for bit, (down, right) in enumerate(steps):
        code |= (grey[down : height - 2 + down, right : width - 2 + right] >= inner).astype(np.uint8) << np.uint8(bit)
    counts = np.bincount(code.ravel(), minlength=256) @ _uniform()
    return np.sqrt(counts / inner.size)


@cache
def _uniform() -> Float64Array:
    """Return which of ten kinds each of the 256 local patterns is: bits set if at most two changes, else the tenth."""
    kinds = np.zeros((256, 10))
    for code in range(256):
        bits = [code >> i & 1 for i in range(8)]
        changes = sum(bits[i] != bits[i - 1] for i in range(8))
        kinds[code, sum(bits) if changes <= 2 else 9] = 1
    return kinds


def _roughness(grey: Float32Array) -> Float64Array:
    """Return how strongly neighbours differ, in the mean and at the strongest, and how many are equal."""
    found = []
    for axis in (0, 1):
        step = np.abs(np.diff(grey, axis=axis))
        mean, strong = float(step.mean()), float(np.sqrt((step**2).mean()))
        found += [np.log10(mean + FLOOR), np.log10(strong + FLOOR), np.sqrt((step < FLOOR).mean())]
    return np.array(found)


def _halved(grey: Float32Array) -> Float32Array:
    if min(grey.shape) < 2 * CELLS:
        return grey
    height, width = (n // 2 * 2 for n in grey.shape)
    even = grey[:height, :width]
    halved: Float32Array = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) * np.float32(0.25)
    return halved

"""Boxes from maps: the piece around a map's highest place, and how well it lies on what a reader outlined."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.types import BoolArray, Float32Array, Float64Array
from hounsfield.geometry.components import components, label
from hounsfield.stages.explaining.pointing import peak_of

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of a map's highest value from which a place belongs to the box; of the middle box, shares of each edge."""
USUAL = 0.5
"""The share where nothing is there to choose it by."""
DRAWS = 64
"""Random places of a box over which a baseline is averaged."""
SMOOTH = 0.04
"""Standard deviation of the Gaussian before the brightest region is looked for, as a share of each edge."""


@dataclass(frozen=True)
class Box:
    """A box in an image.

    Parameters
    ----------
    low, high : tuple of int
        First voxel, and the one behind the last, along each axis: ``y x`` or ``z y x``.
    """

    low: tuple[int, ...]
    high: tuple[int, ...]

    @property
    def slices(self) -> tuple[slice, ...]:
        """What it cuts out of an array."""
        return tuple(slice(a, b) for a, b in zip(self.low, self.high, strict=True))

    @property
    def voxels(self) -> int:
        """How many voxels it holds."""
        return int(np.prod([b - a for a, b in zip(self.low, self.high, strict=True)]))


@dataclass(frozen=True)
class Outlined:
    """What a reader outlined in one image.

    Parameters
    ----------
    mask : numpy.ndarray
        Bool, ``y x`` or ``z y x``, with at least one voxel inside.
    boxes : tuple of Box
        Of every piece, and of all pieces together.
    """

    mask: BoolArray = field(repr=False)
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Candidate:
    """One way of marking one image, beside chance.

    Parameters
    ----------
    box : Box or None
        None where the map speaks for nothing.
    box_iou : float
        Of the box and the outlined box that it fits best, 0 without a box.
    region_iou : float
        Of the marked region and the outlined one.
    random_box_iou, random_region_iou : float
        Means over boxes of the same size at random places (the region is then the whole box).
    """

    box: Box | None
    box_iou: float
    region_iou: float
    random_box_iou: float
    random_region_iou: float


@dataclass(frozen=True)
class Tried:
    """One map of one outlined image, cut at every share.

    Parameters
    ----------
    hit : bool
        Whether the map is highest inside the outline.
    chance : float
        Share of the image inside the outline: how often a random place hits.
    candidates : tuple of Candidate
        One for each of `SHARES`.
    """

    hit: bool
    chance: float
    candidates: tuple[Candidate, ...]


def outlined(mask: BoolArray) -> Outlined:
    """Return a mask with the boxes of its pieces."""
    pieces = [Box(*_ends(c.box)) for c in components(mask)]
    whole = box_of(mask)
    return Outlined(mask, tuple(dict.fromkeys([*pieces, *([whole] if whole else [])])))


def box_of(mask: BoolArray) -> Box | None:
    """Return the smallest box that holds a mask; None of an empty one."""
    if not mask.any():
        return None
    low, high = [], []
    for axis in range(mask.ndim):
        held = np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        low.append(int(held[0]))
        high.append(int(held[-1]) + 1)
    return Box(tuple(low), tuple(high))


def piece_at_peak(values: Float64Array | Float32Array, share: float) -> BoolArray:
    """Return the piece around a map's highest place in which it reaches a share of the highest value.

    Parameters
    ----------
    values : numpy.ndarray
        A map ``y x`` or ``z y x``, positive where a place speaks for the answer.
    share : float
        Above 0, at most 1.

    Returns
    -------
    numpy.ndarray
        Bool; empty where no value is positive. Voxels that touch at a corner belong together.
    """
    peak = peak_of(np.asarray(values, dtype=np.float64))
    top = float(values[peak])
    if not top > 0:
        return np.zeros(values.shape, dtype=np.bool_)
    numbers, _ = label(values >= share * top)
    return np.asarray(numbers == numbers[peak], dtype=np.bool_)


def box_iou(one: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union, 0 to 1."""
    sides = [min(b, d) - max(a, c) for a, b, c, d in zip(one.low, one.high, other.low, other.high, strict=True)]
    shared = int(np.prod([max(0, s) for s in sides]))
    return shared / (one.voxels + other.voxels - shared)


def best_iou(box: Box | None, truth: Outlined) -> float:
    """Return the intersection over union with the outlined box that fits best; 0 without a box."""
    return 0.0 if box is None else max(box_iou(box, other) for other in truth.boxes)


def region_iou(said: BoolArray, truth: BoolArray) -> float:
    """Return the intersection of two masks over their union; 0 where both are empty."""
    union = int(np.count_nonzero(said | truth))
    return int(np.count_nonzero(said & truth)) / union if union else 0.0


def middle_box(size: tuple[int, ...], share: float) -> Box:
    """Return the box in the middle of an image whose edges are a share of the image's."""
    edges = [max(1, round(share * n)) for n in size]
    low = tuple((n - e) // 2 for n, e in zip(size, edges, strict=True))
    return Box(low, tuple(a + e for a, e in zip(low, edges, strict=True)))


def bright_and_dark(grey: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Return two maps that know nothing but grey values: how bright, and how dark, each place of a smoothed image is.

    Parameters
    ----------
    grey : numpy.ndarray
        ``y x`` or ``z y x``.

    Returns
    -------
    tuple of numpy.ndarray
        float32, 0 to 1 each.
    """
    from scipy.ndimage import gaussian_filter

    finite = np.where(np.isfinite(grey), grey, np.nanmin(grey)) if not np.isfinite(grey).all() else grey
    smooth = gaussian_filter(finite.astype(np.float32), [SMOOTH * n for n in grey.shape], mode="nearest")
    low, high = float(smooth.min()), float(smooth.max())
    bright: Float32Array = ((smooth - low) / max(high - low, 1e-12)).astype(np.float32)
    dark: Float32Array = (np.float32(1.0) - bright).astype(np.float32)
    return bright, dark


def tried_map(values: Float64Array | Float32Array, truth: Outlined, rng: np.random.Generator) -> Tried:
    """Cut a map at every share and see how the pieces lie on an outline.

    Parameters
    ----------
    values : numpy.ndarray
        On the grid of the outline.
    truth : Outlined
    rng : numpy.random.Generator
        Draws the random places.
    """
    pieces = (piece_at_peak(values, share) for share in SHARES)
    found = tuple(_candidate(box_of(piece), piece, truth, rng) for piece in pieces)
    return Tried(bool(truth.mask[peak_of(np.asarray(values, dtype=np.float64))]), float(truth.mask.mean()), found)


def tried_middle(truth: Outlined, rng: np.random.Generator) -> Tried:
    """Lay boxes of every share of the edges into the middle of an image.

    Parameters
    ----------
    truth : Outlined
    rng : numpy.random.Generator
    """
    size = truth.mask.shape
    boxes = [middle_box(size, share) for share in SHARES]
    found = []
    for box in boxes:
        filled = np.zeros(size, dtype=np.bool_)
        filled[box.slices] = True
        found.append(_candidate(box, filled, truth, rng))
    return Tried(bool(truth.mask[tuple(n // 2 for n in size)]), float(truth.mask.mean()), tuple(found))


def _candidate(box: Box | None, region: BoolArray, truth: Outlined, rng: np.random.Generator) -> Candidate:
    if box is None:
        return Candidate(None, 0.0, 0.0, 0.0, 0.0)
    boxes, regions = _random(box, truth, rng)
    return Candidate(box, best_iou(box, truth), region_iou(region, truth.mask), boxes, regions)


def _random(box: Box, truth: Outlined, rng: np.random.Generator) -> tuple[float, float]:
    """Return the mean IoU, of boxes and of regions, of a box's size at places where it fits, all as likely."""
    edges = np.array(box.high) - np.array(box.low)
    room = np.array(truth.mask.shape) - edges
    lows = rng.integers(0, room + 1, size=(DRAWS, len(edges)))
    inside = int(np.count_nonzero(truth.mask))
    boxes, regions = [], []
    for low in lows:
        drawn = Box(tuple(int(n) for n in low), tuple(int(n) for n in low + edges))
        shared = int(np.count_nonzero(truth.mask[drawn.slices]))
        boxes.append(best_iou(drawn, truth))
        regions.append(shared / (inside + drawn.voxels - shared))
    return float(np.mean(boxes)), float(np.mean(regions))


def _ends(box: Sequence[slice]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(int(s.start) for s in box), tuple(int(s.stop) for s in box)

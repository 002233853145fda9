"""Boxes: how much two of them share, what they cover, and which of them a probability map speaks for."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from hounsfield.core.boxes import Box
from hounsfield.core.types import AnyArray, BoolArray, Float32Array, Float64Array
from hounsfield.geometry.components import components, label

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Probabilities at which a map is cut into pieces, each of which may be a box."""
LEAST = 0.02
"""Score below which a box is noise."""
MOST = 100
"""Boxes of a class in one picture at most."""


def box_iou(one: Sequence[Box], other: Sequence[Box]) -> Float64Array:
    """Return the intersection over union of every box with every other: ``n m``, 0 to 1.

    Parameters
    ----------
    one, other : sequence of Box
        Lengths n and m.
    """
    both = _shared(one, other)
    areas = np.array([b.area for b in one])[:, None] + np.array([b.area for b in other])[None, :]
    return np.asarray(np.divide(both, areas - both, out=np.zeros_like(both), where=areas > both))


def filled(boxes: Sequence[Box], size: tuple[int, int], *, classes: int) -> BoolArray:
    """Return what boxes cover: bool, ``k y x``.

    Parameters
    ----------
    boxes : sequence of Box
    size : (int, int)
        ``y x``.
    classes : int
        k.

    Notes
    -----
    A pixel is covered if its centre lies in the box; a box that holds no centre covers the pixel that its own centre
    lies in. What lies outside the picture covers nothing.
    """
    covered = np.zeros((classes, *size), dtype=np.bool_)
    for box in boxes:
        rows, columns = _span(box.y, box.height, size[0]), _span(box.x, box.width, size[1])
        covered[box.cls, rows, columns] = True
    return covered


def boxes_in(probability: AnyArray, *, cls: int = 0, least: float = LEAST) -> list[Box]:
    """Return the boxes that a probability map speaks for, the surest first.

    Parameters
    ----------
    probability : numpy.ndarray
        ``y x``, 0 to 1, of one class whose boxes were learned as filled regions.
    cls : int
        Class that they are given.
    least : float
        Score below which a box is left out.

    Returns
    -------
    list of Box
        `MOST` at most. The score of a box is the overlap to be expected if the probabilities were right: the
        probability inside it, over its area and the probability of its surroundings outside it.

    Notes
    -----
    The map is cut at `LEVELS`; surroundings are the piece of the lowest one. Where a piece falls apart at a higher
    level, its probability is shared out to the nearest of the parts, and the parts are taken instead of the whole if
    they have the higher score, each counting by its probability. So two findings that run together are told apart where
    each is surer than what joins them, and one finding with two peaks is not.
    """
    values: Float32Array = np.asarray(probability, dtype=np.float32)
    found: list[Box] = []
    for piece in components(values >= LEVELS[0]):
        near = np.where(piece.inside, values[piece.box], np.float32(0.0))
        corner = (piece.box[0].start, piece.box[1].start)
        found += [box for box, _ in _best(near, corner, LEVELS, cls=cls) if box.score >= least]
    return sorted(found, key=lambda b: (-b.score, b.y, b.x))[:MOST]


def _best(near: Float32Array, corner: tuple[int, int], levels: Sequence[float], *, cls: int) -> list[tuple[Box, float]]:
    """Return the boxes of one piece, whose surroundings are 0, and the probability that belongs to each."""
    total = float(near.sum(dtype=np.float64))
    whole: tuple[Box, float] | None = None
    for place, level in enumerate(levels):
        pieces = components(near >= level)
        if len(pieces) > 1:
            parts = _parts(near, corner, levels[place:], cls=cls)
            mean = sum(b.score * mass for b, mass in parts) / max(sum(mass for _, mass in parts), 1e-9)
            return parts if whole is None or mean > whole[0].score else [whole]
        for piece in pieces:
            rows, columns = piece.box
            area = (rows.stop - rows.start) * (columns.stop - columns.start)
            inside = float(near[piece.box].sum(dtype=np.float64))
            score = min(1.0, inside / (area + total - inside))
            if whole is None or score > whole[0].score:
                x, y = corner[1] + columns.start, corner[0] + rows.start
                box = Box(x, y, columns.stop - columns.start, rows.stop - rows.start, cls, score)
                whole = (box, total)
    return [] if whole is None else [whole]


def _parts(
    near: Float32Array, corner: tuple[int, int], levels: Sequence[float], *, cls: int
) -> list[tuple[Box, float]]:
    """Return the boxes of a piece that falls apart at the first of some levels."""
    numbers, count = label(near >= levels[0])
    nearest = ndimage.distance_transform_edt(numbers == 0, return_distances=False, return_indices=True)
    shares = np.where(near > 0, numbers[tuple(nearest)], 0)
    found: list[tuple[Box, float]] = []
    for number, box in zip(range(1, count + 1), ndimage.find_objects(shares), strict=True):
        own = np.where(shares[box] == number, near[box], np.float32(0.0))
        found += _best(own, (corner[0] + box[0].start, corner[1] + box[1].start), levels, cls=cls)
    return found


def _shared(one: Sequence[Box], other: Sequence[Box]) -> Float64Array:
    first, second = (
        np.array([(b.x, b.y, b.x + b.width, b.y + b.height) for b in s]).reshape(-1, 4) for s in (one, other)
    )
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return np.asarray(np.clip(high - low, 0.0, None).prod(axis=2))


def _span(start: float, length: float, size: int) -> slice:
    low, high = int(np.ceil(start - 0.5)), int(np.ceil(start + length - 0.5))
    if high <= low:
        low = int(np.floor(start + length / 2))
        high = low + 1
    return slice(min(max(low, 0), size), min(max(high, 0), size))

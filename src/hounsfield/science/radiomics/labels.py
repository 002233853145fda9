"""Labels: the regions of a label map, and the connected parts of each, found in one pass."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray, IntArray
from hounsfield.science.compiled import compiled
from hounsfield.science.radiomics.region import Outline
from hounsfield.science.radiomics.texture import neighbours

_FEW = 1 << 16
"""Labels up to which they are used as they are; greater ones are numbered anew."""


@dataclass(frozen=True)
class Marked:
    """One region of a label map.

    Parameters
    ----------
    label : int
        As the map has it.
    part : int
        Which connected part of the label, from 1, the first met in the order z y x; 0 is the whole label.
    outline : Outline
    """

    label: int
    part: int
    outline: Outline


def whole_numbers(mask: AnyArray) -> AnyArray:
    """Return a mask as a label map.

    Parameters
    ----------
    mask : numpy.ndarray
        bool, integers, or floats that are whole numbers.

    Raises
    ------
    ReadError
        If values are no whole numbers: probabilities need a threshold, which is not chosen here.
    """
    if mask.dtype == np.bool_:
        return mask.view(np.uint8)
    if mask.dtype.kind in "iu":
        return mask
    values = np.nan_to_num(mask.astype(np.float64), nan=0.0, posinf=0.5, neginf=0.5)
    if not np.array_equal(values, np.rint(values)):
        raise ReadError(
            "The mask holds values that are no labels.",
            expected="whole numbers: 0 outside, 1, 2, 3 ... for regions",
            next_step="threshold the mask and write it again",
        )
    return values.astype(np.int64)


def marked(labels: AnyArray, *, parts: bool) -> list[Marked]:
    """Return the regions of a label map, by label and part; values of 0 and below are no region.

    Parameters
    ----------
    labels : numpy.ndarray
        ``z y x``, integers.
    parts : bool
        Whether each connected part of a label (26 neighbours, 8 in a plane) is a region of its own.
    """
    flat, present = _compact(labels)
    if not parts:
        boxes = _boxes(flat, len(present))
        there = np.flatnonzero(boxes[:, 1])
        pairs = zip(present[there].tolist(), boxes[there], strict=True)
        return [Marked(v, 0, Outline(labels, v, _box(b))) for v, b in pairs if v > 0]
    padded = np.zeros(tuple(n + 2 for n in labels.shape), dtype=np.int32)
    padded[1:-1, 1:-1, 1:-1] = flat
    shape = (padded.shape[0], padded.shape[1], padded.shape[2])
    owner = _parts(padded.reshape(-1), neighbours(shape, planar=False))
    apart = np.ascontiguousarray(padded[1:-1, 1:-1, 1:-1])
    boxes = _boxes(apart, len(owner) + 1)[1:]
    counted: dict[int, int] = {}
    found = []
    for n, (rank, box) in enumerate(zip(owner, boxes, strict=True)):
        label = int(present[rank])
        counted[label] = counted.get(label, 0) + 1
        found.append(Marked(label, counted[label], Outline(apart, n + 1, _box(box))))
    return sorted(found, key=lambda m: (m.label, m.part))


def _compact(labels: AnyArray) -> tuple[AnyArray, IntArray]:
    """Return a label map of small numbers, 0 outside, and what each stands for."""
    if labels.dtype == np.uint8:
        return labels, np.arange(256)
    inside = np.maximum(labels, 0)
    if int(inside.max(initial=0)) <= _FEW:
        return inside.astype(np.int32), np.arange(int(inside.max(initial=0)) + 1)
    present, ranks = np.unique(inside, return_inverse=True)
    if present[0] > 0:
        present, ranks = np.concatenate([[0], present]), ranks + 1
    return ranks.reshape(labels.shape).astype(np.int32), present.astype(np.int64)


def _box(row: IntArray) -> tuple[slice, slice, slice]:
    z0, z1, y0, y1, x0, x1 = (int(v) for v in row)
    return slice(z0, z1), slice(y0, y1), slice(x0, x1)


@compiled
def _parts(left: "np.typing.NDArray[np.int32]", around: IntArray) -> IntArray:
    """Give connected parts the numbers 1 ... n in place, and return the value that each had."""
    waiting = np.zeros(np.count_nonzero(left), np.int64)
    owner, m = np.zeros(len(waiting), np.int64), 0
    for seed in range(len(left)):
        a = left[seed]
        if a <= 0:
            continue
        owner[m] = a
        m += 1
        # negative: seen already, so that parts and values are never confused
        left[seed] = -m
        waiting[0] = seed
        length = 1
        while length:
            length -= 1
            v = waiting[length]
            for step in around:
                if left[v + step] == a:
                    left[v + step] = -m
                    waiting[length] = v + step
                    length += 1
    for n in range(len(left)):
        left[n] = -left[n]
    return owner[:m]


@compiled
def _boxes(ranks: AnyArray, count: int) -> IntArray:
    boxes = np.zeros((count, 6), np.int64)
    boxes[:, 0] = ranks.shape[0]
    boxes[:, 2] = ranks.shape[1]
    boxes[:, 4] = ranks.shape[2]
    for z in range(ranks.shape[0]):
        for y in range(ranks.shape[1]):
            # most lines hold nothing, and to see that is quick
            some = 0
            for x in range(ranks.shape[2]):
                some |= ranks[z, y, x]
            if not some:
                continue
            for x in range(ranks.shape[2]):
                here = ranks[z, y, x]
                if here:
                    box = boxes[here]
                    box[0], box[1] = min(box[0], z), max(box[1], z + 1)
                    box[2], box[3] = min(box[2], y), max(box[3], y + 1)
                    box[4], box[5] = min(box[4], x), max(box[5], x + 1)
    return boxes

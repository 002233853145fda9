"""Marks on a picture that might be letters: thin, sharp, of one grey value; and the lines that they form."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import AnyArray, BoolArray, Float32Array, IntArray

STROKE = 9
"""Side of the square that strokes must be narrower than, in pixels."""

CONTRAST = 24.0
"""How much a stroke stands out from what is around it, of 255."""

LEAST_HEIGHT, MOST_HEIGHT = 5, 60
MOST_MARKS = 6000
"""Beyond that many marks a picture is texture: the most contrasting are looked at."""


@dataclass(frozen=True)
class Marks:
    """Marks of one picture; each array has one value for each mark, ``n``.

    Parameters
    ----------
    top, bottom, left, right : numpy.ndarray
        Box in pixels; bottom and right are excluded.
    peak : numpy.ndarray
        Grey value of the mark's core (90th percentile), 0 to 255.
    core : numpy.ndarray
        Share of its pixels that have about that value.
    contrast : numpy.ndarray
        How far the core stands out from its surroundings.
    sharpness : numpy.ndarray
        Mean step from pixel to pixel at its border, in shares of the contrast.
    flatness : numpy.ndarray
        Standard deviation of the grey values just around it.
    stroke : numpy.ndarray
        Width of its strokes in pixels: twice its area over its border.
    fill : numpy.ndarray
        Share of the box that it fills.
    upright, level : numpy.ndarray
        Shares of its border's steps that go along a row (the edge of an upright stroke) and along a column.
    """

    top: IntArray
    bottom: IntArray
    left: IntArray
    right: IntArray
    peak: Float32Array
    core: Float32Array
    contrast: Float32Array
    sharpness: Float32Array
    flatness: Float32Array
    stroke: Float32Array
    fill: Float32Array
    upright: Float32Array
    level: Float32Array

    def __len__(self) -> int:
        return len(self.top)

    @property
    def height(self) -> IntArray:
        """Height of the boxes in pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> IntArray:
        """Width of the boxes in pixels."""
        return self.right - self.left


def marks_of(grey: Float32Array) -> Marks:
    """Return the bright marks of a picture.

    Parameters
    ----------
    grey : numpy.ndarray
        ``y x``, float32, 0 to 255. For dark marks give the negative.
    """
    from scipy import ndimage

    opened = ndimage.minimum_filter(grey, STROKE)
    opened = ndimage.maximum_filter(opened, STROKE)
    hat = grey - opened
    labels, _ = ndimage.label(_strokes(grey, hat), structure=np.ones((3, 3), bool))
    boxes = ndimage.find_objects(labels)
    chosen = [
        (number, box)
        for number, box in enumerate(boxes, start=1)
        if box is not None and _size_fits(box[0].stop - box[0].start, box[1].stop - box[1].start)
    ]
    if len(chosen) > MOST_MARKS:
        peaks = ndimage.maximum(hat, labels, [number for number, _ in chosen])
        chosen = [chosen[i] for i in np.argsort(-np.asarray(peaks), kind="stable")[:MOST_MARKS]]
    rows = [_describe(grey, labels, number, box) for number, box in chosen]
    table = np.array(rows, dtype=np.float32).reshape(len(rows), 13)
    top, bottom, left, right = (table[:, i].astype(np.int64) for i in range(4))
    return Marks(top, bottom, left, right, *(table[:, i] for i in range(4, 13)))


def _strokes(grey: Float32Array, hat: Float32Array) -> BoolArray:
    """Return pixels that stand out from around them and lie nearer to the highest value nearby than to the lowest."""
    from scipy import ndimage

    highest = ndimage.maximum_filter(hat, 5)
    strokes: BoolArray = (hat > CONTRAST) & (hat > 0.5 * highest)
    return strokes


def _size_fits(height: int, width: int) -> bool:
    return LEAST_HEIGHT <= height <= MOST_HEIGHT and width <= 12 * height


def _describe(grey: Float32Array, labels: AnyArray, number: int, box: tuple[slice, slice]) -> tuple[float, ...]:
    rows, columns = box
    top, bottom, left, right = rows.start, rows.stop, columns.start, columns.stop
    outer = (slice(max(0, top - 2), bottom + 2), slice(max(0, left - 2), right + 2))
    around, inside = grey[outer], labels[outer] == number
    values = around[inside]
    area = float(values.size)
    peak = float(np.percentile(values, 90))
    grown = _grown(inside, 2)
    ring = around[grown & ~_grown(inside, 1)]
    background = float(ring.mean()) if ring.size else 0.0
    contrast = max(1.0, peak - background)
    across = inside[:, 1:] != inside[:, :-1]
    along = inside[1:] != inside[:-1]
    steps_x = np.abs(np.diff(around, axis=1))[across]
    steps_y = np.abs(np.diff(around, axis=0))[along]
    border = float(across.sum() + along.sum())
    steps = float(steps_x.sum() + steps_y.sum())
    return (
        top,
        bottom,
        left,
        right,
        peak,
        float((values > peak - 0.25 * contrast).mean()),
        contrast,
        steps / max(border, 1.0) / contrast,
        float(ring.std()) if ring.size else 0.0,
        2.0 * area / max(border, 1.0),
        area / ((bottom - top) * (right - left)),
        float(steps_x.sum()) / max(steps, 1e-3),
        float(steps_y.sum()) / max(steps, 1e-3),
    )


def _grown(mask: BoolArray, times: int) -> BoolArray:
    """Return a mask grown by `times` pixels in the four directions."""
    grown = mask.copy()
    for _ in range(times):
        wider = grown.copy()
        wider[1:] |= grown[:-1]
        wider[:-1] |= grown[1:]
        wider[:, 1:] |= grown[:, :-1]
        wider[:, :-1] |= grown[:, 1:]
        grown = wider
    return grown


def lines_of(marks: Marks) -> list[IntArray]:
    """Return groups of marks that stand beside each other like the letters of a line: indices of marks, by `left`."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if not len(marks):
        return []
    height = marks.height.astype(np.float64)
    middle = (marks.top + marks.bottom) / 2
    order = np.argsort(marks.left, kind="stable")
    pairs: list[tuple[int, int]] = []
    for place, i in enumerate(order):
        for j in order[place + 1 : place + 120]:
            gap = marks.left[j] - marks.right[i]
            tall = max(height[i], height[j])
            if marks.left[j] - marks.left[i] > marks.width[i] + 1.5 * MOST_HEIGHT:
                break
            if (
                gap <= 1.2 * tall
                and abs(middle[i] - middle[j]) < 0.4 * tall
                and tall < 2.2 * min(height[i], height[j])
                and abs(marks.peak[i] - marks.peak[j]) < 30
            ):
                pairs.append((i, j))
    rows, columns = (np.array([p[k] for p in pairs], dtype=np.int64) for k in (0, 1))
    links = coo_matrix((np.ones(len(pairs)), (rows, columns)), shape=(len(marks), len(marks)))
    _, group = connected_components(links, directed=False)
    by_group = np.argsort(group[order], kind="stable")
    ends = np.flatnonzero(np.diff(group[order][by_group])) + 1
    return [np.asarray(order[part]) for part in np.split(by_group, ends)]

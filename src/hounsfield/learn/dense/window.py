"""A case judged window by window, in memory that does not grow with the volume's length."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.learn.dense.case import Rows
from hounsfield.learn.dense.patches import seen
from hounsfield.learn.dense.rows import CHUNK

Calls = Callable[[Iterable[AnyArray]], Iterator[Mapping[str, Float32Array]]]
"""From windows, ``c ...`` each, to probabilities ``w ...`` by target of each, in order."""
FLOOR = 1e-3
"""Least weight of a voxel at a window's corner, so that no voxel is judged by nothing."""


@dataclass(frozen=True)
class Windows:
    """How a case is covered.

    Parameters
    ----------
    size : tuple of int
        Edges of a window.
    overlap : float
        Share of its edge by which a window overlaps with the next one, 0 to below 1.
    sharpness : float
        Deviation of the Gaussian weights as a share of the edge.
    depth : int
        0: a window is seen as it is. Else the first edge is 1, a window is a slice of a volume, and so many slices
        enter together as its channels.
    """

    size: tuple[int, ...]
    overlap: float = 0.5
    sharpness: float = 0.125
    depth: int = 0

    @property
    def reach(self) -> tuple[int, ...]:
        """Edges of what a window looks at: of slices the neighbours that enter with one too."""
        return (self.depth, *self.size[1:]) if self.depth else self.size

    def seen(self, image: AnyArray, corner: Sequence[int]) -> AnyArray:
        """Return what a network sees of an image ``c ...`` in the window with a corner."""
        return seen(image, corner, self.size[1:] if self.depth else self.size, depth=max(1, self.depth))

    def placed(self, probabilities: Mapping[str, Float32Array]) -> dict[str, Float32Array]:
        """Return what a network says of a window, ``w ...`` with as many edges as the window has."""
        return {name: one[:, None] if self.depth else one for name, one in probabilities.items()}


def starts(length: int, size: int, overlap: float) -> list[int]:
    """Return where windows begin along an axis: evenly spread, the first at the start, the last at the end.

    Parameters
    ----------
    length, size : int
        Of the axis and of the window; a shorter axis has one window, that reaches beyond on both sides.
    overlap : float
    """
    if length <= size:
        return [-((size - length) // 2)]
    step = max(1, int(size * (1.0 - overlap)))
    count = -(-(length - size) // step) + 1
    return [round(n * (length - size) / (count - 1)) for n in range(count)]


def bell(size: int, sharpness: float) -> Float64Array:
    """Return the Gaussian weights along one edge, 1 at most and `FLOOR` at least."""
    place = (np.arange(size) - (size - 1) / 2) / (sharpness * size)
    weights: Float64Array = np.maximum(np.exp(-0.5 * place**2), FLOOR)
    return weights


def judge_case(
    case: Rows, windows: Windows, widths: Mapping[str, int], *, calls: Calls, axis: int = 0
) -> Iterator[tuple[slice, dict[str, Float32Array]]]:
    """Judge one prepared case and hand it out row by row along one axis.

    Parameters
    ----------
    case : Rows
        ``c y x`` or ``c z y x``; of volumes that are cut into slices the axis across them first.
    windows : Windows
    widths : mapping of str to int
        Target to channels of its probabilities.
    calls : callable
        It is given one layer of windows at a time.
    axis : int
        Space axis along which the case is gone through: what is kept is as deep as one window there, and of slices as
        those that enter together.

    Yields
    ------
    (slice, dict)
        Rows of the axis that are final, in order, and target to probabilities there, float32, the axis first:
        ``w n ...``.

    Notes
    -----
    The weights of a window are a product of one vector for each axis, and so is their sum over all windows: no array of
    sums is kept. What is kept is one window's depth of the prepared case and of its probabilities.
    """
    shape, size = forward(case.shape[1:], axis), forward(windows.size, axis)
    places = [starts(n, s, windows.overlap) for n, s in zip(shape, size, strict=True)]
    bells = [bell(s, windows.sharpness) for s in size]
    sums = [_sums(n, own, one) for n, own, one in zip(shape, places, bells, strict=True)]
    depth = min(size[0], shape[0])
    seen = _Seen(case, windows, axis)
    held = {name: np.zeros((width, depth, *shape[1:]), dtype=np.float32) for name, width in widths.items()}
    across = np.ones(shape[1:], dtype=np.float32)
    for place, total in enumerate(sums[1:]):
        across *= total.astype(np.float32).reshape([-1 if n == place else 1 for n in range(len(shape) - 1)])
    weight = _product(bells)
    first = max(0, places[0][0])
    for turn, start in enumerate(places[0]):
        seen.move(first)
        corners = [(start, *rest) for rest in _combinations(places[1:])]
        cuts = (seen.cut(_backward(corner, axis)) for corner in corners)
        for corner, found in zip(corners, calls(cuts), strict=True):
            turned = {name: np.moveaxis(one, 1 + axis, 1) for name, one in windows.placed(found).items()}
            _add(held, turned, corner, weight=weight, size=size, first=first)
        until = places[0][turn + 1] if turn + 1 < len(places[0]) else shape[0]
        step = max(1, CHUNK // across.size)
        for low in range(first, until, step):
            high = min(until, low + step)
            whole = sums[0][low:high].astype(np.float32).reshape(-1, *[1] * len(shape[1:])) * across
            yield (
                slice(low, high),
                {name: np.asarray(rows[:, low - first : high - first] / whole) for name, rows in held.items()},
            )
        for rows in held.values():
            _forget(rows, until - first)
            rows[:, depth - (until - first) :] = 0.0
        first = until


class _Seen:
    """The rows of a case that the windows of one layer look at, the axis of the rows first."""

    def __init__(self, case: Rows, windows: Windows, axis: int) -> None:
        self._case, self._windows, self._axis = case, windows, axis
        size, reach = windows.size[axis], windows.reach[axis]
        self._before = (reach - size) // 2
        self._first = 0
        length, *rest = forward(case.shape[1:], axis)
        self._last = max(0, length - reach)
        self._step = max(1, CHUNK // int(np.prod([case.shape[0], *rest])))
        self._held = np.empty((case.shape[0], min(reach, length), *rest), dtype=case.dtype)
        self._fill(0)

    def _fill(self, start: int) -> None:
        depth = self._held.shape[1]
        for low in range(start, depth, self._step):
            high = min(depth, low + self._step)
            found = self._case.rows(self._axis, self._first + low, self._first + high)
            self._held[:, low:high] = np.moveaxis(found, 1 + self._axis, 1)

    def move(self, first: int) -> None:
        """Look at the windows that begin in this row."""
        low = min(max(0, first - self._before), self._last)
        step = low - self._first
        if step:
            _forget(self._held, step)
            self._first = low
            self._fill(max(0, self._held.shape[1] - step))

    def cut(self, corner: tuple[int, ...]) -> AnyArray:
        """Return what a network sees of the window with a corner, filled up where it reaches beyond the case."""
        # the first row held is the case's first one wherever rows before it are asked for, and so is the last one
        here = (*corner[: self._axis], corner[self._axis] - self._first, *corner[self._axis + 1 :])
        return self._windows.seen(np.moveaxis(self._held, 1, 1 + self._axis), here)


def _forget(rows: AnyArray, count: int) -> None:
    """Move rows, ``c n ...``, to the front by so many places, one after the other: nothing as large is made."""
    for place in range(rows.shape[1] - count):
        rows[:, place] = rows[:, place + count]


def forward(size: Sequence[int], axis: int) -> tuple[int, ...]:
    """Return lengths of axes with one of them brought to the front."""
    return (size[axis], *size[:axis], *size[axis + 1 :])


def _backward(places: Sequence[int], axis: int) -> tuple[int, ...]:
    """Undo `forward`."""
    return (*places[1 : axis + 1], places[0], *places[axis + 1 :])


def best_axis(size: Sequence[int], window: Sequence[int], among: Sequence[int] | None = None) -> int:
    """Return the axis, of some or all, along which a case of a size is gone through with the least kept in memory."""
    axes = range(len(size)) if among is None else among
    return min(axes, key=lambda n: (min(window[n], size[n]) * (int(np.prod(size)) // size[n]), n))


def _sums(length: int, places: Sequence[int], weights: Float64Array) -> Float64Array:
    total = np.zeros(length)
    for start in places:
        low, high = max(0, start), min(length, start + len(weights))
        total[low:high] += weights[low - start : high - start]
    return total


def _product(bells: Sequence[Float64Array]) -> Float32Array:
    weight = np.ones(1)
    for own in bells:
        weight = np.multiply.outer(weight, own)
    product: Float32Array = weight[0].astype(np.float32)
    return product


def _combinations(places: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [()]
    for own in places:
        found = [(*before, start) for before in found for start in own]
    return found


def _add(
    held: Mapping[str, Float32Array],
    probabilities: Mapping[str, Float32Array],
    corner: tuple[int, ...],
    *,
    weight: Float32Array,
    size: tuple[int, ...],
    first: int,
) -> None:
    for name, rows in held.items():
        length = (first + rows.shape[1], *rows.shape[2:])
        lows = [max(first if axis == 0 else 0, c) for axis, c in enumerate(corner)]
        highs = [min(n, c + s) for n, c, s in zip(length, corner, size, strict=True)]
        inner = tuple(slice(low - c, high - c) for low, high, c in zip(lows, highs, corner, strict=True))
        there = (
            slice(lows[0] - first, highs[0] - first),
            *(slice(a, b) for a, b in zip(lows[1:], highs[1:], strict=True)),
        )
        rows[(slice(None), *there)] += probabilities[name][(slice(None), *inner)] * weight[inner]

"""A case judged window by window, in memory that does not grow with the volume's depth."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.learn.dense.patches import seen

Calls = Callable[[list[AnyArray]], list[Mapping[str, Float32Array]]]
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
    image: AnyArray, windows: Windows, widths: Mapping[str, int], *, calls: Calls, at_once: int
) -> Iterator[tuple[slice, dict[str, Float32Array]]]:
    """Judge one prepared case and hand it out slab by slab along the first axis.

    Parameters
    ----------
    image : numpy.ndarray
        ``c y x`` or ``c z y x``.
    windows : Windows
    widths : mapping of str to int
        Target to channels of its probabilities.
    calls : callable
    at_once : int
        Windows that are handed to it together.

    Yields
    ------
    (slice, dict)
        Rows of the first axis that are final, and target to probabilities ``w n ...`` there, float32.

    Notes
    -----
    The weights of a window are a product of one vector for each axis, and so is their sum over all windows: no array of
    sums is kept. What is kept is one window's depth of the volume.
    """
    shape = image.shape[1:]
    places = [starts(n, s, windows.overlap) for n, s in zip(shape, windows.size, strict=True)]
    bells = [bell(s, windows.sharpness) for s in windows.size]
    sums = [_sums(n, own, one) for n, own, one in zip(shape, places, bells, strict=True)]
    depth = min(windows.size[0], shape[0])
    held = {name: np.zeros((width, depth, *shape[1:]), dtype=np.float32) for name, width in widths.items()}
    across = np.ones(shape[1:], dtype=np.float32)
    for axis, total in enumerate(sums[1:]):
        across *= total.astype(np.float32).reshape([-1 if n == axis else 1 for n in range(len(shape) - 1)])
    weight = _product(bells)
    first = max(0, places[0][0])
    for turn, start in enumerate(places[0]):
        corners = [(start, *rest) for rest in _combinations(places[1:])]
        for group in range(0, len(corners), at_once):
            own = corners[group : group + at_once]
            found = calls([windows.seen(image, corner) for corner in own])
            for corner, probabilities in zip(own, found, strict=True):
                _add(held, windows.placed(probabilities), corner, weight=weight, size=windows.size, first=first)
        until = places[0][turn + 1] if turn + 1 < len(places[0]) else shape[0]
        count = until - first
        total = sums[0][first:until].astype(np.float32)
        done = {
            name: np.asarray(rows[:, :count] / (total.reshape(-1, *[1] * len(shape[1:])) * across), dtype=np.float32)
            for name, rows in held.items()
        }
        yield slice(first, until), done
        for rows in held.values():
            rows[:, : depth - count] = rows[:, count:].copy()
            rows[:, depth - count :] = 0.0
        first = until


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

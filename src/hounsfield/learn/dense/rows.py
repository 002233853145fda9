"""Volumes resized a few rows at a time, to what `hounsfield.learn.prepare.image.resize` makes of them whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hounsfield.core.types import Float32Array, IntArray
from hounsfield.learn.prepare.image import resize

CHUNK = 1 << 20
"""Values that are worked on at a time: what is in between takes a few MiB, whatever the volume's size."""


@dataclass(frozen=True)
class Axis:
    """One axis of a volume, resized.

    Parameters
    ----------
    old, new : int
        Its lengths.
    """

    old: int
    new: int

    @cached_property
    def _linear(self) -> tuple[IntArray, Float32Array]:
        """Return for each new row the old one before it, and the weight of the one behind that."""
        # in single precision, as torch has it: a hundredth of a voxel off at the end of a long axis otherwise
        place = np.float32(self.old) / np.float32(self.new) * (np.arange(self.new, dtype=np.float32) + np.float32(0.5))
        place = np.maximum(place - np.float32(0.5), np.float32(0.0))
        before = np.minimum(place.astype(np.int64), self.old - 1)
        return before, np.asarray(place - before.astype(np.float32), dtype=np.float32)

    @cached_property
    def firsts(self) -> IntArray:
        """The first old row that each new row is made of."""
        if self.new <= self.old:
            return np.arange(self.new, dtype=np.int64) * self.old // self.new
        return self._linear[0]

    @cached_property
    def ends(self) -> IntArray:
        """The old row behind the last one that each new row is made of."""
        if self.new <= self.old:
            return -(-(np.arange(1, self.new + 1, dtype=np.int64) * self.old) // self.new)
        return np.minimum(self._linear[0] + 2, self.old)

    def needs(self, start: int, stop: int) -> tuple[int, int]:
        """Return which old rows new rows from `start` to before `stop` are made of."""
        return int(self.firsts[start]), int(self.ends[stop - 1])

    def weights(self, start: int, stop: int) -> Float32Array:
        """Return the matrix ``new old`` that makes these new rows of the old ones in `needs`."""
        first, end = self.needs(start, stop)
        found: Float32Array = np.zeros((stop - start, end - first), dtype=np.float32)
        for row, place in enumerate(range(start, stop)):
            low, high = int(self.firsts[place]) - first, int(self.ends[place]) - first
            if self.new <= self.old:
                found[row, low:high] = np.float32(1.0 / (high - low))
            else:
                behind = self._linear[1][place]
                found[row, low] = np.float32(1.0) - behind
                found[row, high - 1] += behind
        return found

    def apply(self, values: Float32Array, start: int, stop: int) -> Float32Array:
        """Return new rows of old ones.

        Parameters
        ----------
        values : numpy.ndarray
            ``c n ...``, the old rows in `needs`.
        start, stop : int
        """
        if self.old == self.new:
            return values
        made = np.tensordot(self.weights(start, stop), values, axes=(1, 1))
        return np.moveaxis(made, 0, 1)


class RowResizer:
    """Rows of a volume that come in order, to rows of another size.

    Parameters
    ----------
    old, new : tuple of int
        Sizes of the volume, the axis along which rows come first.
    """

    def __init__(self, old: tuple[int, ...], new: tuple[int, ...]) -> None:
        self._axis = Axis(old[0], new[0])
        self._old, self._new = old, new
        self._held: list[Float32Array] = []
        self._first = self._have = self._done = 0

    def push(self, values: Float32Array) -> Iterator[tuple[slice, Float32Array]]:
        """Take the next rows, ``c n ...``; give those new rows that can be made by now, float32."""
        if self._old == self._new:
            yield slice(self._have, self._have + values.shape[1]), values
            self._have += values.shape[1]
            return
        if len(self._old) == 2:
            yield from self._flat(values)
            return
        plane = max(1, values.shape[0] * int(np.prod(self._new[1:])))
        step = max(1, CHUNK // plane)
        for start in range(0, values.shape[1], step):
            part = values[:, start : start + step]
            self._held.append(resize(part, (part.shape[1], *self._new[1:])))
            self._have += part.shape[1]
            yield from self._made(step)

    def _made(self, step: int) -> Iterator[tuple[slice, Float32Array]]:
        ready = int(np.searchsorted(self._axis.ends, self._have, side="right"))
        if ready <= self._done:
            return
        held = np.concatenate(self._held, axis=1)
        for start in range(self._done, ready, step):
            stop = min(ready, start + step)
            low, high = self._axis.needs(start, stop)
            yield slice(start, stop), self._axis.apply(held[:, low - self._first : high - self._first], start, stop)
        self._done = ready
        kept = int(self._axis.firsts[ready]) if ready < self._axis.new else self._have
        self._held = [held[:, kept - self._first :].copy()] if kept < self._have else []
        self._first = kept

    def _flat(self, values: Float32Array) -> Iterator[tuple[slice, Float32Array]]:
        # a picture is resized under a triangle in both axes at once, and is small
        self._held.append(np.array(values, dtype=np.float32))
        self._have += values.shape[1]
        if self._have == self._old[0]:
            yield slice(0, self._new[0]), resize(np.concatenate(self._held, axis=1), self._new)
            self._held = []

"""A case as the network sees it, made a few rows at a time: what is kept is the images as they were stored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from hounsfield.core.errors import PlanError
from hounsfield.core.image import Image
from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.data.volume.mapped import is_mapped, release
from hounsfield.geometry.affines import reorient
from hounsfield.geometry.canonical import canonical_shape
from hounsfield.learn.dense.intensities import Scale, scale_of
from hounsfield.learn.dense.preparing import DensePreparation, prepared_size, sliced
from hounsfield.learn.dense.rows import CHUNK, Axis, RowResizer
from hounsfield.learn.prepare.image import resize

SPAN = 4 << 20
"""Bytes of a file that are read before the memory that holds them is given back."""
LEAST_RUN = 512
"""Bytes of a row that lie together in a file, from which rows are read without most of what lies between."""


class Rows(Protocol):
    """Something that windows are cut from."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``c y x`` or ``c z y x``."""

    @property
    def dtype(self) -> "np.dtype[np.generic]":
        """Of what is read."""

    def rows(self, axis: int, start: int, stop: int) -> AnyArray:
        """Return the part from `start` to before `stop` along a space axis (0: the first), ``c ...``."""


@dataclass(frozen=True)
class ArrayRows:
    """Rows of an array, ``c ...``."""

    array: AnyArray = field(repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array."""
        return self.array.shape

    @property
    def dtype(self) -> "np.dtype[np.generic]":
        """Of the array."""
        return self.array.dtype

    def rows(self, axis: int, start: int, stop: int) -> AnyArray:
        """Return a view."""
        return _part(self.array, axis, start, stop)


class _Source(Protocol):
    """One image of a case, turned as the plan wants it, in stored values."""

    @property
    def size(self) -> tuple[int, ...]: ...

    @property
    def slow(self) -> int:
        """Space axis along which parts of the file lie behind one another."""

    def read(self, axis: int, start: int, stop: int) -> AnyArray: ...


class Case:
    """A case, prepared as rows of it are asked for.

    Parameters
    ----------
    images : mapping of str to Image
        By input name; further ones are brought to the grid of the first.
    spec : DensePreparation

    Raises
    ------
    PlanError
        If an image has another number of space axes, a volume another number of channels, no place in space where the
        plan needs one, or a size that no affine explains.

    Notes
    -----
    Mean and deviation of an image are taken in one pass over its stored values; intensities, turning and resampling
    are done for the rows that are asked for, and nothing is kept of them. A picture is prepared whole. Of volumes that
    are cut into slices the axis across them is the first space axis, here and in all that is asked for.
    """

    def __init__(self, images: Mapping[str, Image], spec: DensePreparation) -> None:
        first = images[next(iter(spec.channels))]
        if first.ndim != spec.ndim:
            raise PlanError(
                f"An image has {first.ndim} space axes, the plan is for {spec.ndim}.",
                expected=f"{spec.ndim}D images",
                next_step="plan again on a folder of one kind of images",
            )
        self.spec = spec
        self.first = first
        for name, channels in spec.channels.items():
            _check_channels(images[name], channels)
        self._lying = prepared_size(first, spec)
        self.size = _forward(self._lying, spec.first)
        # the image's axis for each axis of what is prepared
        self._order = _forward(tuple(range(len(self.size))), spec.first)
        self._parts: list[tuple[_Source, Scale]] = []
        for name, channels in spec.channels.items():
            source = _source(images[name], first, spec)
            window = spec.window.get(name)
            scale = (
                scale_of(_chunks(source, images[name].channels), channels)
                if window is None
                else Scale(channels, (window[0], window[1]))
            )
            self._parts.append((source, scale))

    @property
    def shape(self) -> tuple[int, ...]:
        """``c y x`` or ``c z y x``."""
        return (sum(self.spec.channels.values()), *self.size)

    @property
    def dtype(self) -> "np.dtype[np.generic]":
        """float32."""
        return np.dtype(np.float32)

    @property
    def axis(self) -> int:
        """Space axis along which rows lie behind one another in the file of the first image; 0 if it is in memory."""
        source = self._parts[0][0]
        return self._order.index(source.slow) if isinstance(source, _Turned) and is_mapped(source.array) else 0

    @property
    def axes(self) -> tuple[int, ...]:
        """Space axes along which rows may be asked for: one by one, those of the others are all over a file."""
        every = tuple(range(len(self.size)))
        for source, _ in self._parts:
            if isinstance(source, _Turned) and is_mapped(source.array):
                steps = source.array.strides[1:]
                lying = self._order
                every = tuple(n for n in every if abs(steps[lying[n]]) >= LEAST_RUN or lying[n] == source.slow)
        return every or (self.axis,)

    def rows(self, axis: int, start: int, stop: int) -> Float32Array:
        """Return prepared rows, ``c ...`` float32, about zero mean and unit deviation."""
        if len(self.size) == 2:
            return np.asarray(_part(self._picture, axis, start, stop))
        own = self._order[axis]
        resized = [_rows(source, scale, self._lying, axis=own, rows=(start, stop)) for source, scale in self._parts]
        return np.asarray(sliced(resized[0] if len(resized) == 1 else np.concatenate(resized), self.spec))

    @cached_property
    def _picture(self) -> Float32Array:
        parts = [resize(scale.of(s.read(0, 0, s.size[0])), self.size) for s, scale in self._parts]
        return np.concatenate(parts)

    def whole(self) -> Float32Array:
        """Return all of it, ``c ...`` float32."""
        if len(self.size) == 2:
            return self._picture
        axis = self.axis
        made = np.empty(self.shape, dtype=np.float32)
        for start, stop in _steps(self.size, axis, self.shape[0]):
            _part(made, axis, start, stop)[...] = self.rows(axis, start, stop)
        return made

    def shrunk(self, size: tuple[int, ...]) -> Float32Array:
        """Return it resized, ``c ...`` float32; `size` must be small."""
        if int(np.prod(self.shape)) <= 4 * CHUNK:
            return resize(self.whole(), size)
        axis = self.axis
        made = np.empty((self.shape[0], *size), dtype=np.float32)
        there = np.moveaxis(made, 1 + axis, 1)
        resizer = RowResizer(_forward(self.size, axis), _forward(size, axis))
        for start, stop in _steps(self.size, axis, self.shape[0]):
            for rows, values in resizer.push(np.moveaxis(self.rows(axis, start, stop), 1 + axis, 1)):
                there[:, rows] = values
        return made

    def flat(self) -> bool:
        """Tell whether it shows one value only."""
        axis = self.axis
        seen: float | None = None
        for start, stop in _steps(self.size, axis, self.shape[0]):
            values = self.rows(axis, start, stop)
            seen = float(values.flat[0]) if seen is None else seen
            if not (values == seen).all():
                return False
        return True


def prepare_images(images: Mapping[str, Image], spec: DensePreparation) -> Float32Array:
    """Bring the images of one case to one array.

    Parameters
    ----------
    images : mapping of str to Image
        By input name; further ones are brought to the grid of the first.
    spec : DensePreparation

    Returns
    -------
    numpy.ndarray
        ``c y x`` or ``c z y x``, float32, about zero mean and unit deviation; of volumes that are cut into slices the
        axis across them first.

    Raises
    ------
    PlanError
        If an image has another number of space axes, a volume another number of channels, no place in space where the
        plan needs one, or a size that no affine explains.
    """
    return Case(images, spec).whole()


def _check_channels(image: Image, channels: int) -> None:
    if image.ndim == 3 and image.channels != channels:
        raise PlanError(
            f"A volume has {image.channels} channels where {channels} {'is' if channels == 1 else 'are'} expected.",
            expected=f"volumes of {channels} as in the training part: what its channels mean, nothing says",
            next_step="store the channel that is meant as a volume of its own",
        )


def _rows(source: _Source, scale: Scale, size: tuple[int, ...], *, axis: int, rows: tuple[int, int]) -> Float32Array:
    """Return prepared rows of one image."""
    along = Axis(source.size[axis], size[axis])
    start, stop = rows
    # by which of the two is larger: what is read, or what is made of it
    step = max(1, CHUNK * size[axis] // max(int(np.prod(size)), int(np.prod(source.size))))
    if stop - start > step:
        made = np.empty((scale.channels, *_with(size, axis, stop - start)), dtype=np.float32)
        for low in range(start, stop, step):
            high = min(stop, low + step)
            found = _rows(source, scale, size, axis=axis, rows=(low, high))
            _part(made, axis, low - start, high - start)[...] = found
        return made
    if stop - start == size[axis]:
        return resize(scale.of(source.read(axis, 0, source.size[axis])), size)
    low, high = along.needs(start, stop)
    values = scale.of(source.read(axis, low, high))
    values = resize(values, _with(size, axis, high - low))
    moved = along.apply(np.moveaxis(values, 1 + axis, 1), start, stop)
    return np.moveaxis(moved, 1, 1 + axis)


@dataclass(frozen=True)
class _Turned:
    """An image on its own grid: a view of its array."""

    array: AnyArray = field(repr=False)

    @property
    def size(self) -> tuple[int, ...]:
        return self.array.shape[1:]

    @property
    def slow(self) -> int:
        strides = [abs(s) * (n > 1) for s, n in zip(self.array.strides[1:], self.size, strict=True)]
        return int(np.argmax(strides))

    def read(self, axis: int, start: int, stop: int) -> AnyArray:
        part = _part(self.array, axis, start, stop)
        made = np.empty(part.shape, dtype=part.dtype)
        # a system reads more around what is looked at: what lies far apart in a file is read a stretch at a time
        slow, length = self.slow, part.shape[1 + self.slow]
        step = max(1, SPAN * self.size[slow] // self.array.nbytes) if is_mapped(self.array) else length
        for low in range(0, length, step):
            _part(made, slow, low, low + step)[...] = _part(part, slow, low, low + step)
            release(self.array)
        return made


@dataclass(frozen=True)
class _Moved:
    """An image on the grid of another, resampled as it is read."""

    image: Image
    affine: Float64Array
    size: tuple[int, ...]
    outside: float
    slow: int = 0

    def read(self, axis: int, start: int, stop: int) -> AnyArray:
        from hounsfield.geometry.resampling import resample

        affine = self.affine.copy()
        affine[:3, 3] += start * self.affine[:3, 2 - axis]
        size = _with(self.size, axis, stop - start)
        held = self.image
        if held.grid is None:
            raise PlanError("An image has no place in space.", expected="a grid")
        found = resample(held.array, held.grid.affine_ras, affine, size, order=1, outside=self.outside)
        release(held.array)
        return found


def _source(image: Image, first: Image, spec: DensePreparation) -> _Source:
    if image is not first and (image.grid is None or first.grid is None or image.ndim != 3):
        if image.size != first.size:
            raise PlanError(
                f"The images of a case have the sizes {_by(first.size)} and {_by(image.size)}.",
                expected="one size, or affines that say how they lie",
                next_step="resample them to one grid",
            )
    elif image is not first and not _same(image, first) and first.grid is not None:
        size = canonical_shape(first)[0] if spec.orientation == "RAS" else first.size
        affine = first.grid.affine_ras
        if spec.orientation == "RAS":
            affine = reorient(np.broadcast_to(np.uint8(0), first.size), affine)[1]
        return _Moved(image, affine, size, _lowest(image))
    if spec.orientation == "RAS" and image.ndim == 3 and image.grid is not None:
        return _Turned(reorient(image.array, image.grid.affine_ras)[0])
    return _Turned(image.array)


def _same(image: Image, first: Image) -> bool:
    if image.grid is None or first.grid is None:
        return False
    return image.size == first.size and np.allclose(image.grid.affine_ras, first.grid.affine_ras, atol=1e-3)


def _lowest(image: Image) -> float:
    source = _Turned(image.array)
    return float(np.min([part.min() for part in _chunks(source, image.channels)]))


def _chunks(source: _Source, channels: int) -> Iterator[AnyArray]:
    """Read an image once, in parts."""
    axis = source.slow
    # twice as much as elsewhere: up to here an image's mean is that of its array, to the last bit
    for start, stop in _steps(source.size, axis, max(1, channels), most=2 * CHUNK):
        yield source.read(axis, start, stop)


def _steps(size: tuple[int, ...], axis: int, channels: int, *, most: int = CHUNK) -> Iterator[tuple[int, int]]:
    if len(size) == 2:
        yield 0, size[axis]
        return
    step = max(1, most // max(1, channels * int(np.prod(size)) // size[axis]))
    for start in range(0, size[axis], step):
        yield start, min(size[axis], start + step)


def _part(array: AnyArray, axis: int, start: int, stop: int) -> AnyArray:
    return array[(slice(None),) * (1 + axis) + (slice(start, stop),)]


def _with(size: tuple[int, ...], axis: int, length: int) -> tuple[int, ...]:
    return (*size[:axis], length, *size[axis + 1 :])


def _forward(size: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (size[axis], *size[:axis], *size[axis + 1 :])


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in size)

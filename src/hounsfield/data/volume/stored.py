"""What a volume's header says of its voxels, and the image that they are; the same for every format."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.image import Grid, Header, Image
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.npz import check_array
from hounsfield.data.volume.bounded import MAX_BYTES, Packing, check_there, read_bytes
from hounsfield.data.volume.mapped import LEAST_MAPPED, mapped

LONGEST_AXIS = 1 << 31
CHANNELS = "c"
TIME = "t"


@dataclass(frozen=True)
class Stored:
    """A volume as its header describes it.

    Parameters
    ----------
    path : pathlib.Path
        File that holds the voxels.
    start : int
        Bytes of that file in front of what is packed.
    skip : int
        Unpacked bytes in front of the first voxel.
    packing : str
    dtype : numpy.dtype
        As stored, with its byte order.
    shape : tuple of int
        Lengths of the axes, the fastest first.
    axes : str
        One letter for each: ``x y z`` in that order, ``c`` and ``t`` anywhere.
    affine_ras : float64 array 4 x 4, or None
        Of the space axes; None where the file does not say how its voxels lie in the patient.
    slope, inter : float
        Value = slope * stored + inter.
    file_format : str
    notes : tuple of str
        What a person should know of the header, one clause each, without a name.
    """

    path: Path
    start: int
    skip: int
    packing: Packing
    dtype: "np.dtype[np.generic]"
    shape: tuple[int, ...]
    axes: str
    affine_ras: Float64Array | None
    file_format: str
    slope: float = 1.0
    inter: float = 0.0
    notes: tuple[str, ...] = ()

    def length(self, axis: str) -> int:
        """Return the length of an axis, 1 where it does not exist."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1

    @property
    def size(self) -> tuple[int, ...]:
        """``z y x``, or ``y x`` of a single plane."""
        z, y, x = (self.length(a) for a in "zyx")
        return (z, y, x) if z > 1 else (y, x)

    @property
    def value_type(self) -> "np.dtype[np.generic]":
        """Type of the values after slope and intercept: integers stay integers where both are whole."""
        kind, size = self.dtype.kind, self.dtype.itemsize
        if self.slope == 1.0 and self.inter == 0.0:
            # values below zero have no place among 8-bit pictures
            return np.dtype(np.int16) if kind == "i" and size == 1 else self.dtype.newbyteorder("=")
        if kind in "ui" and size <= 2 and float(self.slope).is_integer() and float(self.inter).is_integer():
            bits = 8 * size - (kind == "i")
            lowest = -(1 << bits) if kind == "i" else 0
            ends = [self.slope * v + self.inter for v in (lowest, (1 << bits) - 1)]
            for able in (np.int16, np.int32):
                if np.iinfo(able).min <= min(ends) and max(ends) <= np.iinfo(able).max:
                    return np.dtype(able)
        return np.dtype(np.float32)

    def as_told(self, part: dict[str, str | int]) -> "Stored":
        """Return the same with its fourth axis as a ref says it: part ``axis4`` is ``channels`` or ``time``."""
        said = part.get("axis4")
        if said not in ("channels", "time") or ("t" not in self.axes and "c" not in self.axes[3:]):
            return self
        at = self.axes.index("t") if "t" in self.axes else self.axes.index("c", 3)
        letter = CHANNELS if said == "channels" else TIME
        return replace(self, axes=self.axes[:at] + letter + self.axes[at + 1 :])

    def header(self, ref: Ref) -> Header:
        """Return what a reader says without handing out voxels."""
        part = dict(ref.part)
        told = self.as_told(part)
        channels = 1 if "channel" in part else told.length(CHANNELS)
        kind = told.value_type
        stored = _bytes((*told.size, channels), told.dtype)
        return Header(told.size, channels, kind.itemsize * 8, told.file_format, stored)

    def image(self, ref: Ref) -> Image:
        """Read the voxels.

        Raises
        ------
        ReadError
            If they are damaged, fewer than promised, not finite, or the ref asks for what is not there.
        """
        part, case = dict(ref.part), case_id(ref.path)
        told = self.as_told(part)
        if told.axes.count(CHANNELS) > 1:
            raise ReadError(
                f"Case {case}: the volume has two axes of channels.",
                expected="one",
                next_step="store the channels as files of their own",
            )
        moment = _index(part, "volume", told.length(TIME), case)
        values = told._values(moment, case)
        if "channel" in part:
            values = values[_index(part, "channel", told.length(CHANNELS), case)][None]
        if part.get("unknown") != "kept":
            values = _measured(values)
            check_array(values, ref)
        if values.shape[1] == 1:
            values = values[:, 0]
        grid = Grid(told.affine_ras) if told.affine_ras is not None else None
        return Image(np.ascontiguousarray(values), grid)

    def _values(self, moment: int, case: str) -> AnyArray:
        """Return ``c z y x`` of one moment, with slope and intercept."""
        shape, axes, skip = self.shape, self.axes, self.skip
        whole = _bytes(shape, self.dtype)
        if not self.packing:
            check_there(self.path, start=self.start, promised=skip + whole, case=case)
        if axes[-1:] == TIME:
            # moments lie behind one another: the others need not be unpacked
            shape, axes = shape[:-1], axes[:-1]
            skip += moment * (whole // self.shape[-1])
        array = self._read(shape, skip, case).reshape(shape[::-1])
        axes = axes[::-1]
        if TIME in axes:
            array = np.take(array, moment, axis=axes.index(TIME))
            axes = axes.replace(TIME, "")
        for letter in "czyx":
            if letter not in axes:
                array, axes = array[None], letter + axes
        array = array.transpose([axes.index(letter) for letter in "czyx"])
        return self._scaled(array)

    def _read(self, shape: Sequence[int], skip: int, case: str) -> AnyArray:
        """Return stored values, flat. Large ones that need no change stay in the file until they are looked at."""
        count = _bytes(shape, self.dtype)
        as_they_are = self.dtype.kind in "iu" and self.value_type == self.dtype and not self.packing
        if as_they_are and LEAST_MAPPED <= count <= MAX_BYTES:
            return mapped(self.path, start=self.start + skip, dtype=self.dtype, shape=(math.prod(shape),))
        raw = read_bytes(self.path, start=self.start, skip=skip, count=count, packing=self.packing, case=case)
        return raw.view(self.dtype)

    def _scaled(self, array: AnyArray) -> AnyArray:
        kind = self.value_type
        if self.slope == 1.0 and self.inter == 0.0:
            return array.astype(kind, copy=False)
        made = np.empty_like(array, dtype=kind)
        for row in np.ndindex(*array.shape[:2]):  # plane by plane: in between, a value takes eight bytes
            if kind.kind == "i":
                made[row] = array[row].astype(np.int64) * int(self.slope) + int(self.inter)
            else:
                made[row] = array[row].astype(np.float64) * self.slope + self.inter
        return made


def _measured(values: AnyArray) -> AnyArray:
    """Return values in which NaN, by which resampling marks what was not measured, is the lowest value of the volume.

    Nothing is changed where no value is a number, or some are infinite: then the file is refused.
    """
    if values.dtype.kind != "f":
        return values
    unknown = np.isnan(values)
    if not unknown.any() or unknown.all():
        return values
    return np.asarray(np.where(unknown, values[~unknown].min(), values))


def _bytes(shape: Sequence[int], dtype: "np.dtype[np.generic]") -> int:
    return math.prod(shape) * dtype.itemsize


def _index(part: dict[str, str | int], key: str, count: int, case: str) -> int:
    index = part.get(key, 0)
    if not isinstance(index, int) or not 0 <= index < count:
        raise ReadError(
            f"Case {case}: the file has no {key} {index}.",
            expected=f"0 to {count - 1}",
            next_step="make the cohort again: the file has changed",
        )
    return index


def possible(lengths: Sequence[float]) -> bool:
    """Tell whether axes can have these lengths: at least 1, and not more than any volume has."""
    return all(1 <= n <= LONGEST_AXIS for n in lengths)


def good_affine(affine: Float64Array) -> bool:
    """Tell whether an affine can place voxels: finite, no axis without length, no axes in one plane."""
    if not np.isfinite(affine).all():
        return False
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if lengths.min() < 1e-6 or lengths.max() > 1e5:
        return False
    return bool(abs(np.linalg.det(affine[:3, :3] / lengths)) > 1e-3)


def lies(case: str, what: str, expected: str) -> ReadError:
    """Return the error for a header that cannot be believed."""
    return ReadError(
        f"Case {case}: the header says {what}.",
        expected=expected,
        next_step="copy the file again from its source, or leave it out",
    )

"""NRRD: ``.nrrd``, and ``.nhdr`` with its voxels in a file beside it."""

import re
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import case_id
from hounsfield.core.image import Header, Image
from hounsfield.core.types import Float64Array
from hounsfield.data.files import inside
from hounsfield.data.volume.bounded import Packing
from hounsfield.data.volume.stored import Stored, good_affine, lies, possible
from hounsfield.data.volume.text_header import beside, text_header

_TYPES = {
    "signed char": "i1", "int8": "i1", "int8_t": "i1", "uchar": "u1", "unsigned char": "u1", "uint8": "u1",
    "uint8_t": "u1", "short": "i2", "short int": "i2", "signed short": "i2", "signed short int": "i2", "int16": "i2",
    "int16_t": "i2", "ushort": "u2", "unsigned short": "u2", "unsigned short int": "u2", "uint16": "u2",
    "uint16_t": "u2", "int": "i4", "signed int": "i4", "int32": "i4", "int32_t": "i4", "uint": "u4",
    "unsigned int": "u4", "uint32": "u4", "uint32_t": "u4", "longlong": "i8", "long long": "i8", "int64": "i8",
    "int64_t": "i8", "ulonglong": "u8", "unsigned long long": "u8", "uint64": "u8", "uint64_t": "u8", "float": "f4",
    "double": "f8",
}  # fmt: skip
_PACKINGS: dict[str, Packing] = {
    "raw": "", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2",
}  # fmt: skip
_SPACES = {
    "right-anterior-superior": (1, 1, 1), "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1), "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1), "lps": (-1, -1, 1),
}  # fmt: skip
_TIMES = ("time",)
_SPATIAL = ("domain", "space")
_UNREADABLE = ("complex",)
_SKIPS = ("line skip", "byte skip")


class NrrdReader:
    """Reads volumes, with their place in the patient where the header names an anatomical space.

    References
    ----------
    Definition of NRRD file format, teem.sourceforge.net/nrrd/format.html.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the magic."""
        return head[:7] == b"NRRD000"

    def stored(self, root: Path, ref: Ref) -> Stored:
        """Return what the header says; raise ReadError with the reason."""
        path, case = inside(root, ref.path), case_id(ref.path)
        lines, end = text_header(path, case, ends=lambda line: not line)
        if not lines or not re.fullmatch(r"NRRD000[1-5]", lines[0]):
            raise lies(case, "another format than NRRD", "NRRD0001 to NRRD0005")
        fields = _fields(lines[1:])
        count = _whole(fields, "dimension", case)
        shape = tuple(_wholes(fields, "sizes", case))
        if len(shape) != count or not possible(shape) or not 2 <= count <= 5:
            raise lies(case, f"{count} axes and {len(shape)} lengths", "2 to 5 lengths of at least 1")
        axes = _axes(fields, count, case)
        encoding = fields.get("encoding", "").lower()
        if encoding not in _PACKINGS:
            raise lies(case, f"the encoding {encoding!r}", ", ".join(sorted(set(_PACKINGS))))
        packing = _PACKINGS[encoding]
        data = fields.get("data file") or fields.get("datafile")
        place, start = (path, end) if data is None else (beside(root, path, data, case), 0)
        dtype = _dtype(fields, case)
        start, skip = _skips(fields, place, start, packing=packing, whole=_bytes(shape, dtype), case=case)
        affine, notes = _affine(fields, axes)
        return Stored(
            path=place,
            start=start,
            skip=skip,
            packing=packing,
            dtype=dtype,
            shape=shape,
            axes=axes,
            affine_ras=affine,
            file_format="NRRD",
            notes=notes,
        )

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return size, channels and depth from the file's header."""
        return self.stored(Path(cohort.root), ref).header(ref)

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        """Return the volume in its stored type."""
        return self.stored(Path(cohort.root), ref).image(ref)


def _fields(lines: list[str]) -> dict[str, str]:
    """Return ``field: value`` lines; comments and ``key:=value`` lines are left out."""
    found: dict[str, str] = {}
    for line in lines:
        name, mark, value = line.partition(":")
        if mark and not line.startswith("#") and not value.startswith("="):
            found[name.strip().lower()] = value.strip()
    return found


def _wholes(fields: dict[str, str], name: str, case: str) -> list[int]:
    try:
        return [int(v) for v in fields[name].split()]
    except (KeyError, ValueError) as error:
        raise lies(case, f"no whole numbers for {name!r}", "whole numbers") from error


def _whole(fields: dict[str, str], name: str, case: str) -> int:
    found = _wholes(fields, name, case)
    if len(found) != 1:
        raise lies(case, f"{len(found)} numbers for {name!r}", "one")
    return found[0]


def _dtype(fields: dict[str, str], case: str) -> "np.dtype[np.generic]":
    kind = " ".join(fields.get("type", "").lower().split())
    if kind not in _TYPES:
        raise lies(case, f"voxels of type {kind!r}", "integers or floats")
    dtype = np.dtype(_TYPES[kind])
    if dtype.itemsize == 1:
        return dtype
    order = fields.get("endian", "").lower()
    if order not in ("little", "big"):
        raise lies(case, "no order of bytes", "endian: little or big")
    return dtype.newbyteorder("<" if order == "little" else ">")


def _bytes(shape: tuple[int, ...], dtype: "np.dtype[np.generic]") -> int:
    return int(np.prod([float(n) for n in shape])) * dtype.itemsize


def _axes(fields: dict[str, str], count: int, case: str) -> str:
    """Return one letter per axis, by its kind, else by whether it has a direction, else by its place."""
    kinds = fields.get("kinds", "").lower().split()
    directions = _vectors(fields.get("space directions", ""))
    letters: list[str] = []
    for i in range(count):
        kind = kinds[i] if i < len(kinds) else "???"
        if kind in _UNREADABLE:
            raise lies(case, "complex numbers", "real numbers")
        if kind in _SPATIAL or (kind in ("???", "none") and i < len(directions) and directions[i] is not None):
            letters.append("s")
        elif kind in _TIMES:
            letters.append("t")
        elif kind in ("???", "none") and i >= len(directions):
            letters.append("s" if letters.count("s") < 3 else "t")
        else:
            letters.append("c")
    space = iter("xyz")
    if letters.count("s") not in (2, 3) or letters.count("c") > 1 or letters.count("t") > 1:
        raise lies(
            case, f"axes of the kinds {', '.join(kinds) or 'unknown'}", "two or three of space, one of channels or time"
        )
    return "".join(next(space) if a == "s" else a for a in letters)


def _skips(
    fields: dict[str, str], place: Path, start: int, *, packing: Packing, whole: int, case: str
) -> tuple[int, int]:
    """Return the packed and the unpacked bytes to leave out."""
    named = {name: next((k for k in (name, name.replace(" ", "")) if k in fields), None) for name in _SKIPS}
    lines, bytes_ = (0 if key is None else _whole(fields, key, case) for key in named.values())
    if lines:
        raise lies(case, f"{lines} lines of text in front of the voxels", "none")
    if bytes_ == -1 and not packing:
        return max(0, place.stat().st_size - whole), 0
    if bytes_ < 0:
        raise lies(case, f"{bytes_} bytes to be left out", "0 or more")
    return start, bytes_


def _vectors(text: str) -> list[Float64Array | None]:
    """Return the vectors of a field such as ``(1,0,0) none (0,0,1)``."""
    found: list[Float64Array | None] = []
    for word in re.findall(r"none|\([^)]*\)", text):
        try:
            found.append(None if word == "none" else np.array([float(v) for v in word[1:-1].split(",")]))
        except ValueError:
            found.append(np.full(3, np.nan))
    return found


def _affine(fields: dict[str, str], axes: str) -> tuple[Float64Array | None, tuple[str, ...]]:
    space = fields.get("space", "").lower().removesuffix("-time")
    vectors = _vectors(fields.get("space directions", ""))
    unknown = (None, ("the file does not say how it lies in the patient",))
    if space not in _SPACES or len(vectors) != len(axes):
        return unknown
    affine = np.eye(4)
    for letter, vector in zip(axes, vectors, strict=True):
        if letter in "xyz":
            if vector is None or len(vector) != 3:
                return unknown
            affine[:3, "xyz".index(letter)] = vector
    origin = _vectors(fields.get("space origin", ""))
    if origin and origin[0] is not None and len(origin[0]) == 3:
        affine[:3, 3] = origin[0]
    affine[:3] *= np.array(_SPACES[space], dtype=np.float64)[:, None]
    return (affine, ()) if good_affine(affine) else (None, ("its directions are impossible and not used",))

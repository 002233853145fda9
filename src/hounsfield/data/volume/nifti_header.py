"""The header of a NIfTI file: what is in its 348 or 540 bytes, and which of it can be believed."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.volume.bounded import first_bytes
from hounsfield.data.volume.stored import Stored, good_affine, lies, possible
from hounsfield.geometry.grids import farthest_mm

HEAD = 540
_ONE = 348
_MAGIC_AT = {348: 344, 540: 4}
_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 128: "u1", 256: "i1", 512: "u2", 768: "u4", 1024: "i8",
    1280: "u8", 2304: "u1",
}  # fmt: skip
_COLOURS = {128: 3, 2304: 4}
_REFUSED = {
    1: "single bits",
    32: "complex numbers",
    1792: "complex numbers",
    2048: "complex numbers",
    1536: "128-bit floats",
}
_METRES = {1: 1000.0, 2: 1.0, 3: 0.001}
_TIME_UNITS = (8, 16, 24)
_VECTORS = (1005, 1006, 1007, 2003, 2004)
"""Intents (symmetric matrix, displacement, vector, RGB, RGBA) of axes that are channels."""
_LONGEST_HEADER = 64 << 20
_APART = 0.05
"""Voxels by which sform and qform may differ anywhere in the volume and still be the same."""

_FIRST = np.dtype(
    [
        ("sizeof_hdr", "i4"), ("unused", "V35"), ("dim_info", "u1"), ("dim", "i2", 8), ("intent_p", "f4", 3),
        ("intent_code", "i2"), ("datatype", "i2"), ("bitpix", "i2"), ("slice_start", "i2"), ("pixdim", "f4", 8),
        ("vox_offset", "f4"), ("scl_slope", "f4"), ("scl_inter", "f4"), ("slice_end", "i2"), ("slice_code", "u1"),
        ("xyzt_units", "u1"), ("cal", "f4", 2), ("slice_duration", "f4"), ("toffset", "f4"), ("gl", "i4", 2),
        ("descrip", "V80"), ("aux_file", "V24"), ("qform_code", "i2"), ("sform_code", "i2"), ("quatern", "f4", 3),
        ("qoffset", "f4", 3), ("srow", "f4", (3, 4)), ("intent_name", "V16"), ("magic", "S4"),
    ]
)  # fmt: skip
_SECOND = np.dtype(
    [
        ("sizeof_hdr", "i4"), ("magic", "S8"), ("datatype", "i2"), ("bitpix", "i2"), ("dim", "i8", 8),
        ("intent_p", "f8", 3), ("pixdim", "f8", 8), ("vox_offset", "i8"), ("scl_slope", "f8"), ("scl_inter", "f8"),
        ("cal", "f8", 2), ("slice_duration", "f8"), ("toffset", "f8"), ("slice_start", "i8"), ("slice_end", "i8"),
        ("descrip", "V80"), ("aux_file", "V24"), ("qform_code", "i4"), ("sform_code", "i4"), ("quatern", "f8", 3),
        ("qoffset", "f8", 3), ("srow", "f8", (3, 4)), ("slice_code", "i4"), ("xyzt_units", "i4"),
        ("intent_code", "i4"), ("intent_name", "V16"), ("dim_info", "u1"), ("unused", "V15"),
    ]
)  # fmt: skip

Fields: TypeAlias = Mapping[str, AnyArray]


def is_nifti(head: bytes) -> bool:
    """Tell by the first bytes, unpacked, whether a file is NIfTI-1 or -2, single or the header of a pair."""
    for size, at in _MAGIC_AT.items():
        if head[:4] in (size.to_bytes(4, "little"), size.to_bytes(4, "big")):
            return head[at : at + 4] in ((b"n+1\0", b"ni1\0") if size == _ONE else (b"n+2\0", b"ni2\0"))
    return False


def is_analyze(head: bytes) -> bool:
    """Tell whether a file begins as the older format Analyze 7.5 does."""
    return head[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c") and not is_nifti(head)


def read_nifti_header(path: Path, case: str) -> Stored:
    """Return what the header of a NIfTI file says.

    Parameters
    ----------
    path : pathlib.Path
        ``.nii``, ``.nii.gz``, or the ``.hdr`` or ``.img`` of a pair.
    case : str
        Name of the case in messages.

    Raises
    ------
    ReadError
        If it is no NIfTI header, or says what cannot be.

    References
    ----------
    NIfTI-1.1 (nifti1.h, 2007) and NIfTI-2 (nifti2.h, 2011), Data Format Working Group, National Institutes of Health.
    """
    head_file = _head_of_pair(path)
    head = first_bytes(head_file, HEAD)
    if not is_nifti(head):
        raise _no_nifti(head, case)
    fields, swapped = _fields(head, case)
    shape, axes, notes = _axes(fields, case)
    code = int(fields["datatype"])
    if code not in _TYPES:
        raise lies(case, f"voxels of type {code} ({_REFUSED.get(code, 'unknown')})", "integers, floats or RGB colours")
    dtype = np.dtype(_TYPES[code]).newbyteorder(">" if swapped else "<")
    if code in _COLOURS:
        shape, axes = (_COLOURS[code], *shape), "c" + axes
    single = fields["magic"].tobytes()[:2] == b"n+"
    place = head_file if single else _data_of_pair(head_file, case)
    least = (352 if int(fields["sizeof_hdr"]) == _ONE else 544) if single else 0
    slope, inter = _scaling(fields)
    if code in _COLOURS:
        slope, inter = 1.0, 0.0
    affine, said = _affine(fields, shape[1:] if code in _COLOURS else shape)
    return Stored(
        path=place,
        start=0,
        skip=_offset(fields, case, least=least),
        packing="gzip" if _is_packed(place) else "",
        dtype=dtype,
        shape=shape,
        axes=axes,
        affine_ras=affine,
        file_format="NIFTI",
        slope=slope,
        inter=inter,
        notes=(*notes, *said),
    )


def _head_of_pair(path: Path) -> Path:
    """Return the ``.hdr`` where the ``.img`` of a pair is named; the file itself otherwise."""
    name = path.name
    for data, head in ((".img.gz", ".hdr.gz"), (".img", ".hdr")):
        if name.lower().endswith(data):
            return _sibling(path, data, head)
    return path


def _data_of_pair(path: Path, case: str) -> Path:
    for head, data in ((".hdr.gz", ".img.gz"), (".hdr", ".img")):
        if path.name.lower().endswith(head):
            found = _sibling(path, head, data)
            for able in (found, found.with_name(found.name + ".gz")):
                if able.is_file():
                    return able
    raise ReadError(
        f"Case {case}: the header belongs to a pair, and the file of its voxels is missing.",
        expected="a .img of the same name beside the .hdr",
        next_step="copy both files",
    )


def _sibling(path: Path, old: str, new: str) -> Path:
    base, ending = path.name[: -len(old)], path.name[-len(old) :]
    return path.with_name(base + (new.upper() if ending.isupper() else new))


def _is_packed(path: Path) -> bool:
    if path.name.lower().endswith((".img", ".img.gz")):
        return path.name.lower().endswith(".gz")
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _no_nifti(head: bytes, case: str) -> ReadError:
    if is_analyze(head):
        return ReadError(
            f"Case {case}: the file is Analyze 7.5, which does not tell left from right.",
            expected="NIfTI-1 or -2",
            next_step="convert it, with what is known of its orientation",
        )
    return ReadError(
        f"Case {case}: the file {'is empty or damaged' if not head else 'does not begin as NIfTI'}.",
        expected="a NIfTI-1 or -2 file",
        next_step="copy it again from its source, or leave it out",
    )


def _fields(head: bytes, case: str) -> tuple[Fields, bool]:
    kind = _FIRST if head[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c") else _SECOND
    if len(head) < kind.itemsize:
        raise lies(case, f"{len(head)} bytes, and no more", f"{kind.itemsize} bytes of header")
    swapped = head[:4] != kind.itemsize.to_bytes(4, "little")
    record = np.frombuffer(head[: kind.itemsize], dtype=kind.newbyteorder(">" if swapped else "<"))[0]
    return {name: np.asarray(record[name]) for name in kind.names or ()}, swapped


def _axes(fields: Fields, case: str) -> tuple[tuple[int, ...], str, tuple[str, ...]]:
    """Return the axes that the header names and believes, the fastest first."""
    dim = [int(n) for n in fields["dim"]]
    count, lengths = dim[0], dim[1:]
    if not 1 <= count <= 7:
        raise lies(case, f"{count} axes", "2 to 5 axes")
    notes: list[str] = []
    if count > 3 and any(n < 1 for n in lengths[3:count]):
        notes.append("axes of length 0 behind the third are taken as 1")
    beyond = [n for n in lengths[count:] if n > 1]
    if beyond and count >= 3:
        notes.append(f"the header names {count} axes and lengths of more; it is read as {count}")
    lengths = [n if i < 3 else max(1, n) for i, n in enumerate(lengths[:count])] + [1] * (7 - count)
    if not possible(lengths) or count < 2:
        raise lies(
            case, f"the lengths {' x '.join(str(n) for n in lengths[:count])}", "at least one voxel along each axis"
        )
    if max(lengths[5:]) > 1 or (lengths[3] > 1 and lengths[4] > 1 and count > 5):
        raise lies(case, f"{count} axes longer than 1", "up to three of space, one of time and one of channels")
    letters = "xyz"
    shape = lengths[:3]
    if lengths[3] > 1:
        letters += "t" if lengths[4] > 1 or _is_time(fields) else "c"
        shape.append(lengths[3])
    if lengths[4] > 1:
        letters += "c"
        shape.append(lengths[4])
    return tuple(shape), letters, tuple(notes)


def _is_time(fields: Fields) -> bool:
    """Tell whether the fourth axis is time: its unit is one of time and it is not said to be a vector."""
    return int(fields["intent_code"]) not in _VECTORS and int(fields["xyzt_units"]) & 0x38 in _TIME_UNITS


def _scaling(fields: Fields) -> tuple[float, float]:
    """Return slope and intercept; a slope of 0 or NaN means that there is none."""
    slope, inter = float(fields["scl_slope"]), float(fields["scl_inter"])
    if not np.isfinite(slope) or slope == 0.0:
        return 1.0, 0.0
    return slope, inter if np.isfinite(inter) else 0.0


def _offset(fields: Fields, case: str, *, least: int) -> int:
    value = float(fields["vox_offset"])
    if not np.isfinite(value) or not 0 <= value <= _LONGEST_HEADER:
        raise lies(case, f"the voxels to begin at byte {value:g}", f"{least} to {_LONGEST_HEADER}")
    if least and 0 < value < least:
        raise lies(case, f"the voxels to begin at byte {value:g}, inside the header", f"at least {least}")
    return max(least, int(value))


def _affine(fields: Fields, shape: tuple[int, ...]) -> tuple[Float64Array | None, tuple[str, ...]]:
    """Return where the voxels lie: by sform where it is declared and possible, else by qform, else unknown."""
    scale = _METRES.get(int(fields["xyzt_units"]) & 0x07, 1.0)
    notes = []
    sform, qform = _sform(fields, scale), _qform(fields, scale)
    if int(fields["sform_code"]) > 0 and sform is None:
        notes.append("the sform is impossible and not used")
    if int(fields["qform_code"]) > 0 and qform is None:
        notes.append("the qform is impossible and not used")
    if sform is None and qform is None:
        return None, (*notes, "the file does not say how it lies in the patient")
    if sform is not None and qform is not None:
        far = farthest_mm(sform, qform, shape[2::-1])
        if far > _APART * float(np.linalg.norm(sform[:3, :3], axis=0).min()):
            notes.append("sform and qform differ; the sform is used")
    if scale != 1.0:
        notes.append("its unit is not mm; it was converted")
    return sform if sform is not None else qform, tuple(notes)


def _sform(fields: Fields, scale: float) -> Float64Array | None:
    if int(fields["sform_code"]) <= 0:
        return None
    affine = np.eye(4)
    affine[:3] = np.asarray(fields["srow"], dtype=np.float64) * scale
    return affine if good_affine(affine) else None


def _qform(fields: Fields, scale: float) -> Float64Array | None:
    """Return the affine of quaternion, spacing and offset; a = sqrt(1 - b^2 - c^2 - d^2) is never negative."""
    if int(fields["qform_code"]) <= 0:
        return None
    b, c, d = (float(v) for v in fields["quatern"])
    pixdim = np.asarray(fields["pixdim"], dtype=np.float64)
    square = b * b + c * c + d * d
    if not np.isfinite(square) or square > 1.0 + 1e-3:
        return None
    a = np.sqrt(max(0.0, 1.0 - square))
    b, c, d = (v / max(1.0, np.sqrt(square)) for v in (b, c, d))
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    steps = np.abs(pixdim[1:4])
    steps[2] *= -1.0 if pixdim[0] < 0 else 1.0
    affine = np.eye(4)
    affine[:3, :3] = turn * steps * scale
    affine[:3, 3] = np.asarray(fields["qoffset"], dtype=np.float64) * scale
    return affine if good_affine(affine) else None

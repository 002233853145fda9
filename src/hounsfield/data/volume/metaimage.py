"""MetaImage: ``.mha``, and ``.mhd`` with its voxels in a file beside it."""

from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import case_id
from hounsfield.core.image import Header, Image
from hounsfield.core.types import Float64Array
from hounsfield.data.files import inside
from hounsfield.data.volume.stored import Stored, good_affine, lies, possible
from hounsfield.data.volume.text_header import beside, text_header

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
_LAST = "elementdatafile"
_LPS = np.array([-1.0, -1.0, 1.0])
_DIRECTIONS = ("transformmatrix", "rotation", "orientation")
_ORIGINS = ("offset", "position", "origin")
_FIRST_KEYS = (b"objecttype", b"ndims", b"comment", b"objectsubtype")


class MetaImageReader:
    """Reads volumes with their place in the patient.

    Notes
    -----
    The axes of space are left, posterior, superior, as ITK writes them; ``AnatomicalOrientation`` repeats what the
    matrix says and is not read. A fourth axis is time.

    References
    ----------
    itk.org/Wiki/ITK/MetaIO/Documentation.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the first key, and by the ending where a comment comes first."""
        first = head.lstrip().split(b"=", 1)[0].strip().lower()
        return b"=" in head and first in _FIRST_KEYS and (b"NDims" in head or name.lower().endswith((".mha", ".mhd")))

    def stored(self, root: Path, ref: Ref) -> Stored:
        """Return what the header says; raise ReadError with the reason."""
        path, case = inside(root, ref.path), case_id(ref.path)
        lines, end = text_header(path, case, ends=lambda line: line.partition("=")[0].strip().lower() == _LAST)
        fields = {k.strip().lower(): v.strip() for k, mark, v in (line.partition("=") for line in lines) if mark}
        if _LAST not in fields or "ndims" not in fields:
            raise lies(case, "no number of axes, or no file of voxels", "NDims and ElementDataFile")
        count = int(_numbers(fields, "ndims", case)[0])
        lengths = _numbers(fields, "dimsize", case)
        if len(lengths) != count or not possible(lengths) or not 2 <= count <= 4:
            raise lies(case, f"{count} axes and {len(lengths)} lengths", "2 to 4 lengths of at least 1")
        shape, axes = tuple(int(n) for n in lengths), "xyzt"[:count]
        channels = int(_numbers(fields, "elementnumberofchannels", case, usual="1")[0])
        if channels > 1:
            shape, axes = (channels, *shape), "c" + axes
        dtype = _dtype(fields, case)
        packed = _true(fields, "compresseddata")
        local = fields[_LAST].upper() == "LOCAL"
        place = path if local else beside(root, path, fields[_LAST], case)
        whole = int(np.prod([float(n) for n in shape])) * dtype.itemsize
        start = end if local else 0
        skip = int(_numbers(fields, "headersize", case, usual="0")[0])
        if skip == -1 and not packed:
            start = max(0, place.stat().st_size - whole)
        elif skip > 0:
            start += skip
        affine = _affine(fields, count, case)
        return Stored(
            path=place,
            start=start,
            skip=0,
            packing="zlib" if packed else "",
            dtype=dtype,
            shape=shape,
            axes=axes,
            affine_ras=affine,
            file_format="METAIMAGE",
            notes=() if affine is not None else ("the file does not say how it lies in the patient",),
        )

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return size, channels and depth from the file's header."""
        return self.stored(Path(cohort.root), ref).header(ref)

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        """Return the volume in its stored type."""
        return self.stored(Path(cohort.root), ref).image(ref)


def _true(fields: dict[str, str], key: str) -> bool:
    return fields.get(key, "").lower() in ("true", "1", "t", "yes", "y")


def _numbers(fields: dict[str, str], key: str, case: str, *, usual: str | None = None) -> list[float]:
    try:
        found = [float(v) for v in fields.get(key, usual or "").split()]
    except ValueError:
        found = []
    if not found or not np.isfinite(found).all():
        raise lies(case, f"no numbers for {key!r}", "numbers")
    return found


def _dtype(fields: dict[str, str], case: str) -> "np.dtype[np.generic]":
    kind = fields.get("elementtype", "").upper()
    if kind not in _TYPES:
        raise lies(case, f"voxels of type {kind!r}", "integers or floats")
    if fields.get("binarydata", "true").lower() in ("false", "0", "f", "no", "n"):
        raise lies(case, "voxels written as text", "BinaryData = True")
    swapped = _true(fields, "binarydatabyteordermsb") or _true(fields, "elementbyteordermsb")
    return np.dtype(_TYPES[kind]).newbyteorder(">" if swapped else "<")


def _affine(fields: dict[str, str], count: int, case: str) -> Float64Array | None:
    """Return the affine of direction, spacing and origin; None where no direction is given."""
    direction = next((fields[k] for k in _DIRECTIONS if k in fields), None)
    if direction is None or count < 3:
        return None
    key = next(k for k in _DIRECTIONS if k in fields)
    turn = _numbers(fields, key, case)
    origin = next((_numbers(fields, k, case) for k in _ORIGINS if k in fields), [0.0] * count)
    spacing = _numbers(fields, "elementspacing" if "elementspacing" in fields else "elementsize", case, usual="1 1 1 1")
    if len(turn) != count * count or len(origin) != count or len(spacing) < count:
        raise lies(case, f"{len(turn)} numbers of direction for {count} axes", f"{count * count}")
    # each group of numbers is the direction of one axis of the array
    affine = np.eye(4)
    affine[:3, :3] = np.array(turn).reshape(count, count)[:3, :3].T * np.array(spacing[:3])
    affine[:3, 3] = origin[:3]
    affine[:3] *= _LPS[:, None]
    return affine if good_affine(affine) else None

"""Siemens mosaics: the slices of a volume tiled in one picture, and where each of them lies.

The header describes the picture as if it were one large slice. What the tiles are is told by a private block, the "CSA
header": how many there are and which way they follow each other.
"""

import struct
from dataclasses import replace
from math import ceil, isqrt
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.types import AnyArray
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.fields import number, whole
from hounsfield.data.dicom.planes import Plane, moved, plane_of

if TYPE_CHECKING:
    from pydicom import Dataset

_MOST_TAGS = 1000
_MOST_ITEMS = 10_000
_MOST_TILES = 1024


def is_mosaic(entry: Entry) -> bool:
    """Tell by its image type whether a file may be a mosaic."""
    return any(word.strip().upper() == "MOSAIC" for word in entry.image_type)


def tiles_of(entry: Entry, dataset: "Dataset") -> tuple[Plane, ...]:
    """Return the planes of a mosaic, in the order of its tiles.

    Parameters
    ----------
    entry : Entry
        What the index has of the file.
    dataset : pydicom.Dataset
        Its header.

    Raises
    ------
    ReadError
        If the private header does not tell the number of tiles and their direction, or it does not fit the picture. A
        mosaic is never read as one slice.

    Notes
    -----
    The position in the header is where the first pixel of the *picture* would lie if it were one slice of the size of
    the mosaic around the volume's first slice: half the difference of the sizes leads from there to the first tile.
    Tiles follow each other along the slice normal of the CSA header, which may point against the cross product of row
    and column.

    References
    ----------
    NiBabel documentation, "Siemens mosaic format": nipy.org/nibabel/dicom/dicom_mosaic.html
    """
    whole = plane_of(entry)
    if isinstance(whole, str):
        raise _bad(entry, whole)
    count, normal = _csa(dataset)
    if count is None:
        count = _private_count(dataset)
    if count is None or normal is None:
        raise _bad(entry, "no private header that tells its slices and their direction")
    across = _across(count)
    if not 1 < count <= _MOST_TILES or entry.rows % across or entry.columns % across:
        raise _bad(entry, f"{count} slices, which do not fit into it")
    step = number(dataset.get("SpacingBetweenSlices")) or number(dataset.get("SliceThickness"))
    if step is None or not 0 < step < 1e4:
        raise _bad(entry, "no distance between slices")
    rows, columns = entry.rows // across, entry.columns // across
    row, column = np.array(whole.orientation_lps[:3]), np.array(whole.orientation_lps[3:])
    if abs(float(normal @ whole.normal)) < 0.99:
        raise _bad(entry, "a direction of slices that is not at right angles to them")
    first = np.array(whole.position_lps)
    first = first + row * whole.spacing_mm[1] * (entry.columns - columns) / 2
    first = first + column * whole.spacing_mm[0] * (entry.rows - rows) / 2
    along = whole.normal * np.sign(float(normal @ whole.normal))
    tiles = [moved(whole, first + along * step * n, tile=n) for n in range(count)]
    return tuple(_sized(t, (rows, columns), step) for t in tiles)


def cut(picture: AnyArray, tile: int, size: tuple[int, int]) -> AnyArray:
    """Return one tile of a mosaic: ``y x`` of `size`.

    Notes
    -----
    Tiles fill the picture row by row; unused ones at the end are black.
    """
    rows, columns = size
    across = picture.shape[1] // columns
    top, left = tile // across * rows, tile % across * columns
    return picture[top : top + rows, left : left + columns]


def _across(count: int) -> int:
    """Return how many tiles stand side by side: the picture is as many tiles high as wide."""
    root = isqrt(max(count, 0))
    return root if root * root == count else root + 1


def _sized(plane: Plane, size: tuple[int, int], step: float) -> Plane:
    return replace(plane, size=size, depth_mm=step)


def _private_count(dataset: "Dataset") -> int | None:
    """Return the number of images in the mosaic from the block "SIEMENS MR HEADER"."""
    return whole(_private(dataset, 0x0019, "SIEMENS MR HEADER", 0x0A))


def _private(dataset: "Dataset", group: int, creator: str, element: int) -> object:
    try:
        return dataset.private_block(group, creator)[element].value
    except KeyError:
        return None


def _csa(dataset: "Dataset") -> tuple[int | None, np.ndarray[tuple[int], np.dtype[np.float64]] | None]:
    raw = _private(dataset, 0x0029, "SIEMENS CSA HEADER", 0x10)
    if not isinstance(raw, bytes):
        return None, None
    fields = csa_fields(raw)
    count = next((int(v) for v in fields.get("NumberOfImagesInMosaic", ()) if v.isdigit()), None)
    parts = [number(v) for v in fields.get("SliceNormalVector", ())[:3]]
    if len(parts) != 3 or None in parts:
        return count, None
    vector = np.array([p for p in parts if p is not None], dtype=np.float64)
    length = float(np.linalg.norm(vector))
    return count, vector / length if 0.5 < length < 2 else None


def csa_fields(raw: bytes) -> dict[str, tuple[str, ...]]:
    """Return the fields of a Siemens CSA header, as texts; what does not follow its format is left out.

    Parameters
    ----------
    raw : bytes
        Value of the private element; versions 1 and 2 ("SV10").

    Notes
    -----
    Every length is checked against what is there, and counts against limits: the block may be damaged or hostile.
    """
    try:
        return _csa_fields(raw)
    except (struct.error, ValueError, UnicodeDecodeError):
        return {}


def _csa_fields(raw: bytes) -> dict[str, tuple[str, ...]]:
    second = raw[:4] == b"SV10"
    place = 8 if second else 0
    (count,) = struct.unpack_from("<I", raw, place)
    if count > _MOST_TAGS:
        return {}
    place += 8
    fields: dict[str, tuple[str, ...]] = {}
    first_items: int | None = None
    for _ in range(count):
        name, _, _, _, items, _ = struct.unpack_from("<64si4siii", raw, place)
        place += 84
        if not 0 <= items <= _MOST_ITEMS:
            break
        first_items = items if first_items is None else first_items
        values = []
        for _ in range(items):
            lengths = struct.unpack_from("<4i", raw, place)
            place += 16
            # version 1 counts from the number of items of the first field
            length = lengths[1] if second else lengths[0] - first_items
            if length < 0 or place + length > len(raw):
                return fields
            values.append(raw[place : place + length].split(b"\0")[0].decode("latin-1").strip())
            place += 4 * ceil(length / 4)
        fields[name.split(b"\0")[0].decode("latin-1")] = tuple(v for v in values if v)
    return fields


def _bad(entry: Entry, found: str) -> ReadError:
    return ReadError(
        f"Case {case_id(entry.path)}: a mosaic of slices has {found}.",
        expected="a Siemens mosaic with its private header",
        next_step="export it with its private header, or as single slices",
    )

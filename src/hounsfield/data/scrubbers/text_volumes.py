"""NRRD and MetaImage: only the lines that a reader needs are written again, the voxels stay byte by byte."""

import bz2
import gzip
import math
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError, RefusedError, case_id
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.order import ScrubOrder
from hounsfield.data.scrubbers.stored_faces import REMOVE_FACES, take_out_face
from hounsfield.data.scrubbers.told import readable, told
from hounsfield.data.volume.bounded import read_bytes
from hounsfield.data.volume.metaimage import MetaImageReader
from hounsfield.data.volume.nrrd import NrrdReader
from hounsfield.data.volume.stored import Stored
from hounsfield.data.volume.text_header import text_header

MAX_BYTES = 4 << 30
_NUMBERS = r"[-+\d.eE\s(),]|none|nan"
_NRRD_KEPT = {
    "type": r"[a-z0-9_ ]+", "dimension": r"\d+", "sizes": r"[\d ]+", "endian": r"little|big",
    "space": r"[a-z\-]{3,40}|ras|las|lps|rast|last|lpst", "space dimension": r"\d", "kinds": r"[a-z0-9?\- ]+",
    "spacings": rf"(?:{_NUMBERS})+", "thicknesses": rf"(?:{_NUMBERS})+", "space directions": rf"(?:{_NUMBERS})+",
    "space origin": rf"(?:{_NUMBERS})+", "measurement frame": rf"(?:{_NUMBERS})+",
    "axis mins": rf"(?:{_NUMBERS})+", "axis maxs": rf"(?:{_NUMBERS})+", "centers": r"(?:cell|node|none|\?\?\?|\s)+",
    "centerings": r"(?:cell|node|none|\?\?\?|\s)+",
}  # fmt: skip
"""Field of a NRRD header, in small letters -> what its value looks like."""
_NRRD_KINDS = re.compile(
    r"(?:(?:domain|space|time|list|point|vector|covariant-vector|normal|stub|scalar|complex|\d-vector|\d-color|"
    r"rgb-color|hsv-color|xyz-color|rgba-color|\dd-[a-z\-]{6,20}matrix|quaternion|none|\?\?\?)\s*)+"
)
_META_KEPT = {
    "objecttype": r"image", "ndims": r"\d", "dimsize": r"[\d ]+", "binarydata": r"true|false",
    "binarydatabyteordermsb": r"true|false", "elementbyteordermsb": r"true|false", "compresseddata": r"true|false",
    "transformmatrix": rf"(?:{_NUMBERS})+", "rotation": rf"(?:{_NUMBERS})+", "orientation": rf"(?:{_NUMBERS})+",
    "offset": rf"(?:{_NUMBERS})+", "position": rf"(?:{_NUMBERS})+", "origin": rf"(?:{_NUMBERS})+",
    "centerofrotation": rf"(?:{_NUMBERS})+", "anatomicalorientation": r"[rlapsi?]{1,4}",
    "elementspacing": rf"(?:{_NUMBERS})+", "elementsize": rf"(?:{_NUMBERS})+", "elementnumberofchannels": r"\d+",
    "elementmin": rf"(?:{_NUMBERS})+", "elementmax": rf"(?:{_NUMBERS})+", "elementtype": r"met_[a-z_]{3,20}",
}  # fmt: skip
"""Key of a MetaImage header, in small letters -> what its value looks like."""
_KEYWORDS = (
    "NRRD0001",
    "NRRD0002",
    "NRRD0003",
    "NRRD0004",
    "NRRD0005",
    "encoding raw gzip bzip2",
    "ElementDataFile LOCAL",
)
_WHAT_GOES = "texts of the header"


@dataclass(frozen=True)
class _Parts:
    """A file taken apart.

    Parameters
    ----------
    kept : tuple of str
        Lines of the header that stay.
    gone : tuple of str
        The others.
    stored : Stored
    packed_from : int
        Byte behind the header.
    """

    kept: tuple[str, ...]
    gone: tuple[str, ...]
    stored: Stored
    packed_from: int


class NrrdScrubber:
    """Drops comments, key/value pairs and every field that does not say how the voxels lie.

    Notes
    -----
    A header with its voxels in another file is withheld: convert such pairs to one file.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the magic."""
        return NrrdReader().sniff(head, name)

    def scrub(self, source: Path, order: ScrubOrder) -> Scrubbed:
        """Return the volume without texts; raise ReadError where it is damaged."""
        lines, end = text_header(source, case_id(source.name), ends=lambda line: not line)
        fields = [line.partition(":") for line in lines[1:]]
        if any(name.strip().lower() in ("data file", "datafile") for name, _, _ in fields):
            return _in_two("NRRD")
        kept, gone = [], []
        for line, (name, mark, value) in zip(lines[1:], fields, strict=True):
            key = _spaced(name.strip().lower())
            form = _NRRD_KEPT.get(key)
            fits = form is not None and re.fullmatch(form, value.strip().lower()) is not None
            if mark and fits and (key != "kinds" or _NRRD_KINDS.fullmatch(value.strip().lower())):
                kept.append(f"{key}: {value.strip()}")
            elif key not in ("encoding", "byte skip", "line skip"):
                gone.append(line)
        parts = _Parts(tuple(kept), tuple(gone), NrrdReader().stored(source.parent, Ref("nrrd", source.name)), end)

        def written(voxels: bytes) -> bytes:
            packing = parts.stored.packing
            head = [lines[0][:8], *kept, f"encoding: {packing or 'raw'}", "", ""]
            packed = {"": bytes, "gzip": lambda v: gzip.compress(v, 6, mtime=0), "bzip2": bz2.compress}[packing](voxels)
            return "\n".join(head).encode("ascii") + packed

        return _scrubbed(source, parts, order, written)


class MetaImageScrubber:
    """Drops comments, names, dates and every key that does not say how the voxels lie.

    Notes
    -----
    A header with its voxels in another file is withheld: convert such pairs to one file.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the first key, and by the ending where a comment comes first."""
        return MetaImageReader().sniff(head, name)

    def scrub(self, source: Path, order: ScrubOrder) -> Scrubbed:
        """Return the volume without texts; raise ReadError where it is damaged."""
        last = "elementdatafile"
        lines, end = text_header(
            source, case_id(source.name), ends=lambda line: line.partition("=")[0].strip().lower() == last
        )
        fields = [line.partition("=") for line in lines]
        if not any(k.strip().lower() == last and v.strip().upper() == "LOCAL" for k, _, v in fields):
            return _in_two("MetaImage")
        kept, gone = [], []
        for line, (name, mark, value) in zip(lines, fields, strict=True):
            key = name.strip().lower()
            form = _META_KEPT.get(key)
            if mark and form is not None and re.fullmatch(form, value.strip().lower()):
                kept.append(f"{name.strip()} = {value.strip()}")
            elif key not in ("headersize", "compresseddatasize", last):
                gone.append(line)
        stored = MetaImageReader().stored(source.parent, Ref("metaimage", source.name))
        parts = _Parts(tuple(kept), tuple(gone), stored, end)

        def written(voxels: bytes) -> bytes:
            packed = zlib.compress(voxels) if stored.packing else voxels
            size = [f"CompressedDataSize = {len(packed)}"] if stored.packing else []
            return "\n".join([*kept, *size, "ElementDataFile = LOCAL", ""]).encode("ascii") + packed

        return _scrubbed(source, parts, order, written)


def _scrubbed(source: Path, parts: _Parts, order: ScrubOrder, written: Callable[[bytes], bytes]) -> Scrubbed:
    stored = parts.stored
    whole = math.prod(stored.shape) * stored.dtype.itemsize
    if whole > MAX_BYTES:
        return Scrubbed(None, withheld="a volume of more than 4 GiB")
    raw = read_bytes(
        stored.path,
        start=stored.start,
        skip=stored.skip,
        count=whole,
        packing=stored.packing,
        case=case_id(source.name),
    )
    voxels = bytearray(raw.tobytes())
    removed = [_WHAT_GOES] if parts.gone else []
    texts = [*_values(parts.gone)]
    if not stored.packing:
        content = source.read_bytes()
        around = content[parts.packed_from : stored.start + stored.skip] + content[stored.start + stored.skip + whole :]
        if around.strip(b"\0\r\n"):
            texts += readable(around)
            removed.append("bytes around the voxels")
    identifiers, words = told(texts)
    if order.remove_face is not None:
        try:
            take_out_face(voxels, replace(stored, start=0, skip=0), order.remove_face)
        except RefusedError as error:
            reason = f"{error.found} It can be written without {REMOVE_FACES} only"
            return Scrubbed(None, reason, identifiers=identifiers, texts=words)
        removed.append("face")
    try:
        made = written(bytes(voxels))
    except UnicodeEncodeError as error:
        raise ReadError("The header is damaged.", expected="lines of ASCII", next_step="write it again") from error
    return Scrubbed(made, "", tuple(removed), identifiers, words, coded=(*_KEYWORDS, *parts.kept))


def _spaced(key: str) -> str:
    """Return a field's name with its space, which may be left out."""
    return {"bytskip": "byte skip", "byteskip": "byte skip", "lineskip": "line skip", "axismins": "axis mins"}.get(
        key, key
    ).replace("axismaxs", "axis maxs")


def _values(lines: Iterable[str]) -> list[str]:
    """Return what lines say behind their keys; whole where they have none."""
    return [re.split(r":=|:|=", line, maxsplit=1)[-1].lstrip("# ") for line in lines]


def _in_two(kind: str) -> Scrubbed:
    return Scrubbed(None, withheld=f"a {kind} header with its voxels in another file; convert it to one file")

"""NIfTI: texts of the header and extensions go, grid and voxels stay byte by byte."""

import gzip
import io
import math
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

from hounsfield.core.errors import ReadError, RefusedError, case_id
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.order import ScrubOrder
from hounsfield.data.scrubbers.profile import ConfidentialityProfile
from hounsfield.data.scrubbers.stored_faces import REMOVE_FACES, take_out_face
from hounsfield.data.scrubbers.told import readable, told
from hounsfield.data.volume.nifti_header import read_nifti_header

MAX_BYTES = 4 << 30
_DICOM = 2
_PRINTABLE = frozenset(range(32, 127)) | frozenset({9, 10, 13}) | frozenset(range(160, 256))
_SIZES = {348: 1, 540: 2}
_TEXTS = {
    1: (
        ("data_type", 4, 10),
        ("db_name", 14, 18),
        ("descrip", 148, 80),
        ("aux_file", 228, 24),
        ("intent_name", 328, 16),
    ),
    2: (("descrip", 240, 80), ("aux_file", 320, 24), ("intent_name", 508, 16), ("unused bytes", 525, 15)),
}
_UNUSED = {1: ((32, 6), (140, 8)), 2: ()}
"""Numbers that nothing reads (``extents``, ``session_error``, ``glmax``, ``glmin``): letters in them are no numbers."""
_LETTERS = 3
_BITS = {
    1: 1, 2: 8, 4: 16, 8: 32, 16: 32, 32: 64, 64: 64, 128: 24, 256: 8, 512: 16, 768: 32, 1024: 64, 1280: 64,
    1536: 128, 1792: 128, 2048: 256, 2304: 32,
}  # fmt: skip
_MAGIC = {1: (344, (b"n+1\0", b"ni1\0")), 2: (4, (b"n+2\0", b"ni2\0"))}
_KEPT = frozenset({"", "time", "matrix", "mask", "labels", "label", "roi", "z score", "t-test", "t test"})


@dataclass(frozen=True)
class _Header:
    version: int
    order: str
    data_at: int
    single: bool


class NiftiScrubber:
    """Clears texts (``descrip``, ``aux_file``, ``intent_name``, ``db_name``, ``data_type``) and drops extensions.

    Notes
    -----
    Extensions hold anything, whole DICOM headers among it. Where they were, zeros stand up to the voxels' old place, so
    that voxels and ``vox_offset`` stay as they were. Where faces are to go, the voxels of the face become background,
    and a volume in which no whole head is found is withheld: nobody can tell that it shows none. A ``.img`` beside a
    ``.hdr`` is opaque and is withheld: convert such pairs to one file.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the size of the header and the magic word, also inside gzip."""
        del name
        return _header(_peeked(head)) is not None

    def scrub(self, source: Path, order: ScrubOrder) -> Scrubbed:
        """Return the volume without texts; raise ReadError where it is damaged."""
        raw = source.read_bytes()
        zipped = raw[:2] == b"\x1f\x8b"
        content = bytearray(_gunzipped(raw) if zipped else raw)
        header = _header(bytes(content[:560]))
        if header is None:
            raise _damaged()
        if not header.single:
            return Scrubbed(None, withheld="a NIfTI header with its voxels in another file; convert it to one file")
        texts: list[str] = []
        removed: list[str] = []
        persons: tuple[str, ...] = ()
        for name, at, length in _TEXTS[header.version]:
            text = bytes(content[at : at + length]).split(b"\0")[0].decode("latin-1").strip()
            padding = bytes(content[at : at + length])[len(text) :].strip(b"\0 ")
            if text.casefold() not in _KEPT or padding:
                content[at : at + length] = bytes(length)
                texts.append(text)
                texts += readable(padding)
                removed.append(name)
        for at, length in _UNUSED[header.version]:
            field = bytes(content[at : at + length])
            if sum(b < 128 and chr(b).isalpha() for b in field) >= _LETTERS:
                content[at : at + length] = bytes(length)
                texts += readable(field)
                removed.append("unused numbers")
        size = 348 if header.version == 1 else 540
        end = header.data_at + _voxel_bytes(content, header)
        if not (size <= header.data_at and end <= len(content)):
            raise _damaged()
        if content[end:].strip(b"\0"):
            texts += readable(bytes(content[end:]))
            removed.append("bytes behind the end")
            del content[end:]
        between = bytes(content[size : header.data_at])
        if between.strip(b"\0"):
            content[size : header.data_at] = bytes(len(between))
            persons, words = _extensions(between, header.order, order)
            texts += words
            removed.append("extensions")
        if zipped and raw[3:4] != b"\0":
            removed.append("file name in gzip")
        identifiers, free = told(texts)
        identifiers = (*persons, *identifiers)
        if order.remove_face is not None:
            try:
                take_out_face(content, read_nifti_header(source, case_id(source.name)), order.remove_face)
            except RefusedError as error:
                reason = f"{error.found} It can be written without {REMOVE_FACES} only"
                return Scrubbed(None, reason, identifiers=identifiers, texts=free)
            removed.append("face")
        made = gzip.compress(bytes(content), 6, mtime=0) if zipped else bytes(content)
        return Scrubbed(made, removed=tuple(removed), identifiers=identifiers, texts=free)


def _extensions(data: bytes, byte_order: str, order: ScrubOrder) -> tuple[tuple[str, ...], list[str]]:
    """Return what extensions told: identifiers of DICOM headers, and the words of those that are text."""
    persons: list[str] = []
    words: list[str] = []
    at = 4
    while at + 8 <= len(data):
        size, code = struct.unpack_from(f"{byte_order}ii", data, at)
        body = data[at + 8 : at + max(size, 8)].rstrip(b"\0")
        if code == _DICOM and order.profile is not None:
            told_by, free = _of_dicom(body, order.profile)
            persons += told_by
            words += free
        elif sum(b in _PRINTABLE for b in body) > 0.9 * len(body):
            words += readable(body)
        if size < 8:
            break
        at += size
    return tuple(persons), words


def _of_dicom(body: bytes, profile: ConfidentialityProfile) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from hounsfield.data.dicom.opening import open_dataset
    from hounsfield.data.dicom.scrubbing_identifiers import Identifiers

    found = Identifiers(profile)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.collect(open_dataset(body, force=True))
    except ReadError:
        return (), tuple(readable(body))
    return found.values, found.texts


def _peeked(head: bytes) -> bytes:
    if head[:2] != b"\x1f\x8b":
        return head
    try:
        return zlib.decompressobj(31).decompress(head, 4096)
    except zlib.error:
        return b""


def _header(head: bytes) -> _Header | None:
    for order in "<>":
        if len(head) < 4:
            return None
        version = _SIZES.get(struct.unpack(f"{order}i", head[:4])[0])
        if version is None:
            continue
        at, words = _MAGIC[version]
        if len(head) < at + 4 or head[at : at + 4] not in words:
            continue
        place, code = (108, "f") if version == 1 else (168, "q")
        data_at = int(struct.unpack_from(f"{order}{code}", head, place)[0])
        return _Header(version, order, data_at, head[at : at + 4] == words[0])
    return None


def _voxel_bytes(content: bytearray, header: _Header) -> int:
    """Return how many bytes the voxels take; raise ReadError where the header does not say."""
    dims, kind = (("8h", 40), 70) if header.version == 1 else (("8q", 16), 12)
    count, *lengths = struct.unpack_from(header.order + dims[0], content, dims[1])
    code, told = struct.unpack_from(f"{header.order}2h", content, kind)
    bits = _BITS.get(code, told)
    if not 1 <= count <= 7 or min(lengths[:count]) < 0 or bits < 1:
        raise _damaged()
    count_bits = math.prod(max(1, int(n)) for n in lengths[:count]) * int(bits)
    return (count_bits + 7) // 8


def _gunzipped(raw: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged() from error
    if len(content) > MAX_BYTES:
        raise ReadError("The volume is larger than 4 GiB.", expected="a smaller one", next_step="leave it out")
    return content


def _damaged() -> ReadError:
    return ReadError(
        "The NIfTI file is damaged.", expected="a whole NIfTI-1 or NIfTI-2 file", next_step="copy it again"
    )

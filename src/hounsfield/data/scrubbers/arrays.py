"""NumPy archives: arrays of numbers under harmless names are written again, anything that may be text is withheld."""

import io
import math
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.naming import is_harmless
from hounsfield.data.scrubbers.order import ScrubOrder, TextInPixels
from hounsfield.data.words import tokens

MAX_BYTES = 2 << 30
_NUMBERS = "biuf"
_LEAST_SIDE = 48
"""Pixels of a picture's side, below which no letters are drawn into it."""
_CHANNELS = (1, 3, 4)
_PLAIN_NAMES = frozenset({"x", "y", "image", "images", "label", "labels", "mask", "masks", "arr"})


class ArraysScrubber:
    """Writes ``.npz`` archives of numbers again, without what stands between the arrays.

    Notes
    -----
    Pictures of at least 48 pixels a side (``n y x`` or ``n y x c``) are searched for text where that is asked for. An
    archive with texts, objects or dates, or with an array whose name is not of the closed list (``train_images``), is
    withheld: numbers of patients are numbers, too.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the signature of zip and the ending."""
        return head[:4] == b"PK\x03\x04" and name.lower().endswith(".npz")

    def scrub(self, source: Path, order: ScrubOrder) -> Scrubbed:
        """Return the archive; raise ReadError where it is damaged."""
        try:
            with zipfile.ZipFile(source) as archive:
                return _written(archive, order)
        except (zipfile.BadZipFile, ValueError, EOFError, OSError, zlib.error, NotImplementedError, RuntimeError) as e:
            raise ReadError(
                "The archive of arrays is damaged.", expected="arrays as NumPy writes them", next_step="copy it again"
            ) from e


def _written(archive: zipfile.ZipFile, order: ScrubOrder) -> Scrubbed:
    members = archive.infolist()
    if sum(m.file_size for m in members) > MAX_BYTES:
        return Scrubbed(None, withheld="an archive of more than 2 GiB of arrays")
    out, removed = io.BytesIO(), ["comments and times of the archive"]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for member in members:
            stem = member.filename.removesuffix(".npy")
            if stem == member.filename or not _is_plain(stem):
                return Scrubbed(None, withheld="an archive with a part whose name is not known to be harmless")
            with archive.open(member) as stream:
                array = _numbers(stream, member.file_size)
            if array is None:
                return Scrubbed(None, withheld="an archive with an array that is not of numbers; it may hold any text")
            if order.text_in_pixels is not None and _covered(array, order.text_in_pixels):
                removed.append("text in pixels")
            part = io.BytesIO()
            np.lib.format.write_array(part, array, allow_pickle=False)
            entry = zipfile.ZipInfo(member.filename, (1980, 1, 1, 0, 0, 0))
            made.writestr(entry, part.getvalue(), zipfile.ZIP_DEFLATED)
    names = tuple(m.filename for m in members)
    return Scrubbed(out.getvalue(), "", tuple(dict.fromkeys(removed)), coded=names)


def _is_plain(stem: str) -> bool:
    """Tell whether an array has a usual name: words of the closed list, or NumPy's own ``arr_0``."""
    words = [w for w in tokens(stem) if not w.isdigit()]
    return is_harmless(stem) or (bool(words) and all(w in _PLAIN_NAMES or is_harmless(w) for w in words))


def _numbers(stream: IO[bytes], size: int) -> AnyArray | None:
    """Return an array of numbers, None where it is none; raise ValueError where its header lies."""
    content = io.BytesIO(stream.read(size))
    version = np.lib.format.read_magic(content)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(content)
    if dtype.kind not in _NUMBERS or dtype.names is not None:
        return None
    if math.prod(shape) * dtype.itemsize > size:
        raise ValueError("the header promises more than there is")
    content.seek(0)
    return np.asarray(np.lib.format.read_array(content, allow_pickle=False))


def _covered(array: AnyArray, find: TextInPixels) -> bool:
    """Cover text in every picture of an array, in place; tell whether there was some."""
    pictures = array.ndim == 3 or (array.ndim == 4 and array.shape[-1] in _CHANNELS)
    if not pictures or min(array.shape[1:3]) < _LEAST_SIDE or array.dtype.kind == "b":
        return False
    found = False
    for picture in array:
        seen = picture[..., 0] if picture.ndim == 3 and picture.shape[-1] == 1 else picture[..., :3]
        mask = find(seen if picture.ndim == 3 else picture)
        if mask.any():
            picture[mask] = picture.min()
            found = True
    return found

"""One person's identifiers, an order under a key of the tests, and what is asked of every result."""

import contextlib
import gzip
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np

from hounsfield.core.types import AnyArray, BoolArray
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.choosing import scrubber_for, scrubber_named
from hounsfield.data.scrubbers.order import FaceRemover, ScrubOrder, TextInPixels
from hounsfield.privacy.profile import DEFAULTS, Profile
from hounsfield.privacy.pseudonyms import Pseudonyms

PSEUDONYMS = Pseudonyms(b"a key that only the tests know..")
SECRETS = ("Kowalewska", "Zofia", "PID-778899", "Feldmann", "19510923", "1951-09-23", "23.09.1951", "2019-04-12")


def order(
    *options: str, text: TextInPixels | None = None, face: FaceRemover | None = None, without: str = ""
) -> ScrubOrder:
    """Return an order with the usual choices, and others."""
    chosen = (DEFAULTS | set(options)) - {without}
    return ScrubOrder(PSEUDONYMS, chosen, text_in_pixels=text, profile=Profile(chosen), remove_face=face)


def scrub(folder: Path, name: str, content: bytes, asked: ScrubOrder | None = None) -> Scrubbed:
    """De-identify a file of this name and content, by the scrubber that knows it."""
    path = folder / name
    path.write_bytes(content)
    kind = scrubber_for(content[:512], name)
    assert kind is not None, "no scrubber knows the file"
    return scrubber_named(kind).scrub(path, asked or order())


def written(result: Scrubbed, *more: str) -> bytes:
    """Return what was written; the test fails where it holds a secret, packed or not."""
    assert result.content is not None, result.withheld
    assert result.withheld == ""
    views = [result.content]
    if result.content[:2] == b"\x1f\x8b":
        views.append(gzip.decompress(result.content))
    if result.content[:2] == b"PK":
        with zipfile.ZipFile(BytesIO(result.content)) as book:
            views += [book.read(name) for name in book.namelist()]
    views += _inflated(result.content)
    for secret in (*SECRETS, *more, "\x00".join("Kowalewska")):
        assert not [v for v in views if secret.casefold().encode() in v.lower()], secret
    return result.content


def top_left(pixels: AnyArray) -> BoolArray:
    """Say that text stands in the first 4 rows and 10 columns."""
    mask = np.zeros(pixels.shape[:2], dtype=bool)
    mask[:4, :10] = True
    return mask


def no_text(pixels: AnyArray) -> BoolArray:
    """Say that there is none."""
    return np.zeros(pixels.shape[:2], dtype=bool)


def _inflated(content: bytes) -> list[bytes]:
    found, at = [], content.find(b"\x78")
    while 0 <= at < 4096:
        with contextlib.suppress(zlib.error):
            found.append(zlib.decompressobj().decompress(content[at:], 1 << 20))
        at = content.find(b"\x78", at + 1)
    return found

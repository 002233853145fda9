"""How a text may lie in bytes: the encodings of old and new systems, of one case only where letters have two."""

import re
import unicodedata
from collections.abc import Iterator

FOLD = bytes(b + 32 if 65 <= b <= 90 else b for b in range(256))
"""Table for `bytes.translate`: ASCII capitals become small; patterns and content are both folded by it."""

_WIDE = ("utf-16-le", "utf-16-be")
_NARROW = (
    "utf-8", "iso8859_1", "iso8859_2", "iso8859_3", "iso8859_4", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8",
    "iso8859_9", "iso8859_13", "cp1250", "cp1251", "cp1253", "cp850", "cp866", "koi8_r", "koi8_u", "mac_roman",
    "tis_620", "shift_jis", "euc_jp", "euc_kr", "gb18030", "big5", "iso2022_jp", "iso2022_jp_2", "iso2022_kr",
)  # fmt: skip
_ESCAPES = re.compile(rb"\x1b[$(.)&][@-Z()]?[A-Z]?|[\x0e\x0f]")


def encoded(text: str) -> Iterator[tuple[bytes, str]]:
    """Yield the folded bytes of a text in every encoding that can hold it, and the encoding's name.

    Parameters
    ----------
    text : str
        In lower case.
    """
    seen: set[bytes] = set()
    for form in _forms(text):
        for codec in ("ascii", *_WIDE) if form.isascii() else (*_NARROW, *_WIDE):
            try:
                raw = form.encode(codec)
            except UnicodeEncodeError:
                continue
            if codec.startswith("iso2022"):
                parts = [p for p in _ESCAPES.split(raw) if p]
                if len(parts) != 1:
                    continue
                raw = parts[0]
            pattern = raw.translate(FOLD)
            if pattern not in seen:
                seen.add(pattern)
                yield pattern, codec


def _forms(text: str) -> Iterator[str]:
    """Yield small, capital and title case, composed and decomposed, and without accents."""
    if text.isascii():
        yield text
        return
    for form in dict.fromkeys((text, text.upper(), text.title())):
        yield unicodedata.normalize("NFC", form)
        yield unicodedata.normalize("NFD", form)
        bare = "".join(c for c in unicodedata.normalize("NFD", form) if not unicodedata.combining(c))
        if bare.isascii():
            yield bare.lower()
    if any("\uff61" <= c <= "\uff9f" or "\u30a0" <= c <= "\u30ff" for c in text):
        yield unicodedata.normalize("NFKC", text)

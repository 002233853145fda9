"""Whether bytes that spell a word are a token of their own, and not a part of another or a few samples."""

import re
from dataclasses import dataclass, field

_NEIGHBOURS = 96
_ZONE = re.compile(r"(?:0\d|1[0-4])(?:00|30|45)")
_SHORT_WIDE = 4
"""Characters of a word in UTF-16 that chance may spell among 16-bit samples."""


@dataclass(frozen=True)
class Pattern:
    """What bytes that are searched for mean.

    Parameters
    ----------
    kind : str
        ``word``, ``number``, ``uid`` or ``date``.
    codec : str
        In which encoding they read so.
    strong : bool
        Whether it identifies by itself; False for a word of a removed text.
    text : str
        As it would be written, in lower case.
    """

    kind: str
    codec: str
    strong: bool
    text: str = field(repr=False)


def lost_in_samples(raw: bytes, start: int, end: int, pattern: Pattern) -> bool:
    """Tell whether a few 16-bit values that spell a short word stand between values that are no text.

    Parameters
    ----------
    raw : bytes
        Content as it is.
    start, end : int
        Where the word lies.
    pattern : Pattern
    """
    if not pattern.codec.startswith("utf-16") or len(pattern.text) > _SHORT_WIDE:
        return False
    before = raw[max(0, start - 8) : start].decode(pattern.codec, "replace")[::-1]
    after = raw[end : end + 8].decode(pattern.codec, "replace")
    return not (_wordy(before) and _wordy(after))


def _wordy(side: str) -> bool:
    """Tell whether what stands beside a word is text up to its end: a control character, another script, nothing."""
    for character in side:
        if character < " " or character > "\u00ff":
            return True
        if not (character.isalnum() or character in " .,-_^=/\\:;@"):
            return False
    return True


def stands_alone(raw: bytes, start: int, end: int, pattern: Pattern) -> bool:
    """Tell whether a hit is a whole token, and in ISO 2022 whether an escape sequence switched to its characters.

    Parameters
    ----------
    raw : bytes
        Content as it is.
    start, end : int
        Where the hit lies.
    pattern : Pattern
    """
    codec, text = pattern.codec, pattern.text
    if codec.startswith("iso2022"):
        return b"\x1b$" in raw[max(0, start - 256) : start] or b"\x0e" in raw[max(0, start - 256) : start]
    before = raw[max(0, start - _NEIGHBOURS) : start].decode(codec, "replace")
    after = raw[end : end + _NEIGHBOURS].decode(codec, "replace")
    if codec.startswith("utf-16") and text.isascii():
        # two bytes of a header read as some accented letter
        before, after = ("".join(c if c < "\u0100" else " " for c in side) for side in (before, after))
    itself = raw[start:end].decode(codec, "replace")
    if pattern.kind == "uid":
        return not (before[-1:].isdigit() or before[-1:] == "." or after[:1].isdigit() or _goes_on(after))
    if pattern.kind == "date":
        clock = len(after) - len(after.lstrip("0123456789"))
        compact = text.isdigit() and clock in (2, 4, 6, *range(7, 20))
        return not _joined(before[-1:], text[0]) and (compact or not _joined(after[:1], text[-1]))
    if pattern.kind == "number" and _in_a_number(before, itself, after):
        return False
    return _begins(before, itself) and _ends(itself, after)


def _in_a_number(before: str, itself: str, after: str) -> bool:
    """Tell digits of a fraction or a time zone; ``4711.0`` is an identifier that Excel has read."""
    fraction = re.search(r"(?:^|[^\d.])\d{1,9}\.$", before) is not None and re.match(r"\.\d", after) is None
    whole = re.match(r"\.(?!0+(?!\d))\d+(?![\d.])", after) is not None and before[-1:] != "."
    zone = re.search(r"(?:^|[^\w])[+-]$", before) is not None and _ZONE.fullmatch(itself) is not None
    return fraction or whole or zone


def _goes_on(after: str) -> bool:
    return after[:1] == "." and after[1:2].isdigit()


def _begins(before: str, itself: str) -> bool:
    last = before[-1:]
    camel = last.islower() and itself[:1].isupper() and last.isascii()
    return camel or (not _joined(last, itself[:1]) and not _in_a_code(before[::-1], itself[:1]))


def _ends(itself: str, after: str) -> bool:
    first = after[:1]
    camel = itself[-1:].islower() and first.isupper() and first.isascii()
    return camel or (not _joined(itself[-1:], first) and not _in_a_code(after, itself[-1:]))


def _joined(one: str, other: str) -> bool:
    """Tell whether two neighbours belong to one token: letters of one script, or digits."""
    if not one or not other:
        return False
    if one.isdigit() or other.isdigit():
        return one.isdigit() and other.isdigit()
    return one.isalpha() and other.isalpha() and _script(one) == _script(other) != "han"


def _script(letter: str) -> str:
    code = ord(letter)
    if code < 0x250:
        return "latin"
    if 0x2E80 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7AF or 0xF900 <= code <= 0xFAFF or code >= 0xFF61:
        return "han"
    return str(code >> 8)


def _in_a_code(outwards: str, edge: str) -> bool:
    """Tell whether the neighbours are a code of mixed letters and digits, as pseudonyms and check sums are."""
    changes, last = 0, edge
    for character in outwards:
        if not (character.isascii() and character.isalnum()):
            return False
        changes += character.isdigit() != last.isdigit()
        last = character
        if changes >= 3:
            return True
    return False

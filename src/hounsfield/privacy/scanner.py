"""The second pass: it knows no format, decodes what can be decoded, and looks for what the input told of persons.

It shares nothing with the scrubbers but the list of identifying values. It says where something was found, never what.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from hounsfield.privacy.chance import by_chance
from hounsfield.privacy.encodings import FOLD, encoded
from hounsfield.privacy.unwrapping import UnwrapLimits, Unwrapper
from hounsfield.privacy.watched import Term, date_terms, dates_of, terms_of

CHUNK_BYTES = 32 << 20
_OVERLAP = 4096
_NEIGHBOURS = 96
_ZONE = re.compile(r"(?:0\d|1[0-4])(?:00|30|45)")
_MOST_LEAKS = 20
"""Places told of one file; more do not help."""


@dataclass(frozen=True)
class Leak:
    """Where something identifying was found.

    Parameters
    ----------
    layer : str
        ``bytes`` or ``name``, or how the place was decoded: ``zlib in bytes``.
    offset : int
        Byte in the file; of a decoded stream, where the stream begins.
    inside : int
        Byte in the decoded stream; equal to `offset` where nothing was decoded.
    kind : str
        ``word``, ``number``, ``uid`` or ``date``.
    encoding : str
        In which text encoding it reads so.
    """

    layer: str
    offset: int
    inside: int
    kind: str
    encoding: str

    def place(self) -> str:
        """Return the place in words, without what stands there."""
        inner = "" if self.layer in ("bytes", "name") else f", byte {self.inside} within"
        return f"{self.kind} ({self.encoding}) in {self.layer} at byte {self.offset}{inner}"


@dataclass(frozen=True)
class _Pattern:
    kind: str
    codec: str
    text: str = field(repr=False)


class _Machine:
    """All patterns of a set of terms, searched in one pass."""

    def __init__(self, terms: Iterable[Term]) -> None:
        from ahocorasick_rs import BytesAhoCorasick

        self.meanings: list[_Pattern] = []
        raw: dict[bytes, int] = {}
        for term in sorted(terms, key=lambda t: (t.text, t.kind)):
            for data, codec in encoded(term.text):
                if data not in raw:
                    raw[data] = len(self.meanings)
                    self.meanings.append(_Pattern(term.kind, codec, term.text))
        self.lengths: dict[int, int] = {}
        for data in raw:
            self.lengths[len(data)] = self.lengths.get(len(data), 0) + 1
        self.longest = max(self.lengths, default=0)
        self._search = BytesAhoCorasick(list(raw)) if raw else None

    def hits(self, folded: bytes) -> Iterator[tuple[_Pattern, int, int]]:
        if self._search is None:
            return
        for number, start, end in self._search.find_matches_as_indexes(folded, overlapping=True):
            yield self.meanings[number], start, end


class Scanner:
    """Searches contents and names for everything identifying that any input told.

    Parameters
    ----------
    identifiers : iterable of str
        Identifying values of all inputs.
    texts : iterable of str
        Free texts that were removed.
    common : frozenset of str
        Words of a medical vocabulary, in lower case, which in `texts` identify nobody.
    limits : UnwrapLimits or None
        How far compressed streams are followed.

    Notes
    -----
    Words and numbers of all inputs are searched in every output. Dates are searched in the outputs of the inputs that
    told them (`leaks` takes them by file): shifted dates of one patient are real dates of another by coincidence.
    Tokens are whole: letters end at digits, digits at letters, capitals begin words. Coded terms, sexes and
    placeholders are not searched for.
    """

    def __init__(
        self,
        identifiers: Iterable[str],
        texts: Iterable[str] = (),
        *,
        common: frozenset[str] = frozenset(),
        limits: UnwrapLimits | None = None,
    ) -> None:
        self._pool = _Machine(terms_of(identifiers, texts, common=common))
        self._limits = limits or UnwrapLimits()
        self.cut = False
        self.deeper = False

    @property
    def unsearched(self) -> tuple[str, ...]:
        """Why something was not searched to its end: a phrase for each limit that was reached."""
        reasons = {"a compressed stream was larger than what is searched": self.cut}
        reasons["streams lay deeper inside one another than what is searched"] = self.deeper
        return tuple(reason for reason, reached in reasons.items() if reached)

    @property
    def patterns(self) -> int:
        """How many byte patterns are searched for in every output, dates not counted."""
        return len(self._pool.meanings)

    def leaks(self, content: bytes | memoryview, *, own: Iterable[str] = ()) -> tuple[Leak, ...]:
        """Return where a content holds something identifying.

        Parameters
        ----------
        content : bytes or memoryview
            The whole output.
        own : iterable of str
            Identifying values and texts of the inputs it was made from: their dates are searched for, too.
        """
        machines = (self._pool, _dates_machine(dates_of(own)))
        found: list[Leak] = []
        unwrapper = Unwrapper(self._limits)
        for layer in unwrapper.layers(content):
            for machine in machines:
                for pattern, at in _found(machine, layer.content):
                    offset = at if layer.kind == "bytes" else layer.offset
                    found.append(Leak(layer.kind, offset, at, pattern.kind, pattern.codec))
                    if len(found) >= _MOST_LEAKS:
                        return tuple(found)
        self.cut = self.cut or unwrapper.cut
        self.deeper = self.deeper or unwrapper.deeper
        return tuple(found)

    def leaks_in_name(self, name: str, *, own: Iterable[str] = ()) -> tuple[Leak, ...]:
        """Return where a file name holds something identifying."""
        found = self.leaks(name.encode("utf-8", "surrogatepass"), own=own)
        return tuple(Leak("name", leak.inside, leak.inside, leak.kind, leak.encoding) for leak in found)


@lru_cache(maxsize=64)
def _dates_machine(days: frozenset[date]) -> _Machine:
    return _Machine(date_terms(days))


def _found(machine: _Machine, content: bytes | memoryview) -> Iterator[tuple[_Pattern, int]]:
    step = CHUNK_BYTES
    for begin in range(0, max(len(content), 1), step):
        # each chunk is read with a margin on both sides; a hit counts in the chunk where it begins
        low = max(0, begin - _OVERLAP)
        raw = bytes(content[low : begin + step + _OVERLAP])
        folded = raw.translate(FOLD)
        for pattern, start, end in machine.hits(folded):
            if not begin <= low + start < begin + step:
                continue
            if not _stands_alone(raw, start, end, pattern):
                continue
            if not by_chance(folded, start, end, words=machine.lengths[end - start]):
                yield pattern, low + start


def _stands_alone(raw: bytes, start: int, end: int, pattern: _Pattern) -> bool:
    """Tell whether a hit is a whole token, and in ISO 2022 whether an escape sequence switched to its characters."""
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

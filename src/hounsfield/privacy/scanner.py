"""The second pass: it knows no format, decodes what can be decoded, and looks for what the input told of persons.

It shares nothing with the scrubbers but the list of identifying values. It says where something was found, never what.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from hounsfield.privacy.chance import by_chance
from hounsfield.privacy.encodings import FOLD, encoded
from hounsfield.privacy.tokens import Pattern, lost_in_samples, stands_alone
from hounsfield.privacy.unwrapping import Layer, UnwrapLimits, Unwrapper
from hounsfield.privacy.watched import Clean, Term, date_terms, dates_of, terms_of, words_of

CHUNK_BYTES = 32 << 20
_OVERLAP = 4096
MOST_COUNTED = 5
"""Digits of a number that may as well be a count, a width or a code of another kind."""
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


class _Machine:
    """All patterns of a set of terms, searched in one pass; `strong` are those that identify by themselves."""

    def __init__(self, terms: Iterable[Term], *, strong: frozenset[Term]) -> None:
        from ahocorasick_rs import BytesAhoCorasick

        self.meanings: list[Pattern] = []
        raw: dict[bytes, int] = {}
        for term in sorted(terms, key=lambda t: (t.text, t.kind)):
            for data, codec in encoded(term.text):
                if data not in raw:
                    raw[data] = len(self.meanings)
                    self.meanings.append(Pattern(term.kind, codec, term in strong, term.text))
        self.lengths: dict[int, int] = {}
        for data in raw:
            self.lengths[len(data)] = self.lengths.get(len(data), 0) + 1
        self.longest = max(self.lengths, default=0)
        self._search = BytesAhoCorasick(list(raw)) if raw else None

    def hits(self, folded: bytes) -> Iterator[tuple[Pattern, int, int]]:
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
        Words of a medical vocabulary, in lower case, which identify nobody in `texts` and in the files of others.
    limits : UnwrapLimits or None
        How far compressed streams are followed.

    Notes
    -----
    Words and numbers of all inputs are searched in every output. What an output says by rule is told by `Clean`: a term
    of another file's identifiers that stands there as a code, or of removed texts that names a device there, is no
    leak; a patient whose name is a medical word is searched for in the own files only. Dates are searched in the
    outputs of the inputs that told them (`leaks` takes them by file): shifted dates of one patient are real dates of
    another by coincidence. Tokens are whole: letters end at digits, digits at letters, capitals begin words. Coded
    terms, sexes and placeholders are not searched for.
    """

    def __init__(
        self,
        identifiers: Iterable[str],
        texts: Iterable[str] = (),
        *,
        common: frozenset[str] = frozenset(),
        limits: UnwrapLimits | None = None,
    ) -> None:
        strong = frozenset(terms_of(identifiers))
        self._common = common
        pool = {t for t in strong if not (t.text.isalpha() and t.text in common)}
        self._pool = _Machine(pool | terms_of((), texts, common=common), strong=strong)
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

    def leaks(
        self,
        content: bytes | memoryview,
        *,
        own: Iterable[str] = (),
        identifiers: Iterable[str] = (),
        clean: Clean | None = None,
    ) -> tuple[Leak, ...]:
        """Return where a content holds something identifying.

        Parameters
        ----------
        content : bytes or memoryview
            The whole output.
        own : iterable of str
            Identifying values and texts of the inputs it was made from: their dates are searched for, too.
        identifiers : iterable of str
            Those of `own` that identify by themselves: searched for even where a vocabulary knows them.
        clean : Clean or None
            What the output says by rule.
        """
        days = date_terms(dates_of(own))
        named = frozenset(terms_of(identifiers))
        common = frozenset(t for t in named if t.text.isalpha() and t.text in self._common)
        machines = (self._pool, _machine(frozenset(days)), _machine(common))
        judge = _Judge(clean or Clean(), frozenset(t.text for t in named), words_of(own), self._common)
        found: list[Leak] = []
        unwrapper = Unwrapper(self._limits)
        for layer in unwrapper.layers(content):
            for machine in machines:
                for pattern, at in _found(machine, layer, judge, size=len(content)):
                    offset = at if layer.kind == "bytes" else layer.offset
                    found.append(Leak(layer.kind, offset, at, pattern.kind, pattern.codec))
                    if len(found) >= _MOST_LEAKS:
                        return tuple(found)
        self.cut = self.cut or unwrapper.cut
        self.deeper = self.deeper or unwrapper.deeper
        return tuple(found)

    def leaks_in_name(self, name: str, *, own: Iterable[str] = (), identifiers: Iterable[str] = ()) -> tuple[Leak, ...]:
        """Return where a file name holds something identifying."""
        found = self.leaks(name.encode("utf-8", "surrogatepass"), own=own, identifiers=identifiers)
        return tuple(Leak("name", leak.inside, leak.inside, leak.kind, leak.encoding) for leak in found)


@lru_cache(maxsize=64)
def _machine(terms: frozenset[Term]) -> _Machine:
    return _Machine(terms, strong=terms)


@dataclass(frozen=True)
class _Judge:
    """Whether a term may stand in an output."""

    clean: Clean
    own: frozenset[str] = field(repr=False)
    told: frozenset[str] = field(repr=False)
    common: frozenset[str] = field(repr=False)

    def passes(self, pattern: Pattern) -> bool:
        if pattern.kind in ("uid", "date"):
            return False
        text, told = pattern.text, pattern.text in self.clean.coded
        if pattern.kind == "number" and len(text) <= MOST_COUNTED:
            # 16-bit samples from 48 to 57 are digits, too; a number of four of them is any number
            wide = pattern.codec.startswith("utf-16") and (text not in self.own or not pattern.strong)
            return told or text in self.clean.named or wide
        if not pattern.strong:
            return told or (text in self.clean.named and text not in self.told)
        if pattern.kind == "number":
            return False
        return told and (text not in self.own or text in self.common)


def _found(machine: _Machine, layer: Layer, judge: _Judge, *, size: int) -> Iterator[tuple[Pattern, int]]:
    content, step = layer.content, CHUNK_BYTES
    for begin in range(0, max(len(content), 1), step):
        # each chunk is read with a margin on both sides; a hit counts in the chunk where it begins
        low = max(0, begin - _OVERLAP)
        raw = bytes(content[low : begin + step + _OVERLAP])
        folded = raw.translate(FOLD)
        for pattern, start, end in machine.hits(folded):
            if not begin <= low + start < begin + step:
                continue
            if judge.passes(pattern) or not stands_alone(raw, start, end, pattern):
                continue
            if lost_in_samples(raw, start, end, pattern):
                continue
            if not by_chance(folded, start, end, words=machine.lengths[end - start], size=max(size, len(content))):
                yield pattern, low + start

"""``Modality == 'CT' and SliceThickness <= 3``: a small language to say which series are meant.

It is read by a parser of its own and never run as code: words are DICOM keywords of what the index keeps, numbers and
texts in quotes, compared and joined by ``and``, ``or``, ``not`` and parentheses. Texts are compared without case.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Protocol

from hounsfield.core.errors import InputError, unknown_name
from hounsfield.data.dicom.entries import Entry

KEYWORDS = {
    "Modality": "modality",
    "SliceThickness": "thickness_mm",
    "SpacingBetweenSlices": "between_mm",
    "PixelSpacing": "spacing_mm",
    "SeriesDescription": "series_description",
    "StudyDescription": "study_description",
    "ProtocolName": "protocol",
    "ConvolutionKernel": "kernel",
    "BodyPartExamined": "body_part",
    "ViewPosition": "view",
    "ImageType": "image_type",
    "SOPClassUID": "sop_class",
    "SOPInstanceUID": "sop_uid",
    "StudyInstanceUID": "study_uid",
    "SeriesInstanceUID": "series_uid",
    "FrameOfReferenceUID": "frame_of_reference",
    "TransferSyntaxUID": "transfer_syntax",
    "PatientID": "patient_id",
    "IssuerOfPatientID": "issuer",
    "PatientSex": "sex",
    "PatientAge": "age_years",
    "AccessionNumber": "accession",
    "StudyDate": "study_date",
    "SeriesNumber": "series_number",
    "InstanceNumber": "instance_number",
    "AcquisitionNumber": "acquisition_number",
    "Rows": "rows",
    "Columns": "columns",
    "NumberOfFrames": "frames",
    "SamplesPerPixel": "samples",
    "BitsAllocated": "bits",
    "PhotometricInterpretation": "photometric",
    "GantryDetectorTilt": "tilt_deg",
    "EchoTime": "echo_time_ms",
    "RepetitionTime": "repetition_time_ms",
    "DiffusionBValue": "b_value",
    "TriggerTime": "trigger_time_ms",
    "EchoNumbers": "echo_number",
    "TemporalPositionIdentifier": "temporal_position",
    "Manufacturer": "manufacturer",
    "ManufacturerModelName": "model",
    "StationName": "station",
    "InstitutionName": "institution",
}
"""DICOM keyword to field of `Entry`."""
NUMBERS = frozenset(
    k for k, f in KEYWORDS.items()
    if f.endswith(("_mm", "_ms", "_deg", "_number", "_years", "_value", "_position"))
    or f in ("rows", "columns", "frames", "samples", "bits")
)  # fmt: skip
_MOST_CHARACTERS = 4_000
_MOST_DEPTH = 50
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*'|\"[^\"]*\")|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z_0-9]*)|(?P<mark>==|!=|<=|>=|<|>|=|\(|\)|,))"
)
_WORDS = frozenset({"and", "or", "not", "in", "contains", "like"})
_EXAMPLE = "--series \"Modality == 'CT' and SliceThickness <= 3\""

Value = str | float
Said = str | int | float | None | tuple[str | float, ...]


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


@dataclass(frozen=True)
class _Comparison:
    keyword: str
    sign: str
    values: tuple[Value, ...]

    def holds(self, facts: Mapping[str, Said]) -> bool:
        said = facts.get(self.keyword)
        parts = said if isinstance(said, tuple) else () if said in (None, "") else (said,)
        if self.sign == "!=":
            return not any(_compare("==", p, v) for p in parts for v in self.values)
        if self.sign == "contains" and isinstance(said, tuple):
            return any(_compare("==", p, v) for p in parts for v in self.values)
        return any(_compare(self.sign, p, v) for p in parts for v in self.values)


@dataclass(frozen=True)
class _Joined:
    every: bool
    parts: tuple["_Node", ...]

    def holds(self, facts: Mapping[str, Said]) -> bool:
        return (all if self.every else any)(p.holds(facts) for p in self.parts)


@dataclass(frozen=True)
class _Not:
    part: "_Node"

    def holds(self, facts: Mapping[str, Said]) -> bool:
        return not self.part.holds(facts)


_Node = _Comparison | _Joined | _Not


@dataclass(frozen=True)
class Query:
    """A question that a series answers with yes or no.

    Parameters
    ----------
    text : str
        As it was written.
    """

    text: str
    _root: _Node = field(repr=False)

    def matches(self, entry: Entry | Mapping[str, Said]) -> bool:
        """Tell whether an entry, or a mapping of DICOM keywords to values, is meant.

        Notes
        -----
        What a header does not say is not equal to anything and not less or greater either: ``!=`` holds for it, every
        other comparison does not. Of several values (ImageType) one is enough.
        """
        facts = entry if isinstance(entry, Mapping) else _Facts(entry)
        return self._root.holds(facts)


class _Facts(dict[str, Said]):
    """The fields of an entry under their DICOM keywords, looked up when asked."""

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self._entry = entry

    def get(self, key: str, default: Said = None) -> Said:  # type: ignore[override]  # one kind of value only
        del default
        value: Said = getattr(self._entry, KEYWORDS[key])
        return value


def _compare(sign: str, said: str | float, wanted: Value) -> bool:
    if isinstance(said, str):
        mine, other = said.casefold(), str(wanted).casefold()
        if sign in ("contains", "like"):
            return _like(mine, other) if sign == "like" else other in mine
        return _ordered(sign, mine, other)
    return isinstance(wanted, float) and _ordered(sign, float(said), wanted)


def _ordered(sign: str, a: "_Comparable", b: "_Comparable") -> bool:
    if sign == "==":
        return a == b
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]


class _Comparable(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...  # noqa: ANN401 - texts with texts, numbers with numbers

    def __le__(self, other: Any, /) -> bool: ...  # noqa: ANN401

    def __gt__(self, other: Any, /) -> bool: ...  # noqa: ANN401

    def __ge__(self, other: Any, /) -> bool: ...  # noqa: ANN401


def _like(text: str, pattern: str) -> bool:
    """Compare with ``*`` and ``%`` for any characters and ``?`` for one, in time linear in the text per mark."""
    return fnmatchcase(text, pattern.replace("%", "*").replace("[", "[[]"))


def parse_query(text: str) -> Query:
    """Read a question.

    Parameters
    ----------
    text : str
        Such as ``Modality == 'CT' and (SliceThickness <= 3 or SeriesDescription contains 'thin')``.

    Raises
    ------
    InputError
        If it cannot be read; the message says where and what was expected.
    UnknownNameError
        If a keyword is not known; the nearest is named.
    """
    parser = _Parser(_tokens(text))
    root = parser.either()
    parser.end()
    return Query(text, root)


def _tokens(text: str) -> list[_Token]:
    if len(text) > _MOST_CHARACTERS:
        raise _unclear(f"The series query has {len(text):,} characters", f"at most {_MOST_CHARACTERS:,}")
    found: list[_Token] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _unclear(
                f"The series query has {text[at:].strip()[:1]!r} at character {at + 1}",
                "DICOM keywords, numbers, texts in quotes, comparisons",
            )
        found.append(_Token(match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)))
        at = match.end()
    return found


def _unclear(found: str, expected: str) -> InputError:
    return InputError(f"{found}.", expected=expected, next_step=f"write it like {_EXAMPLE}")


class _Parser:
    """Recursive descent: or, and, not, comparison."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def peek(self) -> _Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else _Token("end", "", -1)

    def take(self, *texts: str) -> bool:
        token = self.peek()
        if token.kind in ("word", "mark") and token.text.lower() in texts:
            self.at += 1
            return True
        return False

    def wrong(self, expected: str) -> InputError:
        token = self.peek()
        what = "ends too early" if token.kind == "end" else f"has {token.text!r} at character {token.at + 1}"
        return _unclear(f"The series query {what}", expected)

    def end(self) -> None:
        if self.peek().kind != "end":
            raise self.wrong("'and', 'or', or the end")

    def either(self) -> _Node:
        parts = [self.both()]
        while self.take("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else _Joined(False, tuple(parts))

    def both(self) -> _Node:
        parts = [self.single()]
        while self.take("and"):
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else _Joined(True, tuple(parts))

    def single(self) -> _Node:
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            raise _unclear("The series query is nested too deeply", f"at most {_MOST_DEPTH} levels")
        try:
            if self.take("not"):
                return _Not(self.single())
            if self.take("("):
                inner = self.either()
                if not self.take(")"):
                    raise self.wrong("')'")
                return inner
            return self.comparison()
        finally:
            self.depth -= 1

    def comparison(self) -> _Node:
        token = self.peek()
        if token.kind != "word" or token.text.lower() in _WORDS:
            raise self.wrong("a DICOM keyword such as Modality")
        keyword = _keyword(token.text)
        self.at += 1
        negated = self.take("not")
        sign = self.sign(negated=negated)
        values = self.values() if sign == "in" else (self.value(),)
        _check(keyword, sign, values)
        made = _Comparison(keyword, "==" if sign == "in" else sign, values)
        return _Not(made) if negated else made

    def sign(self, *, negated: bool) -> str:
        words = ("in", "contains", "like")
        for sign in words if negated else ("==", "=", "!=", "<=", ">=", "<", ">", *words):
            if self.take(sign):
                return "==" if sign == "=" else sign
        raise self.wrong("'in', 'contains' or 'like'" if negated else "a comparison: == != < <= > >= in contains like")

    def values(self) -> tuple[Value, ...]:
        if not self.take("("):
            raise self.wrong("a list in parentheses")
        found = [self.value()]
        while self.take(","):
            found.append(self.value())
        if not self.take(")"):
            raise self.wrong("',' or ')'")
        return tuple(found)

    def value(self) -> Value:
        token = self.peek()
        if token.kind not in ("text", "number"):
            raise self.wrong("a number, or a text in quotes")
        self.at += 1
        return float(token.text) if token.kind == "number" else token.text[1:-1]


def _keyword(word: str) -> str:
    if word in KEYWORDS:
        return word
    by_case = {k.casefold(): k for k in KEYWORDS}
    if word.casefold() in by_case:
        return by_case[word.casefold()]
    raise unknown_name("DICOM keyword in series queries", word, KEYWORDS)


def _check(keyword: str, sign: str, values: tuple[Value, ...]) -> None:
    """Refuse a comparison that could never hold because one side is a number and the other is not."""
    numeric = keyword in NUMBERS or KEYWORDS[keyword] == "spacing_mm"
    texts = [v for v in values if isinstance(v, str)]
    if numeric and (texts or sign in ("contains", "like")):
        raise _unclear(
            f"{keyword} is a number, and the series query compares it with a text", "a number without quotes"
        )
    if not numeric and len(texts) < len(values):
        raise _unclear(f"{keyword} is a text, and the series query compares it with a number", "a text in quotes")

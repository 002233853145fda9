"""WFDB annotation files (MIT format): beats, rhythms, notes (annot(5) of PhysioNet's manual)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError
from hounsfield.data.signal.windows import damaged

MAX_BYTES = 256 << 20
SKIP, NUM, SUB, CHN, AUX = 59, 60, 61, 62, 63
NOTE = 22

SYMBOLS = {
    **dict(enumerate("NLRaVFJASEj/Q~", start=1)),
    16: "|",
    **dict(enumerate('sT*D"=pB^t+u?![]en@xf()r', start=18)),
}
"""Code to the letter that WFDB prints for it."""

_RESOLUTION = re.compile(r"## time resolution: ([\d.]+)")
_DEFINITION = re.compile(r"(\d{1,2}) (\S+)")


@dataclass(frozen=True)
class Annotation:
    """One mark in a record.

    Parameters
    ----------
    sample : int
        Sample number it stands at, in the record's own samples.
    symbol : str
        ``N``, ``V``, ``+`` (rhythm), ``[`` ``]`` (flutter begins, ends), ...
    subtype, channel, number : int
    text : str
        What stands beside it, such as ``"(AFIB"``.
    """

    sample: int
    symbol: str
    subtype: int = 0
    channel: int = 0
    number: int = 0
    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class Span:
    """A stretch of a record under one name.

    Parameters
    ----------
    start, stop : int
        Samples; `stop` belongs no more to it.
    label : str
        ``"AFIB"``, ``"N"``, ...
    """

    start: int
    stop: int
    label: str


def read_annotations(path: Path, *, rate_hz: float | None = None) -> tuple[Annotation, ...]:
    """Return the annotations of a file, in its order.

    Parameters
    ----------
    path : pathlib.Path
        ``.atr``, ``.qrs``, ...
    rate_hz : float, optional
        Rate of the record: where the file counts time at another rate, sample numbers are converted.

    Raises
    ------
    ReadError
        If it cannot be opened, ends inside an annotation, or goes before the beginning of the record.
    """
    ref = Ref("wfdb", path.name)
    try:
        with path.open("rb") as stream:
            data = stream.read(min(path.stat().st_size, MAX_BYTES) + 1)
    except OSError as error:
        raise damaged(ref, f"its annotations cannot be opened ({error.strerror}).", "a readable file") from error
    if len(data) > MAX_BYTES:
        raise damaged(ref, "its annotations are too large.", f"at most {MAX_BYTES >> 20} MiB")
    found = list(_parsed(data, ref))
    resolution, symbols, rest = _preamble(found)
    scale = rate_hz / resolution if rate_hz and resolution else 1.0
    letters = {str(code): letter for code, letter in symbols.items()}
    marks = tuple(
        Annotation(
            a.sample if scale == 1.0 else round(a.sample * scale),
            letters.get(a.symbol, f"<{a.symbol}>"),
            a.subtype,
            a.channel,
            a.number,
            a.text,
        )
        for a in rest
    )
    if any(a.sample < 0 for a in marks):
        raise damaged(ref, "annotations lie before the record begins.", "sample numbers of 0 or more")
    return marks


def _parsed(data: bytes, ref: Ref) -> Iterator[Annotation]:
    """Give annotations with their code in place of the symbol."""
    at = time = 0
    kept = Annotation(0, "")  # its channel and number stay for those that follow
    current: Annotation | None = None
    while at + 2 <= len(data):
        word = _word(data, at)
        code, low = word >> 10, word & 0x3FF
        at += 2
        if word == 0:
            break
        held = 4 if code == SKIP else low + (low & 1) if code == AUX else 0
        if at + (low if code == AUX else held) > len(data):
            raise _cut(ref)
        if code == SKIP:
            jump = _word(data, at) << 16 | _word(data, at + 2)
            time += jump - (1 << 32 if jump >= 1 << 31 else 0)
        elif code > SKIP:
            text = data[at : at + low].rstrip(b"\0").decode("latin-1") if code == AUX else ""
            kept = kept if code in (SUB, AUX) else _changed(kept, code, low, text)
            current = _changed(current, code, low, text) if current else None
        else:
            if current:
                yield current
            time += low
            current = Annotation(time, str(code), 0, kept.channel, kept.number)
        at += held
    else:
        if at != len(data) or not data:
            raise _cut(ref)
    if current:
        yield current


def _word(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def _changed(mark: Annotation, code: int, low: int, text: str) -> Annotation:
    """Return an annotation with one of its fields as a word behind it says."""
    if code == NUM:
        return replace(mark, number=_signed(low))
    if code == SUB:
        return replace(mark, subtype=_signed(low))
    return replace(mark, channel=low & 0xFF) if code == CHN else replace(mark, text=text)


def _signed(low: int) -> int:
    return (low & 0xFF) - (256 if low & 0x80 else 0)


def _cut(ref: Ref) -> ReadError:
    return damaged(ref, "its annotations end in the middle of one.", "a whole annotation file")


def _preamble(found: list[Annotation]) -> tuple[float | None, dict[int, str], list[Annotation]]:
    """Return rate of the time stamps, symbols with those the file defines itself, and the annotations that are left."""
    resolution: float | None = None
    symbols = dict(SYMBOLS)
    rest: list[Annotation] = []
    inside = False
    for a in found:
        note = a.sample == 0 and a.symbol == str(NOTE)
        if note and (stated := _RESOLUTION.match(a.text)):
            resolution = _rate(stated.group(1))
        elif note and a.text.startswith("## annotation type definitions"):
            inside = True
        elif note and a.text.startswith("## end of definitions"):
            inside = False
        elif note and inside:
            if defined := _DEFINITION.match(a.text):
                symbols[int(defined.group(1))] = defined.group(2)
        else:
            rest.append(a)
    return resolution, symbols, rest


def _rate(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < 1e9 else None


def rhythms(marks: tuple[Annotation, ...], samples: int) -> tuple[Span, ...]:
    """Return the rhythms of a record, each until the next begins.

    Parameters
    ----------
    marks : tuple of Annotation
    samples : int
        Length of the record: where the last rhythm ends.
    """
    named = [(a.sample, a.text[1:].strip()) for a in marks if a.symbol == "+" and a.text.startswith("(")]
    changes = sorted(named, key=lambda change: change[0])  # of two at one sample the later one counts
    ends = [c[0] for c in changes[1:]] + [samples]
    return tuple(Span(at, end, label) for (at, label), end in zip(changes, ends, strict=True) if end > at)


def flutter(marks: tuple[Annotation, ...], samples: int) -> tuple[Span, ...]:
    """Return where ventricular flutter is marked, from ``[`` to ``]``; one that does not end lasts to the end."""
    found: list[Span] = []
    start: int | None = None
    for a in sorted(marks, key=lambda m: m.sample):
        if a.symbol == "[" and start is None:
            start = a.sample
        elif a.symbol == "]" and start is not None:
            found.append(Span(start, a.sample + 1, "VFL"))
            start = None
    if start is not None and samples > start:
        found.append(Span(start, samples, "VFL"))
    return tuple(found)

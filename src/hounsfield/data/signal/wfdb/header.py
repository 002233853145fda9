"""The text of a WFDB header: record line, signal lines or segment lines. Nothing in it is believed unchecked."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hounsfield.core.cohort import Ref
from hounsfield.core.units import conversion, spelled
from hounsfield.data.signal.wfdb.formats import PACKINGS
from hounsfield.data.signal.windows import damaged, unlike
from hounsfield.data.table import plain_text

MAX_BYTES = 8 << 20
MAX_SIGNALS = 1024
MAX_PER_FRAME = 4096
DEFAULT_GAIN = 200.0
"""Stored units per millivolt where a header tells none, or 0 (header(5))."""
DEFAULT_RATE_HZ = 250.0

_NAME = re.compile(r"[A-Za-z0-9_~][A-Za-z0-9_.~-]*")
_FORMAT = re.compile(r"(\d{1,3})(?:x(\d{1,5}))?(?::(\d{1,9}))?(?:\+(\d{1,12}))?")
_GAIN = re.compile(r"([-+]?[\d.]+(?:[eE][-+]?\d+)?)(?:\(([-+]?\d{1,10})\))?(?:/(\S+))?")


@dataclass(frozen=True)
class SignalLine:
    """One signal of a record.

    Parameters
    ----------
    file : str
        File name, without a folder; ``~`` where the signal is not there.
    packing : int
        Number of its storage format; 0 where the signal is not there.
    per_frame : int
        Samples in each frame.
    skew : int
        Frames by which it was stored too late.
    offset : int
        Bytes before the first sample of the file.
    gain : float
        Stored units per physical unit.
    baseline : int
        Stored value of 0 physical units.
    units : str
        ``""`` where the gain of a lead that is no voltage is 0: its values are not calibrated.
    name : str
    first : int or None
        Stored value of the first sample.
    checksum : int or None
        Sum of all samples modulo 65536, signed.
    """

    file: str
    packing: int
    per_frame: int
    skew: int
    offset: int
    gain: float
    baseline: int
    units: str
    name: str
    first: int | None = None
    checksum: int | None = None


@dataclass(frozen=True)
class RecordText:
    """What a header says.

    Parameters
    ----------
    frames_hz : float
        Frames per second.
    frames : int or None
        Length in frames; None where not told.
    signals : tuple of SignalLine
        Empty of a record in segments.
    segments : tuple of (str, int)
        Name and frames of each segment; ``~`` is a gap.
    notes : tuple of str
        What had to be assumed.
    """

    frames_hz: float
    frames: int | None
    signals: tuple[SignalLine, ...]
    segments: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()


def parse_header(path: Path, ref: Ref) -> RecordText:
    """Read a ``.hea`` file.

    Raises
    ------
    ReadError
        If it cannot be opened, is not a header, or says what cannot be: no signals, a rate of 0, a file elsewhere.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(min(path.stat().st_size, MAX_BYTES) + 1)
    except OSError as error:
        raise damaged(ref, f"its header cannot be opened ({error.strerror}).", "a readable .hea file") from error
    if len(data) > MAX_BYTES or b"\0" in data:
        raise damaged(ref, "its header is not text.", "a WFDB header")
    lines = [s for line in plain_text(data).splitlines() if (s := line.strip()) and not s.startswith("#")]
    words = lines[0].split() if lines else []
    if len(words) < 2:
        raise damaged(ref, "its header has no record line.", "record name, number of signals, rate, length")
    count = _whole(ref, words[1], "number of signals")
    segments = _whole(ref, words[0].split("/")[1], "number of segments") if "/" in words[0] else 0
    if not 0 < count <= MAX_SIGNALS:
        raise damaged(ref, f"its header promises {count} leads.", f"1 to {MAX_SIGNALS} leads")
    notes: list[str] = []
    rate = _rate(ref, words, notes)
    frames = _whole(ref, words[3], "length") if len(words) > 3 else 0
    if frames < 0:
        raise damaged(ref, f"its header tells a length of {frames} samples.", "a length of 0 or more")
    if "/" in words[0] and segments < 1:
        raise damaged(ref, "its header promises no segments.", "at least one segment")
    wanted = segments or count
    if len(lines) - 1 < wanted:
        raise damaged(ref, f"its header has {len(lines) - 1} of {wanted} lines.", "a line for each lead or segment")
    body = lines[1 : wanted + 1]
    if segments:
        return RecordText(rate, frames or None, (), tuple(_segment(ref, line) for line in body), tuple(notes))
    signals = [_signal(ref, line, i, notes) for i, line in enumerate(body)]
    names = unlike([s.name for s in signals])
    named = tuple(_renamed(s, n) for s, n in zip(signals, names, strict=True))
    return RecordText(rate, frames or None, named, (), tuple(dict.fromkeys(notes)))


def in_units(text: RecordText, units: Mapping[str, str]) -> tuple[RecordText, frozenset[str]]:
    """Return a segment whose gains give its leads in other units, and the leads that have no such gain.

    Parameters
    ----------
    text : RecordText
    units : mapping of str to str
        Name of a lead to its unit in the record; ``""`` where none is told in any segment.
    """
    lines: list[SignalLine] = []
    unlike: set[str] = set()
    for line in text.signals:
        unit = units.get(line.name, line.units)
        times = conversion(line.units, unit)
        if times is None or (unit and not line.units):
            unlike.add(line.name)
            lines.append(line)
        else:
            lines.append(replace(line, gain=line.gain / times, units=unit))
    return replace(text, signals=tuple(lines)), frozenset(unlike)


def _rate(ref: Ref, words: list[str], notes: list[str]) -> float:
    if len(words) < 3:
        notes.append(f"the header tells no rate: {DEFAULT_RATE_HZ:g} Hz, as the WFDB standard says")
        return DEFAULT_RATE_HZ
    rate = _number(ref, re.split(r"[/(]", words[2])[0], "rate")
    if not 0 < rate < 1e7:
        raise damaged(ref, f"its header tells a rate of {rate:g} Hz.", "a positive rate", "correct the header")
    return rate


def _segment(ref: Ref, line: str) -> tuple[str, int]:
    words = line.split()
    if len(words) < 2 or not _NAME.fullmatch(words[0]):
        raise damaged(ref, "a segment line of its header is not one.", "a record name and its length")
    length = _whole(ref, words[1], "length of a segment")
    if length < 0:
        raise damaged(ref, "a segment has a negative length.", "lengths of 0 or more")
    return words[0], length


def _signal(ref: Ref, line: str, number: int, notes: list[str]) -> SignalLine:
    words = line.split(None, 8)
    form = _FORMAT.fullmatch(words[1]) if len(words) > 1 else None
    if form is None or not (_NAME.fullmatch(words[0]) or words[0] == "~"):
        raise damaged(
            ref,
            "a signal line of its header is not one, or names a file outside its folder.",
            "a file name without folder, and its format",
        )
    packing, per_frame, skew, offset = (int(g) if g else d for g, d in zip(form.groups(), (0, 1, 0, 0), strict=True))
    if packing not in PACKINGS and packing != 0:
        raise damaged(
            ref,
            f"its samples are stored in format {packing}, which is not read.",
            "one of " + ", ".join(str(p) for p in PACKINGS),
            "convert it to format 16 with WFDB's xform",
        )
    if not 0 < per_frame <= MAX_PER_FRAME:
        raise damaged(ref, f"a lead has {per_frame} samples in each frame.", f"1 to {MAX_PER_FRAME}")
    zero = _whole(ref, words[4], "ADC zero") if len(words) > 4 else 0
    gain, baseline, units = _gain(ref, words[2] if len(words) > 2 else "", zero, notes)
    first = _whole(ref, words[5], "first value") if len(words) > 5 else None
    checksum = _whole(ref, words[6], "checksum") if len(words) > 6 else None
    name = words[8].strip()[:80] if len(words) > 8 else f"signal {number + 1}"
    return SignalLine(words[0], packing, per_frame, skew, offset, gain, baseline, units, name, first, checksum)


def _gain(ref: Ref, word: str, zero: int, notes: list[str]) -> tuple[float, int, str]:
    form = _GAIN.fullmatch(word) if word else None
    if word and form is None:
        raise damaged(ref, "the gain of a lead is not a number.", "stored units per physical unit")
    gain = _number(ref, form.group(1), "gain") if form else 0.0
    baseline = int(form.group(2)) if form and form.group(2) else zero
    units = (form.group(3) if form else None) or "mV"
    if gain == 0 and spelled(units) == "mV":
        notes.append(
            f"a lead has no gain or gain 0: {DEFAULT_GAIN:g} per mV, as the WFDB standard says; not calibrated"
        )
    elif gain == 0:
        notes.append(f"a lead in {units[:20]} has gain 0: not calibrated, its values have no unit")
        units = ""
    return gain or DEFAULT_GAIN, baseline, units[:20]


def _renamed(signal: SignalLine, name: str) -> SignalLine:
    return signal if signal.name == name else replace(signal, name=name)


def _whole(ref: Ref, word: str, what: str) -> int:
    if not re.fullmatch(r"[-+]?\d{1,15}", word):
        raise damaged(ref, f"the {what} in its header is not a whole number.", "a WFDB header")
    return int(word)


def _number(ref: Ref, word: str, what: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise damaged(ref, f"the {what} in its header is not a number.", "a WFDB header")
    return value

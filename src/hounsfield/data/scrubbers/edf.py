"""EDF, EDF+ and BDF: patient and recording fields, texts of signals and annotations go; samples stay byte by byte."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hounsfield.core.errors import ReadError
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.order import ScrubOrder
from hounsfield.data.scrubbers.told import readable, told

SHIFT_DATES, KEEP_DEVICE, KEEP_CHARACTERISTICS = "shift-dates", "keep-device", "keep-characteristics"
MAX_BYTES = 4 << 30
_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()  # noqa: SIM905 - easier to read
_FIELDS = (
    ("label", 16), ("transducer", 80), ("unit", 8), ("low", 8), ("high", 8), ("digital low", 8), ("digital high", 8),
    ("filter", 80), ("samples", 8), ("reserved", 32),
)  # fmt: skip
_MARKS = re.compile(r"EDF\+[CD]|BDF\+[CD]|24BIT|BIOSEMI")
_FILTER = re.compile(r"(?i)(?:(?:(?:hp|lp|n|notch|bp|dc|ac|none|sub|hz|khz|mhz|tc|s)(?![a-z])|[:;,./\d\s()\-+])\s*)*")
_WORDS_OF_SENSORS = (
    "ag|agcl|gold|cup|active|passive|electrodes?|thermistor|thermocouple|belt|piezo|pulse|oximeter|spo2|snore|microphone|"
    "pressure|nasal|cannula|respiration|eeg|ecg|ekg|emg|eog|unknown|n/?a|stimulus|channel|triggers?|status|and|or"
)
_WORDS_OF_EVENTS = (
    "sleep|stage|lights?|on|off|movement|time|arousal|apnea|apnoea|hypopnea|hypopnoea|central|obstructive|mixed|seizure|"
    "onset|offset|spike|wave|artifact|artefact|eyes?|open|closed|rest|start|stop|end|begin|recording|rec|starts|ends|"
    "calibration|hyperventilation|photic|stimulation|stimulus|trigger|event|marker|beat|rem|nrem|wake|left|right|limb|"
    "desaturation|snore|bad|boundary|[a-z0-9?]{1,3}"
)
_TRANSDUCER = re.compile(rf"(?i)(?:(?:{_WORDS_OF_SENSORS})(?:[\s\-/,.()]+|$))*")
_EVENT = re.compile(rf"(?i)(?:(?:{_WORDS_OF_EVENTS})(?:[\s:;,.\-/()]+|$))+")
_NOTE = b"note"
_WORDED = ("label", "transducer", "unit", "filter")
_WORD, _LEAST = re.compile(r"[^\W_]+"), 4


def is_usual_event(text: str) -> bool:
    """Tell whether an annotation is of usual words alone (sleep stages, arousals), so that it tells of nobody."""
    return _EVENT.fullmatch(text) is not None


@dataclass(frozen=True)
class _Signal:
    label: str
    bytes_per_record: int


class EdfScrubber:
    """Replaces the patient by a pseudonym, shifts or clears the start, and writes unknown annotations as ``note``.

    Notes
    -----
    Onsets and durations of all annotations stay, and words of a closed list (sleep stages, stimuli, short codes). The
    patient is who the code in an EDF+ patient field names, else the whole field, else the file's name.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by version, header length and number of signals."""
        del name
        return (
            len(head) >= 256
            and (head[:8] == b"0       " or head[:8] == b"\xffBIOSEMI")
            and head[184:192].strip().isdigit()
            and head[252:256].strip().isdigit()
        )

    def scrub(self, source: Path, order: ScrubOrder) -> Scrubbed:
        """Return the recording without persons; raise ReadError where it is damaged."""
        if source.stat().st_size > MAX_BYTES:
            return Scrubbed(None, withheld="a recording of more than 4 GiB")
        data = bytearray(source.read_bytes())
        signals, start, record_bytes = _layout(data)
        texts: list[str] = []
        removed = ["patient", "recording"]
        patient, recording = _text(data, 8, 80), _text(data, 88, 80)
        plus = re.match(r"(?:EDF|BDF)\+", _text(data, 192, 44)) is not None
        code = patient.split(" ")[0] if plus else patient
        who = code if code.strip("X ") else (patient if patient.strip("X ") else source.stem)
        day = _start_day(_text(data, 168, 8), recording)
        moved = day + timedelta(days=order.pseudonyms.days(who)) if day and order.asks(SHIFT_DATES) else None
        identifiers = _identifying(patient, recording, day)
        _put(data, 8, 80, _patient_field(patient, order.pseudonyms.patient(who), order, plus=plus))
        _put(data, 88, 80, _recording_field(recording, moved, order, plus=plus))
        _put(data, 168, 8, f"{moved:%d.%m.%y}" if moved else "01.01.85")
        if moved is None:
            _put(data, 176, 8, "00.00.00")
            removed.append("start")
        mark = _MARKS.match(_text(data, 192, 44))
        texts.append(_text(data, 192, 44)[mark.end() if mark else 0 :])
        _put(data, 192, 44, mark[0] if mark else "")
        texts += _clean_signals(data, len(signals), telling=_words(identifiers))
        whole = (len(data) - start) // record_bytes * record_bytes + start if record_bytes else start
        if len(data) > whole:
            texts += readable(bytes(data[whole:]))
            del data[whole:]
            removed.append("bytes behind the end")
        notes = _clean_annotations(data, signals, start, record_bytes)
        if notes:
            removed.append("annotations")
        numbers, words = told([*texts, *notes])
        if any(t.strip() for t in texts):
            removed.append("texts of signals")
        return Scrubbed(bytes(data), removed=tuple(removed), identifiers=(*identifiers, *numbers), texts=words)


def _layout(data: bytearray) -> tuple[list[_Signal], int, int]:
    width = 3 if data[:1] == b"\xff" else 2
    try:
        start, count = int(_text(data, 184, 8)), int(_text(data, 252, 4))
        if not 0 <= count <= 10_000 or start < 256 * (count + 1) or start > len(data):
            raise ValueError
        labels = [_text(data, 256 + 16 * i, 16) for i in range(count)]
        at = 256 + count * sum(n for name, n in _FIELDS[:8])
        samples = [int(_text(data, at + 8 * i, 8)) for i in range(count)]
        if any(not 0 <= n <= 1 << 26 for n in samples):
            raise ValueError
    except ValueError as error:
        raise ReadError(
            "The EDF header is damaged.", expected="a whole EDF or BDF file", next_step="copy it again from its source"
        ) from error
    signals = [_Signal(label, width * n) for label, n in zip(labels, samples, strict=True)]
    return signals, start, sum(s.bytes_per_record for s in signals)


def _text(data: bytearray, at: int, length: int) -> str:
    return bytes(data[at : at + length]).decode("latin-1").strip(" \0")


def _put(data: bytearray, at: int, length: int, text: str) -> None:
    data[at : at + length] = text.encode("ascii", "replace")[:length].ljust(length)


def _start_day(field: str, recording: str) -> date | None:
    """Return the day of the start; the recording field of EDF+ has four digits of the year."""
    if m := re.match(r"Startdate (\d{1,2})-([A-Z]{3})-(\d{4})", recording):
        try:
            return date(int(m[3]), _MONTHS.index(m[2]) + 1, int(m[1]))
        except ValueError:
            pass
    if m := re.fullmatch(r"(\d\d)\.(\d\d)\.(\d\d)", field):
        year = int(m[3])
        try:
            return date(year + (1900 if year >= 85 else 2000), int(m[2]), int(m[1]))
        except ValueError:
            return None
    return None


def _patient_field(patient: str, pseudonym: str, order: ScrubOrder, *, plus: bool) -> str:
    parts = patient.split(" ")
    sex = parts[1] if plus and len(parts) > 1 and parts[1] in ("M", "F") and order.asks(KEEP_CHARACTERISTICS) else "X"
    return f"{pseudonym} {sex} X X" if plus else pseudonym


def _recording_field(recording: str, moved: date | None, order: ScrubOrder, *, plus: bool) -> str:
    if not plus:
        return ""
    day = f"{moved.day:02d}-{_MONTHS[moved.month - 1]}-{moved.year}" if moved else "X"
    parts = recording.split(" ")
    device = parts[4] if len(parts) > 4 and order.asks(KEEP_DEVICE) else "X"
    return f"Startdate {day} X X {device}"


def _identifying(patient: str, recording: str, day: date | None) -> tuple[str, ...]:
    """Return the sub-fields that name someone, underscores as spaces; the scanner knows sexes."""
    parts = [p.replace("_", " ") for p in patient.split(" ") if p.strip("X")]
    admin = [p.replace("_", " ") for p in recording.removeprefix("Startdate").split(" ")[:4] if p.strip("X")]
    whole = [day.isoformat()] if day else []
    return tuple(dict.fromkeys([patient, *parts, *admin, *whole]))


def _words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(w.casefold() for t in texts for w in _WORD.findall(t) if len(w) >= _LEAST)


def _clean_signals(data: bytearray, count: int, *, telling: frozenset[str]) -> list[str]:
    """Clear what is no usual word in transducers and filters, the reserved fields, and names in the rest.

    Returns what went. `telling` are words of the patient and the recording, folded.
    """
    gone, at = [], 256
    for name, length in _FIELDS:
        for number in range(count):
            place = at + number * length
            text = _text(data, place, length)
            usual = {"transducer": _TRANSDUCER, "filter": _FILTER}.get(name)
            named = name in _WORDED and not _words([text]).isdisjoint(telling)
            if name == "reserved" or named or (usual is not None and not usual.fullmatch(text)):
                _put(data, place, length, f"signal {number + 1}" if name == "label" else "")
                gone.append(text)
        at += length * count
    return gone


def _clean_annotations(data: bytearray, signals: list[_Signal], start: int, record_bytes: int) -> list[str]:
    """Write every text of time-stamped annotation lists that is no usual word as ``note``; return what went."""
    gone: list[str] = []
    places, at = [], 0
    for signal in signals:
        if signal.label in ("EDF Annotations", "BDF Annotations"):
            places.append((at, signal.bytes_per_record))
        at += signal.bytes_per_record
    for record in range(start, len(data), record_bytes or len(data)):
        for offset, length in places:
            low = record + offset
            block = bytes(data[low : low + length])
            made = b"\0".join(_clean_list(part, gone) for part in block.rstrip(b"\0").split(b"\0"))
            data[low : low + length] = made[:length].ljust(length, b"\0")
    return gone


def _clean_list(part: bytes, gone: list[str]) -> bytes:
    head, *notes = part.split(b"\x14")
    if not re.fullmatch(rb"[+-][\d.]+(?:\x15[\d.]+)?|", head):
        gone += readable(part)
        return b""
    made = []
    for note in notes:
        text = note.decode("utf-8", "replace")
        if not text or is_usual_event(text):
            made.append(note)
        else:
            gone.append(text)
            made.append(_NOTE[: len(note)])
    return b"\x14".join([head, *made])

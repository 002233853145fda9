"""EDF, EDF+ and BDF: fixed headers of ASCII, then data records; time-stamped annotation lists among the signals."""

import bisect
import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.types import Float32Array, Float64Array
from hounsfield.data.files import inside
from hounsfield.data.signal.windows import check_size, chosen_leads, damaged, unlike, window_of
from hounsfield.data.table import plain_text

MAX_SIGNALS = 4096
MAX_RECORD_BYTES = 64 << 20
EDF_ANNOTATIONS = ("edf annotations", "bdf annotations")
HELD_FROM = 8
"""A lead so many times slower than the fastest is a reading, which is held until the next, and no wave."""
HALF = 0.5001
"""A data record begins at the nearest sample; of those that follow each other all are rounded the same way."""
MOST_KEPT = 16
"""Files whose headers and times are kept: each is read for thousands of windows."""


@dataclass(frozen=True)
class EdfAnnotation:
    """One mark of an EDF+ file.

    Parameters
    ----------
    onset_s, duration_s : float
        Seconds since the first sample; a duration of 0 where none is told.
    text : str
    """

    onset_s: float
    duration_s: float
    text: str = field(repr=False)


class EdfReader:
    """Reads EDF, EDF+ (continuous and interrupted) and BDF files by window.

    Notes
    -----
    Leads of different rates are brought to the fastest one's. A lead that is slower by a whole factor, or by 8 and
    more, holds each value until the next; the others are joined by straight lines, which look one sample of the lead
    ahead. One lead alone comes at its own rate.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the version field: ``0`` and blanks, or 255 and ``BIOSEMI``."""
        return (head[:8] == b"0       " and len(head) >= 256) or head[:8] == b"\xffBIOSEMI"

    def header(self, cohort: Cohort, ref: Ref) -> SignalHeader:
        """Return leads, units, rate and length from the header."""
        file = _open(cohort, ref)
        rows = chosen_leads(ref, [s.name for s in file.lines])
        finer = file.finer(rows)
        return SignalHeader(
            tuple(file.lines[r].name for r in rows),
            tuple(file.lines[r].unit for r in rows),
            file.slots() * finer,
            finer / file.record_s,
            file.kind,
            file.size,
            (*file.notes, *file.told_rates(rows)),
        )

    def read(self, cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        """Return a window; where a recording was interrupted there is NaN."""
        file = _open(cohort, ref)
        rows = chosen_leads(ref, [s.name for s in file.lines])
        finer = file.finer(rows)
        begin, end = window_of(ref, file.slots() * finer, start, stop)
        check_size(ref, len(rows), end - begin)
        first, last = begin // finer, -(-end // finer)
        array = np.full((len(rows), (last - first) * finer), np.nan, np.float32)
        with file.opened() as stream:
            for slot, record in file.records_in(first, last):
                values = file.record(stream, record, rows, finer)
                at = math.floor(slot * finer + HALF) - first * finer
                a, b = max(0, at), min(array.shape[1], at + finer)
                if a < b:
                    array[:, a:b] = values[:, a - at : b - at]
        return Signal(
            np.ascontiguousarray(array[:, begin - first * finer : end - first * finer]),
            tuple(file.lines[r].name for r in rows),
            tuple(file.lines[r].unit for r in rows),
            rate_hz=finer / file.record_s,
            start_s=begin * file.record_s / finer,
        )


def edf_annotations(cohort: Cohort, ref: Ref, *, records: int | None = None) -> tuple[EdfAnnotation, ...]:
    """Return the annotations of an EDF+ file in order of time, without the time keeping of each record.

    Parameters
    ----------
    cohort : Cohort
    ref : Ref
    records : int, optional
        How many data records are looked at, from the first one on; else all.

    Raises
    ------
    ReadError
        If the file cannot be read or a list of annotations is not one.
    """
    file = _open(cohort, ref)
    with file.opened() as stream:
        count = min(file.records, file.records if records is None else records) if file.tals else 0
        lists = (data for record in range(count) for data in file.annotation_bytes(stream, record))
        marks = [a for data in lists for a in _tal(data, ref)]
    begin = marks[0].onset_s if marks else 0.0
    found = [EdfAnnotation(a.onset_s - begin, a.duration_s, a.text) for a in marks if a.text]
    return tuple(sorted(found, key=lambda a: a.onset_s))


@dataclass(frozen=True)
class _Line:
    name: str
    unit: str
    gain: float
    offset: float
    samples: int
    at: int


@dataclass(frozen=True)
class _File:
    path: Path
    ref: Ref
    kind: str
    record_s: float
    records: int
    head_bytes: int
    record_bytes: int
    width: int
    lines: tuple[_Line, ...]
    tals: tuple[_Line, ...]
    onsets: tuple[float, ...] | None
    size: int
    notes: tuple[str, ...]

    def finer(self, rows: list[int]) -> int:
        """Return samples in a data record at the rate of the fastest of some leads."""
        return max(self.lines[r].samples for r in rows)

    def told_rates(self, rows: list[int]) -> tuple[str, ...]:
        """Return in one clause which leads have which rates, where they differ."""
        names: dict[int, list[str]] = {}
        for line in (self.lines[r] for r in rows):
            names.setdefault(line.samples, []).append(line.name)
        if len(names) < 2:
            return ()
        shown = [
            f"{n / self.record_s:g} Hz ({', '.join(own[:4])}{f' and {len(own) - 4} more' if len(own) > 4 else ''})"
            for n, own in sorted(names.items(), reverse=True)[:6]
        ]
        return (f"leads have different rates, {', '.join(shown)}: all are brought to the fastest",)

    def slots(self) -> int:
        """Return the length in data records, gaps counted."""
        if self.onsets is None:
            return self.records
        return max(1, math.ceil(round(self.onsets[-1] / self.record_s, 6)) + 1)

    def records_in(self, first: int, last: int) -> Iterator[tuple[float, int]]:
        """Give place (in records' lengths, gaps counted) and number of each record that touches a stretch."""
        if self.onsets is None:
            yield from ((float(i), i) for i in range(first, min(last, self.records)))
            return
        for number in range(bisect.bisect_right(self.onsets, (first - 1) * self.record_s), len(self.onsets)):
            slot = self.onsets[number] / self.record_s
            if slot >= last:
                return
            yield slot, number

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open the file once for all that is read of it."""
        try:
            stream = self.path.open("rb")
        except OSError as error:
            raise damaged(self.ref, "the file cannot be read.", "a readable file") from error
        with stream:
            yield stream

    def _bytes(self, stream: BinaryIO, record: int, line: _Line, *, samples: int | None = None) -> bytes:
        count = (line.samples if samples is None else samples) * self.width
        try:
            stream.seek(self.head_bytes + record * self.record_bytes + line.at)
            data = stream.read(count)
        except OSError as error:
            raise damaged(self.ref, "the file cannot be read.", "a readable file") from error
        if len(data) < count:
            raise damaged(self.ref, "the file ends too early.", "whole data records")
        return data

    def record(self, stream: BinaryIO, number: int, rows: list[int], finer: int) -> Float32Array:
        """Return one data record, ``l t``, in units, at the fastest lead's rate."""
        result = np.empty((len(rows), finer), np.float32)
        for i, row in enumerate(rows):
            line = self.lines[row]
            values = self._scaled(self._bytes(stream, number, line), line)
            if finer % line.samples == 0:
                result[i] = np.repeat(values, finer // line.samples)
            elif finer >= HELD_FROM * line.samples:
                result[i] = values[np.arange(finer) * line.samples // finer]
            else:
                behind = values[-1:]
                if self._follows(number):
                    behind = self._scaled(self._bytes(stream, number + 1, line, samples=1), line)
                places = np.arange(finer) * (line.samples / finer)
                result[i] = np.interp(places, np.arange(line.samples + 1), np.concatenate([values, behind]))
        return result

    def _scaled(self, data: bytes, line: _Line) -> Float32Array:
        return (_integers(data, self.width) * line.gain + line.offset).astype(np.float32)

    def _follows(self, number: int) -> bool:
        """Tell whether another data record follows one without a gap."""
        if number + 1 >= self.records:
            return False
        return self.onsets is None or self.onsets[number + 1] - self.onsets[number] <= self.record_s * 1.001

    def annotation_bytes(self, stream: BinaryIO, record: int) -> list[bytes]:
        """Return the lists of annotations of one data record."""
        return [self._bytes(stream, record, line) for line in self.tals]


def _integers(data: bytes, width: int) -> Float64Array:
    if width == 2:
        return np.frombuffer(data, "<i2").astype(np.float64)
    three = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int32)
    values = three[:, 0] | three[:, 1] << 8 | three[:, 2] << 16
    return ((values ^ (1 << 23)) - (1 << 23)).astype(np.float64)


_FIELDS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
"""Widths of label, transducer, unit, physical and digital extremes, filters, samples, reserved."""


_KEPT: dict[tuple[str, str], tuple[tuple[int, int, bytes], _File]] = {}


def _open(cohort: Cohort, ref: Ref) -> _File:
    """Return what the header says and when data records begin, read anew only where header, size or time changed."""
    path = inside(Path(cohort.root), ref.path)
    try:
        about = path.stat()
        with path.open("rb") as stream:
            fixed = stream.read(256)
            if len(fixed) < 256:
                raise damaged(ref, "the file ends in its header.", "an EDF header of 256 bytes and more")
            count = _whole(fixed[252:256], "number of signals", ref)
            if not 0 < count <= MAX_SIGNALS:
                raise damaged(ref, f"its header promises {count} leads.", f"1 to {MAX_SIGNALS}")
            rest = stream.read(256 * count)
    except OSError as error:
        raise damaged(ref, f"the file cannot be opened ({error.strerror}).", "a readable file") from error
    if len(rest) < 256 * count:
        raise damaged(ref, "the file ends in its header.", "256 bytes of header for each lead")
    key, state = (cohort.root, ref.path), (about.st_size, about.st_mtime_ns, fixed + rest)
    kept = _KEPT.get(key)
    if kept is not None and kept[0] == state:
        return kept[1]
    found = _parsed(path, ref, fixed, rest, size=about.st_size)
    while len(_KEPT) >= MOST_KEPT:
        _KEPT.pop(next(iter(_KEPT), key), None)
    _KEPT[key] = (state, found)
    return found


def _parsed(path: Path, ref: Ref, fixed: bytes, rest: bytes, *, size: int) -> _File:
    count = len(rest) // 256
    bdf = fixed[:1] == b"\xff"
    reserved = fixed[192:236].decode("latin-1").strip()
    width = 3 if bdf else 2
    columns = _columns(rest, count)
    samples = [_whole(c, "samples in a record", ref) for c in columns[8]]
    if any(n < 1 for n in samples):
        raise damaged(ref, "a lead has no samples in its records.", "at least one")
    record_bytes = sum(samples) * width
    if record_bytes > MAX_RECORD_BYTES:
        raise damaged(ref, "its data records are too large.", f"at most {MAX_RECORD_BYTES >> 20} MiB")
    head_bytes = 256 * (count + 1)
    held = (size - head_bytes) // record_bytes
    notes: list[str] = []
    records = _records(_whole(fixed[236:244], "number of records", ref), held, notes)
    record_s = _number(fixed[244:252], "length of a record", ref)
    if not records:
        raise damaged(ref, "it holds no data record.", "at least one")
    lines, tals = _lines(columns, samples, width, ref, notes)
    if not lines:
        raise damaged(ref, "it has annotations but no lead.", "at least one lead")
    if not record_s > 0:
        raise damaged(ref, f"its data records last {record_s:g} s.", "a positive length", "correct the header")
    kind = ("BDF" if bdf else "EDF") + ("+" if reserved[:5] in ("EDF+C", "EDF+D", "BDF+C", "BDF+D") else "")
    plain = _File(
        path, ref, kind, record_s, records, head_bytes, record_bytes, width, lines, tals, None, size, tuple(notes)
    )
    if reserved[3:5] != "+D" or not tals:
        return plain
    return _interrupted(plain)


def _interrupted(file: _File) -> _File:
    onsets: list[float] = []
    with file.opened() as stream:
        for number in range(file.records):
            first = next(iter(_tal(file.annotation_bytes(stream, number)[0], file.ref)), None)
            if first is None:
                raise damaged(file.ref, "a data record does not tell its time.", "a time-keeping annotation in each")
            onsets.append(first.onset_s)
    relative = tuple(o - onsets[0] for o in onsets)
    if any(b - a < file.record_s * 0.999 for a, b in itertools.pairwise(relative)):
        raise damaged(file.ref, "its data records run backwards or over each other.", "rising times")
    if relative[-1] / file.record_s > 1e9:
        raise damaged(file.ref, "its data records lie too far apart.", "one recording")
    gaps = sum(b - a > file.record_s * 1.001 for a, b in itertools.pairwise(relative))
    notes = (*file.notes, f"interrupted {gaps} times: NaN in between") if gaps else file.notes
    return replace(file, onsets=relative, notes=notes)


def _columns(rest: bytes, count: int) -> list[list[bytes]]:
    result, at = [], 0
    for width in _FIELDS:
        result.append([rest[at + i * width : at + (i + 1) * width] for i in range(count)])
        at += width * count
    return result


def _records(told: int, held: int, notes: list[str]) -> int:
    if told < 0:
        notes.append("the header does not tell the number of data records: as many as the file holds")
        return held
    if held < told:
        notes.append(f"the header promises {told} data records, the file holds {held}: read as far as it goes")
    elif held > told > 0:
        notes.append(f"the header tells of {told} data records, the file holds {held}: what follows is not read")
    return min(told, held)


def _lines(
    columns: list[list[bytes]], samples: list[int], width: int, ref: Ref, notes: list[str]
) -> tuple[tuple[_Line, ...], tuple[_Line, ...]]:
    lines: list[_Line] = []
    tals: list[_Line] = []
    names = [_text(c) for c in columns[0]]
    titles = unlike([n or f"signal {i + 1}" for i, n in enumerate(names)])
    at, plain = 0, 0
    for i, name in enumerate(names):
        if name.casefold() in EDF_ANNOTATIONS:
            tals.append(_Line(name, "", 1, 0, samples[i], at))
        else:
            low, high = (_number(columns[c][i], "physical extreme", ref) for c in (3, 4))
            least, most = (_whole(columns[c][i], "digital extreme", ref) for c in (5, 6))
            unit = _text(columns[2][i])
            if least == most or low == high:
                low, high, least, most, unit = 0.0, 1.0, 0, 1, ""
                plain += 1
            gain = (high - low) / (most - least)
            lines.append(_Line(titles[i], unit, gain, low - gain * least, samples[i], at))
        at += samples[i] * width
    if plain:
        which = f"{plain} of {len(lines)} leads have" if len(lines) > 1 else "its lead has"
        notes.append(f"{which} no calibration (equal extremes): stored values without a unit")
    return tuple(lines), tuple(tals)


def _text(cell: bytes) -> str:
    """Return a label or a unit: ASCII by the standard, UTF-8 or Latin-1 by habit, filled up with blanks or zeros."""
    return plain_text(cell.replace(b"\0", b" ").strip()).strip()


def _tal(data: bytes, ref: Ref) -> Iterator[EdfAnnotation]:
    """Give the annotations of one list; the first of a record has an empty text."""
    for entry in data.split(b"\0"):
        if not entry:
            continue
        times, _, texts = entry.partition(b"\x14")
        onset, _, duration = times.partition(b"\x15")
        try:
            at, lasts = float(onset), float(duration) if duration else 0.0
        except ValueError:
            at = math.nan
        if onset[:1] not in (b"+", b"-") or not math.isfinite(at) or not math.isfinite(lasts):
            raise damaged(ref, "a list of annotations is not one.", "onset, duration, texts")
        found = [t.decode("utf-8", "replace") for t in texts.split(b"\x14")]
        for text in found[:-1] if len(found) > 1 else found:
            yield EdfAnnotation(at, lasts, text)


def _number(cell: bytes, what: str, ref: Ref) -> float:
    try:
        value = float(cell.replace(b"\0", b" ").decode("latin-1").strip().replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise damaged(ref, f"the {what} in its header is not a number.", "an EDF header")
    return value


def _whole(cell: bytes, what: str, ref: Ref) -> int:
    value = _number(cell, what, ref)
    if value != round(value):
        raise damaged(ref, f"the {what} in its header is not a whole number.", "an EDF header")
    return round(value)

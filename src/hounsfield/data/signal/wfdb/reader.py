"""The reader of WFDB records, in one piece or in segments."""

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.types import Float32Array
from hounsfield.core.units import conversion
from hounsfield.data.files import inside
from hounsfield.data.signal.wfdb.header import RecordText, SignalLine, in_units, parse_header
from hounsfield.data.signal.wfdb.samples import Part, parts_of, stored, window
from hounsfield.data.signal.windows import check_size, chosen_leads, damaged, window_of

CHUNK_FRAMES = 1 << 16
MAX_FINER = 1000
"""Most samples a frame may be divided into where leads have different rates."""
PADDED = 3
"""Frames that may stand behind a record only since its format stores several samples together."""
MOST_KEPT, MOST_FILES, MOST_TEXT = 16, 64, 1 << 16
"""Records that are kept parsed, of so many files and bytes of headers at most: each is read for thousands of beats."""


class WfdbReader:
    """Reads a record by its ``.hea`` file; the signal files lie beside it."""

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the record line, and by the name: text alone could be anything."""
        if not name.lower().endswith(".hea"):
            return False
        lines = [s for s in head.split(b"\n") if s.strip() and not s.startswith(b"#")]
        return bool(lines and re.match(rb"\s*[\w.~-]+(/\d+)?\s+\d+(\s|$)", lines[0]))

    def header(self, cohort: Cohort, ref: Ref) -> SignalHeader:
        """Return leads, units, rate and length from the header and the sizes of the files."""
        record = _open(cohort, ref)
        rows = chosen_leads(ref, [s.name for s in record.lines])
        return SignalHeader(
            tuple(record.lines[r].name for r in rows),
            tuple(record.lines[r].units for r in rows),
            record.frames * record.finer(rows),
            record.frames_hz * record.finer(rows),
            "WFDB",
            record.bytes,
            record.notes,
        )

    def read(self, cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        """Return a window; only the bytes that hold it are read."""
        record = _open(cohort, ref)
        rows = chosen_leads(ref, [s.name for s in record.lines])
        finer = record.finer(rows)
        begin, end = window_of(ref, record.frames * finer, start, stop)
        check_size(ref, len(rows), end - begin)
        first, last = begin // finer, -(-end // finer)
        pieces = [record.piece(s, a, b, rows) for s, a, b in record.within(first, last)]
        array = np.concatenate(pieces, axis=1)[:, begin - first * finer : end - first * finer]
        return Signal(
            np.ascontiguousarray(array),
            tuple(record.lines[r].name for r in rows),
            tuple(record.lines[r].units for r in rows),
            rate_hz=record.frames_hz * finer,
            start_s=begin / (record.frames_hz * finer),
        )


def checksum_faults(cohort: Cohort, ref: Ref) -> tuple[str, ...]:
    """Return the names of leads whose samples do not add up to what the header says, reading in constant memory.

    Parameters
    ----------
    cohort : Cohort
    ref : Ref
        A record in one piece, or one segment.

    Notes
    -----
    A sum of samples modulo 65536 finds most damage. Files that were shortened without correcting their header are
    common, so that a wrong sum alone is told and does not make a record unreadable.
    """
    record = _open(cohort, ref)
    faults: list[str] = []
    for segment in record.segments:
        for part in segment.parts:
            sums = np.zeros(len(part.lines), np.int64)
            frames = min(segment.frames, part.frames)
            for at in range(0, frames, CHUNK_FRAMES):
                block = stored(part, at, min(frames, at + CHUNK_FRAMES), ref).astype(np.int64)
                edges = np.cumsum([0, *(s.per_frame for s in part.lines)])
                sums += [int(block[:, a:b].sum()) for a, b in itertools.pairwise(edges)]
            for line, total in zip(part.lines, sums, strict=True):
                # 0 is what is written where none was computed
                if line.checksum and (int(total) - line.checksum) % 65536:
                    faults.append(line.name)
    return tuple(dict.fromkeys(faults))


@dataclass(frozen=True)
class _Segment:
    lines: tuple[SignalLine, ...]
    parts: tuple[Part, ...]
    start: int
    frames: int
    unlike: frozenset[str] = frozenset()
    """Leads that cannot be brought to the record's unit."""


@dataclass(frozen=True)
class _Record:
    ref: Ref
    frames_hz: float
    frames: int
    lines: tuple[SignalLine, ...]
    segments: tuple[_Segment, ...]
    bytes: int
    notes: tuple[str, ...]
    heads: tuple[Path, ...]

    def finer(self, rows: list[int]) -> int:
        """Return into how many samples a frame is divided, so that every lead fits."""
        names = {self.lines[r].name for r in rows}
        counts = {s.per_frame for part in self.segments for s in part.lines if s.name in names} or {1}
        finest = math.lcm(*counts)
        if finest > MAX_FINER:
            raise damaged(
                self.ref, "the rates of its leads do not fit each other.", "rates with small common multiples"
            )
        return finest

    def within(self, first: int, last: int) -> Iterator[tuple[_Segment, int, int]]:
        """Give each segment that a window of frames touches, and the frames of it."""
        for segment in self.segments:
            a, b = max(first, segment.start), min(last, segment.start + segment.frames)
            if a < b:
                yield segment, a - segment.start, b - segment.start

    def piece(self, segment: _Segment, start: int, stop: int, rows: list[int]) -> Float32Array:
        """Return the frames of one segment, its leads in the record's order and units; NaN where it lacks one."""
        finer = self.finer(rows)
        place = {line.name: i for i, line in enumerate(segment.lines) if line.name not in segment.unlike}
        found = [place.get(self.lines[r].name) for r in rows]
        wanted = [i for i in found if i is not None]
        values = window(segment.parts, len(segment.lines), (start, stop), self.ref, per_frame=finer, rows=wanted)
        gap = np.full((stop - start) * finer, np.nan, np.float32)
        return np.stack([gap if i is None else values[i] for i in found])


_State = tuple[bytes, ...]
_KEPT: dict[tuple[str, str], tuple[_State, _Record]] = {}


def _open(cohort: Cohort, ref: Ref) -> _Record:
    """Return the record, parsed again only where a header is not what it was, or a file is not as long."""
    key = (cohort.root, ref.path)
    kept = _KEPT.get(key)
    if kept is not None and kept[0] == _state(kept[1]):
        return kept[1]
    record = _parsed(cohort, ref)
    state = _state(record)
    if state:
        while len(_KEPT) >= MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)), None)
        _KEPT[key] = (state, record)
    return record


def _state(record: _Record) -> _State:
    """Return all that parsing depends on: headers, and how long the files of samples are; nothing for a large one."""
    if len(record.heads) + sum(len(s.parts) for s in record.segments) > MOST_FILES:
        return ()
    try:
        if sum(path.stat().st_size for path in record.heads) > MOST_TEXT:
            return ()
        sizes = [str(part.path.stat().st_size).encode() for s in record.segments for part in s.parts]
        return (*(path.read_bytes() for path in record.heads), *sizes)
    except OSError:
        return ()


def _parsed(cohort: Cohort, ref: Ref) -> _Record:
    root = Path(cohort.root)
    folder = ref.path[: ref.path.rfind("/") + 1]
    head = inside(root, ref.path)
    text = parse_header(head, ref)
    notes = list(text.notes)
    segments: tuple[_Segment, ...]
    if not text.segments:
        segment = _single(root, folder, text, ref, notes)
        segments, lines = (segment,), segment.lines
    else:
        segments, lines = _several(root, folder, text, ref, notes)
    frames = sum(s.frames for s in segments)
    if text.segments and text.frames is not None and text.frames != frames:
        notes.append(f"the header promises {text.frames} frames, its segments hold {frames}")
    if not frames:
        raise damaged(ref, "it holds no samples.", "at least one sample")
    size = sum(p.bytes for s in segments for p in s.parts)
    heads = (head, *(root / f"{folder}{name}.hea" for name, _ in text.segments if name != "~"))
    told = tuple(dict.fromkeys(notes))
    return _Record(ref, text.frames_hz, frames, lines, segments, size, told, tuple(dict.fromkeys(heads)))


def _single(root: Path, folder: str, text: RecordText, ref: Ref, notes: list[str]) -> _Segment:
    parts = parts_of(root, folder, text, ref)
    held = min((p.frames for p in parts), default=0)
    if text.frames is not None and held < text.frames:
        notes.append(f"the header promises {text.frames} frames, the file holds {held}: read as far as it goes")
    elif text.frames is not None and held > text.frames + PADDED:
        notes.append(f"the header tells of {text.frames} frames, the file holds {held}: what follows is not read")
    return _Segment(text.signals, parts, 0, held if text.frames is None else min(held, text.frames))


def _several(
    root: Path, folder: str, text: RecordText, ref: Ref, notes: list[str]
) -> tuple[tuple[_Segment, ...], tuple[SignalLine, ...]]:
    """Return the segments and the leads: those of the layout segment (length 0), or all that occur."""
    texts = _segment_texts(root, folder, text, ref)
    first, length = text.segments[0]
    layout = texts.get(first) if length == 0 else None
    lines: dict[str, SignalLine] = {}
    for line in layout.signals if layout else (s for found in texts.values() for s in found.signals):
        lines.setdefault(line.name, line)
    units = {name: _unit(name, text, texts) for name in lines}
    segments: list[_Segment] = []
    known: dict[str, _Segment] = {}
    start = 0
    for number, (name, length) in enumerate(text.segments):
        if name == "~" or (layout and number == 0):
            segments.append(_Segment(layout.signals if layout and not number else (), (), start, length))
        else:
            if name not in known:
                notes.extend(texts[name].notes)
                inner, unlike = in_units(texts[name], units)
                notes.extend(f"a segment has {n} in another unit: it is a gap there" for n in sorted(unlike))
                known[name] = replace(_single(root, folder, inner, ref, notes), unlike=unlike)
            segments.append(replace(known[name], start=start, frames=length))
            _told_short(known[name], length, notes)
        start += length
    return tuple(segments), tuple(replace(line, units=units[name]) for name, line in lines.items())


def _segment_texts(root: Path, folder: str, text: RecordText, ref: Ref) -> dict[str, RecordText]:
    """Return the header of each segment by its name, in order."""
    found: dict[str, RecordText] = {}
    for name, _ in text.segments:
        if name == "~" or name in found:
            continue
        inner = parse_header(inside(root, f"{folder}{name}.hea"), ref)
        if inner.segments:
            raise damaged(ref, "a segment of it is in segments itself.", "segments in one piece")
        if not math.isclose(inner.frames_hz, text.frames_hz):
            raise damaged(ref, "a segment of it has another rate.", "one rate for all segments")
        found[name] = inner
    return found


def _unit(lead: str, text: RecordText, texts: Mapping[str, RecordText]) -> str:
    """Return the unit of a lead in which most frames can be told: the first of equals, so the layout's own."""
    held: dict[str, int] = {}
    for name, length in text.segments:
        for line in texts[name].signals if name in texts else ():
            if line.name == lead:
                held[line.units] = held.get(line.units, 0) + length
    told = [unit for unit in held if unit] or [""]
    return max(told, key=lambda unit: sum(n for own, n in held.items() if own and conversion(own, unit) is not None))


def _told_short(found: _Segment, length: int, notes: list[str]) -> None:
    if found.frames < length:
        notes.append(f"a segment of {length} frames holds {found.frames}: the rest is a gap")

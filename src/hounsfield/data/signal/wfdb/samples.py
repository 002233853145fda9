"""A window of one segment of a WFDB record, decoded from the bytes that hold it and no others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Ref
from hounsfield.core.types import AnyArray, Float32Array
from hounsfield.data.files import inside
from hounsfield.data.signal.wfdb.formats import PACKINGS, Int32Array
from hounsfield.data.signal.wfdb.header import RecordText, SignalLine
from hounsfield.data.signal.windows import damaged


@dataclass(frozen=True)
class Part:
    """The leads of a segment that lie in one file, in their order inside each frame.

    Parameters
    ----------
    path : pathlib.Path
    lines : tuple of SignalLine
    rows : tuple of int
        Which leads of the segment they are.
    frames : int
        Whole frames that the file really holds.
    bytes : int
        Size of the file.
    """

    path: Path
    lines: tuple[SignalLine, ...]
    rows: tuple[int, ...]
    frames: int
    bytes: int

    @property
    def per_frame(self) -> int:
        """Samples of all its leads in one frame."""
        return sum(s.per_frame for s in self.lines)


def parts_of(root: Path, folder: str, text: RecordText, ref: Ref) -> tuple[Part, ...]:
    """Return the files of a segment.

    Raises
    ------
    ReadError
        If a file is missing, or its leads contradict each other.
    """
    files: dict[str, list[int]] = {}
    for row, line in enumerate(text.signals):
        if line.packing and line.file != "~":
            files.setdefault(line.file, []).append(row)
    return tuple(_part(root, folder, rows, text, ref) for rows in files.values())


def _part(root: Path, folder: str, rows: list[int], text: RecordText, ref: Ref) -> Part:
    lines = tuple(text.signals[r] for r in rows)
    if len({s.packing for s in lines}) > 1:
        raise damaged(ref, "leads in one file are stored in different formats.", "one format for each file")
    path = inside(root, f"{folder}{lines[0].file}")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise damaged(
            ref,
            f"the file of its samples is missing ({error.strerror}).",
            "the .dat file beside the .hea file",
            "copy the .dat file too, or leave the record out",
        ) from error
    packing = PACKINGS[lines[0].packing]
    per_frame = sum(s.per_frame for s in lines)
    held = packing.samples_in(max(0, size - lines[0].offset)) // per_frame
    return Part(path, lines, tuple(rows), held, size)


def stored(part: Part, start: int, stop: int, ref: Ref) -> Int32Array:
    """Return the samples of a file in some frames, ``frame sample``, as they are stored.

    Raises
    ------
    ReadError
        If the file is shorter than it was, or cannot be read.
    """
    packing = PACKINGS[part.lines[0].packing]
    first, end = start * part.per_frame, stop * part.per_frame
    unit, last = first // packing.samples, -(-end // packing.samples)
    try:
        with part.path.open("rb") as stream:
            stream.seek(part.lines[0].offset + unit * packing.bytes)
            raw = stream.read((last - unit) * packing.bytes)
    except (OSError, OverflowError) as error:
        raise damaged(ref, "the file of its samples cannot be read.", "a readable file") from error
    if packing.samples_in(len(raw)) < end - unit * packing.samples:
        raise damaged(ref, "the file of its samples ends too early.", "as many samples as the header says")
    whole = np.frombuffer(raw + b"\0" * (-len(raw) % packing.bytes), np.uint8)
    skip = first - unit * packing.samples
    return packing.decode(whole)[skip : skip + end - first].reshape(stop - start, part.per_frame)


def physical(part: Part, frames: Int32Array, which: int, skewed: int) -> Float32Array:
    """Return one lead in its unit, ``frame * per_frame`` values, NaN where it was not recorded.

    Parameters
    ----------
    part : Part
    frames : numpy.ndarray
        What `stored` returned.
    which : int
        The lead's place in the file.
    skewed : int
        Frames at the beginning that belong to a time before (the lead is stored that much too late).
    """
    line = part.lines[which]
    at = sum(s.per_frame for s in part.lines[:which])
    values = frames[skewed:, at : at + line.per_frame].reshape(-1)
    result = ((values.astype(np.float64) - line.baseline) / line.gain).astype(np.float32)
    result[values == PACKINGS[line.packing].invalid] = np.nan
    return result


def window(
    parts: Sequence[Part], leads: int, span: tuple[int, int], ref: Ref, *, per_frame: int, rows: Sequence[int]
) -> Float32Array:
    """Return some leads of a segment in some frames, ``l t``, at the rate of `per_frame` samples a frame.

    A lead with fewer samples in each frame holds each of them until the next, as WFDB does.
    """
    start, stop = span
    result: AnyArray = np.full((leads, (stop - start) * per_frame), np.nan, np.float32)
    for part in parts:
        wanted = [i for i, row in enumerate(part.rows) if row in rows]
        if not wanted:
            continue
        late = max(part.lines[i].skew for i in wanted)
        end = min(stop + late, part.frames)
        if end <= start:
            continue
        frames = stored(part, start, end, ref)
        for i in wanted:
            line = part.lines[i]
            values = physical(part, frames, i, line.skew)[: (stop - start) * line.per_frame]
            held = np.repeat(values, per_frame // line.per_frame)
            result[part.rows[i], : len(held)] = held
    return np.asarray(result, np.float32)

"""Series of the UCR and aeon archives: arrays in ``.npz``, ``.ts`` and ``.tsv`` files; no rate, no units."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.types import AnyArray, Float32Array
from hounsfield.data.files import inside
from hounsfield.data.npz import npz_array, npz_arrays
from hounsfield.data.signal.columnar import cut
from hounsfield.data.signal.windows import damaged

MAX_BYTES = 1 << 30
_ARRAYS = re.compile(rb"X(_(train|test|val))?\.npy", re.IGNORECASE)


MOST_LEADS, LONGER = 64, 4
"""An array holds few leads that are much longer than many; else it is one of pictures."""


def is_turned(shape: tuple[int, ...]) -> bool:
    """Tell whether an array of series is ``n t l``, as networks of Keras want it, and not ``n l t``."""
    return len(shape) == 3 and 0 < shape[2] <= MOST_LEADS and shape[1] >= LONGER * shape[2]


def leads_and_steps(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many leads and steps each series of an array has: ``n t``, ``n l t`` or ``n t l``."""
    if len(shape) < 3:
        return 1, shape[-1]
    return (shape[2], shape[1]) if is_turned(shape) else (shape[1], shape[2])


class UcrArraysReader:
    """Reads one series of an ``.npz`` archive: parts ``array`` (``X_train``) and ``index``."""

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by a zip archive whose first array is called X, X_train, X_test or X_val."""
        return head[:4] == b"PK\x03\x04" and _ARRAYS.match(head[30:60]) is not None

    def header(self, cohort: Cohort, ref: Ref) -> SignalHeader:
        """Return the shape from the array's own header, without decoding."""
        path = inside(Path(cohort.root), ref.path)
        name, index = _which(ref)
        shapes = _shapes(path, ref)
        if name not in shapes:
            raise _no_array(ref)
        shape = shapes[name]
        _check(shape, index, ref)
        leads, steps = leads_and_steps(shape)
        return SignalHeader(_names(leads), ("",) * leads, steps, None, "NPZ", path.stat().st_size)

    def read(self, cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        """Return one series."""
        name, index = _which(ref)
        array = npz_array(inside(Path(cohort.root), ref.path), name)
        _check(array.shape, index, ref)
        if array.dtype.kind not in "fiub":
            raise damaged(ref, "the array does not hold numbers.", "an array of numbers")
        one = array[index].T if is_turned(array.shape) else array[index]
        row = np.array(np.atleast_2d(one), np.float32)
        return cut(Signal(row, _names(len(row)), ("",) * len(row)), ref, start, stop)


class TsReader:
    """Reads one series (part ``index``) of an aeon ``.ts`` file or a UCR ``.tsv`` file."""

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the ``@`` words of a .ts file, or by a first line of a label and many numbers."""
        if b"\0" in head:
            return False
        text = head.decode("utf-8", "replace")
        lines = [s for s in text.splitlines() if s.strip() and not s.startswith("#")]
        if not lines:
            return False
        if lines[0].lstrip().lower().startswith(("@problemname", "@timestamps", "@univariate")):
            return True
        cells = lines[0].split("\t")
        whole = cells[:-1] if text.count("\n") == 0 else cells
        return len(whole) > 3 and all(_is_number(c) for c in whole)

    def header(self, cohort: Cohort, ref: Ref) -> SignalHeader:
        """Return leads and length; the file is read for it."""
        path = inside(Path(cohort.root), ref.path)
        row = _one(path, ref)
        leads = len(row)
        return SignalHeader(_names(leads), ("",) * leads, row.shape[1], None, "TS", path.stat().st_size)

    def read(self, cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        """Return one series."""
        row = _one(inside(Path(cohort.root), ref.path), ref)
        return cut(Signal(row, _names(len(row)), ("",) * len(row)), ref, start, stop)


def series_labels(cohort: Cohort, ref: Ref) -> tuple[str, ...]:
    """Return the label of each series of a ``.ts`` or ``.tsv`` file, ``""`` where it has none."""
    return _read(inside(Path(cohort.root), ref.path), ref).labels


def all_series(cohort: Cohort, ref: Ref) -> tuple[Float32Array, ...]:
    """Return all series of a ``.ts`` or ``.tsv`` file, each ``l t``."""
    return _read(inside(Path(cohort.root), ref.path), ref).rows


@dataclass(frozen=True)
class _Series:
    rows: tuple[Float32Array, ...] = field(repr=False)
    labels: tuple[str, ...]


def _shapes(path: Path, ref: Ref) -> dict[str, tuple[int, ...]]:
    try:
        stat = path.stat()
    except OSError as error:
        raise damaged(ref, f"the file cannot be opened ({error.strerror}).", "a readable file") from error
    return _stored_shapes(path, (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=8)
def _stored_shapes(path: Path, _stamp: tuple[int, int]) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, (shape, _) in npz_arrays(path).items()}


def _which(ref: Ref) -> tuple[str, int]:
    parts = dict(ref.part)
    try:
        return str(parts["array"]), int(parts["index"])
    except (KeyError, ValueError):
        raise damaged(
            ref, "the ref does not say which series.", "parts array and index", "correct the cohort"
        ) from None


def _check(shape: tuple[int, ...], index: int, ref: Ref) -> None:
    if len(shape) not in (2, 3) or not 0 <= index < shape[0] or 0 in shape:
        raise damaged(
            ref, f"series {index} was asked of an array of shape {shape}.", "series x time, or series x leads x time"
        )


def _no_array(ref: Ref) -> ReadError:
    return damaged(ref, "the archive has no such array.", "an array of the archive", "correct the cohort")


def _names(leads: int) -> tuple[str, ...]:
    return ("x",) if leads == 1 else tuple(f"x{i + 1}" for i in range(leads))


def _one(path: Path, ref: Ref) -> Float32Array:
    series = _read(path, ref).rows
    try:
        index = int(dict(ref.part)["index"])
    except (KeyError, ValueError):
        raise damaged(ref, "the ref does not say which series.", "a part index", "correct the cohort") from None
    if not 0 <= index < len(series):
        raise damaged(ref, f"series {index} was asked of a file of {len(series)}.", "a series of the file")
    return series[index]


def _read(path: Path, ref: Ref) -> _Series:
    try:
        stat = path.stat()
    except OSError as error:
        raise damaged(ref, f"the file cannot be opened ({error.strerror}).", "a readable file") from error
    if stat.st_size > MAX_BYTES:
        raise damaged(ref, "the file is too large.", f"at most {MAX_BYTES >> 30} GiB")
    return _parsed(path, Ref(ref.reader, ref.path), (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=4)
def _parsed(path: Path, ref: Ref, _stamp: tuple[int, int]) -> _Series:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise damaged(ref, "the file is not text.", "a .ts or .tsv file") from error
    # blanks before a line are none of it, a tab is: there the label is missing
    lines = [s for line in text.splitlines() if (s := line.rstrip().lstrip(" ")) and not s.startswith(("#", "%"))]
    heads = [s for s in lines if s.startswith("@")]
    body = [s for s in lines if not s.startswith("@")]
    if not body:
        raise damaged(ref, "the file holds no series.", "a line for each series")
    if any(h.lower().split() == ["@timestamps", "true"] for h in heads):
        raise damaged(ref, "its series have time stamps, which is not read in this format.", "values only")
    if not heads:
        cells = [line.split("\t") if "\t" in line else re.split(r"[,\s]+", line) for line in body]
        rows = tuple(_row([c[1:]], i, ref) for i, c in enumerate(cells))
        return _Series(rows, tuple(c[0].strip() for c in cells))
    labelled = any(h.lower().split()[:2] in (["@classlabel", "true"], ["@targetlabel", "true"]) for h in heads)
    found: list[Float32Array] = []
    labels: list[str] = []
    for i, line in enumerate(body):
        leads = line.split(":")
        labels.append(leads.pop().strip() if labelled else "")
        found.append(_row([lead.split(",") for lead in leads], i, ref))
    return _Series(tuple(found), tuple(labels))


def _row(leads: list[list[str]], number: int, ref: Ref) -> Float32Array:
    lengths = {len(lead) for lead in leads}
    if len(lengths) != 1 or 0 in lengths:
        raise damaged(ref, f"the leads of series {number} have different lengths, or none.", "leads of one length")
    try:
        values: AnyArray = np.array(
            [[np.nan if c.strip() in ("?", "NaN", "") else float(c) for c in lead] for lead in leads]
        )
    except ValueError:
        raise damaged(ref, f"series {number} holds text where a number belongs.", "numbers") from None
    return np.asarray(values, np.float32)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

"""Measuring of signals: heart rate, variability, intervals, pressures, one row for each stretch of each record."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.bundle.atomic import write_bytes, write_json, write_text
from hounsfield.core.cohort import Cohort, Ref, Schema, SetAside
from hounsfield.core.errors import HounsfieldError, InputError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.data.files import list_files
from hounsfield.data.signal.readers import read_signal, signal_header, signal_reader_for
from hounsfield.workflow.feature_tables import beside, check_out, csv_bytes, parquet_bytes, reasons_text, rows_csv
from hounsfield.workflow.measure_cases import clause

if TYPE_CHECKING:
    import pyarrow

RECORDS = ("wfdb", "edf", "dicom-waveform")
"""Readers whose files say by themselves that they are records; a table of numbers is one only where it is named."""

WHOLE_S = 1860.0
"""A record up to so long is one stretch: half an hour, as the records of common archives, which run a little over."""

STRETCH_S = 300.0
"""Length of the stretches of longer ones: the five minutes of short-term variability (Task Force, Circulation 1996)."""

_KEY = b"hounsfield"


@dataclass(frozen=True)
class Stretch:
    """What was measured of one stretch of a record.

    Parameters
    ----------
    case : str
        The record, as the user's own files name it.
    start_s, duration_s : float
        Where it lies in the record.
    values : mapping of str to float
        Name with its unit to figure; NaN where it is not defined.
    missing : mapping of str to str
        Group of figures to the reason why it is not there.
    notes : tuple of str
        What the reader had to say.
    """

    case: str
    start_s: float
    duration_s: float
    values: Mapping[str, float] = field(repr=False)
    missing: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()


class SignalRecord(BaseModel):
    """How a table of stretches came about.

    Attributes
    ----------
    schema_version : int
    hounsfield, numpy, scipy : str
        Versions that computed it.
    source : str
        Where the records lay, relative to the table.
    every_s : float or None
        Length of the stretches that was asked for.
    apart : tuple of SetAside
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    hounsfield: str
    numpy: str
    scipy: str
    source: str
    every_s: float | None
    apart: tuple[SetAside, ...] = ()


@dataclass(frozen=True)
class MeasuredSignals:
    """Stretches by record and time, and how they came about."""

    rows: tuple[Stretch, ...] = field(repr=False)
    record: SignalRecord = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all figures."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.values))

    def table(self) -> "pyarrow.Table":
        """Return the rows as an Arrow table: what a row is, then a column for each figure, null where there is none."""
        import pyarrow as pa

        columns: dict[str, pa.Array] = {
            "case": pa.array([r.case for r in self.rows], pa.string()),
            "start_s": pa.array([r.start_s for r in self.rows], pa.float64()),
            "duration_s": pa.array([r.duration_s for r in self.rows], pa.float64()),
            "notes": pa.array(["; ".join(r.notes) for r in self.rows], pa.string()),
            "missing": pa.array([reasons_text(r.missing) for r in self.rows], pa.string()),
        }
        for name in self.names:
            values = np.array([r.values.get(name, np.nan) for r in self.rows], dtype=np.float64)
            columns[name] = pa.array(values, pa.float64(), mask=np.isnan(values))
        return pa.table(columns).replace_schema_metadata({_KEY: self.record.model_dump_json().encode()})


def holds_signals(source: Path) -> bool:
    """Tell whether a path is a record of signals, or a folder that holds one."""
    return next(iter(_places(source)), None) is not None if source.is_dir() else _reader(source, alone=True) is not None


def measure_signals(
    source: Path,
    *,
    out: Path | None = None,
    every_s: float | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> MeasuredSignals:
    """Measure every record of signals, stretch by stretch.

    Parameters
    ----------
    source : pathlib.Path
        A record (WFDB header, EDF, DICOM waveform, table of samples), or a folder that holds some.
    out : pathlib.Path or None
        Parquet file to write; CSV, record and what was set aside are written beside it.
    every_s : float or None
        Length of a stretch in seconds; None takes records up to half an hour whole and longer ones by five minutes.
        What remains at the end is a stretch of its own where it is at least half as long.
    threads : int or None
        How many records are measured side by side; None takes the machine's processors.
    progress : Progress

    Returns
    -------
    MeasuredSignals
        A record or stretch that fails is set aside with the reason. No record is in memory whole unless it is one
        stretch.

    Raises
    ------
    InputError
        If there is no record, none could be measured, or a length is not positive.
    RunExistsError
        If `out` exists.
    """
    if out is not None:
        check_out(out)
    if every_s is not None and not (np.isfinite(every_s) and every_s > 0):
        raise InputError(
            f"Stretches of {every_s:g} s were asked for.", expected="a positive length", next_step="correct --every"
        )
    root = source if source.is_dir() else source.parent
    cohort = Cohort(name=root.name, root=str(root), samples=(), schema=Schema())
    refs = list(_places(source)) if source.is_dir() else [(_reader(source, alone=True), source.name)]
    known = [Ref(reader, path) for reader, path in refs if reader is not None]
    if not known:
        raise InputError(
            f"{source.name} holds no record of signals.",
            expected="WFDB (.hea with its .dat), EDF or BDF, DICOM waveforms, or a table of samples named by itself",
            next_step="check the path, or convert the files",
        )
    rows: list[Stretch] = []
    apart: list[SetAside] = []
    with progress.step("Measuring", len(known)) as shown, ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for found, aside in pool.map(lambda ref: _of_record(cohort, ref, every_s), known):
            rows += found
            apart += aside
            shown.advance()
    if not rows:
        raise InputError(
            f"None of {len(known)} records could be measured: {apart[0].reason}.",
            expected="at least one record that can be read",
            next_step="look at the files",
        )
    measured = MeasuredSignals(tuple(rows), _record(source, out, every_s, apart))
    if out is not None:
        _write(measured, out)
    return measured


def stretches(samples: int, rate_hz: float | None, every_s: float | None) -> list[tuple[int, int]]:
    """Return begin and end, in samples, of the stretches of a record.

    Parameters
    ----------
    samples : int
        Length of the record.
    rate_hz : float or None
        Without a rate a record is one stretch.
    every_s : float or None
        As in `measure_signals`.
    """
    if rate_hz is None or (every_s is None and samples / rate_hz <= WHOLE_S):
        return [(0, samples)]
    length = max(1, round((every_s or STRETCH_S) * rate_hz))
    cuts = [(a, min(a + length, samples)) for a in range(0, samples, length)]
    short = len(cuts) > 1 and 2 * (cuts[-1][1] - cuts[-1][0]) < length
    return cuts[:-1] if short else cuts


def _reader(path: Path, *, alone: bool) -> str | None:
    found = signal_reader_for(path) if path.is_file() else None
    return found if alone or found in RECORDS else None


def _places(root: Path) -> Iterator[tuple[str, str]]:
    """Yield reader and path of every record of a folder; segments belong to the record that names them."""
    from hounsfield.data.signal.wfdb.header import parse_header

    files = list_files(root)
    named = [(reader, path) for path in files.paths if (reader := _reader(root / path, alone=False)) is not None]
    parts: set[str] = set()
    for reader, path in named:
        if reader == "wfdb":
            try:
                whole = parse_header(root / path, Ref(reader, path))
            except HounsfieldError:
                continue  # said when the record itself is read
            folder = path.rpartition("/")[0]
            parts.update(f"{folder}/{name}.hea".lstrip("/") for name, _ in whole.segments)
    yield from (one for one in named if one[1] not in parts)


def _of_record(cohort: Cohort, ref: Ref, every_s: float | None) -> tuple[list[Stretch], list[SetAside]]:
    from hounsfield.science.physiology.measuring import measure_signal

    case = ref.path.rpartition(".")[0] or ref.path
    rows: list[Stretch] = []
    apart: list[SetAside] = []
    try:
        header = signal_header(cohort, ref)
    except HounsfieldError as error:
        return rows, [SetAside(sample=case, reason=clause(error))]
    cuts = stretches(header.samples, header.rate_hz, every_s)
    for begin, end in cuts:
        name = case if len(cuts) == 1 or header.rate_hz is None else f"{case} from {begin / header.rate_hz:g} s"
        try:
            signal = read_signal(cohort, ref, start=begin, stop=end)
            found = measure_signal(signal)
        except HounsfieldError as error:
            apart.append(SetAside(sample=name, reason=clause(error)))
            continue
        except MemoryError:
            apart.append(SetAside(sample=name, reason="it does not fit into memory: ask for shorter stretches"))
            continue
        length = signal.duration_s
        rows.append(
            Stretch(
                case,
                signal.start_s,
                float("nan") if length is None else length,
                found.values,
                found.missing,
                header.notes,
            )
        )
    return rows, apart


def _record(source: Path, out: Path | None, every_s: float | None, apart: Sequence[SetAside]) -> SignalRecord:
    from importlib.metadata import version

    base = out.parent if out is not None else Path.cwd()
    return SignalRecord(
        hounsfield=version("hounsfield"),
        numpy=np.__version__,
        scipy=version("scipy"),
        source=Path(os.path.relpath(source.resolve(), base.resolve())).as_posix(),
        every_s=every_s,
        apart=tuple(apart),
    )


def _write(measured: MeasuredSignals, out: Path) -> None:
    table, record, apart = beside(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    values = measured.table()
    write_bytes(out, parquet_bytes(values))
    write_bytes(table, csv_bytes(values))
    write_json(record, measured.record)
    if measured.record.apart:
        write_text(apart, rows_csv(SetAside, measured.record.apart))
    else:
        apart.unlink(missing_ok=True)

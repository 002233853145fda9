"""MIT-BIH as folders that ``hu train`` is given: WFDB, written once, and what a user would change about them."""

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.accuracy.signals.plain_runs import with_inputs
from benchmarks.record import RUNS, data_root
from benchmarks.signals.to_wfdb import packed_annotations, stored_marks, stored_samples, write_record
from hounsfield.data.signal.wfdb.aami import CLASS_OF

SOURCE = "mitbih_arrhythmia"
PACED = frozenset({"102", "104", "107", "217"})
"""Records of patients with a pacemaker, which ANSI/AAMI EC57 leaves out."""
ONE_PERSON = ("201", "202")
"""Two records of one person, in different halves of the official division."""
TARGET = "beats:NSVF"
TRIAL_SAMPLES = 8 * 60 * 360
"""What a trial sees of a record: eight minutes."""
HELD_OUT = (
    ("101", "106", "122", "124", "209"),
    ("108", "115", "201", "203", "220", "230"),
    ("112", "116", "207", "215", "223"),
    ("109", "114", "118", "119", "205", "208"),
)
"""Four parts of the training half, by record, each with its share of the rare classes."""

Rows = list[dict[str, str]]


def told(source: Path) -> Rows:
    """Return the rows of ``records.csv``, paced records left out."""
    with (source / "records.csv").open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["record"] not in PACED]


def official(top: Path = RUNS, source: Path | None = None) -> Path:
    """Return the folder of all records, DS1 to train and DS2 to test as ``records.csv`` has them; written once."""
    source = source or data_root() / SOURCE
    folder = top / "mitdb"
    rows = told(source)
    if not (folder / "records.csv").exists():
        for row in rows:
            path = source / "records" / f"{row['record']}.npz"
            write_record(folder, row["record"], stored_samples(path), stored_marks(path))
        _table(folder, rows)
    return folder


def one_person_said(folder: Path) -> Path:
    """Return the same records with a column that says who they are of: 201 then gives way to 202 by itself."""
    said = dict.fromkeys(ONE_PERSON, f"p{ONE_PERSON[0]}")
    rows = [{"patient": said.get(row["record"], f"p{row['record']}"), **row} for row in told(folder)]
    return _again(folder, folder.with_name(f"{folder.name}-patients"), rows)


def without(folder: Path, record: str) -> Path:
    """Return the same records but one."""
    rows = [row for row in told(folder) if row["record"] != record]
    return _again(folder, folder.with_name(f"{folder.name}-without-{record}"), rows)


def signal_alone(folder: Path) -> Path:
    """Return a folder that keeps the signal of each beat and no row beside it."""
    return with_inputs(folder, f"{folder.name}-signal", TARGET, ("signal",))


def beats_alone(folder: Path) -> Path:
    """Return a folder that keeps of each beat its form and unrest, which are read with those of the beats around it."""
    return with_inputs(folder, f"{folder.name}-beats", TARGET, ("form",))


def signal_and_rhythm(folder: Path) -> Path:
    """Return a folder that keeps the signal of each beat and the intervals around it."""
    return with_inputs(folder, f"{folder.name}-rhythm", TARGET, ("signal", "rhythm"))


def some_of(folder: Path, count: int, source: Path | None = None, *, must: Sequence[str] = ()) -> Path:
    """Return a folder of the first minutes of so many records of each half: to see that all runs.

    Parameters
    ----------
    folder : Path
        Of all records.
    count : int
        At least three are taken: the two records of one person, one with beats of class Q, and those with most of the
        rare beats.
    source : Path, optional
        Where the arrays lie.
    must : sequence of str
        Records that are taken besides.
    """
    source = source or data_root() / SOURCE
    few = folder.with_name("-".join([folder.name, str(count), *must]))
    names = _few(told(folder), count, must)
    rows = [row for row in told(folder) if row["record"] in names]
    if not (few / "records.csv").exists():
        for row in rows:
            path = source / "records" / f"{row['record']}.npz"
            marks = [mark for mark in stored_marks(path) if mark[0] < TRIAL_SAMPLES]
            write_record(few, row["record"], stored_samples(path)[:TRIAL_SAMPLES], marks)
        _table(few, rows)
    return few


def _few(rows: Rows, count: int, named: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for half in ("DS1", "DS2"):
        own = [row for row in rows if row["split"] == half]
        must = [row for row in own if row["record"] in (*ONE_PERSON, *named)]
        must += [row for row in own if int(row["Q"]) and row not in must][-1:]  # 208 and 214: within what is seen
        own.sort(key=lambda row: (-sum(int(row[c]) > 0 for c in "NSVF"), -int(row["F"])))
        found |= {row["record"] for row in [*must, *(row for row in own if row not in must)][: max(count, 3)]}
    return found


def inside(folder: Path, held_out: Sequence[str]) -> Path:
    """Return the training half alone, some of its records to test: nothing of the other half is there."""
    rows = [row for row in told(folder) if row["split"] == "DS1"]
    for row in rows:
        row["split"] = "test" if row["record"] in held_out else "train"
    return _again(folder, folder.with_name(f"{folder.name}-inside-{held_out[0]}"), rows)


def with_others_hidden(folder: Path, parts: Iterable[str] = ("DS2",)) -> tuple[Path, dict[str, set[int]]]:
    """Return records with every beat marked normal, and where the beats of class Q are among them.

    Notes
    -----
    A model of four classes leaves Q out of what it is judged on; here it is asked about these beats too. It is not told
    what a beat is, only where.
    """
    hidden = folder.with_name(f"{folder.name}-unclassified")
    found: dict[str, set[int]] = {}
    for row in told(folder):
        name = row["record"]
        if row["split"] not in parts:
            continue
        marks = _marks(folder, name)
        others = {at for at, symbol in marks if CLASS_OF[symbol] == "Q"}
        if not others:
            continue
        found[name] = others
        hidden.mkdir(parents=True, exist_ok=True)
        _linked(folder, hidden, name, ("dat", "hea"))
        (hidden / f"{name}.atr").write_bytes(packed_annotations([(at, "N", "") for at, _ in marks]))
    return hidden, found


def _marks(folder: Path, name: str) -> list[tuple[int, str]]:
    from hounsfield.data.signal.wfdb.aami import beats_of
    from hounsfield.data.signal.wfdb.annotations import read_annotations

    return [(a.sample, a.symbol) for a in beats_of(read_annotations(folder / f"{name}.atr"))]


def _again(folder: Path, other: Path, rows: Rows) -> Path:
    for row in rows:
        _linked(folder, other, row["record"], ("dat", "hea", "atr"))
    _table(other, rows)
    return other


def _linked(folder: Path, other: Path, name: str, endings: Sequence[str]) -> None:
    other.mkdir(parents=True, exist_ok=True)
    for ending in endings:
        place = other / f"{name}.{ending}"
        if not place.exists():
            os.link(folder / place.name, place)


def _table(folder: Path, rows: Sequence[Mapping[str, str]]) -> None:
    draft = folder / "records.draft"
    with draft.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    draft.replace(folder / "records.csv")

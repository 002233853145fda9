"""Real public signals and tables come out right without corrections; skipped where they are absent."""

import csv
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from benchmarks.signals.to_wfdb import stored_marks, stored_samples, write_record

from hounsfield.core.cohort import Roles
from hounsfield.core.errors import CohortError
from hounsfield.data.cohorts import explore, understand
from hounsfield.data.row.readers import read_row
from hounsfield.data.signal.readers import read_signal
from tests.data_room.folders import table

DATA = Path(os.environ.get("HOUNSFIELD_DATA", Path(__file__).parents[3] / "../shared/data"))


def _folder(name: str) -> Path:
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not in the folder that HOUNSFIELD_DATA names")
    return DATA / name


def test_beats_of_some_arrhythmia_records_are_counted_as_published(tmp_path: Path) -> None:
    folder = _folder("mitbih_arrhythmia")
    with (folder / "records.csv").open(newline="") as stream:
        listed = [row for row in csv.DictReader(stream) if row["record"] in ("114", "201", "202", "207", "232")]
    for row in listed:
        stored = folder / "records" / f"{row['record']}.npz"
        write_record(tmp_path, row["record"], stored_samples(stored), stored_marks(stored))
    table(tmp_path / "records.csv", listed)
    table(tmp_path / "patients.csv", [{"record": "201", "patient": "b"}, {"record": "202", "patient": "b"}])
    cohort = understand(tmp_path, Roles(target=("beats",)))
    for row in listed:
        counts = Counter(s.targets["beats"] for s in cohort.samples if s.id.startswith(f"{row['record']}_"))
        assert {c: counts[c] for c in "NSVFQ"} == {c: int(row[c]) for c in "NSVFQ"}
    assert cohort.schema.official_parts == ("train", "test")
    assert {s.patient for s in cohort.samples} == {"114", "b", "207", "232"}
    assert {c.role for c in cohort.schema.columns if c.column in "NSVFQ"} == {"leaks the answer"}
    premature = [s for s in cohort.samples if s.targets["beats"] == "S" and s.id.startswith("232_")]
    early = np.array([read_row(cohort, s.inputs["rhythm"][0].ref).values[2] for s in premature])
    assert np.nanmedian(early) < 0.9  # premature beats come early
    with pytest.raises(CohortError, match="beats, rhythm"):
        understand(tmp_path)
    assert cohort.samples[0].attributes["sex"] in ("M", "F")


def test_the_pig_archive_keeps_its_parts_or_its_animals() -> None:
    path = _folder("ucr_medical") / "PigArtPressure.npz"
    cohort = understand(path)
    assert Counter(s.part for s in cohort.samples) == {"train": 104, "test": 208}
    assert len(cohort.schema.targets[0].classes) == 52
    assert len({s.patient for s in understand(path, Roles(group="label")).samples}) == 52
    beat = understand(path.with_name("ECG200.npz"))
    assert (beat.schema.targets[0].classes, len(beat)) == (("0", "1"), 200)
    with pytest.raises(CohortError, match="7 data sets"):
        understand(path.parent)


def test_an_unlabelled_record_is_shown() -> None:
    cohort = explore(_folder("abp_waveforms") / "wfdb")
    assert cohort.schema.targets == ()
    assert cohort.schema.inputs[0].leads == ("MCL1", "ABP", "RESP")
    assert read_signal(cohort, cohort.samples[0].inputs["signal"][0].ref, stop=10).samples == 10


def test_what_is_known_only_afterwards_is_not_looked_at() -> None:
    folder = _folder("prognosis_tables")
    cohort = understand(folder / "head_neck_vallieres2017.csv.gz", Roles(target=("distant",)))
    assert [c.name for c in cohort.schema.inputs[0].columns] == ["age", "T_stage", "N_stage", "TNM_stage", "HPV"]
    assert Counter(s.part for s in cohort.samples) == {"train": 194, "test": 106}
    assert Counter(s.targets["distant"] for s in cohort.samples if s.part == "train")["1"] == 26

"""Beats in samples.csv read back as they were written, at the price of a number each."""

import tracemalloc
from pathlib import Path

import pytest

from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref, Roles, Sample, Schema, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.data.beat_inputs import BeatInputs, BeatsOf, beats_like
from hounsfield.data.cohorts import cohort_yaml, samples_csv, understand
from hounsfield.data.layouts.beats import ROWS
from tests.data_room.layouts.ward import ward

RECORDS = (
    BeatsOf("a.hea", (), 1, "atr"),
    BeatsOf("a.hea", (("lead", "MLII"),), 1, "qrs"),
    BeatsOf("b.hea", (("lead", "x|y"),), 4, "atr"),
    BeatsOf("b.edf", (), 1, "", reader="edf"),
)


def written(folder: Path, samples: tuple[Sample, ...]) -> Path:
    """A folder with both files and, empty, those that they name."""
    folder.mkdir(exist_ok=True)
    for name in ("a.hea", "b.hea", "b.edf"):
        (folder / name).write_text("")
    schema = Schema(
        inputs=(InputSpec(name="signal", kind="signal", ndim=1), *ROWS),
        targets=(TargetSpec(name="beats", kind="categorical", classes=("N", "V")),),
    )
    cohort = Cohort("some", str(folder), samples, schema)
    (folder / "cohort.yaml").write_text(cohort_yaml(cohort), encoding="utf-8")
    (folder / "samples.csv").write_text(samples_csv(cohort), encoding="utf-8")
    return folder


def beat(name: str, record: BeatsOf, anchor: int) -> Sample:
    about: dict[str, float | str | None] = {"age": 60.0, "sex": "f"}
    return Sample(name, "p", BeatInputs(record, anchor), {"beats": "NV"[anchor % 2]}, attributes=about)


@pytest.mark.parametrize("record", RECORDS, ids=["plain", "lead", "finer", "found"])
def test_beats_are_beats_again(tmp_path: Path, record: BeatsOf) -> None:
    samples = tuple(beat(f"s{at}", record, at) for at in (0, 7, 123, 400))
    cohort = understand(written(tmp_path, samples))
    assert cohort.samples == samples
    for own, read in zip(samples, cohort.samples, strict=True):
        assert isinstance(read.inputs, BeatInputs)
        assert dict(read.inputs) == dict(own.inputs)
    assert cohort.samples[2].attributes is cohort.samples[3].attributes


def test_what_is_no_beat_stays_what_it_is(tmp_path: Path) -> None:
    plain, finer = RECORDS[0], RECORDS[2]
    whole = dict(BeatInputs(plain, 50))
    odd = {
        "other anchors": {**whole, "signal": (Reading(Ref("wfdb", "a.hea", (("anchor", 51),))),)},
        "other record": {**whole, "form": (Reading(Ref("wfdb-form", "b.hea", (("anchor", 50),))),)},
        "no form": {k: v for k, v in whole.items() if k != "form"},
        "two readings": {**whole, "signal": whole["signal"] * 2},
        "not twice as fine": {**dict(BeatInputs(finer, 50)), "signal": BeatInputs(finer, 51)["signal"]},
    }
    samples = tuple(Sample(name, "p", inputs, {"beats": "N"}) for name, inputs in odd.items())
    around = (beat("first", plain, 49), beat("fine", finer, 3))
    cohort = understand(written(tmp_path, (*around, *samples, beat("last", plain, 50))))
    for own, read in zip((*around, *samples), cohort.samples, strict=False):
        assert dict(read.inputs) == dict(own.inputs)
    assert [isinstance(s.inputs, BeatInputs) for s in cohort.samples] == [True, True, *[False] * len(odd), True]
    assert beats_like({}) is None


def test_a_beat_outside_the_folder_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "inner", (beat("s", RECORDS[0], 3),))
    text = (folder / "samples.csv").read_text(encoding="utf-8").replace("a.hea", "../a.hea")
    (folder / "samples.csv").write_text(text, encoding="utf-8")
    with pytest.raises(CohortError, match="leads outside"):
        understand(folder)


def test_the_record_of_a_beat_has_to_be_there(tmp_path: Path) -> None:
    folder = written(tmp_path, (beat("s", RECORDS[0], 3), beat("t", RECORDS[2], 3)))
    (folder / "b.hea").unlink()
    cohort = understand(folder)
    assert [s.id for s in cohort.samples] == ["s"]
    assert [(a.sample, a.reason) for a in cohort.set_aside] == [("t", "image file missing")]


def test_an_annotated_ward_reads_back(tmp_path: Path) -> None:
    cohort = understand(ward(tmp_path), Roles(target=("beats",)))
    (tmp_path / "cohort.yaml").write_text(cohort_yaml(cohort), encoding="utf-8")
    (tmp_path / "samples.csv").write_text(samples_csv(cohort), encoding="utf-8")
    again = understand(tmp_path)
    assert again.samples == cohort.samples
    assert again.schema == cohort.schema


def test_many_beats_hold_a_number_each(tmp_path: Path) -> None:
    folder = written(tmp_path, tuple(beat(f"s{at}", RECORDS[0], at) for at in range(4000)))
    understand(folder)
    tracemalloc.start()
    try:
        kept = understand(folder)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 600 * len(kept)  # three refs with their parts would be twice that

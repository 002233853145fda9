"""Beats of long records, and stays with irregular series beside a row: inputs of several kinds in one network."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.signals.to_wfdb import write_record

from hounsfield.bundle.sealed import open_sealed
from hounsfield.core.streams import stream
from hounsfield.workflow.evaluating import evaluate
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.training import Run
from tests.journeys.making import quick, write_table

RATE = 360


def write_beats(folder: Path, names: tuple[str, ...], *, seconds: int = 15) -> Path:
    """Records of one lead with a narrow beat each second, every third one wide and ventricular."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        samples = stream(0, f"beats {name}").normal(0, 6, RATE * seconds)
        marks = []
        for beat in range(seconds):
            at, wide = 180 + RATE * beat, beat % 3 == 2
            t = (np.arange(len(samples)) - at) / RATE
            samples += 220 * np.exp(-((t / (0.06 if wide else 0.015)) ** 2))
            marks.append((at, "V" if wide else "N", ""))
        write_record(folder, name, np.rint(samples).astype(np.int64) + 1024, marks)
    return folder


def write_stays(folder: Path, *, stays: int = 60) -> Path:
    """Stays with two variables at irregular times; who dies has a falling pressure and is old."""
    events, outcomes = [], []
    for stay in range(stays):
        draws = stream(stay, "stays")
        dead = stay % 2
        minutes = np.sort(draws.choice(2880, 12, replace=False))
        for place, minute in enumerate(minutes.tolist()):
            name = ("MAP", "HR")[place % 2]
            value = (85 - 20 * dead * minute / 2880 if name == "MAP" else 80) + draws.normal(0, 3)
            events.append({"record": str(stay), "minute": minute, "variable": name, "value": float(value)})
        outcomes.append([stay, int(55 + 15 * dead + draws.normal(0, 5)), ("f", "m")[stay % 3 == 0], dead])
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table({key: [e[key] for e in events] for key in events[0]})
    pq.write_table(table, folder / "events.parquet")
    write_table(folder / "stays.csv", ["record", "age", "gender", "in_hospital_death"], outcomes)
    return folder


@pytest.fixture(scope="module")
def beats(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("beats")
    names = tuple(str(100 + i) for i in range(6))
    return quick(write_beats(folder / "records", names), folder / "run", max_steps=40)


def test_beats_are_told_apart_by_their_form_and_by_the_rows_beside_them(beats: Run) -> None:
    plan = open_sealed(beats.path / "bundle").plan
    (signal,) = [s for s in plan.sections if "before_s" in plan.sections[s]]
    assert (plan.value(signal, "before_s"), plan.value(signal, "after_s")) == (0.3, 0.5)
    assert (plan.value(signal, "scale"), plan.value(signal, "steps")) == ("own", 96)
    assert plan.value("encoder.signal", "family") == "recurrent"
    assert {"encoder.rhythm", "encoder.form"} <= set(plan.sections)
    accuracy = beats.report.parts["test"].metrics["accuracy"].value
    assert accuracy is not None
    assert accuracy > 0.9


def test_no_record_lies_in_two_parts(beats: Run) -> None:
    with (beats.path / "samples.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 90
    with (beats.path / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    parts: dict[str, set[str]] = {}
    for row in rows:
        parts.setdefault(row["patient"], set()).add(row["part"])
    assert {"val", "test"} <= {p for own in parts.values() for p in own}
    assert all(len(own) == 1 for own in parts.values())
    count = Counter(row["patient"] for row in rows)
    assert set(count.values()) == {15}  # records are whole: what is missing was learned from


def test_beats_of_another_record_are_predicted_and_evaluated(beats: Run, tmp_path: Path) -> None:
    folder = write_beats(tmp_path / "records", ("900", "901"))
    said = list(predict(beats.path, [folder]))
    assert len(said) == 30
    right = evaluate(beats.path, folder).parts["test"].metrics["accuracy"].value
    assert right is not None
    assert right > 0.8


def test_beats_are_found_where_nobody_annotated_any(beats: Run, tmp_path: Path) -> None:
    folder = write_beats(tmp_path / "records", ("902",))
    (folder / "902.atr").unlink()
    found = list(predict(beats.path, [folder]))
    assert len(found) >= 10  # the narrow ones; a wide hump alone is no R peak
    assert [said.value for p in found for said in p.targets.values()].count("N") >= 8


def test_stays_have_an_encoder_for_each_input(tmp_path: Path) -> None:
    run = quick(write_stays(tmp_path / "ward"), tmp_path / "run", max_steps=40)
    plan = open_sealed(run.path / "bundle").plan
    assert plan.value("network", "family") == "joint"
    families = {s: plan.value(s, "family") for s in plan.sections if s.startswith("encoder.")}
    assert sorted(str(f) for f in families.values()) == ["recurrent", "row"]
    assert "trees" in run.report.baselines
    auroc = run.report.parts["test"].metrics["auroc"].value
    assert auroc is not None
    assert auroc > 0.7
    said = list(predict(run.path, [tmp_path / "ward"]))
    assert len(said) == 60

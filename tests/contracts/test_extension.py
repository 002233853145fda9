"""A part is added by its own file and one line of its table, and then goes the whole way."""

from pathlib import Path

import pytest

from hounsfield.bundle.sealed import open_sealed
from hounsfield.data.layouts import LAYOUTS
from hounsfield.data.readers import READERS, reader_for
from hounsfield.learn.nn.table import NETWORKS
from hounsfield.tasks import TASKS
from hounsfield.tasks.classify.task import TARGET_KINDS
from hounsfield.workflow.evaluating import evaluate
from hounsfield.workflow.predicting import predict
from tests.contracts import toys
from tests.journeys.making import picture, quick, write_cohort


def test_a_toy_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TASKS.entries, "toy", "tests.contracts.toys:ToyTask")
    write_cohort(tmp_path / "data", n=24)
    run = quick(tmp_path / "data", tmp_path / "run", task="toy")
    assert run.report.task == "toy"
    assert evaluate(run.path, tmp_path / "data").task == "toy"


def test_a_toy_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS.entries, "toy", "tests.contracts.toys:ToyNetwork")
    write_cohort(tmp_path / "data", n=24)
    run = quick(tmp_path / "data", tmp_path / "run", network="toy")
    assert open_sealed(run.path / "bundle").plan.value("network", "family") == "toy"
    said = list(predict(run.path, [tmp_path / "data" / "00.png"]))
    assert said[0].targets["disease"].value in ("no", "yes")


def test_a_toy_target_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TARGET_KINDS.entries, "categorical", "tests.contracts.toys:TOY_KIND")
    toys.ToyKind.asked.clear()
    write_cohort(tmp_path / "data", n=24)
    quick(tmp_path / "data", tmp_path / "run")
    assert toys.ToyKind.asked


def test_a_toy_reader_and_a_toy_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS.entries, "toy", "tests.contracts.toys:ToyReader")
    monkeypatch.setitem(LAYOUTS.entries, "toy", "tests.contracts.toys:ToyLayout")
    folder = tmp_path / "data"
    folder.mkdir()
    for i in range(24):
        content = toys.MAGIC + bytes([32]) + picture(i, i % 2).tobytes()
        (folder / f"{i:02d}_{('no', 'yes')[i % 2]}.toy").write_bytes(content)
    (folder / "24_no.toy").write_bytes(toys.MAGIC + bytes([32]) + b"short")
    assert reader_for(folder / "00_no.toy") == "toy"
    run = quick(folder, tmp_path / "run")
    assert run.report.target.name == "answer"
    assert [e["sample"] for e in run.report.audit.unreadable] == ["24_no"]
    assert evaluate(run.path, folder).parts["test"].samples == run.report.parts["test"].samples

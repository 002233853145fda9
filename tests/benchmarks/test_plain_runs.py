"""Runs of the benchmarks on signals: what is changed of a plan, what is read from a run, which stays are given."""

import csv
from pathlib import Path

import numpy as np
import pytest
from benchmarks.accuracy.signals import plain_runs
from benchmarks.accuracy.signals.plain_runs import CHANGED, answered_by, changed, keep, trained
from benchmarks.accuracy.signals.stays_network import DOOR, VARIANTS, judged, one, stays_folder

from hounsfield.bundle.plans import read_plan, write_plan
from hounsfield.core.cohort import Roles
from hounsfield.core.plan import Decision, Plan
from hounsfield.core.types import Json
from hounsfield.data.cohorts import understand
from tests.benchmarks.test_to_events import write_set
from tests.data_room.folders import table

NETWORK: dict[str, Json] = {"family": "joint", "width": 64}
SIGNAL: dict[str, Json] = {"family": "recurrent", "missing": "decay"}


def plan(**sections: dict[str, Json]) -> Plan:
    made = {
        name.replace("_", "."): {k: Decision.model_validate({"value": v, "rule": "by rule"}) for k, v in own.items()}
        for name, own in sections.items()
    }
    return Plan(hounsfield="0", cohort="toy", cohort_digest="0", task="classify", targets=(), sections=made)


def test_a_plan_is_changed_where_it_is_said_and_says_so() -> None:
    before = plan(ensemble={"features": True, "members": 2})
    after = changed(before, {("ensemble", "features"): False})
    assert (after.value("ensemble", "features"), after.value("ensemble", "members")) == (False, 2)
    told = after.sections["ensemble"]["features"]
    assert (told.rule, told.evidence) == (CHANGED, "planned: True")
    assert before.value("ensemble", "features") is True
    for wrong in (("ensemble", "feature"), ("ensembles", "features")):
        with pytest.raises(KeyError):
            changed(before, {wrong: False})


def test_a_result_tells_who_answers(tmp_path: Path) -> None:
    beside: dict[str, Json] = {"features": True, "beside": "trees", "members": 2}
    write_plan(tmp_path / "plan.yaml", plan(network=NETWORK, encoder_stay=SIGNAL, ensemble=beside))
    assert answered_by(tmp_path) == {"encoders": {"stay": SIGNAL}, "networks": 2, "beside": "trees"}
    alone: dict[str, Json] = {"features": False, "beside": "trees", "members": 4}
    write_plan(tmp_path / "plan.yaml", plan(network=SIGNAL, ensemble=alone))
    assert answered_by(tmp_path) == {"encoders": {"": SIGNAL}, "networks": 4, "beside": None}


def test_a_changed_plan_is_made_once_and_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, ...]] = []

    def hu(*words: str) -> None:
        said.append(words)
        out = Path(words[words.index("--out") + 1])
        if words[0] == "plan":
            write_plan(out, plan(ensemble={"features": True}))
        elif len(said) > 2:  # the first training is interrupted
            out.mkdir()
            (out / "report.json").touch()

    monkeypatch.setattr(plain_runs, "RUNS", tmp_path)
    monkeypatch.setattr(plain_runs, "_hu", hu)
    for _ in range(3):
        out = trained(tmp_path / "data", "toy", ["--minutes", "2"], {("ensemble", "features"): False})
    assert [words[0] for words in said] == ["plan", "train", "train"]  # and finished runs are only read
    assert said[0][1:4] == (str(tmp_path / "data"), "--minutes", "2")
    assert read_plan(Path(said[1][1])).value("ensemble", "features") is False
    trained(tmp_path / "data", "plain", ["--minutes", "2"])
    assert said[-1][:4] == ("train", str(tmp_path / "data"), "--minutes", "2")
    assert out.name.startswith("toy-")


def test_figures_of_a_trial_are_not_among_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_runs, "RUNS", tmp_path / "runs")
    assert keep("signals-toy", {"a": 1}, trial=True) == tmp_path / "runs" / "trial-signals-toy.json"


def test_stays_are_given_with_what_is_known_at_the_door_and_nothing_later(tmp_path: Path) -> None:
    write_set(tmp_path / "set_a.npz", 100)
    write_set(tmp_path / "set_b.npz", 200)
    for variant in VARIANTS.values():
        for count in (0, 1):
            folder = stays_folder(variant.columns, count, top=tmp_path, source=tmp_path)
            cohort = understand(folder, Roles(target=("death",)))
            rows = {c.name for s in cohort.schema.inputs if s.kind == "row" for c in s.columns}
            assert rows <= set(DOOR)
            assert {s.id: s.part for s in cohort.samples} == (
                {"100": "train", "200": "test"}
                if count
                else {"100": "train", "101": "train", "200": "test", "201": "test"}
            )
            with (folder / "outcomes.csv").open(encoding="utf-8", newline="") as stream:
                assert next(csv.reader(stream)) == ["record", "split", "death", *variant.columns]


def test_the_threshold_of_the_first_event_is_of_stays_that_are_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"sample": str(n), "part": part, "truth": str(truth), "probability:1": str(chance)}
        for part, told in (
            ("val", [(1, 0.9), (1, 0.6), (0, 0.3), (0, 0.1)]),
            ("test", [(1, 0.8), (1, 0.5), (0, 0.7), (0, 0.2)]),
        )
        for n, (truth, chance) in enumerate(told)
    ]
    table(tmp_path / "predictions.csv", rows)
    said, truth = judged(tmp_path, "test")
    np.testing.assert_allclose(1 / (1 + np.exp(-said)), [0.8, 0.5, 0.7, 0.2])
    assert truth.tolist() == [1, 1, 0, 0]
    module = "benchmarks.accuracy.signals.stays_network"
    monkeypatch.setattr(f"{module}.answered_by", lambda run: {})
    monkeypatch.setattr(f"{module}.cost", lambda run: {})
    monkeypatch.setattr(f"{module}.intervals", lambda *told: {})
    found = one(tmp_path)
    assert (found["auroc"], found["event_1"]) == (0.75, 0.5)  # over .6: one of two found, one of two right
    table(tmp_path / "predictions.csv", [*rows, {**rows[-1], "probability:1": ""}])
    with pytest.raises(ValueError, match="1 stays"):
        judged(tmp_path, "test")

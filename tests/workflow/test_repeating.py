"""Repeated nested validation: planned by rule, honest in its folds, resumable, told in the report."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hounsfield.bundle.plans import read_plan
from hounsfield.bundle.sealed import open_sealed
from hounsfield.core.errors import PlanError, UnknownNameError
from hounsfield.core.plan import Plan
from hounsfield.core.progress import SILENT
from hounsfield.core.streams import stream
from hounsfield.learn.prepare.row import RowPreparation
from hounsfield.stages.reporting.page import render_html
from hounsfield.stages.reporting.summary import summary_text
from hounsfield.workflow.evaluating import evaluate
from hounsfield.workflow.jobs import check_plan
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.repeating import SECTION, Repeating, Scene, measured_repeats, with_repeats
from hounsfield.workflow.study import Study, study
from hounsfield.workflow.training import Run
from hounsfield.workflow.wishes import Wishes
from tests.journeys.making import quick, write_table

HEAD = ["id", "hospital", *(f"f{k}" for k in range(11)), "diagnosis"]


def rows(count: int, *, first: int = 0, hospitals: str = "AB") -> list[list[object]]:
    """Patients of two hospitals; f4 tells the answer and the second hospital shifts every number."""
    made: list[list[object]] = []
    for i in range(first, first + count):
        draws = stream(i, "repeated patients")
        ill = draws.random() < 0.4
        place = i % len(hospitals)
        values = draws.normal(0, 1, 11) + 2.0 * place
        values[4] += 2.5 * ill
        made.append([f"p{i:03d}", hospitals[place], *(f"{v:.4f}" for v in values), "ill" if ill else "well"])
    return made


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("repeated")
    write_table(folder / "patients.csv", HEAD, rows(50))
    return quick(folder / "patients.csv", folder / "run", repeats=1, alone="f4")


@pytest.fixture(scope="module")
def known(run: Run) -> Study:
    return study(run.path.parent / "patients.csv", Wishes(), progress=SILENT)


def test_the_report_tells_it_beside_the_network(run: Run) -> None:
    found = run.report.repeated
    assert found is not None
    assert (found.folds, found.repeats, found.samples, found.reference) == (5, 1, 50, "alone")
    named = {m.model: m for m in found.models}
    assert list(named) == ["chosen", "selected", "trees", "logistic", "alone"]
    selected = named["selected"]
    assert selected.mean.value is not None
    assert selected.mean.value > 0.8
    assert selected.variables["f4"] == 1.0
    assert selected.difference is not None
    assert {"chosen", "selected", "alone"} <= set(run.report.baselines)
    plan = open_sealed(run.path / "bundle").plan
    assert plan.value("preparation.variables", "harmonise") == "empirical-bayes"
    html = render_html(run.report)
    assert "Repeated nested validation" in html
    assert "One variable alone" in html
    assert "1 times 5 folds" in summary_text(run.report)
    kept = json.loads((run.path / "report.json").read_text())["repeated"]
    assert kept["models"][0]["model"] == "chosen"


def test_what_trees_and_harmonisation_keep_to_is_in_the_plan(run: Run, known: Study) -> None:
    plan = read_plan(run.path / "plan.yaml")
    assert plan.value("trees", "leaves") == 2
    assert run.report.repeated is not None
    trees = next(m for m in run.report.repeated.models if m.model == "trees")
    assert trees.mean.value is not None
    assert trees.mean.value > 0.6
    name = "preparation.variables"
    assert plan.value(name, "covariates") == []

    def keeping(variable: str) -> Plan:
        decision = plan.sections[name]["covariates"].model_copy(update={"value": [variable]})
        return plan.with_section(name, {**plan.sections[name], "covariates": decision})

    check_plan(keeping("f3"), known.task, known.fingerprint)
    with pytest.raises(PlanError, match="answer 'diagnosis' is among the covariates"):
        check_plan(keeping("diagnosis"), known.task, known.fingerprint)
    with pytest.raises(UnknownNameError, match="f33"):
        check_plan(keeping("f33"), known.task, known.fingerprint)
    kept = Scene.of(keeping("f3"), known)._job(np.arange(40))[0].preparation["variables"]
    assert isinstance(kept, RowPreparation)
    assert kept.covariates == ("f3",)


def test_a_table_of_another_hospital_is_answered_and_told_of(run: Run, tmp_path: Path) -> None:
    new = rows(8, first=300, hospitals="AC")
    write_table(tmp_path / "new.csv", HEAD[:-1], [r[:-1] for r in new])
    said = list(predict(run.path, [tmp_path / "new.csv"]))
    told = [any("site was not seen" in f for f in p.flags) for p in said]
    assert told == [r[1] == "C" for r in new]
    write_table(tmp_path / "all.csv", HEAD, rows(40, first=300, hospitals="AC"))
    report = evaluate(run.path, tmp_path / "all.csv")
    assert any("20 of the 40 judged samples are of a site" in c.en for c in report.caveats)


def test_a_fold_sees_nothing_of_what_it_holds_out(run: Run, known: Study) -> None:
    scene = Scene.of(read_plan(run.path / "plan.yaml"), known)
    place = scene.divided(0)
    held, first, _ = scene.fold(0, 2)
    np.testing.assert_array_equal(held, np.flatnonzero(place == 2))
    # other answers, and wild numbers of one held-out row: what is said of the other held-out rows stays
    changed = {k: v.copy() for k, v in scene.targets.items()}
    changed["diagnosis"][held] = 1 - changed["diagnosis"][held]
    wild = {n: list(own) for n, own in scene.rows.items()}
    for own in wild.values():
        own[held[0]] = replace(own[held[0]], values=np.append(own[held[0]].values[:-1] * 1000.0, 1.0))
    _, second, _ = replace(scene, targets=changed, rows=wild).fold(0, 2)
    for name, values in first.items():
        np.testing.assert_array_equal(second[name][1:], values[1:])


def test_repeats_are_divided_otherwise_and_continue_where_they_were(
    run: Run, known: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = read_plan(run.path / "plan.yaml")
    section = dict(plan.sections[SECTION])
    section["repeats"] = section["repeats"].model_copy(update={"value": 2})
    section["learners"] = section["learners"].model_copy(update={"value": ["selected", "alone"]})
    plan = plan.with_section(SECTION, section)
    scene = Scene.of(plan, known)
    assert not np.array_equal(scene.divided(0), scene.divided(1))
    whole = measured_repeats(plan, known, kept=tmp_path)
    monkeypatch.setattr(Scene, "fold", lambda *_: pytest.fail("a finished repeat was fitted again"))
    assert measured_repeats(plan, known, kept=tmp_path) == whole


def test_who_is_validated_so_is_a_rule(run: Run, known: Study) -> None:
    plan = read_plan(run.path / "plan.yaml")
    bare = plan.model_copy(update={"sections": {k: v for k, v in plan.sections.items() if k != SECTION}})
    usual = Repeating.of(with_repeats(bare, known, Wishes(), quick=False))
    assert (usual.folds, usual.repeats) == (5, 10)
    assert SECTION not in with_repeats(bare, known, Wishes(), quick=True).sections
    official = replace(known, split=known.split.model_copy(update={"official": ("train", "test")}))
    assert SECTION not in with_repeats(bare, official, Wishes(), quick=False).sections
    hurried = Repeating.of(with_repeats(bare, known, Wishes(minutes=1e-4), quick=False))
    assert hurried.repeats == 0
    assert Repeating.of(with_repeats(bare, known, Wishes(repeats=0), quick=False)).repeats == 0


def test_a_variable_that_is_not_there_is_named(tmp_path: Path) -> None:
    write_table(tmp_path / "patients.csv", HEAD, rows(40))
    with pytest.raises(UnknownNameError, match="f44"):
        quick(tmp_path / "patients.csv", tmp_path / "run", alone="f44")

"""A record that does not fit the plan is told of with its reason: set aside in training, refused in prediction."""

import json
from pathlib import Path

import pytest

from hounsfield.core.audit import Audit
from hounsfield.core.cohort import SetAside
from hounsfield.core.errors import PlanError
from hounsfield.core.progress import SILENT
from hounsfield.core.streams import stream
from hounsfield.stages.reporting.page import render_html
from hounsfield.workflow.jobs import prepare_feed
from hounsfield.workflow.machine import machine
from hounsfield.workflow.planning import first_draft
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.study import study
from hounsfield.workflow.training import Run
from hounsfield.workflow.unfit import remembered, told, with_unfit
from hounsfield.workflow.wishes import Wishes
from tests.data_room.folders import table
from tests.journeys.making import quick

RECORDS, STEPS, RATE = 30, 150, 50
SLOW = (1, 8, 15, 22)
"""Records that hold too little of what the network looks at: they fit no plan for the rate of the others."""


def write(folder: Path, number: int, *, unit: str = "mV", rate: int = RATE) -> None:
    values = stream(number, "units of signals").normal(size=STEPS).round(3)
    rows = [{"time_s": round(t / rate, 3), f"ecg ({unit})": float(values[t])} for t in range(STEPS)]
    table(folder / f"r{number}.csv", rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records in millivolts, two in other units, four at a fifth of the rate."""
    made = tmp_path_factory.mktemp("units") / "data"
    for n in range(RECORDS):
        unit = {3: "mmHg", 16: "wobbles"}.get(n, "mV")
        write(made, n, unit=unit, rate=RATE // 5 if n in SLOW else RATE)
    table(made / "labels.csv", [{"record": f"r{n}", "diagnosis": "ab"[n % 2]} for n in range(RECORDS)])
    return made


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return quick(folder, tmp_path_factory.mktemp("run") / "run", max_steps=1)


def test_what_does_not_fit_is_in_audit_and_report_with_the_reason(run: Run) -> None:
    found = Audit.model_validate_json((run.path / "audit.json").read_text(encoding="utf-8"))
    aside = {a.sample: a.reason for a in found.unreadable}
    with (run.path / "predictions.csv").open(encoding="utf-8") as file:
        judged = file.read()
    slow = [f"r{n}" for n in SLOW if f"r{n}" in aside]
    assert slow
    for name in slow:
        assert "sampled at 10 Hz, the plan is for 50 Hz. Expected: at least 25 Hz" in aside[name]
        assert "Next: give the record at its own rate." in aside[name]
    for name, unit in (("r3", "mmHg"), ("r16", "wobbles")):
        assert f"is in {unit}" in aside.get(name, "") or f"is in {unit}, the plan is for mV" in judged
    assert found.samples == RECORDS - len(aside)
    assert {a["sample"] for a in run.report.audit.unreadable} == set(aside)
    page = render_html(run.report)
    assert all(reason.split(" Expected")[0].split("'")[-1] in page for reason in aside.values())


@pytest.mark.parametrize("unit", ["mmHg", "wobbles"])
def test_a_record_in_another_unit_is_refused_with_what_to_do(run: Run, tmp_path: Path, unit: str) -> None:
    write(tmp_path / "new", 40, unit=unit)
    write(tmp_path / "new", 41, unit="uV")
    said = {p.sample.removesuffix(".csv"): p for p in predict(run.path, [tmp_path / "new"], out=tmp_path / "out")}
    assert f"is in {unit}, the plan is for mV. Expected: values in mV" in said["r40"].refusal
    assert said["r40"].refusal.endswith("Next: convert the record, or correct its header.")
    assert str(tmp_path) not in said["r40"].refusal
    assert "the plan is for" not in said["r41"].refusal
    entries = json.loads((tmp_path / "out" / "predictions.json").read_text(encoding="utf-8"))["predictions"]
    assert said["r40"].refusal in [entry["refusal"] for entry in entries]


def test_a_plan_in_another_unit_leaves_every_record_with_its_reason(folder: Path, tmp_path: Path) -> None:
    known = study(folder, Wishes(), progress=SILENT)
    drafted = first_draft(known, Wishes(threads=1), machine())
    (name,) = (s for s in drafted.sections if s.startswith("preparation."))
    section = dict(drafted.sections[name])
    ids = {part: known.split.ids(part) for part in ("train", "val")}

    def prepared(unit: str, work: Path) -> dict[str, str]:
        section["units"] = section["units"].model_copy(update={"value": [unit]})
        work.mkdir()
        found = prepare_feed(
            known.cohort,
            drafted.with_section(name, section),
            known.task,
            parts=ids,
            groups=known.split.groups,
            work=work,
            progress=SILENT,
        )
        assert {found.ids[row] for row in found.unfit} == {a.sample for a in found.aside}
        assert not found.unfit & {*found.feed.train.tolist(), *found.feed.val.tolist()}
        return {a.sample: a.reason for a in found.aside}

    some = prepared("uV", tmp_path / "some")
    assert set(some) <= {f"r{n}" for n in SLOW}
    assert some
    with pytest.raises(PlanError, match=r"None of the .* fits the plan; the first: .* is in mV, the plan is for mmHg"):
        prepared("mmHg", tmp_path / "none")


def test_a_continued_run_knows_what_did_not_fit(tmp_path: Path) -> None:
    class Sieve:
        aside = (SetAside(sample="a", reason="too slow"), SetAside(sample="b", reason="listed before"))

    known = Audit(samples=9, patients=9, unreadable=(SetAside(sample="b", reason="unreadable"),))
    assert remembered(known, work=tmp_path) is known
    assert told(object(), known, work=tmp_path) is known
    found = told(Sieve(), known, work=tmp_path)
    assert [a.sample for a in found.unreadable] == ["b", "a"]
    assert found.samples == 8
    assert found.warnings[-1].startswith("1 set aside after planning")
    assert remembered(known, work=tmp_path) == found
    assert with_unfit(found, Sieve.aside) is found

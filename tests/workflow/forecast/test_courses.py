"""Courses are in the units of the plan, whatever units their records have."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref, Sample, Schema
from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.progress import SILENT
from hounsfield.tasks.prognose.variable import variable
from hounsfield.workflow.forecast.cohorts import with_forecast
from hounsfield.workflow.forecast.courses import Shape, course_of, read_courses
from hounsfield.workflow.forecast.planning import units_of_plan
from tests.data_room.signal.records import some_samples, write_record


def _course(folder: Path, unit: str) -> np.ndarray:
    write_record(folder, some_samples(30, 2, 12), 16, gain=f"100(5)/{unit}")
    sample = Sample("a", "a", {"signal": (Reading(Ref("wfdb", "a.hea")),)})
    spec = InputSpec(name="signal", kind="signal", ndim=1, leads=("lead 0", "lead 1"))
    cohort = Cohort("", str(folder), (sample,), Schema(inputs=(spec,)))
    return course_of(cohort, sample, Shape(spec.leads, "lead 1", "mmHg", 250.0, 100)).values


def test_a_record_whose_clock_runs_a_little_fast_keeps_its_readings(tmp_path: Path) -> None:
    found = {}
    for name, every in (("even", 1.0), ("fast", 0.998), ("slow", 1.002), ("twice", 0.5), ("fastest", 0.47)):
        times = np.arange(60) * every
        rows = "".join(f"{t:.6f},{80 + np.sin(t / 9):.4f}\n" for t in times)
        (tmp_path / f"{name}.csv").write_text("time_s,MAP (mmHg)\n" + rows, encoding="utf-8")
        sample = Sample(name, name, {"signal": (Reading(Ref("columns", f"{name}.csv")),)})
        spec = InputSpec(name="signal", kind="signal", ndim=1, leads=("MAP",))
        cohort = Cohort("", str(tmp_path), (sample,), Schema(inputs=(spec,)))
        course = course_of(cohort, sample, Shape(("MAP",), "MAP", "mmHg", 1.0, 100))
        found[name] = (len(course.times_h), 3600 * float(course.times_h[1]))
    assert {name: count for name, (count, _) in found.items()} == {
        "even": 60, "fast": 60, "slow": 60, "twice": 30, "fastest": 20,
    }  # fmt: skip
    assert found["fastest"][1] == pytest.approx(3 * 0.47)


def test_the_forecast_variable_is_brought_to_its_unit(tmp_path: Path) -> None:
    stored = (some_samples(30, 2, 12).T - 5) / 100
    np.testing.assert_allclose(_course(tmp_path, "mmHg"), stored, rtol=1e-6)
    np.testing.assert_allclose(_course(tmp_path, "kPa")[1], stored[1] / 0.133322, rtol=1e-5)
    with pytest.raises(ReadError, match="lead 1 is in mV"):
        _course(tmp_path, "mV")


def _table(folder: Path, text: str) -> tuple[Cohort, Sample]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.csv").write_text(text, encoding="utf-8")
    sample = Sample("/home/someone/a.csv", "a", {"signal": (Reading(Ref("columns", "a.csv")),)})
    spec = InputSpec(name="signal", kind="signal", ndim=1)
    return Cohort("", str(folder), (sample,), Schema(inputs=(spec,))), sample


PLAIN = "time_min,MAP (mmHg),Temp (degC),Glucose (mmol/L)\n0,75,37,5\n7,90,38.5,\n30,60,,10\n"
OTHERS = "time_min,MAP [kPa],Temp (\u00b0F),Glucose (mg/dL)\n0,10,98.6,90.078\n7,12,101.3,\n30,8,,180.156\n"
SHAPE = Shape(("MAP", "Temp", "Glucose"), "MAP", "mmHg", units=("", "degC", "mmol/L"))


def test_every_variable_is_brought_to_the_unit_of_the_plan(tmp_path: Path) -> None:
    here, there = (
        course_of(*_table(tmp_path / "here", PLAIN), SHAPE),
        course_of(*_table(tmp_path / "there", OTHERS), SHAPE),
    )
    meant = np.array([[75, 90, 60], [37, 38.5, np.nan], [5, np.nan, 10]])
    np.testing.assert_allclose(here.values, meant)
    np.testing.assert_allclose(there.values[1:], here.values[1:], rtol=1e-5)
    np.testing.assert_allclose(there.values[0], here.values[0], rtol=1e-3)  # a kilopascal is almost 7.5 mmHg
    as_they_come = course_of(*_table(tmp_path / "there", OTHERS), replace(SHAPE, units=()))
    np.testing.assert_allclose(as_they_come.values[1], [98.6, 101.3, np.nan], rtol=1e-6)


def test_a_variable_in_a_unit_of_another_sort_is_refused_with_what_to_do(tmp_path: Path) -> None:
    cohort, sample = _table(tmp_path, PLAIN.replace("degC", "wobbles"))
    with pytest.raises(ReadError, match="Temp is in wobbles, the model has it in degC") as caught:
        course_of(cohort, sample, SHAPE)
    assert case_id(sample.id) in caught.value.found
    assert "someone" not in caught.value.message()
    assert "degC" in caught.value.expected
    assert "convert" in caught.value.next_step
    silent = "time_min,MAP (mmHg),Temp (wobbles),Glucose (mmol/L)\n0,75,,5\n7,90,,\n"
    found = course_of(*_table(tmp_path / "silent", silent), SHAPE)  # it holds nothing in that unit
    assert np.isnan(found.values[1]).all()
    read = read_courses(cohort, (sample,), SHAPE, groups={}, progress=SILENT)
    (aside,) = read.aside
    assert "Expected: Temp in degC" in aside.reason
    assert "Next: convert the values" in aside.reason


def _records(folder: Path, units: Sequence[str]) -> Cohort:
    samples = []
    for n, unit in enumerate(units):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{n}.csv").write_text(PLAIN.replace("mmHg", unit), encoding="utf-8")
        samples.append(Sample(str(n), str(n), {"signal": (Reading(Ref("columns", f"{n}.csv")),)}))
    return Cohort("", str(folder), tuple(samples), Schema(inputs=(InputSpec(name="signal", kind="signal", ndim=1),)))


def test_the_unit_of_the_forecast_is_that_of_most_series_whichever_comes_first(tmp_path: Path) -> None:
    (target,) = with_forecast(_records(tmp_path / "a", ["kPa", "mmHg", "mmHg"]), ("MAP",)).schema.targets
    assert target.unit == "mmHg"
    (target,) = with_forecast(_records(tmp_path / "b", ["mmHg", "kPa", "kPa"]), ("MAP",)).schema.targets
    assert target.unit == "kPa"
    cohort = _records(tmp_path / "c", ["kPa", "mmHg", "mmHg"])
    (tmp_path / "c" / "1.csv").unlink()
    assert with_forecast(cohort, ("MAP",)).schema.targets[0].unit == "kPa"  # of those that can be read, the first
    for name in ("0.csv", "2.csv"):
        (tmp_path / "c" / name).unlink()
    with pytest.raises(ReadError):
        with_forecast(cohort, ("MAP",))


def _facts(**units: str) -> SignalFacts:
    some = dict.fromkeys(units, 0.0)
    return SignalFacts(
        leads=tuple(units),
        units=tuple(units.values()),
        steps_median=9,
        steps_low=9,
        steps_high=9,
        empty_share=tuple(some.values()),
        mean=tuple(some.values()),
        std=tuple(some.values()),
        low=tuple(some.values()),
        high=tuple(some.values()),
    )


def test_what_the_forecast_lies_between_is_brought_to_its_unit() -> None:
    names = ("MAP", "SysABP", "DiasABP", "Temp")
    what = variable(names, ["mmHg"] * 4, wanted=("MAP",))
    mixed = _facts(MAP="mmHg", SysABP="kPa", DiasABP="", Temp="degF")
    assert units_of_plan(mixed, names, what) == (("mmHg", "mmHg", "", "degF"), ("DiasABP", "SysABP"))
    odd = _facts(MAP="mmHg", SysABP="wobbles", DiasABP="mmHg", Temp="degF")
    assert units_of_plan(odd, names, what) == (("mmHg", "wobbles", "mmHg", "degF"), None)

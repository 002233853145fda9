"""Courses of a series that is forecast are in the unit of the forecast."""

from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref, Sample, Schema
from hounsfield.core.errors import ReadError
from hounsfield.workflow.forecast.courses import Shape, course_of
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

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


def test_the_forecast_variable_is_brought_to_its_unit(tmp_path: Path) -> None:
    stored = (some_samples(30, 2, 12).T - 5) / 100
    np.testing.assert_allclose(_course(tmp_path, "mmHg"), stored, rtol=1e-6)
    np.testing.assert_allclose(_course(tmp_path, "kPa")[1], stored[1] / 0.133322, rtol=1e-5)
    with pytest.raises(ReadError, match="lead 1 is in mV"):
        _course(tmp_path, "mV")

"""Learners on small public sets; skipped where they are absent."""

import os
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from benchmarks.accuracy.signals import sets
from benchmarks.accuracy.signals.sets import read_ucr

from hounsfield.learn.learners import LEARNERS, kernels, neighbours
from hounsfield.learn.learners.protocol import Learner
from hounsfield.learn.loop import Watch

DATA = Path(os.environ.get("HOUNSFIELD_DATA", Path(__file__).parents[3] / "../shared/data"))


@pytest.fixture(autouse=True)
def _there(monkeypatch: pytest.MonkeyPatch) -> None:
    if not (DATA / "ucr_medical").exists():
        pytest.skip("ucr_medical is not in the folder that HOUNSFIELD_DATA names")
    monkeypatch.setattr(sets, "data_root", lambda: DATA)


def accuracy(learner: str, name: str) -> float:
    series = read_ucr(name)
    found = cast(Learner, LEARNERS.resolve(learner))
    state = found.fit(series.feed(series.train), series.job(0), watch=Watch())
    said = found.open(state, series.job(0)).run(series.rows(series.test))["class"]
    return float((said.argmax(axis=1) == series.answers[series.test]).mean())


@pytest.mark.parametrize(("name", "error"), [("ECG200", 0.12), ("ECGFiveDays", 0.2033)])
def test_the_nearest_neighbour_errs_as_the_archive_says(
    name: str, error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "WINDOWS", (0.0,))
    assert 1.0 - accuracy("neighbours", name) == pytest.approx(error, abs=5e-4)


def test_warped_neighbours_err_as_the_archive_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "WINDOWS", (1.0,))
    assert 1.0 - accuracy("neighbours", "ECG200") == pytest.approx(0.23, abs=5e-4)


def test_few_kernels_tell_dates_of_one_heart_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """23 series to learn from; ROCKET errs on none of 861, the nearest neighbour on a fifth."""
    monkeypatch.setattr(kernels, "BIASES", 800)
    assert accuracy("kernels", "ECGFiveDays") > 0.97


def test_series_are_standardised_once() -> None:
    series = read_ucr("ECG200").inputs["signal"]
    np.testing.assert_allclose(series.astype(np.float64).std(axis=2), 1.0, atol=1e-4)

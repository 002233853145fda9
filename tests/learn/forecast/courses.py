"""Courses to try forecasters on: one variable falls after another has risen."""

import numpy as np

from hounsfield.core.streams import stream
from hounsfield.learn.forecast.learner import Request
from hounsfield.learn.forecast.spec import ForecastOptions
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.outcomes import Outcome

ASKED = (Outcome(kind="next"), Outcome(kind="lowest", hours=1.0))


def courses(count: int, seed: int, *, length: int = 40) -> list[Course]:
    """Return courses at irregular times whose first variable follows the second by one step, with gaps in both."""
    found = []
    for n in range(count):
        rng = stream(seed, "courses", 0, n)
        size = int(rng.integers(length // 2, length + 1))
        times = np.cumsum(rng.choice([0.25, 0.5, 1.0], size))
        drive = np.zeros(size + 1)
        for t in range(1, size + 1):
            drive[t] = 0.8 * drive[t - 1] + rng.normal()
        values = np.stack([80 + 5 * drive[:-1] + rng.normal(0, 0.5, size), 2 * drive[1:] + rng.normal(0, 0.1, size)])
        values[0, rng.random(size) < 0.1] = np.nan
        found.append(Course(times, values, float(times[-1]) + 0.5))
    return found


def request(*, times: bool = True, missing: str = "carried", cell: str = "gru") -> Request:
    """Return what is asked of them."""
    options = ForecastOptions.model_validate(
        {"width": 16, "hidden": 16, "missing": missing, "cell": cell, "dropout": 0.1}
    )
    return Request(("MAP", "drive"), 0, ASKED, unit="mmHg", times=times, lags=3, low=20, high=200, options=options)

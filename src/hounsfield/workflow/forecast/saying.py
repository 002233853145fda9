"""What a forecaster and cheap forecasts say of courses, side by side, for judging."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.learn.forecast.forecaster import Forecaster
from hounsfield.learn.forecast.preparing import clean
from hounsfield.learn.forecast.spec import ForecastSpec
from hounsfield.science.forecasting import FORECAST_BASELINES
from hounsfield.science.forecasting.cheap import Cheap, Question, fit_cheap
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.outcomes import truths
from hounsfield.stages.evaluation.forecasts import Said

METHOD = "network"
"""Name of the forecaster beside the baselines."""


def fit_baselines(spec: ForecastSpec, train: Sequence[Course], calibrate: Sequence[Course]) -> tuple[Cheap, ...]:
    """Fit every cheap forecast to the forecaster's own training and calibration series."""
    question = Question(spec.target, spec.asked, spec.levels, spec.lags)
    learned, held = [clean(c, spec) for c in train], [clean(c, spec) for c in calibrate]
    return tuple(fit_cheap(name, learned, held, question) for name in FORECAST_BASELINES)


def said_of(
    forecaster: Forecaster, cheap: Sequence[Cheap], courses: Sequence[Course], patients: Sequence[str]
) -> list[Said]:
    """Return what all methods say at the readings of each course, beside what came.

    Parameters
    ----------
    forecaster : Forecaster
    cheap : sequence of Cheap
    courses : sequence of Course
    patients : sequence of str
        Of each course.
    """
    spec = forecaster.spec
    found: list[Said] = []
    ours = forecaster.quantiles(courses)
    for course, patient, said in zip(courses, patients, ours, strict=True):
        cleaned = clean(course, spec)
        steps = cleaned.readings(spec.target)
        if not len(steps):
            continue
        past: Float64Array = cleaned.values[spec.target, steps]
        quantiles = {METHOD: said[steps], **{one.name: one.quantiles(past) for one in cheap}}
        truth = truths(cleaned, spec.target, spec.asked)[steps]
        found.append(Said(patient, np.asarray(cleaned.times_h[steps]), past, cleaned.end_h, truth, quantiles))
    return found

"""A plan that was written by hand is checked before anything is learned, and figures are called what they are."""

import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import PlanError
from hounsfield.core.plan import Plan, PlanValue
from hounsfield.stages.evaluation.forecasts import Judging, judge_forecasts
from hounsfield.stages.planning.forecast import Asked, draft_forecast
from hounsfield.workflow.forecast.reporting import _target
from hounsfield.workflow.forecast.sections import check_forecast
from tests.stages.evaluation.test_forecasts import HOW, said
from tests.stages.planning.test_forecast_rules import SEEN


def plan(**changed: PlanValue) -> Plan:
    sections = draft_forecast(SEEN, Asked())
    forecast = {
        key: one.model_copy(update={"value": changed.get(key, one.value)}) for key, one in sections["forecast"].items()
    }
    return Plan(
        hounsfield="0", cohort="ward", cohort_digest="", task="prognose",
        targets=(TargetSpec(name="MAP", kind="forecast", unit="mmHg"),), sections={**sections, "forecast": forecast},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        ([0.1, 0.9], "three"),
        ([0.5], "three"),
        ([0.0, 0.5, 1.0], "between 0 and 1"),
        ([0.9, 0.5, 0.1], "do not rise"),
        ([0.1, 0.25, 0.75, 0.9], "median"),
        ([0.1, 0.5, 0.8], "symmetric"),
    ],
)
def test_levels_that_no_forecaster_can_have_are_refused_with_the_plan(levels: list[PlanValue], why: str) -> None:
    check_forecast(plan())
    check_forecast(plan(levels=[0.1, 0.5, 0.9]))
    with pytest.raises(PlanError, match=why):
        check_forecast(plan(levels=levels))


def test_a_question_is_asked_once() -> None:
    twice: list[PlanValue] = [{"kind": "mean", "hours": 1 / 3}, {"kind": "mean", "hours": 1200 / 3600 + 1e-12}]
    with pytest.raises(PlanError, match="twice"):
        check_forecast(plan(asked=twice))


def test_an_interval_is_called_what_it_should_hold() -> None:
    """Quantiles of .25 and .75 alone are an interval of 50%, and no plan makes it one of 90%."""
    inner = Judging(HOW.asked, HOW.levels[1:-1], HOW.method, HOW.below, HOW.unit)
    series = [
        type(one)(
            one.patient, one.times_h, one.values, one.end_h, one.truth,
            {method: quantiles[..., 1:-1] for method, quantiles in one.quantiles.items()},
        )
        for one in said(20, 0)
    ]  # fmt: skip
    figures = judge_forecasts(series, [], inner)
    metrics = _target(figures, figures.outcomes[0], "MAP: next reading", "test").parts["test"].metrics
    assert not any("90" in name for name in metrics)
    coverage = metrics["coverage_50"].value
    assert coverage is not None
    assert coverage == pytest.approx(0.5, abs=0.05)
    assert {"width_50", "coverage_50:at or over 75"} <= set(metrics)
    usual = judge_forecasts(said(20, 0), [], HOW)
    names = set(_target(usual, usual.outcomes[0], "MAP: next reading", "test").parts["test"].metrics)
    assert {"coverage_90", "width_90", "coverage_50", "coverage_90:at or over 75"} <= names

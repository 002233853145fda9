"""Figures of forecasts: the judged method beside cheap ones, coverage, warnings with thresholds fixed elsewhere."""

import numpy as np
import pytest
from scipy.stats import norm

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.forecasting.outcomes import Outcome
from hounsfield.science.statistics.warning import Watched
from hounsfield.stages.evaluation.forecast_figures import ForecastFigures
from hounsfield.stages.evaluation.forecasts import Judging, Said, _thresholds, judge_forecasts

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
HOW = Judging((Outcome(kind="next"), Outcome(kind="lowest", hours=1.0)), LEVELS, "network", 65.0, "mmHg")


def said(count: int, seed: int) -> list[Said]:
    """Return series of two methods: one knows the level to 2 mmHg, the other to 6."""
    found = []
    for n in range(count):
        rng = stream(seed, "said", 0, n)
        level = 72 + np.cumsum(rng.normal(0, 2, 49))
        truth = np.stack([level[1:], level[1:] - 1.0], axis=1)
        quantiles = {}
        for method, wide in (("network", 2.0), ("last-value", 6.0)):
            centre = truth + rng.normal(0, wide, truth.shape)
            quantiles[method] = centre[..., None] + wide * norm.ppf(LEVELS)
        truth[-1] = np.nan
        found.append(Said(f"p{n % (count // 2)}", np.arange(48.0), level[:-1], 48.0, truth, quantiles))
    return found


def test_figures_are_what_was_put_in() -> None:
    series = said(60, 0)
    figures = judge_forecasts(series, said(30, 1), HOW)
    first = figures.outcomes[0]
    assert (first.questions, first.patients, first.best_baseline) == (60 * 47, 30, "last-value")
    ours = first.methods["network"]
    assert ours.mae.value == pytest.approx(2 * np.sqrt(2 / np.pi), rel=0.05)
    assert first.saved is not None
    assert first.saved.value == pytest.approx(2 / 3, abs=0.03)
    assert first.saved.low is not None
    assert first.saved.low < 2 / 3 < (first.saved.high or 0)
    assert ours.coverage.value == pytest.approx(0.9, abs=0.02)
    assert ours.coverage_half is not None
    assert ours.coverage_half.value == pytest.approx(0.5, abs=0.03)
    assert ours.level == pytest.approx(0.9)
    assert ours.width == pytest.approx(2 * 2 * 1.645, rel=0.01)
    errors = np.concatenate([np.abs(s.truth[:, 0] - s.quantiles["last-value"][:, 0, 2]) for s in series])
    assert first.methods["last-value"].mae.value == pytest.approx(np.nanmean(errors), rel=1e-5)
    assert set(first.coverage_by) == {"present reading under 75", "at or over 75"}
    assert ForecastFigures.model_validate_json(figures.model_dump_json()) == figures


def test_warnings_are_only_of_the_lowest_and_thresholds_hold_elsewhere() -> None:
    figures = judge_forecasts(said(80, 2), said(80, 3), HOW)
    assert [w.name for w in figures.warnings] == ["lowest within 1 h"]
    told = figures.warnings[0]
    assert told.onsets > 50
    better, worse = told.at["network"][0], told.at["last-value"][0]
    assert (better.sensitivity.value or 0) > (worse.sensitivity.value or 0)
    assert better.fixed_per_hour == pytest.approx(better.per_hour, abs=0.02)
    assert better.fixed_sensitivity == pytest.approx(better.sensitivity.value, abs=0.1)
    assert better.lead_h == pytest.approx(1.0)
    rates = [rate for rate, _ in told.curves["network"]]
    assert rates == sorted(rates, reverse=True)


def test_a_rate_that_an_alarm_which_always_stands_keeps_is_not_told() -> None:
    """Of readings each two hours it is raised each four: at one false alarm in four hours any score warns of all."""
    how = Judging((Outcome(kind="lowest", hours=3.0),), LEVELS, "network", 65.0, "mmHg")
    rare = [
        Said(
            s.patient,
            s.times_h * 2,
            s.values,
            s.end_h * 2,
            s.truth[:, 1:],
            {m: q[:, 1:] for m, q in s.quantiles.items()},
        )
        for s in said(40, 6)
    ]
    told = judge_forecasts(rare, [], how).warnings[0]
    assert [round(1 / point.per_hour) for point in told.at["network"]] == [24, 12, 8]
    assert len(told.chance) == 3


def test_of_readings_each_second_few_may_alarm() -> None:
    """A day of them in which one in 86,400 has the highest score: one false alarm in 24 hours."""
    scores = np.linspace(0.0, 0.5, 86_400)
    thresholds = _thresholds([Watched(0, np.arange(86_400) / 3600, np.full(86_400, 80.0), scores, 24.0)])
    assert 1 <= (scores >= thresholds[-2]).sum() <= 2
    assert (scores >= thresholds[-1]).sum() == 0
    assert thresholds[0] == 0.0


def test_without_held_out_series_no_threshold_is_fixed_and_without_a_limit_nothing_is_warned_of() -> None:
    figures = judge_forecasts(said(10, 4), [], HOW)
    assert figures.warnings[0].at["network"][0].fixed_threshold is None
    plain = judge_forecasts(said(10, 4), [], Judging(HOW.asked, LEVELS, "network"))
    assert plain.warnings == []
    assert plain.outcomes[0].coverage_by == {}


def test_no_answer_at_all_is_an_error() -> None:
    series = [Said("p", s.times_h, s.values, s.end_h, np.full_like(s.truth, np.nan), s.quantiles) for s in said(2, 5)]
    with pytest.raises(InputError, match="No question"):
        judge_forecasts(series, [], HOW)

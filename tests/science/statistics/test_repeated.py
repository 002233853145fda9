"""The interval of repeated cross-validation by its formula, and by how often it holds the truth."""

import numpy as np
import pytest
from scipy import stats

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.statistics.repeated import corrected_interval


def test_it_is_nadeau_and_bengios() -> None:
    values = stream(0, "folds").normal(0.8, 0.1, 50)
    found = corrected_interval(values, ratio=0.25, bounds=(0.0, 1.0))
    half = stats.t.ppf(0.975, 49) * np.sqrt((1 / 50 + 0.25) * np.var(values, ddof=1))
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, min(1.0, values.mean() + half)))


def test_more_repeats_do_not_make_it_narrow() -> None:
    values = stream(1, "folds").normal(0.8, 0.1, 5000)
    few, many = corrected_interval(values[:50], ratio=0.25), corrected_interval(values, ratio=0.25)
    assert many.high - many.low > 0.85 * (few.high - few.low)


def test_undefined_folds_are_counted_and_too_few_give_no_interval() -> None:
    found = corrected_interval(np.array([0.7, np.nan, 0.9]), ratio=0.25)
    assert found.value == pytest.approx(0.8)
    assert found.dropped == 1
    assert np.isnan(corrected_interval(np.array([0.7, np.nan, np.nan]), ratio=0.25).low)
    assert np.isnan(corrected_interval(np.array([np.nan]), ratio=0.25).value)
    with pytest.raises(InputError, match="ratio"):
        corrected_interval(np.array([0.7, 0.8]), ratio=0.0)


def test_it_holds_the_truth_about_as_often_as_it_says() -> None:
    """Of a rule that is fixed, over cohorts of 60 patients divided ten times into five folds."""
    inside, cohorts = 0, 200
    for number in range(cohorts):
        draws = stream(number, "coverage")
        right = (draws.random(60) < 0.7).astype(np.float64)
        folds = [right[draws.permutation(60)].reshape(5, 12).mean(axis=1) for _ in range(10)]
        found = corrected_interval(np.concatenate(folds), ratio=0.25)
        inside += found.low <= 0.7 <= found.high
    assert inside >= 0.93 * cohorts

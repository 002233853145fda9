import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hounsfield.core.errors import InputError
from hounsfield.science.statistics import discrimination, operating_point
from hounsfield.science.statistics.operating_point import OperatingPoint, Rule

RNG = np.random.default_rng(5)
TRUTH = RNG.integers(0, 2, 101)
P = np.round(np.clip(RNG.normal(0.4 + 0.2 * TRUTH, 0.2), 0, 1), 2)


def _all_points() -> list[tuple[float, float]]:
    calls = [t <= P for t in [*np.unique(P), 2.0]]
    return [(discrimination.sensitivity(TRUTH, k), discrimination.specificity(TRUTH, k)) for k in calls]


def test_balanced_accuracy_is_the_highest_of_all() -> None:
    point = operating_point.fit(TRUTH, P, rule=Rule.BALANCED_ACCURACY)
    called = operating_point.apply(point, P)
    assert discrimination.balanced_accuracy(TRUTH, called) == pytest.approx(
        max(sum(pair) / 2 for pair in _all_points())
    )
    assert point.sensitivity == pytest.approx(discrimination.sensitivity(TRUTH, called))
    assert point.specificity == pytest.approx(discrimination.specificity(TRUTH, called))
    assert (point.positives, point.negatives) == (TRUTH.sum(), (1 - TRUTH).sum())


@pytest.mark.parametrize("wanted", [0.5, 0.9, 0.95, 1.0])
def test_aims_are_met_at_the_least_cost(wanted: float) -> None:
    sensitive = operating_point.fit(TRUTH, P, rule=Rule.SENSITIVITY, wanted=wanted)
    assert sensitive.sensitivity is not None
    assert sensitive.sensitivity >= wanted
    assert sensitive.specificity == pytest.approx(max(spec for sens, spec in _all_points() if sens >= wanted))
    specific = operating_point.fit(TRUTH, P, rule=Rule.SPECIFICITY, wanted=wanted)
    assert specific.specificity is not None
    assert specific.specificity >= wanted
    assert specific.sensitivity == pytest.approx(max(sens for sens, spec in _all_points() if spec >= wanted))


def test_threshold_lies_between_neighbours() -> None:
    point = operating_point.fit(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.6, 0.9]), rule=Rule.BALANCED_ACCURACY)
    assert point.threshold == pytest.approx(0.4)
    low = math.nextafter(0.5, 0)
    point = operating_point.fit(np.array([0, 1]), np.array([low, 0.5]), rule=Rule.BALANCED_ACCURACY)
    assert operating_point.apply(point, np.array([low, 0.5])).tolist() == [False, True]


@pytest.mark.parametrize("truth", [[1, 1], [0, 0], []])
def test_one_half_where_a_class_is_missing(truth: list[int]) -> None:
    point = operating_point.fit(np.array(truth), np.full(len(truth), 0.7), rule=Rule.BALANCED_ACCURACY)
    assert (point.threshold, point.rule) == (0.5, Rule.DEFAULT)


def test_constant_scores_call_everybody_or_nobody() -> None:
    point = operating_point.fit(TRUTH, np.full(101, 1.0), rule=Rule.SPECIFICITY, wanted=0.9)
    assert not operating_point.apply(point, np.array([1.0])).any()
    point = operating_point.fit(TRUTH, np.zeros(101), rule=Rule.SENSITIVITY, wanted=0.9)
    assert operating_point.apply(point, np.array([0.0])).all()


def test_survives_json() -> None:
    point = operating_point.fit(TRUTH, P, rule=Rule.SENSITIVITY, wanted=0.95)
    assert OperatingPoint.model_validate_json(point.model_dump_json()) == point


@pytest.mark.parametrize(
    ("rule", "wanted"), [(Rule.SENSITIVITY, None), (Rule.SPECIFICITY, 1.5), (Rule.BALANCED_ACCURACY, 0.5)]
)
def test_contradictory_aims_are_refused(rule: Rule, wanted: float | None) -> None:
    with pytest.raises(InputError):
        operating_point.fit(TRUTH, P, rule=rule, wanted=wanted)


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=12))
def test_reached_is_what_apply_reaches(rows: list[tuple[bool, float]]) -> None:
    truth, p = np.array([row[0] for row in rows]).astype(np.int64), np.array([row[1] for row in rows])
    point = operating_point.fit(truth, p, rule=Rule.BALANCED_ACCURACY)
    called = operating_point.apply(point, p)
    for reached, metric in (
        (point.sensitivity, discrimination.sensitivity),
        (point.specificity, discrimination.specificity),
    ):
        assert metric(truth, called) == pytest.approx(math.nan if reached is None else reached, nan_ok=True)

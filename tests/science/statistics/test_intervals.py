import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from hounsfield.core.errors import InputError
from hounsfield.core.types import Float64Array
from hounsfield.science.statistics import discrimination, intervals
from hounsfield.science.statistics.intervals import Interval
from hounsfield.science.statistics.weighted_ranks import ranked_figures, sort_scores


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_patients_are_drawn_whole() -> None:
    patients = np.array(["a", "b", "a", "c", "b"])
    chunks = list(intervals.patient_weights(patients, replicates=50, rng=_rng()))
    weights = np.concatenate(chunks, axis=1)
    assert weights.shape == (5, 50)
    np.testing.assert_array_equal(weights[0], weights[2])
    np.testing.assert_array_equal(weights[1], weights[4])
    np.testing.assert_array_equal(weights[[0, 1, 3]].sum(axis=0), 3)


def test_draws_are_multinomial_in_every_chunk() -> None:
    chunks = list(intervals.patient_weights(np.arange(3000), replicates=400, rng=_rng()))
    assert len(chunks) > 1
    weights = np.concatenate(chunks, axis=1)
    assert weights.shape == (3000, 400)
    assert weights.mean() == 1.0
    assert weights.var() == pytest.approx(1 - 1 / 3000, rel=0.02)
    assert len(np.unique(weights, axis=1).T) == 400


def test_weighted_and_repeated_rows_give_the_same_interval() -> None:
    rng = _rng()
    truth = rng.integers(0, 2, 60)
    score = np.round(rng.normal(size=60) + truth, 1)
    ordered = sort_scores(truth == 1, score)

    def fast(weights: Float64Array) -> Float64Array:
        return ranked_figures(ordered, weights)[0]

    patients = np.arange(60) // 2
    quick = intervals.bootstrap(fast, patients, rng=_rng(), replicates=200)
    slow = intervals.bootstrap(
        intervals.resampled(discrimination.auroc, truth, score), patients, rng=_rng(), replicates=200
    )
    assert (quick.low, quick.high) == pytest.approx((slow.low, slow.high), abs=1e-12)
    assert quick.value == pytest.approx(metrics.roc_auc_score(truth, score))
    assert quick.low < quick.value < quick.high


def test_interval_of_a_mean_is_the_textbook_one() -> None:
    values = _rng().normal(10, 2, 400)

    def mean(weights: Float64Array) -> Float64Array:
        result: Float64Array = values @ weights / weights.sum(axis=0)
        return result

    inside = intervals.bootstrap(mean, np.arange(400), rng=_rng(), replicates=2000)
    half = 1.96 * values.std() / math.sqrt(400)
    assert inside.low == pytest.approx(values.mean() - half, abs=0.03)
    assert inside.high == pytest.approx(values.mean() + half, abs=0.03)
    grouped = intervals.bootstrap(mean, np.arange(400) // 100, rng=_rng(), replicates=500)
    assert grouped.value == inside.value


def test_replicates_without_a_class_are_dropped_and_counted() -> None:
    truth = np.array([1, 0, 0, 0, 0, 0, 0, 0])
    statistic = intervals.resampled(discrimination.auroc, truth, np.linspace(1, 0, 8) ** 2)
    inside = intervals.bootstrap(statistic, np.arange(8), rng=_rng(), replicates=400, name="auroc")
    assert inside.value == 1.0
    # The only positive is missing from (7/8)^8 of the replicates; none lacks negatives in practice.
    assert inside.dropped == pytest.approx(400 * (7 / 8) ** 8, abs=40)


def test_undefined_figures_say_why() -> None:
    statistic = intervals.resampled(discrimination.auroc, np.ones(5), np.zeros(5))
    inside = intervals.bootstrap(statistic, np.arange(5), rng=_rng(), replicates=10, name="auroc")
    assert math.isnan(inside.value)
    assert inside.reason == "a class is missing"
    assert inside.to_json() == {"value": None, "low": None, "high": None, "reason": "a class is missing"}


def test_one_patient_gives_no_interval() -> None:
    statistic = intervals.resampled(discrimination.accuracy, np.array([1, 0]), np.array([1, 1]))
    inside = intervals.bootstrap(statistic, np.array(["a", "a"]), rng=_rng(), replicates=10)
    assert inside.value == 0.5
    assert math.isnan(inside.low)
    assert inside.reason == "one patient gives no interval"
    assert math.isnan(intervals.bootstrap(statistic, np.zeros(0), rng=_rng()).value)


def test_mostly_undefined_replicates_give_no_interval() -> None:
    replicates = np.array([0.5] * 4 + [np.nan] * 6)
    inside = intervals.percentile_interval(0.5, replicates, patients=9, name="recall:rare")
    assert math.isnan(inside.low)
    assert inside.dropped == 6
    assert inside.reason == "undefined in 6 of 10 replicates: the class does not occur"


def test_paired_difference_is_sharper_than_two_intervals() -> None:
    rng = _rng()
    truth = rng.integers(0, 2, 200)
    base = rng.normal(size=200) + truth
    ours = intervals.resampled(discrimination.auroc, truth, base + 0.3 * truth)
    theirs = intervals.resampled(discrimination.auroc, truth, base)
    gain = intervals.paired_bootstrap(ours, theirs, np.arange(200), rng=_rng(), replicates=200)
    assert gain.low > 0
    assert gain.p == pytest.approx(2 / 201)
    same = intervals.paired_bootstrap(ours, ours, np.arange(200), rng=_rng(), replicates=50)
    assert (same.value, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)
    assert same.to_json()["p"] == 1.0


@pytest.mark.parametrize(("hits", "total"), [(0, 10), (3, 10), (10, 10), (1, 1), (57, 203)])
def test_proportions_equal_scipy(hits: int, total: int) -> None:
    for ours, method in ((intervals.wilson, "wilson"), (intervals.clopper_pearson, "exact")):
        theirs = stats.binomtest(hits, total).proportion_ci(method=method)
        inside = ours(hits, total)
        assert (inside.low, inside.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_proportions_of_nothing_and_of_nonsense() -> None:
    assert math.isnan(intervals.wilson(0, 0).value)
    assert math.isnan(intervals.clopper_pearson(0, 0).low)
    with pytest.raises(InputError):
        intervals.wilson(3, 2)


def test_expected_auroc_interval_by_hand_and_by_simulation() -> None:
    # Hanley and McNeil's formula at A = .5 and 1 + 1 samples: .5 * .5 / 1.
    inside = intervals.expected_auroc_interval(0.5, 1, 1)
    assert (inside.low, inside.high) == (0.0, 1.0)
    rng = _rng()
    shift = math.sqrt(2) * stats.norm.ppf(0.8)
    drawn = [
        metrics.roc_auc_score([0] * 60 + [1] * 40, np.append(rng.normal(size=60), rng.normal(shift, 1, 40)))
        for _ in range(300)
    ]
    inside = intervals.expected_auroc_interval(0.8, 40, 60)
    assert (inside.high - inside.low) / 3.92 == pytest.approx(np.std(drawn), rel=0.12)
    assert math.isnan(intervals.expected_auroc_interval(0.8, 0, 5).low)


def test_interval_as_json_is_short_when_all_is_well() -> None:
    assert Interval(0.5, 0.4, 0.6).to_json() == {"value": 0.5, "low": 0.4, "high": 0.6}

import math

import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.science.statistics import calibration, discrimination
from hounsfield.science.statistics.figures import bootstrap_figures, paired_figures
from hounsfield.science.statistics.figures_of_classes import categorical
from hounsfield.science.statistics.figures_of_values import number
from hounsfield.science.statistics.intervals import patient_weights
from tests.counting import lines


def _binary(samples: int, *, seed: int = 0, gain: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, samples)
    p = 1 / (1 + np.exp(-rng.normal(gain * (2 * truth - 1), 1.5)))
    return truth, np.stack([1 - p, p], axis=1)


def test_every_replicate_equals_the_metric_on_repeated_rows() -> None:
    truth, shares = _binary(80)
    prepared = categorical(truth, shares, threshold=0.4)
    weights = next(patient_weights(np.arange(80) // 2, replicates=20, rng=np.random.default_rng(1)))
    replicates = prepared.evaluate(weights)
    score = shares[:, 1]
    for r in range(20):
        rows = np.repeat(np.arange(80), weights[:, r].astype(np.int64))
        y, p = truth[rows], score[rows]
        expected = {
            "auroc": discrimination.auroc(y, p),
            "average_precision": discrimination.average_precision(y, p),
            "accuracy": discrimination.accuracy(y, p > 0.5),
            "accuracy_at_operating_point": discrimination.accuracy(y, p >= 0.4),
            "balanced_accuracy": discrimination.balanced_accuracy(y, p >= 0.4),
            "f1": discrimination.f1(y, p >= 0.4),
            "ppv": discrimination.ppv(y, p >= 0.4),
            "npv": discrimination.npv(y, p >= 0.4),
            "brier": calibration.brier(y, p),
        }
        assert {name: replicates[name][r] for name in expected} == pytest.approx(expected, abs=1e-9)
        # Replicates are refined to far less than the interval's width, not to the last bit.
        assert replicates["calibration_slope"][r] == pytest.approx(calibration.calibration_slope(y, p), abs=1e-3)
        assert replicates["calibration_intercept"][r] == pytest.approx(
            calibration.calibration_intercept(y, p), abs=1e-3
        )


def test_interval_of_the_calibration_error_is_centred_where_nothing_is_wrong() -> None:
    # Well calibrated: the debiased error is near 0, and so must be the lower bound.
    lows, covered = [], 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        p = rng.random(300)
        truth = (rng.random(300) < np.clip(p + 0.1, 0, 1)).astype(np.int64)
        prepared = categorical(truth, np.stack([1 - p, p], axis=1))
        inside = bootstrap_figures(prepared, np.arange(300), rng=rng, replicates=200)["calibration_error"]
        lows.append(inside.low <= inside.value <= inside.high)
        covered += inside.low <= math.sqrt(np.mean((np.clip(p + 0.1, 0, 1) - p) ** 2)) <= inside.high
    assert all(lows)
    assert covered >= 17


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    covered = 0
    for seed in range(60):
        truth, shares = _binary(150, seed=seed)
        inside = bootstrap_figures(
            categorical(truth, shares), np.arange(150), rng=np.random.default_rng(seed), replicates=200
        )["auroc"]
        # Scores of both classes are normal, 2 apart, with deviation 1.5: AUROC = Phi(2 / (1.5 sqrt 2)).
        covered += inside.low <= 0.8271 <= inside.high
    assert covered >= 52


def test_the_same_generator_gives_the_same_intervals() -> None:
    truth, shares = _binary(60)
    first, second = (
        bootstrap_figures(categorical(truth, shares), np.arange(60), rng=np.random.default_rng(4), replicates=100)
        for _ in range(2)
    )
    assert first == second


def test_a_perfect_share_has_the_exact_interval_over_patients() -> None:
    truth = np.array([1] * 10 + [0] * 10)
    shares = np.stack([1 - truth, truth], axis=1).astype(np.float64)
    patients = np.repeat(np.arange(10), 2)
    result = bootstrap_figures(categorical(truth, shares), patients, rng=np.random.default_rng(0), replicates=100)
    # Five patients, all found: the exact lower bound is .025^(1/5).
    assert result["sensitivity"].low == pytest.approx(0.025 ** (1 / 5))
    assert result["sensitivity"].high == 1.0
    assert result["auroc"].reason == "the same in every replicate"


def test_paired_figures() -> None:
    truth, worse = _binary(300)
    better = np.clip(worse + 0.1 * np.stack([1 - 2 * truth, 2 * truth - 1], axis=1), 0.001, 0.999)
    gain = paired_figures(
        categorical(truth, better),
        categorical(truth, worse),
        np.arange(300),
        rng=np.random.default_rng(0),
        replicates=300,
    )
    assert gain["auroc"].low > 0
    assert gain["brier"].high < 0
    assert gain["auroc"].p < 0.02
    assert gain["auroc"].value == pytest.approx(
        discrimination.auroc(truth, better[:, 1]) - discrimination.auroc(truth, worse[:, 1])
    )


def test_patients_must_match_the_samples() -> None:
    with pytest.raises(InputError, match="beside 3 samples"):
        bootstrap_figures(number(np.arange(3.0), np.arange(3.0)), np.arange(2), rng=np.random.default_rng(0))


def test_no_samples_give_reasons() -> None:
    empty = categorical(np.zeros(0), np.zeros((0, 2)))
    result = bootstrap_figures(empty, np.zeros(0), rng=np.random.default_rng(0))
    assert all(math.isnan(inside.value) and inside.reason for inside in result.values())


def test_no_line_is_run_for_each_replicate() -> None:
    truth, shares = _binary(200)
    prepared = categorical(truth, shares)

    def drawn(replicates: int) -> int:
        rng = np.random.default_rng(0)
        return lines(lambda: bootstrap_figures(prepared, np.arange(200) // 2, rng=rng, replicates=replicates))

    assert drawn(2000) - drawn(200) < 1800

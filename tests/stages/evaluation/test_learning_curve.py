"""Learning curves: a known law comes back, and what is not known shows in the interval."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import InputError
from hounsfield.science.statistics.discrimination import auroc
from hounsfield.stages.evaluation.learning_curve import Measured, fit_law, learning_curve, replicated
from tests.stages.evaluation.cases import BINARY, Floats, binary


def _measured(share: float, samples: int, value: float, *, runs: int = 1, spread: float = 0.0) -> Measured:
    rng = np.random.default_rng(samples)
    common = np.concatenate([[0.0], 0.02 * np.random.default_rng(0).normal(size=300)])
    figures = value + common + np.concatenate([[0.0], 0.002 * rng.normal(size=300)])
    shifts = spread * np.linspace(-1, 1, runs)[:, None] if runs > 1 else np.zeros((1, 1))
    return Measured(share, float(samples), float(samples), figures + shifts)


def _law(samples: float) -> float:
    return float(0.05 + 1.2 * samples**-0.5)


def test_the_law_agrees_with_an_independent_fit() -> None:
    samples = np.array([50.0, 100.0, 200.0, 400.0, 800.0])
    errors = np.array([_law(n) for n in samples])
    law = fit_law(samples, errors[:, None], np.full(5, 1e-3), rng=np.random.default_rng(0))
    known, _ = curve_fit(lambda n, a, b, c: a + b * n**-c, samples, errors, p0=(0.1, 1.0, 0.6))
    assert law(np.array([1600.0]))[0, 0] == pytest.approx(known[0] + known[1] * 1600.0 ** -known[2], abs=2e-3)
    assert law.exponent[0] == pytest.approx(0.5, abs=0.05)


def test_twice_the_data_is_inside_the_interval_and_never_harms() -> None:
    points = [_measured(s, n, 1 - _law(n)) for s, n in ((0.25, 100), (0.5, 200), (1.0, 400))]
    found = learning_curve(points[::-1], target=BINARY, model="network", part="val")
    assert (found.metric, found.model, found.part) == ("auroc", "network", "val")
    assert [p.samples for p in found.points] == [100, 200, 400]
    value, low, high = found.double.value, found.double.low, found.double.high
    assert value is not None
    assert low is not None
    assert high is not None
    assert low < 1 - _law(800) < high
    assert value == pytest.approx(1 - _law(800), abs=0.005)
    assert found.gain.low is not None
    assert found.gain.low >= 0
    assert found.fitted is not None
    assert found.fitted.x[-1] == pytest.approx(800)
    # What moves all points alike (the held-out patients) does not widen the gain as it widens the value.
    assert found.gain.high is not None
    assert found.gain.high - found.gain.low < high - low


def test_runs_that_differ_widen_the_gain() -> None:
    def curve(spread: float) -> float:
        drawn = ((0.25, 100, 3), (0.5, 200, 2), (1.0, 400, 1))
        points = [_measured(s, n, 1 - _law(n), runs=r, spread=spread) for s, n, r in drawn]
        gain = learning_curve(points, target=BINARY, model="logistic", part="cv").gain
        return (gain.high or 0) - (gain.low or 0)

    assert curve(0.05) > 1.3 * curve(0.0)


def test_a_flat_or_falling_curve_promises_nothing() -> None:
    points = [_measured(0.5, 100, 0.8), _measured(1.0, 200, 0.79)]
    found = learning_curve(points, target=BINARY, model="logistic", part="val")
    assert found.gain.value == pytest.approx(0, abs=1e-9)


def test_an_error_falls() -> None:
    target = TargetSpec(name="size", kind="number")
    points = [_measured(s, n, 10 * _law(n)) for s, n in ((0.25, 100), (0.5, 200), (1.0, 400))]
    found = learning_curve(points, target=target, model="logistic", part="val")
    assert found.metric == "mae"
    assert found.gain.value is not None
    assert found.gain.value < 0
    assert found.double.value == pytest.approx(10 * _law(800), rel=0.03)


def test_too_little_is_refused_and_undefined_is_said() -> None:
    with pytest.raises(InputError, match="1 shares"):
        learning_curve([_measured(1.0, 100, 0.8)], target=BINARY, model="network", part="val")
    nothing = [Measured(s, n, n, np.full((1, 5), np.nan)) for s, n in ((0.5, 10.0), (1.0, 20.0))]
    found = learning_curve(nothing, target=BINARY, model="network", part="val")
    assert found.double.value is None
    assert found.double.note
    assert found.fitted is None


def test_replicates_are_paired_and_match_the_plain_metric() -> None:
    samples, answers, truth = binary()
    worse: Floats = np.clip(answers + 0.3 * np.random.default_rng(1).normal(size=answers.shape), 0, 1)
    worse /= worse.sum(axis=1, keepdims=True)
    found = replicated(BINARY, samples, [answers, worse], replicates=50)
    assert found.shape == (2, 51)
    assert found[0, 0] == pytest.approx(auroc(truth, answers[:, 1]))
    again = replicated(BINARY, samples, [answers], replicates=50)
    np.testing.assert_array_equal(found[0], again[0])
    assert float(np.asarray(np.corrcoef(found[0, 1:], found[1, 1:])).item(1)) > 0.3

import numpy as np
import pytest

from hounsfield.science.statistics.inputs import expit, logit
from hounsfield.science.statistics.weighted_calibration import equal_mass_bins, recalibrate


@pytest.mark.parametrize("seed", range(40))
def test_fits_reach_the_maximum_of_the_likelihood_also_with_wild_probabilities(seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples, spread = int(rng.integers(10, 60)), 10 ** rng.uniform(-3, 2)
    truth = rng.random(samples) < rng.choice([0.1, 0.5, 0.9])
    truth[:2] = [False, True]
    x = rng.normal(rng.normal(0, 3), spread, samples) + truth * spread * rng.uniform(0, 1)
    x[:2] = x[[1, 0]] if x[0] < x[1] else x[:2]  # one pair in the wrong order: not separable
    model = recalibrate(truth, expit(x))
    inside = logit(expit(x))
    assert (truth - expit(model.intercept + inside)).sum() == pytest.approx(0, abs=1e-8)
    if inside[0] == inside[1]:
        return  # saturation has tied the pair
    residual = truth - expit(model.line[0] + model.line[1] * model.standard)
    assert residual.sum() == pytest.approx(0, abs=1e-8)
    assert (residual * model.standard).sum() == pytest.approx(0, abs=1e-8)


def test_bins_are_equal_ordered_and_keep_ties_together() -> None:
    p = np.random.default_rng(0).random(1000)
    bins = equal_mass_bins(p, 10)
    assert np.bincount(bins).tolist() == [100] * 10
    assert np.all(np.diff(bins[np.argsort(p)]) >= 0)
    tied = np.round(p, 1)
    assert all(len(np.unique(equal_mass_bins(tied, 10)[tied == value])) == 1 for value in np.unique(tied))
    assert equal_mass_bins(np.array([0.3]), 10).tolist() == [0]
    assert equal_mass_bins(np.zeros(0), 10).tolist() == []

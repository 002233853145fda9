"""Photon noise against the moments that theory gives."""

import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.science.physics.noise import measure_at_dose


@pytest.mark.parametrize("line", [0.0, 1.5, 4.0])
def test_mean_and_variance_follow_beer_lambert(line: float) -> None:
    photons = 1e5
    noisy = measure_at_dose(np.full(40_000, line), photons, rng=np.random.default_rng(0)).astype(float)
    variance = np.exp(line) / photons
    assert noisy.mean() == pytest.approx(line, abs=5 * np.sqrt(variance / 40_000) + variance)
    assert noisy.var() == pytest.approx(variance, rel=0.05)


def test_electronic_noise_adds_its_variance() -> None:
    photons, line, spread = 1e4, 2.0, 40.0
    noisy = measure_at_dose(np.full(40_000, line), photons, rng=np.random.default_rng(1), electronic_sd=spread)
    count = photons * np.exp(-line)
    assert noisy.astype(float).var() == pytest.approx((count + spread**2) / count**2, rel=0.05)


def test_starved_bins_stay_finite_and_seeds_repeat() -> None:
    lines = np.full((4, 5), 30.0)
    first = measure_at_dose(lines, 1e3, rng=np.random.default_rng(3))
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, measure_at_dose(lines, 1e3, rng=np.random.default_rng(3)))


@pytest.mark.parametrize(("photons", "spread"), [(0.0, 0.0), (float("nan"), 0.0), (1e4, -1.0)])
def test_meaningless_doses_are_refused(photons: float, spread: float) -> None:
    with pytest.raises(InputError, match="photons > 0"):
        measure_at_dose(np.zeros(2), photons, rng=np.random.default_rng(0), electronic_sd=spread)

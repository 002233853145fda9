"""CT physics is what the explanation pages say."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from hounsfield.science.physics.noise import measure_at_dose
from hounsfield.science.physics.projection import MU_WATER_PER_MM, ParallelBeam, mu_to_hu
from hounsfield.science.physics.reconstruction import filtered_back_projection
from tests.references import physics
from tests.references.physics import Array


def _disc(size: int, radius_mm: float, *, pixel_mm: float) -> Array:
    fine = 8
    axis = (np.arange(size * fine) - (size * fine - 1) / 2) * pixel_mm / fine
    inside = (axis[:, None] ** 2 + axis[None, :] ** 2 <= radius_mm**2).astype(np.float64)
    return np.asarray(inside.reshape(size, fine, size, fine).mean(axis=(1, 3)))


def test_hounsfield_units() -> None:
    mu = np.array([0.0, MU_WATER_PER_MM, 0.05])
    expected = physics.hounsfield_units(mu, mu_water=MU_WATER_PER_MM)
    np.testing.assert_allclose(mu_to_hu(mu), expected, atol=0.01)
    np.testing.assert_allclose(expected[:2], [-1000.0, 0.0])


def test_projection_of_a_disc_is_its_chord() -> None:
    beam = ParallelBeam(size=64, pixel_mm=2.0, views=12)
    views = beam.forward(MU_WATER_PER_MM * _disc(64, 50.0, pixel_mm=2.0))
    fine = (np.arange(beam.bins * 16) - (beam.bins * 16 - 1) / 2) * 2.0 / 16
    chord = physics.disc_projection(fine, radius_mm=50.0, mu=MU_WATER_PER_MM).reshape(beam.bins, 16).mean(axis=1)
    # the disc is drawn in square pixels: a few percent of the largest chord at the rim
    np.testing.assert_allclose(views, np.broadcast_to(chord, views.shape), atol=0.04 * chord.max())


def test_noise_has_the_stated_mean_and_variance() -> None:
    p, photons = 2.0, 1e4
    drawn = measure_at_dose(np.full(20_000, p), photons, rng=np.random.default_rng(0)).astype(np.float64)
    assert drawn.mean() == pytest.approx(p, abs=0.001)
    assert drawn.var() == pytest.approx(np.exp(p) / photons, rel=0.05)
    same = physics.noisy_line_integrals(np.full(20_000, p), photons, np.random.default_rng(0))
    np.testing.assert_allclose(drawn, same, atol=1e-6)


def test_reconstruction_is_ramp_then_back_projection() -> None:
    beam = ParallelBeam(size=48, pixel_mm=1.0, views=90)
    views = beam.forward(_disc(48, 15.0, pixel_mm=1.0)).astype(np.float64)
    filtered = np.array([physics.ramp_filter(view) for view in views])
    expected = physics.back_project(filtered, beam.angles_rad, size=48)
    image = filtered_back_projection(views, beam, window="ram-lak").astype(np.float64)
    # strips and lines weigh neighbours differently, so compare means over 3 x 3 pixels away from the rim
    both = [sliding_window_view(i, (3, 3)).mean(axis=(2, 3)) for i in (image, expected)]
    centre = (slice(14, 32), slice(14, 32))
    np.testing.assert_allclose(both[0][centre], both[1][centre], atol=0.02)
    assert both[1][centre].mean() == pytest.approx(1.0, abs=0.02)

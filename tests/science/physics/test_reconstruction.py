"""Reconstruction against known attenuation and scikit-image."""

from typing import cast, get_args

import numpy as np
import pytest
from skimage.transform import iradon

from hounsfield.core.errors import InputError
from hounsfield.science.physics.noise import measure_at_dose
from hounsfield.science.physics.projection import ParallelBeam, hu_to_mu
from hounsfield.science.physics.reconstruction import Window, filtered_back_projection, reconstruct_hu

SIZE, PIXEL_MM = 96, 3.0
AXIS = (np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL_MM
RADIUS = np.hypot(AXIS[:, None], AXIS[None, :])
WATER = np.where(RADIUS <= 90.0, 0.0, -1000.0)
GEOMETRY = ParallelBeam(SIZE, PIXEL_MM, views=144)


@pytest.mark.parametrize("window", get_args(Window))
def test_water_is_0_and_air_is_minus_1000(window: Window) -> None:
    image = reconstruct_hu(GEOMETRY.forward(hu_to_mu(WATER)), GEOMETRY, window=window)
    assert image[RADIUS < 75].mean() == pytest.approx(0.0, abs=2.0)
    assert image[(RADIUS > 105) & (RADIUS < 140)].mean() == pytest.approx(-1000.0, abs=2.0)
    assert np.abs(image[RADIUS < 75]).max() < 30.0


def test_off_centre_inserts_keep_their_number() -> None:
    phantom = WATER.copy()
    for y_mm, x_mm, hu in ((30.0, -40.0, 300.0), (-45.0, 10.0, -800.0)):
        phantom[np.hypot(AXIS[:, None] - y_mm, AXIS[None, :] - x_mm) <= 21.0] = hu
    image = reconstruct_hu(GEOMETRY.forward(hu_to_mu(phantom)), GEOMETRY, window="shepp-logan")
    for y_mm, x_mm, hu in ((30.0, -40.0, 300.0), (-45.0, 10.0, -800.0)):
        middle = np.hypot(AXIS[:, None] - y_mm, AXIS[None, :] - x_mm) <= 10.0
        assert image[middle].mean() == pytest.approx(hu, abs=8.0)


def test_agrees_with_scikit_image() -> None:
    size = 65
    axis = np.arange(size) - size // 2
    image = np.exp(-((axis[:, None] + 5) ** 2 + (axis[None, :] - 9) ** 2) / 60.0)
    geometry = ParallelBeam(size, 1.0, views=100)
    sinogram = geometry.forward(image)
    margin = (geometry.bins - size) // 2
    theta, measured = np.degrees(geometry.angles_rad), sinogram[:, margin : margin + size].T.astype(float)
    reference = iradon(measured, theta=theta, filter_name="hann")
    ours = filtered_back_projection(sinogram, geometry, window="hann")
    inside = np.hypot(axis[:, None], axis[None, :]) < 29
    assert np.abs(ours - reference)[inside].max() < 0.03


def test_smoother_windows_have_less_noise_and_more_dose_too() -> None:
    clean = GEOMETRY.forward(hu_to_mu(WATER))

    def spread(window: str, photons: float) -> float:
        noisy = measure_at_dose(clean, photons, rng=np.random.default_rng(0))
        return float(reconstruct_hu(noisy, GEOMETRY, window=cast(Window, window))[RADIUS < 60].std())

    by_window = [spread(window, 2e4) for window in ("hann", "cosine", "shepp-logan", "ram-lak")]
    assert by_window == sorted(by_window)
    assert spread("hann", 2e4) == pytest.approx(2.0 * spread("hann", 8e4), rel=0.1)


def test_unknown_window_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="hann"):
        filtered_back_projection(GEOMETRY.forward(WATER), GEOMETRY, window=cast(Window, "han"))

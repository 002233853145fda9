"""Projection against analytic discs, scikit-image and its own adjoint."""

import numpy as np
import numpy.typing as npt
import pytest
from skimage.transform import radon

from hounsfield.core.errors import InputError
from hounsfield.science.physics.projection import MU_WATER_PER_MM, ParallelBeam, hu_to_mu, mu_to_hu


def _disc(
    size: int, pixel_mm: float, radius_mm: float, *, y_mm: float = 0.0, x_mm: float = 0.0
) -> npt.NDArray[np.float64]:
    fine = 8
    axis = (np.arange(size * fine) - (size * fine - 1) / 2) * pixel_mm / fine
    inside = np.hypot(axis[:, None] - y_mm, axis[None, :] - x_mm) <= radius_mm
    return np.asarray(inside.reshape(size, fine, size, fine).mean(axis=(1, 3)))


def test_hounsfield_scale_has_water_at_zero_and_air_at_minus_1000() -> None:
    assert hu_to_mu([0.0, -1000.0, -1024.0]).tolist() == pytest.approx([MU_WATER_PER_MM, 0.0, 0.0])
    values = np.linspace(-1000, 2000, 31)
    np.testing.assert_allclose(mu_to_hu(hu_to_mu(values)), values, atol=1e-3)


def test_disc_projects_to_its_chords() -> None:
    size, pixel_mm, radius, y_mm, x_mm = 96, 2.0, 50.0, -14.0, 22.0
    geometry = ParallelBeam(size, pixel_mm, views=24)
    sinogram = geometry.forward(_disc(size, pixel_mm, radius, y_mm=y_mm, x_mm=x_mm))
    detector = (np.arange(geometry.bins) - (geometry.bins - 1) / 2) * pixel_mm
    for view, angle in enumerate(geometry.angles_rad):
        away = detector - (x_mm * np.cos(angle) - y_mm * np.sin(angle))
        chord = 2 * np.sqrt(np.maximum(radius**2 - away**2, 0.0))
        inner = np.abs(away) < radius - 2 * pixel_mm
        np.testing.assert_allclose(sinogram[view][inner], chord[inner], atol=0.5 * pixel_mm)
        assert np.abs(sinogram[view][inner] - chord[inner]).mean() < 0.1 * pixel_mm
        assert not sinogram[view][np.abs(away) > radius + 3 * pixel_mm].any()


def test_every_view_holds_the_whole_mass() -> None:
    image = np.random.default_rng(0).random((31, 31))
    geometry = ParallelBeam(31, 1.5, views=17)
    np.testing.assert_allclose(geometry.forward(image).sum(axis=-1), image.sum() * 1.5, rtol=1e-5)


def test_agrees_with_scikit_image_in_values_and_orientation() -> None:
    size = 65
    image = _disc(size, 1.0, 9.0, y_mm=-6.0, x_mm=8.0) + 0.5 * _disc(size, 1.0, 5.0, y_mm=12.0, x_mm=-9.0)
    geometry = ParallelBeam(size, 1.0, views=40)
    theta = np.degrees(geometry.angles_rad)
    reference = radon(image, theta=theta, circle=True).T
    margin = (geometry.bins - size) // 2
    difference = np.abs(geometry.forward(image)[:, margin : margin + size] - reference)
    assert difference.mean() < 0.02
    assert difference.max() < 0.05 * reference.max()


@pytest.mark.parametrize(("size", "views"), [(16, 1), (33, 20), (40, 45)])
def test_adjoint_is_the_transpose(size: int, views: int) -> None:
    rng = np.random.default_rng(1)
    geometry = ParallelBeam(size, 2.5, views)
    image, sinogram = rng.standard_normal((3, size, size)), rng.standard_normal((3, views, geometry.bins))
    left = float(np.sum(geometry.forward(image).astype(float) * sinogram))
    right = float(np.sum(image * geometry.adjoint(sinogram).astype(float)))
    assert left == pytest.approx(right, rel=1e-4, abs=1e-2)


def test_batches_equal_single_images() -> None:
    geometry = ParallelBeam(24, 1.0, views=9)
    batch = np.random.default_rng(2).random((2, 3, 24, 24))
    together = geometry.forward(batch)
    assert together.shape == (2, 3, 9, geometry.bins)
    np.testing.assert_allclose(together[1, 2], geometry.forward(batch[1, 2]), rtol=1e-5, atol=1e-6)
    assert geometry.adjoint(together).shape == batch.shape


def test_wrong_shapes_and_geometries_are_refused() -> None:
    with pytest.raises(InputError, match="shape"):
        ParallelBeam(24, 1.0, views=9).forward(np.zeros((23, 24)))
    with pytest.raises(InputError, match="size >= 2"):
        ParallelBeam(0, 1.0, views=9)

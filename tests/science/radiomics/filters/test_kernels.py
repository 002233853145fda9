"""Laplacian and Gabor against kernels written out from the formula."""

from math import pi

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.radiomics.filters.boundaries import Boundary
from hounsfield.science.radiomics.filters.gabor import Gabor, Planes
from hounsfield.science.radiomics.filters.laplacian import LaplacianOfGaussian
from hounsfield.science.radiomics.filters.rotations import Pooling

Array = npt.NDArray[np.float64]
MODES = {Boundary.ZERO: "constant", Boundary.NEAREST: "nearest", Boundary.PERIODIC: "wrap", Boundary.MIRROR: "reflect"}
UNIT = (1.0, 1.0, 1.0)


def _noise(*shape: int) -> Array:
    return stream(0, "test kernels", len(shape), sum(shape)).normal(size=shape)


def _laplacian(sigma: float, radius: int, ndim: int) -> Array:
    k = np.arange(-radius, radius + 1)
    squared = sum(g**2 for g in np.meshgrid(*[k] * ndim, indexing="ij"))
    height = (1 / (np.sqrt(2 * pi) * sigma)) ** ndim
    found: Array = -height / sigma**2 * (ndim - squared / sigma**2) * np.exp(-squared / (2 * sigma**2))
    return found if ndim == 3 else found[None]


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("boundary", Boundary)
def test_laplacian_is_the_convolution_with_its_formula(boundary: Boundary, ndim: int) -> None:
    volume = _noise(7, 15, 12)
    wanted = ndimage.convolve(volume, _laplacian(1.25, 5, ndim), mode=MODES[boundary])
    found = LaplacianOfGaussian(2.5, 4.0, ndim, boundary).apply(volume, (2.0, 2.0, 2.0))
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_laplacian_has_the_symmetry_of_a_cube_and_nearly_of_a_ball() -> None:
    volume = np.zeros((33, 33, 33))
    volume[16, 16, 16] = 1
    found = LaplacianOfGaussian(3.0, boundary=Boundary.ZERO).apply(volume, UNIT)
    for turned in (found.transpose(2, 0, 1), found[::-1], np.rot90(found, axes=(1, 2))):
        np.testing.assert_allclose(turned, found, atol=1e-18)
    # 3, 0, 0 and 2, 2, 1 lie equally far away
    assert found[16, 16, 19] == pytest.approx(found[17, 18, 18], rel=1e-12)


def test_laplacian_is_round_in_mm_where_sides_differ() -> None:
    spacing = (4.0, 1.0, 2.0)
    volume = np.zeros((15, 41, 25))
    volume[7, 20, 12] = 1
    found = LaplacianOfGaussian(4.0, boundary=Boundary.ZERO).apply(volume, spacing)
    assert found[8, 20, 12] == pytest.approx(found[7, 24, 12], rel=1e-12)
    assert found[7, 20, 14] == pytest.approx(found[7, 24, 12], rel=1e-12)
    # as with equal sides, the scale is that of second differences per mean voxel: volume and mean side squared
    r2 = np.array([0.0, 16.0])
    density = (1 / (np.sqrt(2 * pi) * 4)) ** 3 * np.exp(-r2 / 32)
    in_mm = -density / 16 * (3 - r2 / 16)
    np.testing.assert_allclose(found[7, [20, 24], 12], in_mm * 8 * 4, rtol=1e-12)


def _gabor(sigma: float, wave: float, gamma: float, theta: float, radius: int) -> npt.NDArray[np.complex128]:
    made = np.zeros((2 * radius + 1, 2 * radius + 1), dtype=complex)
    for row in range(-radius, radius + 1):
        for column in range(-radius, radius + 1):
            along = column * np.cos(theta) + row * np.sin(theta)
            across = -column * np.sin(theta) + row * np.cos(theta)
            envelope = np.exp(-(along**2 + gamma**2 * across**2) / (2 * sigma**2))
            made[row + radius, column + radius] = envelope * np.exp(2j * pi * along / wave)
    return made


def _modulus(volume: Array, kernel: npt.NDArray[np.complex128], boundary: Boundary, axes: tuple[int, int]) -> Array:
    parts = []
    for part in (kernel.real, kernel.imag):
        parts.append(ndimage.convolve(volume, np.expand_dims(part, 3 - sum(axes)), mode=MODES[boundary]))
    found: Array = np.hypot(parts[0], parts[1])
    return found


@pytest.mark.parametrize("boundary", Boundary)
@pytest.mark.parametrize(("gamma", "theta"), [(0.5, pi / 3), (2.0, -0.4), (1.0, 0.0)])
def test_gabor_is_the_convolution_with_its_formula(boundary: Boundary, gamma: float, theta: float) -> None:
    volume = _noise(2, 19, 16)
    radius = int(np.ceil(5.5 * 1.5 * max(1, 1 / gamma)))
    wanted = _modulus(volume, _gabor(1.5, 2.5, gamma, theta, radius), boundary, (1, 2))
    found = Gabor(3.0, 5.0, gamma, theta=theta, boundary=boundary).apply(volume, (2.0, 2.0, 2.0))
    np.testing.assert_allclose(found, wanted, atol=1e-5 * wanted.max())


@pytest.mark.parametrize("pooling", [Pooling.AVERAGE, Pooling.MAX])
@pytest.mark.parametrize("count", [6, 5])
def test_gabor_over_all_directions_and_planes(count: int, pooling: Pooling) -> None:
    volume = _noise(9, 8, 10)
    planes = []
    for axes in ((1, 2), (0, 2), (0, 1)):
        angles = [2 * pi * n / count for n in range(count)]
        each = [_modulus(volume, _gabor(1.2, 3.0, 1.5, angle, 7), Boundary.MIRROR, axes) for angle in angles]
        planes.append(np.mean(each, axis=0) if pooling == Pooling.AVERAGE else np.max(each, axis=0))
    wanted = np.mean(planes, axis=0)
    gabor = Gabor(1.2, 3.0, 1.5, theta_step=2 * pi / count, pooling=pooling, planes=Planes.ORTHOGONAL)
    np.testing.assert_allclose(gabor.apply(volume, UNIT), wanted, atol=1e-5 * wanted.max())
    assert len(gabor.directions) == (3 if count == 6 else 5)


def test_gabor_answers_to_its_wave_and_not_across() -> None:
    y, x = np.mgrid[:48, :48]
    waves = np.cos(2 * pi * (x * np.cos(pi / 6) + y * np.sin(pi / 6)) / 6)[None].astype(np.float64)
    along, across = (Gabor(6.0, 6.0, 1.0, theta=t).apply(waves, UNIT)[0, 24, 24] for t in (pi / 6, 4 * pi / 6))
    # half the wave's height times the sum of the envelope
    assert along == pytest.approx(0.5 * 2 * pi * 36, rel=1e-3)
    assert across < 1e-3 * along


def test_gabor_knows_pixels_that_are_not_square() -> None:
    fine = _noise(1, 24, 24)
    fine = ndimage.gaussian_filter(fine, (0, 2, 2), mode="wrap")
    every = Gabor(6.0, 9.0, 1.0, theta=0.3, boundary=Boundary.PERIODIC).apply(fine, UNIT)
    coarse = Gabor(6.0, 9.0, 1.0, theta=0.3, boundary=Boundary.PERIODIC).apply(fine[:, ::2], (1.0, 2.0, 1.0))
    # half as many rows, so half the sum
    np.testing.assert_allclose(2 * coarse, every[:, ::2], atol=2e-3 * every.max())


@pytest.mark.parametrize(
    "wrong",
    [
        {"sigma_mm": 0.0},
        {"wavelength_mm": -1.0},
        {"aspect": float("nan")},
        {"theta": float("inf")},
        {"theta_step": 1.0},
        {"theta_step": pi / 8, "pooling": Pooling.NONE},
        {"planes": "sagittal"},
        {"boundary": "reflect"},
    ],
)
def test_what_is_no_gabor_filter_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Gabor(**wrong)  # type: ignore[arg-type]  # that it is wrong is the point

"""Simoncelli and Riesz against the whole complex transform, and by what their formulas promise."""

import tracemalloc
from math import pi

import numpy as np
import numpy.typing as npt
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.radiomics.filters import spectral
from hounsfield.science.radiomics.filters.boundaries import Boundary
from hounsfield.science.radiomics.filters.laplacian import LaplacianOfGaussian
from hounsfield.science.radiomics.filters.riesz import RieszLaplacian, RieszSimoncelli, riesz
from hounsfield.science.radiomics.filters.simoncelli import Simoncelli, extension_of

Array = npt.NDArray[np.float64]
UNIT = (1.0, 1.0, 1.0)


def _noise(*shape: int) -> Array:
    return stream(0, "test spectral", len(shape), sum(shape)).normal(size=shape)


def _grid(shape: tuple[int, ...]) -> list[Array]:
    axes = [np.fft.ifftshift(np.linspace(-1, 1, n)) if n > 1 else np.zeros(1) for n in shape]
    return list(np.meshgrid(*axes, indexing="ij"))


def _octave(modulus: Array, level: int) -> Array:
    top = 2.0 ** (1 - level)
    inside = (modulus > top / 4) & (modulus <= top)
    return np.where(inside, np.cos(pi / 2 * np.log2(2 * np.where(inside, modulus, 1) / top)), 0)


@pytest.mark.parametrize("shape", [(8, 10, 12), (7, 9, 11), (8, 9, 13)])
@pytest.mark.parametrize("level", [1, 2])
def test_simoncelli_is_the_product_of_whole_transforms(shape: tuple[int, int, int], level: int) -> None:
    volume = _noise(*shape)
    modulus = np.sqrt(sum(g**2 for g in _grid(shape)))
    wanted = np.fft.ifftn(np.fft.fftn(volume) * _octave(modulus, level)).real
    np.testing.assert_allclose(Simoncelli(level).apply(volume, UNIT), wanted, atol=1e-12)
    found = Simoncelli(level, ndim=2).apply(volume, UNIT)
    plane = np.sqrt(sum(g**2 for g in _grid(shape[1:])))
    wanted = np.fft.ifft2(np.fft.fft2(volume) * _octave(plane, level)).real
    np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize("order", [(1, 0, 0), (0, 2, 0), (1, 1, 1), (0, 1), (2, 0)])
@pytest.mark.parametrize("shape", [(8, 10, 12), (7, 9, 11)])
def test_riesz_is_the_product_of_whole_transforms(shape: tuple[int, int, int], order: tuple[int, ...]) -> None:
    volume = _noise(*shape)
    grid = _grid(shape if len(order) == 3 else (1, *shape[1:]))[::-1]
    modulus = np.sqrt(sum(g**2 for g in grid))
    scale = (np.sqrt(6) if order == (1, 1, 1) else 1.0) * (-1j) ** sum(order)
    steered = scale * np.prod([g**n for g, n in zip(grid, order, strict=False)], axis=0)
    steered = steered / np.where(modulus > 0, modulus, 1) ** sum(order)
    axes = (0, 1, 2)[3 - len(order) :]
    product = np.fft.fftn(volume, axes=axes) * steered * _octave(modulus, 1)
    wanted = np.fft.ifftn(product, axes=axes).real
    np.testing.assert_allclose(RieszSimoncelli(1, order).apply(volume, UNIT), wanted, atol=1e-12)


@pytest.mark.parametrize("boundary", [Boundary.MIRROR, Boundary.ZERO])
@pytest.mark.parametrize("slab_bytes", [1, 8 << 20])
def test_slabs_of_what_passes_are_the_whole_transform_of_the_extended_volume(
    boundary: Boundary, slab_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spectral, "SLAB_BYTES", slab_bytes)
    volume = _noise(5, 9, 12)
    wide, inside = spectral.prolonged(volume, extension_of(3, 3, boundary, volume.shape))
    assert min(wide.shape) > 60
    modulus = np.sqrt(sum(g**2 for g in _grid(wide.shape)))
    wanted = np.fft.ifftn(np.fft.fftn(wide) * _octave(modulus, 3)).real[inside]
    np.testing.assert_allclose(Simoncelli(3, boundary=boundary).apply(volume, UNIT), wanted, atol=1e-12)
    steered = -1j * _grid(wide.shape)[2] / np.where(modulus > 0, modulus, 1)
    wanted = np.fft.ifftn(np.fft.fftn(wide) * steered * _octave(modulus, 3)).real[inside]
    found = RieszSimoncelli(3, (1, 0, 0), boundary=boundary).apply(volume, UNIT)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_memory_does_not_grow_with_what_lies_outside() -> None:
    volume = _noise(80, 80, 80).astype(np.float32)
    made = Simoncelli(3, boundary=Boundary.MIRROR)
    made.apply(volume[:4], UNIT)
    tracemalloc.start()
    made.apply(volume, UNIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # the volume and 80 voxels on every side of it are 27 times as many voxels
    assert peak < 32 * volume.size + (24 << 20)


@pytest.mark.parametrize("order", [(1, 0, 0), (1, 1)])
def test_the_laplacian_s_response_is_filtered_where_it_lies(order: tuple[int, ...]) -> None:
    volume = _noise(70, 72, 74)
    made = RieszLaplacian(2.0, order)
    laplacian = LaplacianOfGaussian(2.0, 4.0, len(order), Boundary.PERIODIC)
    wide, inside = spectral.prolonged(volume, spectral.Extension(32, len(order), Boundary.MIRROR))
    smooth = laplacian.apply(wide, UNIT)
    kept = smooth.copy()
    wanted = spectral.filtered(smooth, made.transfer, spectral.Extension(0, len(order), Boundary.PERIODIC))[inside]
    assert np.array_equal(smooth, kept)
    tracemalloc.start()
    found = made.apply(volume, UNIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(found, wanted)
    # the extended volume twice, and slabs
    assert peak < 2.2 * wide.nbytes + (32 << 20)


def test_a_level_without_any_frequency_of_a_small_volume_answers_nothing() -> None:
    assert (Simoncelli(4).apply(_noise(2, 2, 2), UNIT) == 0).all()


def test_neighbouring_octaves_add_up_to_one() -> None:
    v = np.linspace(0.26, 0.49, 50)
    at = (np.zeros(50), np.zeros(50), v)
    both = Simoncelli(1).transfer(*at) ** 2 + Simoncelli(2).transfer(*at) ** 2
    np.testing.assert_allclose(both, 1, atol=1e-12)


def test_first_orders_add_up_to_the_filter_itself() -> None:
    at = (_noise(30), _noise(30, 1)[:, 0], _noise(1, 30)[0])
    total = sum(np.abs(riesz(order, at)) ** 2 for order in ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    np.testing.assert_allclose(total, 1, atol=1e-12)
    second = [(2, 0, 0), (0, 2, 0), (0, 0, 2), (1, 1, 0), (1, 0, 1), (0, 1, 1)]
    total = sum(np.abs(riesz(order, at)) ** 2 for order in second)
    np.testing.assert_allclose(total, 1, atol=1e-12)


def test_a_cosine_becomes_a_sine_along_its_own_axis_alone() -> None:
    # an odd size, whose frequencies have the transform's symmetry
    x = np.arange(61)
    wave = np.broadcast_to(np.cos(2 * pi * 15 * x / 61), (5, 7, 61))
    gain = Simoncelli(1).transfer(np.zeros(1), np.zeros(1), np.array([15 / 30]))[0]
    found = RieszSimoncelli(1, (1, 0, 0)).apply(wave, UNIT)
    np.testing.assert_allclose(found, gain * np.broadcast_to(np.sin(2 * pi * 15 * x / 61), wave.shape), atol=1e-9)
    assert np.abs(RieszSimoncelli(1, (0, 1, 0)).apply(wave, UNIT)).max() < 1e-9


def test_an_impulse_is_answered_alike_in_all_directions() -> None:
    volume = np.zeros((31, 31, 31))
    volume[15, 15, 15] = 1
    found = Simoncelli(2).apply(volume, UNIT)
    for turned in (found.transpose(2, 0, 1), found[::-1], np.rot90(found, axes=(0, 2))):
        np.testing.assert_allclose(turned, found, atol=1e-12)
    assert found[15, 15, 15] == found.max()


def test_what_is_far_outside_does_not_come_around() -> None:
    # in a periodic volume the impulse at one face answers at the other; a zero boundary keeps it away
    volume = np.zeros((1, 32, 32))
    volume[0, 16, 1] = 1
    around = Simoncelli(1, ndim=2).apply(volume, UNIT)[0, 16, 31]
    kept = Simoncelli(1, ndim=2, boundary=Boundary.ZERO).apply(volume, UNIT)[0, 16, 31]
    assert abs(kept) < 0.05 * abs(around)


def test_riesz_of_the_laplacian_is_odd_about_an_impulse() -> None:
    volume = np.zeros((17, 19, 21))
    volume[8, 9, 10] = 1
    found = RieszLaplacian(2.0, (0, 1, 0), boundary=Boundary.ZERO).apply(volume, UNIT)
    top = np.abs(found).max()
    np.testing.assert_allclose(found[:, ::-1], -found, atol=0.02 * top)
    np.testing.assert_allclose(found[:, :, ::-1], found, atol=0.02 * top)
    assert np.abs(found[:, 9]).max() < 0.02 * top


@pytest.mark.parametrize("order", [(1,), (0, 0, 0), (-1, 2, 0), (1, 0, 0, 0), (20, 0, 0)])
def test_what_is_no_order_is_refused(order: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        RieszSimoncelli(1, order)
    with pytest.raises(InputError):
        RieszLaplacian(3.0, order)


@pytest.mark.parametrize("level", [0, 17])
def test_what_is_no_level_is_refused(level: int) -> None:
    with pytest.raises(InputError):
        Simoncelli(level)

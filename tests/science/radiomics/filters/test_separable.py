"""Boundaries, products of matrices and rotations, each against brute force."""

from itertools import permutations, product

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage, signal

from hounsfield.core.streams import stream
from hounsfield.science.radiomics.filters.boundaries import Boundary, extended, matrix, positions
from hounsfield.science.radiomics.filters.laws import KERNELS, Laws
from hounsfield.science.radiomics.filters.mean import Mean
from hounsfield.science.radiomics.filters.rotations import Pooling
from hounsfield.science.radiomics.filters.separable import SLAB, Key, Keys, blocks, weighted_sum
from hounsfield.science.radiomics.filters.wavelet import Wavelet, coefficients, spread

Array = npt.NDArray[np.float64]
PADS = {
    Boundary.ZERO: "constant",
    Boundary.NEAREST: "edge",
    Boundary.PERIODIC: "wrap",
    Boundary.MIRROR: "symmetric",
}
UNIT = (1.0, 1.0, 1.0)


def _noise(*shape: int) -> Array:
    return stream(0, "test filters", len(shape), sum(shape)).normal(size=shape)


def _padded(values: Array, widths: list[tuple[int, int]], boundary: Boundary) -> Array:
    found: Array = np.pad(values, widths, mode=PADS[boundary])  # type: ignore[call-overload]  # mode is one of four
    return found


def _dense(volume: Array, kernel: Array, boundary: Boundary) -> Array:
    """Convolve with a kernel ``z y x`` of odd sides, the volume padded by NumPy first."""
    wide = _padded(volume, [(n // 2, n // 2) for n in kernel.shape], boundary)
    found: Array = signal.convolve(wide, kernel, mode="valid", method="direct")
    return found


@pytest.mark.parametrize("boundary", Boundary)
@pytest.mark.parametrize("taps", [1, 3, 8, 31])
def test_a_matrix_is_a_convolution_of_the_padded_line(boundary: Boundary, taps: int) -> None:
    # 31 taps reach twice around a line of 7
    kernel, line = _noise(2 * taps + 1), _noise(7)
    wanted = np.convolve(_padded(line, [(taps, taps)], boundary), kernel, mode="valid")
    np.testing.assert_allclose(matrix(kernel, 7, boundary) @ line, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("boundary", Boundary)
def test_an_extended_axis_is_what_numpy_pads(boundary: Boundary) -> None:
    values = _noise(2, 5, 3)
    found = extended(values, 1, positions(5, 7, 12, boundary))
    np.testing.assert_array_equal(found, _padded(values, [(0, 0), (7, 12), (0, 0)], boundary))


def test_an_impulse_gives_the_kernel_itself() -> None:
    line = np.zeros(9)
    line[4] = 1
    kernel = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    np.testing.assert_array_equal(matrix(kernel, 9, Boundary.ZERO) @ line, [0, 0, *kernel, 0, 0])


def test_blocks_hold_every_value() -> None:
    whole = matrix(_noise(9), 100, Boundary.PERIODIC)
    put_together = np.zeros_like(whole)
    for b in blocks(whole, 32, whole.dtype):
        put_together[b.start : b.stop, b.low : b.high] = b.rows
    np.testing.assert_array_equal(put_together, whole)
    assert blocks(np.zeros((3, 3)), 32, whole.dtype)[0].rows.shape == (3, 1)


def test_a_sum_of_products_over_several_slabs() -> None:
    volume = _noise(2 * SLAB + 5, 9, 70)
    of: list[dict[Key, Array]] = [{k: _noise(n, n) for k in "ab"} for n in volume.shape]
    weights: dict[Keys, float] = {("a", "b", "a"): 1.0, ("b", "a", "a"): -2.5, ("a", "b", "b"): 0.5}
    wanted = sum(
        w * np.einsum("az,by,cx,zyx->abc", of[0][kz], of[1][ky], of[2][kx], volume, optimize=True)
        for (kz, ky, kx), w in weights.items()
    )
    found = weighted_sum(volume, (of[0], of[1], of[2]), weights)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_nothing_to_sum_is_zero() -> None:
    volume = _noise(3, 4, 5)
    assert not weighted_sum(volume, ({}, {}, {}), {}).any()


@pytest.mark.parametrize("boundary", Boundary)
@pytest.mark.parametrize("ndim", [2, 3])
def test_mean_is_that_of_scipy(boundary: Boundary, ndim: int) -> None:
    modes = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}
    volume = _noise(11, 40, 70)
    size = (5, 5, 5) if ndim == 3 else (1, 5, 5)
    wanted = ndimage.uniform_filter(volume, size, mode=modes[boundary])
    np.testing.assert_allclose(Mean(5, ndim, boundary).apply(volume, UNIT), wanted, atol=1e-12)


# rotations, written down the long way: turn the volume, filter it with a dense kernel, turn the response back
def _turned(volume: Array, order: tuple[int, ...], ways: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    places = list(range(3))
    for axis, other in zip(axes, order, strict=True):
        places[axis] = other
    flipped = volume.transpose(places)
    return np.flip(flipped, tuple(a for a, w in zip(axes, ways, strict=True) if w < 0))


def _back(volume: Array, order: tuple[int, ...], ways: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    places = list(range(3))
    for axis, other in zip(axes, order, strict=True):
        places[axis] = other
    flipped = np.flip(volume, tuple(a for a, w in zip(axes, ways, strict=True) if w < 0))
    return flipped.transpose([places.index(axis) for axis in range(3)])


def _rotations(axes: tuple[int, ...]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    found = []
    for order in permutations(axes):
        for ways in product((1, -1), repeat=len(axes)):
            turn = np.zeros((len(axes), len(axes)))
            for row, other in enumerate(order):
                turn[row, axes.index(other)] = ways[row]
            if np.linalg.det(turn) > 0:
                found.append((order, ways))
    return found


def _pooled(volume: Array, kernel: Array, boundary: Boundary, axes: tuple[int, ...], pooling: Pooling) -> Array:
    found = [
        _back(_dense(_turned(volume, order, ways, axes), kernel, boundary), order, ways, axes)
        for order, ways in _rotations(axes)
    ]
    one: Array = np.mean(found, axis=0) if pooling == Pooling.AVERAGE else np.max(found, axis=0)
    return one


def test_there_are_24_rotations_of_a_cube_and_4_of_a_square() -> None:
    assert (len(_rotations((0, 1, 2))), len(_rotations((1, 2)))) == (24, 4)


def _product(parts: list[Array]) -> Array:
    """Return the dense kernel ``z y x`` of kernels along x, y and perhaps z."""
    z = parts[2] if len(parts) == 3 else np.ones(1)
    made: Array = np.einsum("z,y,x->zyx", z, parts[1], parts[0])
    return made


@pytest.mark.parametrize("pooling", [Pooling.AVERAGE, Pooling.MAX])
@pytest.mark.parametrize("response", ["E5L5S5", "E3W5R5", "L5L5S5", "L5E5", "E5W5", "S3R5"])
def test_laws_over_rotations(response: str, pooling: Pooling) -> None:
    parts = [np.array(KERNELS[response[i : i + 2]], dtype=float) for i in range(0, len(response), 2)]
    kernel = _product([p / np.sqrt((p**2).sum()) for p in parts])
    axes = (0, 1, 2) if len(parts) == 3 else (1, 2)
    volume = _noise(6, 9, 11)
    wanted = _pooled(volume, kernel, Boundary.NEAREST, axes, pooling)
    found = Laws(response, pooling, boundary=Boundary.NEAREST).apply(volume, UNIT)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize("boundary", Boundary)
@pytest.mark.parametrize("pooling", [Pooling.AVERAGE, Pooling.MAX])
@pytest.mark.parametrize("response", ["LHL", "HHL", "LH", "HL"])
def test_wavelets_over_rotations(response: str, pooling: Pooling, boundary: Boundary) -> None:
    # the filters of Daubechies 2 are no reverse of themselves
    low, high = (spread(c, 1) for c in coefficients("db2"))
    kernel = _product([{"L": low, "H": high}[letter] for letter in response])
    axes = (0, 1, 2) if len(response) == 3 else (1, 2)
    volume = _noise(5, 8, 7)
    wanted = _pooled(volume, kernel, boundary, axes, pooling)
    found = Wavelet("db2", response, 1, pooling, boundary).apply(volume, UNIT)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize("boundary", Boundary)
def test_energy_is_the_mean_modulus(boundary: Boundary) -> None:
    volume = _noise(5, 12, 9)
    plain = Laws("L5E5", boundary=boundary).apply(volume, UNIT)
    wanted = _dense(np.abs(plain), np.full((1, 7, 7), 1 / 49), boundary)
    found = Laws("L5E5", energy_radius=3, boundary=boundary).apply(volume, UNIT)
    np.testing.assert_allclose(found, wanted, atol=1e-12)

"""Coefficients by their defining properties, levels by hand."""

import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.radiomics.filters.boundaries import Boundary
from hounsfield.science.radiomics.filters.wavelet import Wavelet, coefficients, spread

UNIT = (1.0, 1.0, 1.0)


def test_daubechies_2_and_coiflet_1_in_closed_form() -> None:
    r = np.sqrt(3)
    scaling = np.array([1 + r, 3 + r, 3 - r, 1 - r]) / (4 * np.sqrt(2))
    np.testing.assert_allclose(coefficients("db2")[0], scaling[::-1], atol=1e-12)
    r = np.sqrt(7)
    scaling = np.array([1 - r, 5 + r, 14 + 2 * r, 14 - 2 * r, 1 - r, -3 + r]) / (16 * np.sqrt(2))
    low = coefficients("coif1")[0]
    np.testing.assert_allclose(np.sort(low), np.sort(scaling), atol=1e-10)


@pytest.mark.parametrize("family", ["haar", "db2", "db3", "db8", "coif1", "coif3"])
def test_filters_are_orthonormal_and_have_vanishing_moments(family: str) -> None:
    low, high = coefficients(family)
    n = low.size
    for shift in range(0, n, 2):
        wanted = float(shift == 0)
        assert low[shift:] @ low[: n - shift] == pytest.approx(wanted, abs=1e-9)
        assert high[shift:] @ high[: n - shift] == pytest.approx(wanted, abs=1e-9)
        assert low[shift:] @ high[: n - shift] == pytest.approx(0, abs=1e-9)
    assert low.sum() == pytest.approx(np.sqrt(2))
    moments = {"haar": 1, "coif1": 2, "coif3": 6}.get(family) or int(family[2:])
    for power in range(moments):
        assert np.sum(high * (np.arange(n) / n) ** power) == pytest.approx(0, abs=1e-7)


def test_zeros_of_a_level() -> None:
    np.testing.assert_array_equal(spread(np.array([1.0, 2.0]), 1), [1, 2, 0])
    np.testing.assert_array_equal(spread(np.array([1.0, 2.0]), 2), [1, 0, 2, 0, 0])
    np.testing.assert_array_equal(spread(np.array([1.0, 2.0]), 3), [1, 0, 0, 0, 2, 0, 0, 0, 0])


def test_haar_level_2_by_hand() -> None:
    line = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])
    # sums and differences of a voxel and the next one, then of a voxel and the next but one; both wrap around
    low = (line + np.roll(line, -1)) / np.sqrt(2)
    smooth = (low + np.roll(low, -2)) / np.sqrt(2)
    detail = np.roll(low, -2) - low
    volume = np.broadcast_to(line, (1, 4, 8))
    constant = 2.0  # the low-pass filters along y double a constant over two levels
    found = Wavelet("haar", "LL", 2, boundary=Boundary.PERIODIC).apply(volume, UNIT)
    np.testing.assert_allclose(found[0, 1], constant * smooth)
    found = Wavelet("haar", "HL", 2, boundary=Boundary.PERIODIC).apply(volume, UNIT)
    np.testing.assert_allclose(np.abs(found[0, 1]), constant * np.abs(detail) / np.sqrt(2))


def test_energy_is_kept() -> None:
    # each level of the undecimated transform holds the energy of its input 2^D times
    volume = stream(0, "test wavelet").normal(size=(8, 12, 16))
    parts = [
        Wavelet("db3", a + b + c, boundary=Boundary.PERIODIC).apply(volume, UNIT)
        for a in "LH"
        for b in "LH"
        for c in "LH"
    ]
    assert sum((p**2).sum() for p in parts) == pytest.approx(8 * (volume**2).sum())


@pytest.mark.parametrize(
    "wrong",
    [
        {"family": "sym3"},
        {"family": "db99"},
        {"response": "LX"},
        {"response": "L"},
        {"level": 0},
        {"pooling": "median"},
    ],
)
def test_what_is_no_wavelet_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Wavelet(**wrong)  # type: ignore[arg-type]  # that it is wrong is the point

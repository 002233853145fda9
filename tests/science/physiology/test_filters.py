from fractions import Fraction

import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.physiology.filters import band_pass, causal_band_pass, filled, resampled, without_mains

TIME = np.arange(2500) / 250


def _tone(hz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hz * TIME)


def test_a_zero_phase_filter_passes_its_band_in_place() -> None:
    found = band_pass(_tone(10) + _tone(0.2) + _tone(60), 250, (2, 30), order=4)
    np.testing.assert_allclose(found[500:-500], _tone(10)[500:-500], atol=0.02)


def test_a_causal_filter_does_not_look_ahead() -> None:
    x = stream(0, "causal").normal(0, 1, 2500)
    changed = x.copy()
    changed[1500:] = 1e6
    for band in ((0.5, 20), (0, 20), (0.5, 200)):
        np.testing.assert_array_equal(
            causal_band_pass(x, 250, band)[:1500], causal_band_pass(changed, 250, band)[:1500]
        )
    assert np.abs(causal_band_pass(np.full(100, 5.0), 250, (0, 20)) - 5).max() < 1e-9
    assert np.abs(causal_band_pass(np.full(100, 5.0), 250, (1, 20))).max() < 1e-9
    assert not np.array_equal(band_pass(x, 250, (0.5, 20))[:1500], band_pass(changed, 250, (0.5, 20))[:1500])


def test_resampling_does_not_alias() -> None:
    found = resampled(_tone(5) + _tone(80), 250, 100)
    assert len(found) == 1000
    expected = np.sin(2 * np.pi * 5 * np.arange(1000) / 100)
    np.testing.assert_allclose(found[50:-50], expected[50:-50], atol=0.01)
    there_and_back = resampled(resampled(_tone(5), 250, 360), 360, 250)
    np.testing.assert_allclose(there_and_back[50:2450], _tone(5)[50:2450], atol=0.01)
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError):
            resampled(_tone(5), 250, bad)


def test_mains_are_taken_out() -> None:
    found = without_mains(_tone(10) + _tone(50) + _tone(100), 250, 50)
    np.testing.assert_allclose(found[250:-250], _tone(10)[250:-250], atol=0.05)


def test_gaps_are_bridged() -> None:
    series, missing = filled(np.array([np.nan, 1, np.nan, 3, np.inf]))
    np.testing.assert_array_equal(series, [1, 1, 2, 3, 3])
    np.testing.assert_array_equal(missing, [True, False, True, False, True])
    assert filled(np.full(3, np.nan))[0].tolist() == [0, 0, 0]


def test_an_empty_band_is_an_error() -> None:
    for band in ((20.0, 10.0), (130.0, 200.0), (-1.0, 5.0)):
        with pytest.raises(InputError, match="filter"):
            band_pass(_tone(5), 250, band)


def test_resampling_is_that_of_scipy_to_the_bit() -> None:
    from scipy.signal import resample_poly

    x = stream(0, "resampled").standard_normal((2, 500))
    for own, to in ((360.0, 120.0), (250.0, 360.0), (257.0, 128.5)):
        ratio = Fraction(to / own).limit_denominator(1000)
        plain = resample_poly(x, ratio.numerator, ratio.denominator, axis=-1, padtype="line")
        np.testing.assert_array_equal(resampled(x, own, to), plain)
        np.testing.assert_array_equal(resampled(x, own, to), plain)  # and again: nothing of the filter was changed

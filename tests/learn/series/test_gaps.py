"""Ends and gaps of padded series."""

import numpy as np

from hounsfield.learn.series.gaps import bridged, lengths

NAN = np.nan


def test_the_end_is_behind_the_last_value_of_any_channel() -> None:
    values = np.array([[[1, 2, NAN, NAN], [NAN, NAN, 3, NAN]], [[NAN] * 4] * 2, [[1, 2, 3, 4], [1, np.inf, NAN, 4]]])
    np.testing.assert_array_equal(lengths(values), [3, 1, 4])


def test_gaps_are_bridged_as_numpy_interpolates() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((20, 3, 30)).astype(np.float32)
    values[rng.random(values.shape) < 0.4] = np.nan
    values[::3, :, 25:] = np.nan
    values[5, 1] = np.nan
    whole, ends = bridged(values)
    for n in range(20):
        for c in range(3):
            seen = np.flatnonzero(np.isfinite(values[n, c]))
            wanted = np.zeros(30)
            if len(seen):
                wanted[: ends[n]] = np.interp(np.arange(ends[n]), seen, values[n, c, seen])
            np.testing.assert_allclose(whole[n, c], wanted, atol=1e-5)


def test_nothing_at_all_and_half_precision() -> None:
    whole, ends = bridged(np.full((2, 1, 5), np.nan, dtype=np.float16))
    assert whole.dtype == np.float32
    assert (whole == 0).all()
    np.testing.assert_array_equal(ends, 1)
    whole, _ = bridged(np.array([[[1.0, np.inf, 3.0]]], dtype=np.float16))
    np.testing.assert_allclose(whole[0, 0], [1, 2, 3])

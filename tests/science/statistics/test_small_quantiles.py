"""Quantiles are those of NumPy, bit by bit."""

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.science.statistics.small_quantiles import middle_around, quantile_within, quantiles

SHARES = (0.0, 0.02, 0.25, 0.5, 0.75, 0.98, 1.0)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 50, 720, 4096])
def test_they_are_those_of_numpy(count: int) -> None:
    drawn = stream(count, "quantiles").standard_normal(count)
    for values in (drawn, np.round(drawn)):
        np.testing.assert_array_equal(quantiles(values, SHARES), np.quantile(values, SHARES))
        np.testing.assert_array_equal(quantiles(np.stack([values, values[::-1]]), SHARES)[1], quantiles(values, SHARES))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.75, 1.0])
def test_stretches_have_their_own(share: float) -> None:
    rng = stream(0, "stretches")
    values = rng.standard_normal(700)
    first = rng.integers(0, 700, 4200)
    stop = np.minimum(first + rng.integers(0, 40, 4200), 700)
    found = quantile_within(values, first, stop, share=share)
    wanted = [np.quantile(values[a:b], share) if b > a else np.nan for a, b in zip(first, stop, strict=True)]
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("count", [0, 1, 5, 17, 60])
def test_medians_of_neighbours(count: int) -> None:
    values = stream(count, "neighbours").integers(0, 50, count)
    wanted = [np.median(values[max(0, i - 8) : i + 9]) for i in range(count)]
    np.testing.assert_array_equal(middle_around(values, 8), wanted)

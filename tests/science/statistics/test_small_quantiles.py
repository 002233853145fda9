"""Quantiles are those of NumPy, bit by bit."""

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.science.statistics.small_quantiles import middle, quantile, quantiles

SHARES = (0.0, 0.02, 0.25, 0.5, 0.75, 0.98, 1.0)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 50, 720, 4096])
def test_they_are_those_of_numpy(count: int) -> None:
    drawn = stream(count, "quantiles").standard_normal(count)
    for values in (drawn, np.round(drawn)):
        np.testing.assert_array_equal(quantiles(values, SHARES), np.quantile(values, SHARES))
        for share in SHARES:
            assert quantile(values, share) == np.quantile(values, share)
        assert middle(values) == np.median(values)
    assert middle(np.arange(count)) == np.median(np.arange(count))

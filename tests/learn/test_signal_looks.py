"""What a signal looks like in numbers: the same as by NumPy, bit by bit."""

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.learn.signal_looks import BANDS, SHARES, quantiles, signal_looks


@pytest.mark.parametrize("count", [1, 2, 3, 7, 50, 720, 4096])
def test_quantiles_are_those_of_numpy(count: int) -> None:
    values = stream(count, "quantiles").standard_normal(count)
    np.testing.assert_array_equal(quantiles(values), np.quantile(values, SHARES))
    repeated = np.round(values)
    np.testing.assert_array_equal(quantiles(repeated), np.quantile(repeated, SHARES))


def test_power_is_told_by_octave() -> None:
    t = np.arange(512)
    for octave, frequency in enumerate((0.35, 0.18, 0.09, 0.045, 0.02)):
        shares = signal_looks(np.sin(2 * np.pi * frequency * t)[None].astype(np.float32))[len(SHARES) + 4 : -1]
        assert len(shares) == BANDS
        assert int(np.argmax(shares)) == octave

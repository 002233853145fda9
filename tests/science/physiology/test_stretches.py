"""A record read by stretches is at another rate what the whole is."""

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.learn.prepare.signal_values import at_rate
from hounsfield.science.physiology.filters import resampled, resampling_factors
from hounsfield.science.physiology.stretches import resampled_stretches

SAMPLES = 30_011


def record(samples: int = SAMPLES) -> Float64Array:
    """Leads that drift far from 0: one whole, one with short and long gaps, one that ends early, one of nothing."""
    draws = stream(0, "stretches")
    values = draws.normal(size=(4, samples)).cumsum(axis=1) + 500.0
    values[1, draws.random(samples) < 0.01] = np.nan
    values[1, :700] = np.nan
    values[1, 9_000:19_500] = np.nan  # longer than several stretches
    values[2, 20_003:] = np.nan
    values[2, 5_000:5_001] = np.inf
    values[3] = np.nan
    return values


class Reader:
    """Hands out stretches and remembers how long they were."""

    def __init__(self, values: Float64Array) -> None:
        self.values = values
        self.asked: list[int] = []

    def __call__(self, start: int, stop: int) -> Float64Array:
        assert 0 <= start < stop <= self.values.shape[1]
        self.asked.append(stop - start)
        return self.values[:, start:stop].copy()


@pytest.mark.parametrize(
    ("rate_hz", "to_hz"),
    [(500.0, 100.0), (360.0, 250.0), (250.0, 360.0), (257.0, 100.3), (500.0, 1.7), (128.0, 127.0), (1000.0, 0.4)],
)
@pytest.mark.parametrize("size", [997, 4096, 100_000])
def test_stretches_are_the_whole(rate_hz: float, to_hz: float, size: int) -> None:
    values = record()
    wanted = at_rate(values, rate_hz, to_hz)
    read = Reader(values)
    pieces = list(resampled_stretches(read, SAMPLES, rate_hz=rate_hz, to_hz=to_hz, stretch=size))
    found = np.concatenate(pieces, axis=1)
    assert found.shape == wanted.shape
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)
    _, down = resampling_factors(rate_hz, to_hz)
    assert max(read.asked) <= max(size, down)


def test_whatever_is_known_of_a_lead() -> None:
    draws = stream(1, "stretches")
    for share in (0.02, 0.5, 0.98, 0.9999):
        values = draws.normal(5.0, 1.0, (3, 5000))
        values[draws.random(values.shape) < share] = np.nan
        wanted = at_rate(values, 500.0, 120.0)
        found = np.concatenate(
            list(resampled_stretches(Reader(values), 5000, rate_hz=500.0, to_hz=120.0, stretch=256)), axis=1
        )
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_what_lies_behind_the_asked_beginning_is_hardly_read() -> None:
    values = stream(2, "stretches").normal(size=(2, 200_000))
    read = Reader(values)
    first = next(resampled_stretches(read, 200_000, rate_hz=500.0, to_hz=100.0, stretch=5000))
    np.testing.assert_allclose(first, resampled(values, 500.0, 100.0)[:, : first.shape[1]], atol=1e-9)
    assert sum(read.asked) < 20_000


def test_what_the_lower_rate_cannot_hold_is_filtered_out_at_every_border() -> None:
    t = np.arange(60_000) / 1000.0
    hum = np.sin(2 * np.pi * 130 * t)[None]
    pieces = list(resampled_stretches(Reader(hum), 60_000, rate_hz=1000.0, to_hz=100.0, stretch=1000))
    assert np.abs(np.concatenate(pieces, axis=1)[0, 10:-10]).max() < 0.01


def test_a_rate_of_far_less_than_a_sample_in_ten_thousand() -> None:
    """A day at 500 Hz in 4096 steps is 0.0474 Hz: it was left as it was, or a twentieth too fast."""
    up, down = resampling_factors(500.0, 0.0474)
    assert up == 1
    assert down == pytest.approx(500 / 0.0474, rel=1e-4)
    slow = resampled(np.linspace(0.0, 1.0, 200_000)[None], 500.0, 0.02)
    assert slow.shape == (1, 8)
    np.testing.assert_allclose(slow[0], np.arange(8) * 25_000 / 199_999, atol=0.02)

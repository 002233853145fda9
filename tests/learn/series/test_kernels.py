"""Random kernels against convolutions written out one weight at a time."""

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.core.types import Float32Array, Float64Array
from hounsfield.learn.series.gaps import bridged
from hounsfield.learn.series.kernels import TRIPLES, Kernels, answered, fit_kernels, judged
from tests.learn.series.toys import waved


def plainly(series: Float32Array, kernels: Kernels) -> Float64Array:
    """The features of one series ``c t``, from the definition."""
    steps = series.shape[1]
    found = []
    for combination in range(len(kernels.starts) - 1):
        dilation = int(kernels.dilations[combination // 84])
        weights = [2.0 if tap in TRIPLES[combination % 84] else -1.0 for tap in range(9)]
        answer = np.zeros(steps)
        for channel in kernels.channels[kernels.starts[combination] : kernels.starts[combination + 1]]:
            for t in range(steps):
                for tap, weight in enumerate(weights):
                    at = t + (tap - 4) * dilation
                    answer[t] += weight * float(series[channel, at]) if 0 <= at < steps else 0.0
        if combination % 2 == 1 and steps > 8 * dilation:
            answer = answer[4 * dilation : steps - 4 * dilation]
        for bias in kernels.biases[kernels.places[combination] : kernels.places[combination + 1]]:
            above = answer - bias > 0
            runs = "".join("x" if a else " " for a in above).split()
            where = np.flatnonzero(above) / max(len(answer) - 1, 1)
            found += [
                above.mean(),
                (answer - bias)[above].mean() if above.any() else 0.0,
                where.mean() if above.any() else -1.0,
                max(map(len, runs), default=0) / len(answer),
            ]
    return np.array(found)


@pytest.mark.parametrize("channels", [1, 3])
def test_features_are_those_of_the_definition(channels: int) -> None:
    series, ends = bridged(waved(12, channels=channels))
    kernels = fit_kernels(series, ends, biases=84 * 4, rng=stream(3, "kernels"))
    found = kernels(series[:3], ends[:3])
    for row in range(3):
        wanted = plainly(series[row, :, : ends[row]], kernels)
        # A quantile may fall on a value of the answer itself, where float32 and float64 stand on two sides of it.
        apart = np.abs(found[row] - wanted) > 2e-4
        assert apart.mean() < 0.01
    assert found.shape == (3, kernels.features)


def test_biases_are_quantiles_of_what_kernels_answer() -> None:
    series, ends = bridged(waved(1))
    kernels = fit_kernels(series, ends, biases=84 * 8, rng=stream(0, "kernels"))
    shares = kernels(series, ends)[0].reshape(-1, 4)[:, 0]
    quantiles = (np.arange(1, len(shares) + 1) * (5**0.5 + 1) / 2) % 1
    steps = np.empty(len(shares))
    for at in range(len(kernels.starts) - 1):
        low, high = judged(at, int(ends[0]), int(kernels.dilations[at // 84]))
        steps[kernels.places[at] : kernels.places[at + 1]] = high - low
    assert (np.abs(shares - (1 - quantiles)) * steps <= 1.01).all()  # a quantile lies between two steps


def test_the_level_does_not_matter_where_no_padding_is_touched() -> None:
    series = waved(1, steps=40)[0, :, 13:36]
    for triple in TRIPLES[::20]:
        inner = answered(series + 100.0, triple, 2)[8:-8]
        np.testing.assert_allclose(inner, answered(series, triple, 2)[8:-8], atol=1e-3)


def test_dilations_reach_over_the_series_and_few_biases_are_enough() -> None:
    series, ends = bridged(waved(10, steps=400))
    kernels = fit_kernels(series, ends, biases=6216, rng=stream(0, "kernels"))
    assert kernels.dilations[0] == 1
    assert kernels.dilations[-1] == (np.median(ends) - 1) // 8
    assert abs(len(kernels.biases) - 6216) < 84 * 16
    few = fit_kernels(series, ends, biases=5, rng=stream(0, "kernels"))
    assert len(few.biases) == 84
    assert list(few.dilations) == [1]


@pytest.mark.parametrize("steps", [1, 2, 8, 9, 10])
def test_short_series_have_features_too(steps: int) -> None:
    series = np.ones((2, 1, steps), dtype=np.float32)
    ends = np.array([steps, max(1, steps - 1)])
    found = fit_kernels(series, ends, biases=84, rng=stream(0, "short"))(series, ends)
    assert np.isfinite(found).all()


def test_the_same_seed_gives_the_same_kernels_and_arrays_hold_all_of_them() -> None:
    series, ends = bridged(waved(8, channels=5))
    one, two, other = (fit_kernels(series, ends, biases=168, rng=stream(s, "kernels")) for s in (1, 1, 2))
    np.testing.assert_array_equal(one(series, ends), two(series, ends))
    assert not np.array_equal(one.channels, other.channels)
    again = Kernels.of(one.arrays("kernels/x"), "kernels/x")
    np.testing.assert_array_equal(again(series, ends), one(series, ends))


def test_what_lies_behind_the_end_is_not_looked_at() -> None:
    series, ends = bridged(waved(8))
    kernels = fit_kernels(series, ends, biases=168, rng=stream(1, "kernels"))
    longer = np.concatenate([series, np.full((8, 1, 30), 7.0, dtype=np.float32)], axis=2)
    np.testing.assert_array_equal(kernels(longer, ends), kernels(series, ends))

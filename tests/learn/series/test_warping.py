"""Distances between series against the whole matrix of paths, and resampling."""

import numpy as np
import pytest

from hounsfield.core.types import Float32Array
from hounsfield.learn.series.warping import nearest, resampled


def warped(one: Float32Array, other: Float32Array, window: int) -> float:
    """The distance from its definition: every cell of the matrix."""
    steps = one.shape[1]
    best = np.full((steps + 1, steps + 1), np.inf)
    best[0, 0] = 0.0
    for i in range(steps):
        for j in range(steps):
            if abs(i - j) <= window:
                cost = float(((one[:, i].astype(np.float64) - other[:, j]) ** 2).sum())
                best[i + 1, j + 1] = cost + min(best[i, j], best[i, j + 1], best[i + 1, j])
    return float(np.sqrt(best[steps, steps]))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("window", [0, 1, 4, 25])
def test_the_nearest_is_that_of_all_paths(window: int, channels: int) -> None:
    rng = np.random.default_rng(window)
    series = np.cumsum(rng.standard_normal((16, channels, 25)), axis=2).astype(np.float32)
    asked, known = series[:6], series[6:]
    table = np.array([[warped(a, k, window) for k in known] for a in asked])
    places, distances = nearest(asked, known, window)
    np.testing.assert_array_equal(places, table.argmin(axis=1))
    np.testing.assert_allclose(distances, table.min(axis=1), rtol=1e-6)
    if window == 0:
        straight = np.sqrt(((asked[:, None] - known[None]) ** 2).sum(axis=(2, 3)))
        np.testing.assert_allclose(table, straight, rtol=1e-5)


def test_only_what_is_allowed_is_taken_and_the_first_of_equals() -> None:
    series = np.repeat(np.arange(3, dtype=np.float32), 2)[:, None, None] * np.ones((6, 1, 9), np.float32)
    foreign = ~np.eye(6, dtype=np.bool_)
    places, distances = nearest(series, series, 2, allowed=foreign)
    np.testing.assert_array_equal(places, [1, 0, 3, 2, 5, 4])
    np.testing.assert_array_equal(distances, 0)
    np.testing.assert_array_equal(nearest(series, series, 2)[0], [0, 0, 2, 2, 4, 4])
    places, distances = nearest(series[:1], series, 0, allowed=np.zeros((1, 6), dtype=np.bool_))
    assert (places[0], distances[0]) == (-1, np.inf)


def test_series_come_to_one_length() -> None:
    line = np.arange(40, dtype=np.float32)[None, None] * np.ones((3, 2, 1), np.float32)
    found = resampled(line, np.array([40, 20, 5]), 20)
    np.testing.assert_allclose(found[0, 0], np.arange(40).reshape(20, 2).mean(axis=1), atol=1e-5)
    np.testing.assert_array_equal(found[1, 1], np.arange(20))
    np.testing.assert_allclose(found[2, 0], np.linspace(0, 4, 20), atol=1e-6)
    uneven = resampled(line, np.array([40, 40, 40]), 30)
    np.testing.assert_allclose(uneven.mean(axis=2), 19.5, atol=1e-4)

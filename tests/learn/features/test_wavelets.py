"""Waves: no mean, one size, and an answer to stripes of their own direction."""

import numpy as np
import pytest

from hounsfield.learn.features.wavelets import FREQUENCY, directions, waves


@pytest.mark.parametrize("ndim", [2, 3])
def test_waves_have_no_mean_and_unit_size(ndim: int) -> None:
    even, odd = waves(ndim)
    space = tuple(range(1, ndim + 1))
    np.testing.assert_allclose(even.sum(axis=space), 0.0, atol=1e-12)
    np.testing.assert_allclose(odd.sum(axis=space), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.hypot(even, odd).sum(axis=space), 1.0, atol=1e-12)


@pytest.mark.parametrize(("ndim", "closest_deg"), [(2, 22.5), (3, 63.434949)])
def test_directions_are_spread_evenly(ndim: int, closest_deg: float) -> None:
    vectors = directions(ndim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0)
    cosines = np.abs(vectors @ vectors.T)[~np.eye(len(vectors), dtype=bool)]
    assert np.degrees(np.arccos(cosines.max())) == pytest.approx(closest_deg)


@pytest.mark.parametrize("ndim", [2, 3])
def test_each_direction_answers_to_its_own_stripes_most(ndim: int) -> None:
    even, odd = waves(ndim)
    half = even.shape[1] // 2
    axes = np.stack(np.meshgrid(*[np.arange(-half, half + 1.0)] * ndim, indexing="ij"))
    for own, direction in enumerate(directions(ndim)):
        stripes = np.cos(FREQUENCY * np.tensordot(direction, axes, axes=1))
        space = tuple(range(1, ndim + 1))
        moduli = np.hypot((even * stripes).sum(axis=space), (odd * stripes).sum(axis=space))
        assert moduli.argmax() == own

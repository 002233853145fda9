"""Randomness is found by its address."""

import hashlib
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from hounsfield.core.streams import address, stream


def test_same_address_same_numbers() -> None:
    first, second = stream(3, "augment", 5, 7), stream(3, "augment", 5, 7)
    first.random(10)
    np.testing.assert_array_equal(first.random(5), np.concatenate([second.random(10), second.random(5)])[10:])


def test_numbers_do_not_depend_on_what_was_drawn_elsewhere() -> None:
    alone = stream(0, "order", 1).permutation(50)
    stream(0, "order").permutation(10_000)
    np.testing.assert_array_equal(stream(0, "order", 1).permutation(50), alone)


@pytest.mark.parametrize("other", [(1, "a", 0, 0), (0, "b", 0, 0), (0, "a", 1, 0), (0, "a", 0, 1)])
def test_every_part_of_the_address_counts(other: tuple[int, str, int, int]) -> None:
    assert not np.array_equal(stream(0, "a").random(8), stream(*other).random(8))


def test_parts_of_an_address_do_not_run_into_each_other() -> None:
    addresses = {address(1, "a", 1, 11), address(1, "a", 11, 1), address(11, "a", 1, 1), address(1, "a|1", 1, 1)}
    assert len(addresses) == 4


def test_address_is_fixed_for_ever() -> None:
    """A changed address would change every run ever made: recompute it from its definition."""
    expected = int.from_bytes(hashlib.blake2b(b"7|order|2|0", digest_size=16).digest(), "little")
    assert address(7, "order", 2) == expected
    assert 0 <= expected < 2**128


def test_first_numbers_of_many_streams_are_uniform() -> None:
    """Kolmogorov-Smirnov over the first number of 4,000 neighbouring streams; seeded, so the outcome is fixed."""
    first = np.array([stream(0, "augment", epoch, sample).random() for epoch in range(4) for sample in range(1000)])
    assert stats.kstest(first, "uniform").pvalue > 0.01


def test_neighbouring_streams_are_uncorrelated() -> None:
    draws = [stream(0, "augment", 0, sample).standard_normal(4000) for sample in range(6)]
    correlations = [abs(float(np.corrcoef(a, b)[0, 1])) for a, b in combinations(draws, 2)]
    assert max(correlations) < 4.5 / np.sqrt(4000)

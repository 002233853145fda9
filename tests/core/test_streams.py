"""Randomness is found by its address."""

import hashlib
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from hounsfield.core.streams import address, stream, uniforms


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


def test_rows_are_found_by_their_own_address() -> None:
    whole = uniforms(3, "augment", 5, [4, 9, 2], count=20)
    np.testing.assert_array_equal(uniforms(3, "augment", 5, [9], count=20), whole[1:2])
    np.testing.assert_array_equal(uniforms(3, "augment", 5, [2, 4], count=7), whole[[2, 0], :7])
    assert len(np.unique(uniforms(3, "augment", 6, [4, 9, 2], count=20))) == 60
    assert uniforms(0, "a", 0, [], count=5).shape == (0, 5)


def test_rows_are_fixed_for_ever() -> None:
    words = hashlib.shake_128(b"7|augment x|2|11").digest(24)
    expected = [(int.from_bytes(words[8 * i : 8 * i + 8], "little") >> 11) / 2**53 for i in range(3)]
    assert uniforms(7, "augment x", 2, [11], count=3)[0].tolist() == expected


def test_rows_are_uniform_and_unrelated() -> None:
    drawn = uniforms(0, "a", 0, range(4000), count=8)
    assert stats.kstest(drawn.ravel(), "uniform").pvalue > 0.001
    assert np.abs(np.corrcoef(drawn.T) - np.eye(8)).max() < 0.06
    assert np.abs(np.corrcoef(drawn[:-1].ravel(), drawn[1:].ravel())[0, 1]) < 0.03

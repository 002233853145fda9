"""How signals are read: what is missing, where a series ends, what is how old."""

import numpy as np
import pytest
import torch

from hounsfield.learn.nn.signal.laying import begin, gaps, last_seen, lay
from hounsfield.learn.nn.signal.sequence import framed, inside, read, reverse
from tests.learn.nn.signal.series import NAN, as64, irregular, noise, ragged
from tests.references import recurrent as reference


def test_lengths_are_found_from_what_is_observed() -> None:
    found = read(ragged([40, 7, 1]), times=False)
    assert found.lengths.tolist() == [40, 7, 1]
    assert bool(found.values.isfinite().all())
    assert not bool(found.observed[0, 3, 0])
    assert found.values[0, 3, 0] == 0.0


def test_one_observed_channel_keeps_a_step_and_infinity_is_missing() -> None:
    signal = torch.full((2, 2, 6), NAN)
    signal[0, 1, 4] = 1.0
    signal[1, 0, :3] = 1.0
    signal[1, 0, 5] = float("inf")
    assert read(signal, times=False).lengths.tolist() == [5, 3]


def test_a_series_of_nothing_has_one_step_of_nothing() -> None:
    found = read(torch.full((2, 3, 5), NAN), times=True)
    assert found.lengths.tolist() == [1, 1]
    assert found.values.tolist() == [[[0.0, 0.0]]] * 2
    assert found.clock.tolist() == [[0.0]] * 2


def test_times_that_are_missing_or_run_backwards_stand_still() -> None:
    signal = torch.zeros(1, 2, 5)
    signal[0, 0] = torch.tensor([NAN, 2.0, 1.0, NAN, 4.0])
    assert read(signal, times=True).clock.tolist() == [[2.0, 2.0, 2.0, 2.0, 4.0]]


def test_reversal_is_within_each_length_and_its_own_inverse() -> None:
    steps, lengths = noise(2, 5, 3), torch.tensor([5, 3])
    turned = reverse(steps, lengths)
    assert torch.equal(turned[0], steps[0].flip(0))
    assert torch.equal(turned[1, :3], steps[1, :3].flip(0))
    assert torch.equal(reverse(turned, lengths), steps)


def test_gaps_follow_the_recursion_of_che() -> None:
    signal = irregular([20, 12])
    found = read(signal, times=True)
    gap, _ = gaps(found, begin(found))
    for place, length in enumerate([20, 12]):
        expected = reference.gaps(as64(signal[place, 0, :length]), np.isfinite(as64(signal[place, 1:, :length])).T)
        np.testing.assert_allclose(as64(gap[place, :length]), expected, atol=1e-5)


def test_last_seen_carries_values_forward() -> None:
    signal = torch.tensor([[[NAN, 1.0, NAN, NAN, 2.0, NAN], [0.5] * 6]])
    found = read(signal, times=False)
    assert last_seen(found, begin(found))[0, :, 0].tolist() == [0.0, 1.0, 1.0, 1.0, 2.0, 2.0]


@pytest.mark.parametrize("missing", ["mean", "flags", "decay"])
def test_a_series_laid_in_two_stretches_is_the_series_laid_at_once(missing: str) -> None:
    whole = read(irregular([20]), times=True)
    expected, _ = lay(whole, missing=missing, times=True)  # type: ignore[arg-type]  # parametrised by name
    parts, history = [], None
    for part in (slice(0, 7), slice(7, 8), slice(8, 20)):
        stretch = type(whole)(whole.values[:, part], whole.observed[:, part], whole.clock[:, part], whole.lengths)
        steps, history = lay(stretch, missing=missing, times=True, history=history)  # type: ignore[arg-type]  # as above
        parts.append(steps)
    torch.testing.assert_close(torch.cat(parts, dim=1), expected)


def test_frames_join_steps_and_fill_the_last() -> None:
    found = framed(read(ragged([7, 40], steps=40), times=False), 3)
    assert found.values.shape == (2, 14, 6)
    assert found.lengths.tolist() == [3, 14]
    whole = read(ragged([7, 40]), times=False)
    assert torch.equal(found.values[0, 1], whole.values[0, 3:6].flatten())
    assert found.values[0, 2, 2:].tolist() == [0.0] * 4


def test_inside_is_true_up_to_each_length() -> None:
    assert inside(torch.tensor([1, 3]), 3).tolist() == [[True, False, False], [True, True, True]]

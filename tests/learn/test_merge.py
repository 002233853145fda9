"""Weighted sums of members, and the shares that validation gives them."""

import numpy as np
import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.learn.blend import Shared, share
from hounsfield.learn.learners.protocol import HeadSpec
from hounsfield.learn.merge import Merge, merged

HEAD = HeadSpec(
    target=TargetSpec(name="ill", kind="categorical", classes=("no", "yes"), positive="yes"),
    loss="categorical",
    width=2,
)
NUMBER = HeadSpec(target=TargetSpec(name="mm", kind="number"), loss="number", width=1, mean=10.0, std=2.0)


def logits(truth: IntArray, strength: float, name: str) -> Float64Array:
    noise = stream(3, name).standard_normal((len(truth), 2))
    noise[np.arange(len(truth)), truth] += strength
    return noise


def test_a_model_of_folds_is_the_mean_of_their_sums() -> None:
    merge = Merge(folds=[0, 0, 1], weights={"ill": [0.5, 0.5, 2.0]})
    outputs = [{"ill": np.full((3, 2), float(v))} for v in (1, 3, 10)]
    np.testing.assert_allclose(merged(outputs, merge.whole())["ill"], (2.0 + 20.0) / 2)
    np.testing.assert_allclose(merged(outputs[:2], merge.of(0).whole())["ill"], 2.0)
    np.testing.assert_allclose(merged(outputs)["ill"], 14.0 / 3)
    assert merge.members(1) == [2]


def test_a_member_of_weight_zero_is_not_read() -> None:
    outputs = [{"ill": np.ones((1, 2))}, {"ill": np.full((1, 2), np.nan)}]
    np.testing.assert_array_equal(merged(outputs, {"ill": [2.0, 0.0]})["ill"], np.full((1, 2), 2.0))


def test_embeddings_of_networks_that_differ_are_left_out() -> None:
    outputs = [{"ill": np.ones((1, 2)), "embedding": np.ones((1, width))} for width in (4, 8)]
    assert set(merged(outputs)) == {"ill"}
    assert set(merged(outputs[:1])) == {"ill", "embedding"}


def test_a_useless_model_gets_nothing_and_an_equal_one_half() -> None:
    truth = stream(1, "truth").integers(0, 2, 400)
    good, noise = logits(truth, 2.0, "good"), logits(truth, 0.0, "noise")
    kept, dropped = share(good, noise, truth, HEAD).factors
    assert dropped == 0.0
    assert kept > 0
    one, other = share(good, logits(truth, 2.0, "equal"), truth, HEAD).factors
    assert 0.3 < one / (one + other) < 0.7


def test_confidence_alone_buys_no_share() -> None:
    truth = stream(1, "truth").integers(0, 2, 400)
    good, equal = logits(truth, 2.0, "good"), logits(truth, 2.0, "equal")
    one, other = share(good, 3.0 * equal, truth, HEAD).factors
    assert one * np.std(good) == pytest.approx(other * np.std(3.0 * equal), rel=0.6)


def test_few_cases_do_not_move_the_belief_in_equal_shares_far() -> None:
    truth = np.array([0, 1, 0, 1])
    one, other = share(logits(truth, 2.0, "a"), logits(truth, 0.5, "b"), truth, HEAD).factors
    assert other > 0
    assert share(np.zeros((0, 2)), np.zeros((0, 2)), truth[:0], HEAD) == Shared((0.5, 0.5), 0.5)
    assert one > 0


def test_factors_of_a_number_sum_to_one() -> None:
    truth = stream(2, "mm").normal(10.0, 2.0, 200)
    good = ((truth - 10.0) / 2.0)[:, None] + 0.1 * stream(2, "e").standard_normal((200, 1))
    bad = stream(2, "f").standard_normal((200, 1))
    one, other = share(good, bad, truth, NUMBER).factors
    assert one + other == pytest.approx(1.0)
    assert one > 0.8

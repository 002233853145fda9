"""Thresholds, tidying and expected Dice, fitted on validation cases."""

import numpy as np
import pytest

from hounsfield.core.structures import Structures
from hounsfield.core.types import BoolArray, Float32Array
from hounsfield.workflow.dense.settling import (
    Held,
    Settled,
    best_threshold,
    expected_dice_of,
    settle_on,
    tidied,
    unsettled,
)

ONE = Structures(classes=("a",), layout="one")


def held(number: int, *, specks: bool = False, scale: float = 1.0) -> Held:
    """A blob whose probabilities are right at `0.5 * scale`; specks far away are wrong."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:40, :40]
    far = np.hypot(y - 18 - rng.uniform(-4, 4), x - 20) - rng.uniform(5, 9)
    probability = scale / (1 + np.exp(far))
    if specks:
        probability[1:3, 36:38] = 0.9 * scale
    probabilities: Float32Array = np.clip(probability + rng.normal(0, 0.02, far.shape), 0, 1)[None].astype(np.float32)
    truth: BoolArray = np.asarray(far < 0, dtype=np.bool_)[None]
    return Held(probabilities, truth)


@pytest.mark.parametrize("scale", [1.0, 0.6])
def test_the_threshold_is_where_the_dice_is_highest(scale: float) -> None:
    cases = [(h.probabilities[0], h.truth[0], None) for h in (held(n, scale=scale) for n in range(8))]
    assert best_threshold(cases) == pytest.approx(0.5 * scale, abs=0.05)


def test_specks_go_only_where_that_gains() -> None:
    with_specks = settle_on([held(n, specks=True) for n in range(8)], ONE, rule="dice")
    assert with_specks.single == [True] or with_specks.least[0] > 0 or with_specks.peak[0] > 0
    without = settle_on([held(n) for n in range(8)], ONE, rule="dice")
    assert without.single == [False]
    assert without.least == [0.0]
    assert (with_specks.dice or 0) > 0.9


def test_tidying_keeps_the_largest_piece_or_drops_the_small_ones() -> None:
    masks = np.zeros((1, 20, 20), dtype=np.bool_)
    masks[0, 2:8, 2:8] = True
    masks[0, 15, 15] = True
    plain = unsettled(ONE)
    sure = np.where(masks, 0.9, 0.1).astype(np.float32)
    sure[0, 15, 15] = 0.55
    assert tidied(masks, sure, plain).sum() == 37
    for change in ({"single": [True]}, {"least": [0.01]}, {"peak": [0.7]}):
        assert tidied(masks, sure, plain.model_copy(update=change)).sum() == 36


def test_few_cases_leave_everything_as_it_is() -> None:
    assert settle_on([], ONE, rule="dice") == unsettled(ONE)
    found = settle_on([held(n) for n in range(4)], ONE, rule="half")
    assert found.thresholds == [0.5]
    assert found.quality == [None]


def test_the_expected_dice_tells_sharp_from_blurred() -> None:
    cases = []
    for n in range(16):
        sharp = held(n)
        blur = np.random.default_rng(n).random(sharp.probabilities.shape) * 0.35 * (n % 2)
        cases.append(
            Held(
                np.clip(np.asarray(sharp.probabilities, dtype=np.float64) * (1 - 0.5 * (n % 2)) + blur, 0, 1).astype(
                    np.float32
                ),
                sharp.truth,
            )
        )
    found = settle_on(cases, ONE, rule="half")
    quality = found.quality[0]
    assert quality is not None
    assert Settled.model_validate_json(found.model_dump_json()) == found
    one, two = (
        expected_dice_of(quality, cases[n].probabilities[0], cases[n].probabilities[0] >= 0.5, threshold=0.5)
        for n in (2, 3)
    )
    assert one is not None
    assert two is None or one > two


def test_nothing_is_expected_of_an_empty_mask_and_false_marks_count_as_zero() -> None:
    cases = [held(n) for n in range(14)]
    nothing = np.zeros((1, 40, 40), dtype=np.bool_)
    # as sure in the middle as right ones, so that no tidying takes them away, and half sure of everything around
    false = [Held(np.maximum(h.probabilities.astype(np.float32), np.float32(0.42)), nothing) for h in cases[:6]]
    empty = [Held(np.full((1, 40, 40), 0.01, dtype=np.float32), nothing)] * 20
    found = settle_on([*cases, *false, *empty], ONE, rule="half")
    quality = found.quality[0]
    assert quality is not None
    assert quality.cases == 20  # empty masks teach nothing of masks
    assert quality.low == 0.0
    probability = false[0].probabilities[0]
    doubtful = expected_dice_of(quality, probability, probability >= 0.5, threshold=0.5)
    good = expected_dice_of(quality, cases[9].probabilities[0], cases[9].probabilities[0] >= 0.5, threshold=0.5)
    assert doubtful is not None
    assert good is not None
    assert good > doubtful + 0.3
    assert expected_dice_of(quality, empty[0].probabilities[0], nothing[0], threshold=0.5) is None
    assert expected_dice_of(None, probability, probability >= 0.5, threshold=0.5) is None


def doubtful(number: int) -> Held:
    """As `held`; every other network is unsure everywhere, so that one threshold is wrong for half of the cases."""
    sure = held(number)
    scale = 0.25 if number % 2 else 1.0
    return Held((sure.probabilities.astype(np.float32) * np.float32(scale)), sure.truth)


def test_cases_get_thresholds_of_their_own_where_that_gains() -> None:
    cases = [doubtful(n) for n in range(48)]
    found = settle_on(cases, ONE, rule="dice")
    assert found.own[0] is not None
    sure, unsure = (found.thresholds_for(h.probabilities)[0] for h in cases[:2])
    assert unsure < sure
    assert settle_on(cases, ONE, rule="fixed").own == []
    fixed = settle_on(cases, ONE, rule="fixed")
    assert (found.dice or 0) > (fixed.dice or 0) + 0.005
    assert fixed.thresholds_for(cases[0].probabilities) == fixed.thresholds
    again = Settled.model_validate_json(found.model_dump_json())
    assert again.thresholds_for(cases[1].probabilities) == [unsure]


def test_what_was_settled_before_cases_had_thresholds_is_read() -> None:
    old = unsettled(ONE).model_dump()
    del old["own"]
    assert Settled.model_validate(old).thresholds_for(held(0).probabilities) == [0.5]


def test_tidying_does_not_buy_healthy_images_with_missed_lesions() -> None:
    """Pieces that reach 0.65 only are lesions in four images and false in twelve: they stay."""
    cases = [held(n, scale=1.0 if n < 10 else 0.65) for n in range(14)]
    nothing = np.zeros((1, 40, 40), dtype=np.bool_)
    false = [Held(held(50 + n, scale=0.65).probabilities, nothing) for n in range(12)]
    found = settle_on([*cases, *false], ONE, rule="half")
    faint = cases[12]
    assert tidied(np.asarray(faint.probabilities.astype(np.float32) >= 0.5), faint.probabilities, found).any()

"""Each case's own threshold, against sums over every cut and against simulated masks."""

import numpy as np
import pytest

from hounsfield.core.types import BoolArray, Float32Array
from hounsfield.science.statistics.segmentation.own_threshold import (
    NOTHING,
    OwnThreshold,
    counted_case,
    fit_own_threshold,
)


def blob(number: int, *, top: float) -> Float32Array:
    """A map whose highest log-odds are `top`, falling off to -9."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:48, :48]
    far = np.hypot(y - 24 - rng.uniform(-6, 6), x - 24)
    odds = np.maximum(top - far * rng.uniform(0.5, 0.9), -9.0)
    made: Float32Array = (1.0 / (1.0 + np.exp(-odds))).astype(np.float32)
    return made


def drawn(probability: Float32Array, number: int) -> BoolArray:
    """A truth that the probabilities are right about: all voxels above one level that is drawn for the case."""
    level = np.random.default_rng(1000 + number).random()
    return np.asarray(probability > level, dtype=np.bool_)


def dice(said: BoolArray, truth: BoolArray) -> float:
    """Dice of masks, at least one of which is not empty."""
    return float(2.0 * (said & truth).sum() / (said.sum() + truth.sum()))


def own(temperature: float = 1.0, gate: float = 0.0) -> OwnThreshold:
    """A rule that was not fitted."""
    return OwnThreshold(temperature=temperature, gate=gate, dice=0.5, cases=20)


@pytest.mark.parametrize("top", [-2.0, -0.5, 1.0, 4.0])
@pytest.mark.parametrize("temperature", [1.0, 1.5])
def test_no_cut_has_a_higher_expected_dice(top: float, temperature: float) -> None:
    probability = blob(3, top=top).astype(np.float64)
    believed = 1.0 / (1.0 + np.exp(-np.log(probability / (1 - probability)) / temperature))

    def expected(threshold: float) -> float:
        marked = probability >= threshold
        return float(2.0 * believed[marked].sum() / (marked.sum() + believed.sum()))

    best = max(expected(float(t)) for t in np.unique(probability))
    assert expected(own(temperature).of(probability)) == pytest.approx(best, abs=2e-3)


def test_the_threshold_is_half_of_the_dice_that_is_expected() -> None:
    """Lipton, Elkan and Naryanaswamy 2014, theorem 1."""
    probability = blob(5, top=1.0)
    threshold = own().of(probability)
    marked = probability >= threshold
    expected = 2.0 * probability[marked].sum() / (marked.sum() + probability.sum())
    assert threshold == pytest.approx(expected / 2, abs=0.02)


def test_nothing_is_marked_below_the_gate() -> None:
    assert own(gate=0.9).of(blob(1, top=-3.0)) == NOTHING
    assert own(gate=0.9).of(np.zeros((8, 8), dtype=np.float16)) == NOTHING
    assert own(gate=0.1).of(blob(1, top=5.0)) < 1.0


def test_half_precision_and_volumes_are_cut_alike() -> None:
    probability = blob(2, top=2.0)
    plain = own().of(probability)
    assert own().of(probability.astype(np.float16)) == pytest.approx(plain, abs=0.03)
    assert own().of(np.stack([probability] * 3)) == plain


def test_doubtful_cases_gain_and_the_fit_says_how_much() -> None:
    maps = [blob(n, top=-1.0 if n % 2 else 5.0) for n in range(60)]
    truths = [drawn(p, n) for n, p in enumerate(maps)]
    held = [(p, t) for p, t in zip(maps, truths, strict=True) if t.any()]
    fixed = max(float(np.mean([dice(p >= level, t) for p, t in held])) for level in np.linspace(0.02, 0.9, 45))
    found = fit_own_threshold([counted_case(p, t) for p, t in held], fixed=fixed)
    assert found is not None
    assert found.false_positives is None
    assert found.gate == 0.0  # nothing is empty here, so there is nothing to buy
    reached = float(np.mean([dice(p >= found.of(p), t) for p, t in held]))
    assert reached == pytest.approx(found.dice, abs=2e-3)
    assert reached > fixed + 0.005


def test_the_gate_silences_images_without_the_structure() -> None:
    maps = [blob(n, top=-0.5 if n % 2 else 5.0) for n in range(60)]
    held = [(p, t) for n, p in enumerate(maps) if (t := drawn(p, n)).any()]
    nothing = np.zeros((48, 48), dtype=np.bool_)
    empty = [(blob(200 + n, top=-6.0), nothing) for n in range(20)]
    found = fit_own_threshold([counted_case(p, t) for p, t in [*held, *empty]], fixed=0.0)
    assert found is not None
    assert found.false_positives == 0.0
    assert all(found.of(p) == NOTHING for p, _ in empty)
    assert found.cases == len(held)


def test_it_is_not_fitted_to_few_cases_or_for_nothing() -> None:
    sure = [blob(n, top=6.0) for n in range(30)]
    cases = [counted_case(p, np.asarray(p >= 0.5, dtype=np.bool_)) for p in sure]
    assert fit_own_threshold(cases[:10], fixed=0.0) is None
    assert fit_own_threshold(cases, fixed=0.999) is None


def test_only_the_region_counts_in_the_dice() -> None:
    probability = blob(0, top=4.0)
    truth = np.asarray(probability >= 0.5, dtype=np.bool_)
    region = np.zeros_like(truth)
    region[:24] = True
    counted = counted_case(probability, truth, region)
    assert counted.inside.sum() == (truth & region).sum()
    assert counted.outside.sum() == (~truth & region).sum()
    assert counted.every.sum() == truth.size

"""Flipped answers are found, and a sound data set is hardly accused."""

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.science.statistics.label_noise import doubted


def fitted(
    classes: int, *, flips: float, count: int = 1000, apart: float = 4.0
) -> tuple[Float64Array, IntArray, IntArray]:
    """Return out-of-fold probabilities of nearest means, given answers, and rows whose answer was flipped."""
    rng = stream(classes, "label noise")
    truth = rng.integers(0, classes, count)
    points = rng.standard_normal((count, classes)) + apart / np.sqrt(2) * np.eye(classes)[truth]
    flipped = rng.choice(count, round(flips * count), replace=False)
    given = truth.copy()
    given[flipped] = (truth[flipped] + rng.integers(1, classes, len(flipped))) % classes
    probabilities = np.zeros((count, classes))
    for fold in range(5):
        out = np.arange(count) % 5 == fold
        means = np.stack([points[~out & (given == k)].mean(axis=0) for k in range(classes)])
        logits = -0.5 * ((points[out][:, None] - means[None]) ** 2).sum(axis=2)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities[out] = shares / shares.sum(axis=1, keepdims=True)
    return probabilities, given.astype(np.int64), np.sort(flipped)


@pytest.mark.parametrize("classes", [2, 3])
def test_flips_of_five_percent_are_recovered(classes: int) -> None:
    probabilities, given, flipped = fitted(classes, flips=0.05)
    found = doubted(probabilities, given)
    hits = np.isin(found.rows, flipped)
    assert hits.mean() >= 0.65  # of what is listed
    assert hits.sum() / len(flipped) >= 0.75  # of what was flipped; the classes overlap, so not all can be told
    assert hits[:25].mean() >= 0.9  # the most doubtful first


def test_a_sound_set_is_hardly_accused() -> None:
    probabilities, given, _ = fitted(2, flips=0.0)
    assert len(doubted(probabilities, given).rows) < 0.04 * len(given)


def test_rare_or_missing_answers() -> None:
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.95, 0.05], [0.9, 0.1]])
    found = doubted(probabilities, np.array([0, 1, 1, -1]))
    np.testing.assert_array_equal(found.rows, [2])
    np.testing.assert_array_equal(found.suggested, [0])
    assert len(doubted(probabilities, np.array([-1, -1, -1, -1])).rows) == 0

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.core.types import BoolArray, Float32Array
from hounsfield.science.statistics.segmentation.pixel_scores import (
    BINS,
    PixelScores,
    bin_edges,
    bin_of,
    pixel_scores,
    pixel_scores_from_json,
)


def drawn(number: int, count: int = 20_000) -> tuple[Float32Array, BoolArray]:
    """Return probabilities of a good model, float32, and truths, ``y x``."""
    rng = stream(number, "pixels")
    truth = rng.random((100, count // 100)) < 0.12
    logit = 2 * (rng.normal(size=truth.shape) + 2.2 * truth - 1.5)
    return (1 / (1 + np.exp(-logit))).astype(np.float32), truth


def kinds(number: int) -> list[Float32Array]:
    probability, _ = drawn(number)
    return [probability, np.round(probability, 2), np.clip(1.2 * probability, 0, 1), probability**8]


@pytest.mark.parametrize("kind", range(4))
def test_figures_are_within_their_bounds_of_the_exact_ones(kind: int) -> None:
    probability, truth = kinds(1)[kind], drawn(1)[1]
    scores = pixel_scores(probability, truth)
    auroc = roc_auc_score(truth.ravel(), probability.ravel())
    precision = average_precision_score(truth.ravel(), probability.ravel())
    assert abs(scores.auroc() - auroc) <= scores.auroc_error() + 1e-12
    low, high = scores.average_precision_bounds()
    assert low - 1e-9 <= precision <= high + 1e-9
    assert low <= scores.average_precision() <= high
    # and close to them in fact
    assert scores.auroc() == pytest.approx(auroc, abs=2e-5)
    assert scores.average_precision() == pytest.approx(precision, abs=5e-4)


def test_the_bound_is_small_where_probabilities_differ() -> None:
    scores = pixel_scores(*drawn(2))
    assert scores.auroc_error() < 3e-4
    low, high = scores.average_precision_bounds()
    assert high - low < 3e-3


def test_cases_add_up_in_any_order() -> None:
    parts = [pixel_scores(*drawn(n)) for n in range(3)]
    both = parts[0] + parts[1] + parts[2]
    turned = parts[2] + PixelScores() + parts[0] + parts[1]
    np.testing.assert_array_equal(both.inside, turned.inside)
    probability = np.concatenate([drawn(n)[0] for n in range(3)])
    truth = np.concatenate([drawn(n)[1] for n in range(3)])
    assert both.auroc() == pixel_scores(probability, truth).auroc()
    assert both.positives + both.negatives == truth.size
    assert pixel_scores_from_json(both.to_json()).auroc() == both.auroc()


def test_the_region_limits() -> None:
    probability, truth = drawn(3)
    region = stream(3, "region").random(truth.shape) < 0.5
    wanted = pixel_scores(probability[region][None], truth[region][None])
    np.testing.assert_array_equal(pixel_scores(probability, truth, region=region).outside, wanted.outside)


def test_the_best_threshold_is_the_best_of_all() -> None:
    probability, truth = drawn(4)
    scores = pixel_scores(probability, truth)
    threshold, dice = scores.best_threshold()
    tried = [f1_score(truth.ravel(), probability.ravel() >= t) for t in np.linspace(0.01, 0.99, 99)]
    assert dice >= max(tried) - 1e-4
    assert f1_score(truth.ravel(), probability.ravel() >= threshold) == pytest.approx(dice, abs=1e-3)


def test_bins_are_in_order_and_reach_from_0_to_1() -> None:
    edges = bin_edges()
    assert len(edges) == BINS + 1
    assert (np.diff(edges) > 0).all()
    assert (edges[0], edges[-1]) == (0.0, 1.0)
    assert bin_of(np.array([0.0, 1e-30, 1.0])).tolist() == [0, 0, BINS - 1]
    assert (np.diff(bin_of(np.sort(stream(5, "bins").random(1000)))) >= 0).all()
    assert np.diff(edges).max() < 9e-4


def test_nothing_inside_or_outside() -> None:
    probability = np.full((3, 4), 0.3)
    none, all_ = np.zeros((3, 4), dtype=bool), np.ones((3, 4), dtype=bool)
    assert np.isnan(pixel_scores(probability, none).auroc())
    assert np.isnan(pixel_scores(probability, none).average_precision())
    assert np.isnan(pixel_scores(probability, none).average_precision_bounds()).all()
    assert np.isnan(pixel_scores(probability, all_).auroc_error())
    assert pixel_scores(probability, all_).average_precision() == 1.0
    assert np.isnan(PixelScores().auroc())


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.1])
def test_what_is_no_probability_is_refused(bad: float) -> None:
    probability = np.full((3, 4), 0.3)
    probability[1, 1] = bad
    with pytest.raises(InputError, match="probability"):
        pixel_scores(probability, np.zeros((3, 4), dtype=bool))
    with pytest.raises(InputError, match="shape"):
        pixel_scores(probability, np.zeros((3, 5), dtype=bool))
    with pytest.raises(InputError, match="bins"):
        pixel_scores_from_json({"bins": 10})

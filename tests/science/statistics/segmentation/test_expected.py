"""The expected Dice: features by hand, and a ridge regression whose penalty is chosen by leaving cases out."""

import numpy as np
import pytest
from scipy import ndimage

from hounsfield.geometry.components import label
from hounsfield.science.statistics.segmentation import expected
from hounsfield.science.statistics.segmentation.expected import (
    FEATURES,
    LEAST,
    PENALTIES,
    Quality,
    fit_quality,
    quality_features,
)


def test_features_by_hand() -> None:
    probability = np.zeros((4, 5), dtype=np.float32)
    probability[1, 1:4] = (0.6, 0.9, 0.8)
    probability[3, 4] = 0.3
    marked = probability >= 0.5
    found = dict(zip(FEATURES, quality_features(probability, marked), strict=True))
    assert found["soft_dice"] == pytest.approx(2 * 2.3 / (2.6 + 3))
    assert found["certainty"] == pytest.approx(2.3 / 3)
    assert found["peak"] == pytest.approx(np.percentile([0.6, 0.9, 0.8], 95))
    assert found["log_size"] == pytest.approx(np.log(3 / 20))
    assert found["log_size_squared"] == pytest.approx((np.log(3 / 20) + 3) ** 2)
    doubt = 4 * sum(p * (1 - p) for p in (0.6, 0.9, 0.8, 0.3))
    assert found["edge_doubt"] == pytest.approx(np.log1p(doubt / 3**0.5))
    assert found["elsewhere"] == pytest.approx(0.3 / 2.6)
    assert found["steadiness"] == pytest.approx(2 / 4)  # at 0.75 two, at 0.25 four
    assert (found["pieces"], found["largest"]) == (0.0, 1.0)
    assert found["roughness"] == pytest.approx(np.log(3 / 3**0.5))


def test_the_rim_of_a_block_has_no_side_at_the_border_of_the_image() -> None:
    marked = np.zeros((7, 8), dtype=np.bool_)
    marked[2:6, 1:6] = True
    marked[0, 7] = True
    found = dict(zip(FEATURES, quality_features(marked.astype(np.float32), marked), strict=True))
    assert found["roughness"] == pytest.approx(np.log((14 + 1) / 21**0.5))
    assert found["pieces"] == pytest.approx(np.log(2))
    assert found["largest"] == pytest.approx(20 / 21)
    whole = np.ones((5, 5), dtype=np.bool_)
    assert dict(zip(FEATURES, quality_features(whole.astype(np.float32), whole), strict=True))[
        "roughness"
    ] == pytest.approx(np.log(1 / 5))


@pytest.mark.parametrize("shape", [(20, 11, 13), (31, 22)])
def test_what_a_map_says_of_its_mask_is_summed_in_parts(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    probability = np.random.default_rng(0).random(shape).astype(np.float16)
    probability[:4] *= np.float16(0.3)  # so that the box around what is marked ends before the image does
    marked = probability > 0.7
    whole = quality_features(probability, marked)
    monkeypatch.setattr(expected, "AT_ONCE", 300)
    np.testing.assert_allclose(quality_features(probability, marked), whole, rtol=1e-6)
    found = dict(zip(FEATURES, whole, strict=True))
    exact = probability.astype(np.float64)
    size, rim = marked.sum(), marked.sum() ** (1 / 2 if len(shape) == 2 else 2 / 3)
    assert found["soft_dice"] == pytest.approx(2 * exact[marked].sum() / (exact.sum() + size), rel=1e-6)
    assert found["edge_doubt"] == pytest.approx(np.log1p(4 * (exact * (1 - exact)).sum() / rim), rel=1e-5)
    assert found["steadiness"] == pytest.approx((exact >= 0.75).sum() / (exact >= 0.25).sum())
    cross = ndimage.generate_binary_structure(len(shape), 1)
    inner = ndimage.binary_erosion(marked, cross, border_value=1)
    assert found["roughness"] == pytest.approx(np.log((marked & ~inner).sum() / rim))
    assert found["pieces"] == pytest.approx(np.log(label(marked)[1]))


def cases(count: int, *, noise: float, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, len(FEATURES))) * np.linspace(0.5, 3, len(FEATURES)) + 2
    dice = np.clip(0.6 + 0.1 * features[:, 0] - 0.05 * features[:, 3] + noise * rng.normal(size=count), 0, 1)
    return list(features), dice


@pytest.mark.parametrize("noise", [0.02, 0.5])
def test_the_penalty_is_the_one_with_the_least_error_when_cases_are_left_out(noise: float) -> None:
    features, dice = cases(30, noise=noise)
    found = fit_quality(features, dice)
    assert found is not None
    values = np.stack(features)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    errors = {}
    for penalty in PENALTIES:
        away = []
        for n in range(30):
            # mean and weights without the case; the scale stays, as in the closed form
            others = np.arange(30) != n
            centre = scaled[others].mean(axis=0)
            x, y = scaled[others] - centre, dice[others] - dice[others].mean()
            weights = np.linalg.lstsq(
                np.vstack([x, np.sqrt(penalty) * np.eye(x.shape[1])]), np.concatenate([y, np.zeros(x.shape[1])]), None
            )[0]
            away.append(dice[n] - dice[others].mean() - (scaled[n] - centre) @ weights)
        errors[penalty] = float(np.sqrt(np.mean(np.square(away))))
    assert found.penalty == min(errors, key=lambda p: errors[p])
    assert found.error == pytest.approx(errors[found.penalty], rel=0.02)
    assert found.cases == 30
    assert Quality.model_validate_json(found.model_dump_json()) == found


def test_an_estimate_ranks_cases_that_it_has_not_seen_and_stays_within_what_it_saw() -> None:
    from scipy.stats import spearmanr

    features, dice = cases(60, noise=0.05)
    found = fit_quality(features, dice)
    assert found is not None
    others, true = cases(200, noise=0.05, seed=1)
    guess = [found.of(f) for f in others]
    assert spearmanr(guess, true).statistic > 0.8
    assert min(guess) >= dice.min() - 1e-8
    assert max(guess) <= dice.max() + 1e-8


def test_few_cases_teach_nothing_and_equal_ones_are_told_as_they_are() -> None:
    features, dice = cases(LEAST - 1, noise=0.1)
    assert fit_quality(features, dice) is None
    same = fit_quality([features[0]] * LEAST, np.full(LEAST, 0.7))
    assert same is not None
    assert same.of(features[0]) == pytest.approx(0.7)


def test_a_sure_mask_looks_better_than_an_unsure_one() -> None:
    sure = np.zeros((20, 20), dtype=np.float32)
    sure[5:12, 5:12] = 0.99
    unsure = sure * 0.6
    one, two = (dict(zip(FEATURES, quality_features(p, p > 0.3), strict=True)) for p in (sure, unsure))
    for name in ("soft_dice", "certainty", "peak", "steadiness"):
        assert one[name] >= two[name]
    assert one["edge_doubt"] < two["edge_doubt"]
    assert np.isfinite(quality_features(np.zeros((4, 4), dtype=np.float32), np.zeros((4, 4), dtype=np.bool_))).all()

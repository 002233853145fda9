"""The guard lets images of the training kind through and stops others."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import binom

from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.learn.guard import (
    COMPONENTS,
    allowed_refusals,
    crossed_distances,
    distances,
    fit_guard,
    limits,
    shrinkage,
)
from hounsfield.learn.looks import looks
from tests.stages.auditing.making import phantom

SIDE = 32


def bodies(count: int, *, first: int = 0) -> AnyArray:
    return np.stack([phantom(first + i, side=SIDE)[None] for i in range(count)])


def noise(count: int) -> AnyArray:
    return stream(0, "guard noise").integers(0, 256, (count, 1, SIDE, SIDE)).astype(np.uint8)


def clouds(count: int) -> AnyArray:
    rng = stream(0, "guard clouds")
    smooth = [gaussian_filter(rng.standard_normal((SIDE, SIDE)), 4) for _ in range(count)]
    return np.stack([np.interp(s, (s.min(), s.max()), (0, 255)).astype(np.uint8)[None] for s in smooth])


def described(images: AnyArray) -> Float64Array:
    return np.stack([looks(image) for image in images])


@pytest.fixture(scope="module")
def fitted() -> tuple[dict[str, AnyArray], float, float]:
    features = described(bodies(160))
    return fit_guard(features), *limits(crossed_distances(features, np.arange(160)), 160)


def test_images_of_the_training_kind_pass(fitted: tuple[dict[str, AnyArray], float, float]) -> None:
    arrays, flag, refuse = fitted
    far = distances(arrays, described(bodies(80, first=1000)))
    assert (far > refuse).mean() <= 0.05
    assert (far > flag).mean() <= 0.15


@pytest.mark.parametrize("kind", ["noise", "clouds", "negative", "upside down"])
def test_others_are_refused(fitted: tuple[dict[str, AnyArray], float, float], kind: str) -> None:
    made = {
        "noise": noise(40),
        "clouds": clouds(40),
        "negative": 255 - bodies(40, first=1000),
        "upside down": np.clip(bodies(40, first=1000).astype(int) * 3, 0, 255).astype(np.uint8),
    }
    arrays, _, refuse = fitted
    assert (distances(arrays, described(made[kind])) > refuse).mean() > 0.95


def test_distance_of_a_gaussian_is_about_one() -> None:
    rng = stream(0, "gaussian")
    mixing = rng.standard_normal((6, 40))

    def drawn(count: int) -> Float64Array:
        return np.asarray(rng.standard_normal((count, 6)) @ mixing + 0.8 * rng.standard_normal((count, 40)) + 5.0)

    arrays = fit_guard(drawn(2000))
    far = distances(arrays, drawn(500))
    assert np.sqrt((far**2).mean()) == pytest.approx(1.0, abs=0.1)
    assert (distances(arrays, drawn(100) + 3.0) > far.max()).all()


def test_what_is_kept_are_aggregates() -> None:
    """Fewer numbers along the samples than there are samples, whatever their number."""
    for count in (2, 9, 30, 300):
        features = stream(0, "aggregates").standard_normal((count, 50))
        arrays = fit_guard(features)
        directions = arrays["directions"]
        assert len(directions) <= max(1, min(COMPONENTS, count // 8))
        for row in features:
            for name in ("mean", "scale"):
                assert not np.allclose(arrays[name], row)


def test_no_feature_varies() -> None:
    arrays = fit_guard(np.ones((10, 5)))
    far = distances(arrays, np.ones((3, 5)))
    assert np.isfinite(far).all()
    assert (far < 1e-6).all()
    assert (distances(arrays, np.full((1, 5), 1.1)) > 10).all()


def test_limits_rise_with_what_they_are_fitted_to() -> None:
    held = np.sort(np.abs(stream(0, "held").standard_normal(400)))
    flag, refuse = limits(held, 400)
    assert flag == np.quantile(held, 0.95)
    assert refuse == held[-1 - allowed_refusals(400)]
    wider = limits(held * 2, 400)
    assert wider == (2 * flag, 2 * refuse)
    assert limits(held, 60)[1] > held[-1]
    assert limits(np.array([3.0]), 1) == pytest.approx((3.0, 3.45))


def test_allowed_refusals_keep_the_exact_bound() -> None:
    """Checked with the binomial distribution itself: one refusal more would no longer be rare at a share of 5 %."""
    assert [allowed_refusals(n) for n in (1, 50, 71)] == [-1, -1, -1]
    for groups in (72, 150, 289, 1000):
        allowed = allowed_refusals(groups)
        assert binom.cdf(allowed, groups, 0.05) <= 0.025 + 1e-9
        assert binom.cdf(allowed + 1, groups, 0.05) > 0.025


def test_crossed_distances_leave_the_whole_patient_out() -> None:
    """Copies of a far image under one patient's name do not vouch for each other."""
    rng = stream(0, "crossed")
    features = rng.standard_normal((100, 6))
    groups = np.arange(100)
    features[90:], groups[90:] = 8.0, 90
    far = crossed_distances(features, groups)
    assert far[90:].min() > far[:90].max()
    assert len(crossed_distances(features[:5], np.zeros(5, dtype=np.int64))) == 0


def test_shrinkage_agrees_with_the_published_estimator() -> None:
    from sklearn.covariance import ledoit_wolf_shrinkage

    for count, width in ((30, 50), (200, 12)):
        values = stream(count, "shrinkage").standard_normal((count, width)) @ np.diag(np.linspace(0.2, 3, width))
        values -= values.mean(axis=0)
        assert shrinkage(values) == pytest.approx(ledoit_wolf_shrinkage(values, assume_centered=True), rel=1e-9)


def test_nothing_held_out_refuses_nothing() -> None:
    assert limits(np.zeros(0), 0) == (float("inf"), float("inf"))


def test_distance_does_not_depend_on_the_company(fitted: tuple[dict[str, AnyArray], float, float]) -> None:
    features = described(bodies(9))
    together = distances(fitted[0], features)
    alone = [distances(fitted[0], features[i : i + 1])[0] for i in range(9)]
    np.testing.assert_array_equal(together, alone)

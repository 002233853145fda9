"""The guard lets images of the training kind through and stops others."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.learn.guard import COMPONENTS, distances, fit_guard, limits
from hounsfield.learn.learners.texture import texture
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
    return np.stack([texture(image) for image in images])


@pytest.fixture(scope="module")
def fitted() -> tuple[dict[str, AnyArray], float, float]:
    arrays = fit_guard(described(bodies(120)))
    return arrays, *limits(distances(arrays, described(bodies(50, first=500))))


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
    held = np.sort(np.abs(stream(0, "held").standard_normal(200)))
    flag, refuse = limits(held)
    assert flag == np.quantile(held, 0.975)
    assert refuse >= held.max()
    assert refuse >= flag
    wider = limits(held * 2)
    assert wider[0] > flag
    assert wider[1] > refuse
    assert limits(np.array([3.0])) == (3.0, 4.5)


def test_nothing_held_out_refuses_nothing() -> None:
    assert limits(np.zeros(0)) == (float("inf"), float("inf"))


def test_distance_does_not_depend_on_the_company(fitted: tuple[dict[str, AnyArray], float, float]) -> None:
    features = described(bodies(9))
    together = distances(fitted[0], features)
    alone = [distances(fitted[0], features[i : i + 1])[0] for i in range(9)]
    np.testing.assert_array_equal(together, alone)

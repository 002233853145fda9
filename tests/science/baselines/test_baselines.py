import warnings

import numpy as np
import pytest
from skimage.filters import threshold_otsu
from sklearn.ensemble import RandomForestClassifier

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray
from hounsfield.science.baselines import MASK_BASELINES, atlas, forest, otsu, threshold
from hounsfield.science.baselines.cases import Case, Fitted, sharpened
from hounsfield.science.statistics.segmentation.overlap import count, dice


def drawn(seed: int, size: tuple[int, ...] = (40, 44), classes: int = 1, noise: float = 0.3) -> Case:
    rng = stream(seed, "baselines")
    places = np.indices(size)
    middle = [n / 2 + rng.normal() for n in size]
    balls = [
        sum(((p - m - 6 * k) / (min(size[-2:]) / 5)) ** 2 for p, m in zip(places, middle, strict=True)) < 1
        for k in range(classes)
    ]
    masks = np.stack(balls)
    return Case(rng.normal(size=size) * noise + masks.sum(axis=0), masks)


def fitted(name: str, cases: list[Case]) -> tuple[Fitted, object]:
    module = MASK_BASELINES.resolve(name)
    return module.fit(lambda: cases, rng=stream(1, "fit")), module  # type: ignore[attr-defined]  # a module of the table


@pytest.mark.parametrize("name", MASK_BASELINES.names())
@pytest.mark.parametrize(("size", "classes"), [((40, 44), 1), ((5, 24, 26), 2), ((1, 30, 30), 1)])
def test_each_gives_probabilities_and_the_same_twice(name: str, size: tuple[int, ...], classes: int) -> None:
    cases = [drawn(n, size, classes) for n in range(3)]
    state, module = fitted(name, cases)
    other, _ = fitted(name, cases)
    image = drawn(9, size, classes).image
    found = module.apply(state, image)  # type: ignore[attr-defined]  # as above
    assert found.shape == (classes, *size)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_array_equal(found, module.apply(other, image))  # type: ignore[attr-defined]  # as above


@pytest.mark.parametrize(("name", "least"), [("otsu", 0.8), ("threshold", 0.8), ("atlas", 0.8), ("forest", 0.93)])
def test_each_marks_an_easy_structure(name: str, least: float) -> None:
    state, module = fitted(name, [drawn(n, noise=0.2) for n in range(5)])
    test = drawn(20, noise=0.2)
    found = module.apply(state, test.image)  # type: ignore[attr-defined]  # as above
    assert dice(count(found[0] >= 0.5, test.masks[0])) > least


@pytest.mark.parametrize("name", MASK_BASELINES.names())
def test_none_fits_on_nothing(name: str) -> None:
    with pytest.raises(InputError, match="no training image"):
        fitted(name, [])


@pytest.mark.parametrize("name", MASK_BASELINES.names())
def test_flat_empty_and_broken_images_do_no_harm(name: str) -> None:
    flat = Case(np.zeros((20, 20)), np.zeros((1, 20, 20), dtype=bool))
    broken = drawn(3, (20, 20))
    broken.image[0, 0] = np.nan
    state, module = fitted(name, [flat, broken])
    assert np.isfinite(module.apply(state, np.full((20, 20), np.nan))).all()  # type: ignore[attr-defined]  # as above
    full, _ = fitted(name, [Case(np.arange(400.0).reshape(20, 20), np.ones((1, 20, 20), dtype=bool))])
    assert module.apply(full, np.arange(400.0).reshape(20, 20)).mean() >= 0.45  # type: ignore[attr-defined]  # as above


def test_otsu_is_that_of_scikit_image() -> None:
    for number in range(4):
        image = drawn(number).image
        assert otsu.threshold(image) == pytest.approx(threshold_otsu(image))
    assert otsu.threshold(np.full((4, 4), 3.0)) == 3.0


def test_otsu_learns_which_part_it_is() -> None:
    dark = [Case(-np.asarray(c.image, dtype=np.float64), c.masks) for c in (drawn(n) for n in range(3))]
    assert otsu.fit(lambda: dark, rng=stream(0, "x")).json == {"brighter": [False]}


def test_the_band_is_the_best_of_all_bands() -> None:
    rng = stream(2, "band")
    image = rng.random((60, 60))
    masks = ((image > 0.3) & (image < 0.55))[None]
    state = threshold.fit(lambda: [Case(image, masks)], rng=rng)
    assert np.asarray(state.json["bands"])[0] == pytest.approx([0.3, 0.55], abs=0.01)


def test_the_atlas_is_the_mean_mask() -> None:
    masks = [np.zeros((1, 128, 128), dtype=bool) for _ in range(4)]
    for number, mask in enumerate(masks):
        mask[0, 20:60, 20 : 40 + 10 * number] = True
    state = atlas.fit(lambda: [Case(m[0].astype(float), m) for m in masks], rng=stream(0, "x"))
    np.testing.assert_allclose(state.arrays["mean"][0], np.mean([m[0] for m in masks], axis=0), atol=1e-6)
    said = atlas.apply(state, np.zeros((64, 256)))[0] >= 0.5
    assert dice(count(said, np.repeat(masks[1][0][::2], 2, axis=1))) > 0.8


def test_sharpening_keeps_the_order() -> None:
    share = np.linspace(0, 1, 101)
    moved = sharpened(share, 0.2)
    assert (np.diff(moved) > 0).all()
    assert (moved[0], moved[20], moved[100]) == (0.0, pytest.approx(0.5), 1.0)


def test_the_forest_says_what_scikit_learn_says(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[RandomForestClassifier] = []
    plain = RandomForestClassifier.fit

    def watched(self: RandomForestClassifier, *args: object, **told: object) -> RandomForestClassifier:
        kept.append(self)
        return plain(self, *args, **told)

    monkeypatch.setattr(RandomForestClassifier, "fit", watched)
    for classes in (1, 2):
        state = forest.fit(lambda k=classes: [drawn(n, classes=k) for n in range(3)], rng=stream(1, "fit"))  # type: ignore[misc]  # the loop's value is bound
        image = drawn(9, classes=classes).image
        seen: AnyArray = forest.features(image)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = kept[-1].predict_proba(seen.reshape(-1, seen.shape[-1]))
        found = forest.apply(state, image).reshape(classes, -1)
        for index, each in enumerate(wanted if classes > 1 else [wanted]):
            assert np.abs(found[index] - each[:, 1]).max() < 0.05
            assert np.abs(found[index] - each[:, 1]).mean() < 1e-5


def test_masks_beside_their_image_are_refused() -> None:
    with pytest.raises(InputError):
        Case(np.zeros((3, 4)), np.zeros((1, 3, 5), dtype=bool))
    with pytest.raises(InputError):
        Case(np.zeros((3, 4)), np.zeros((1, 3, 4)))


def test_the_atlas_marks_what_it_was_fitted_to_mark() -> None:
    # lesions anywhere: the largest Dice is that of marking every place where one ever was
    masks = [np.zeros((1, 128, 128), dtype=bool) for _ in range(4)]
    for number, mask in enumerate(masks):
        mask[0, 30 * number : 30 * number + 20, 40:60] = True
    state = atlas.fit(lambda: [Case(m[0].astype(float), m) for m in masks], rng=stream(0, "x"))
    said = atlas.apply(state, np.zeros((128, 128)))[0] >= 0.5
    assert dice(count(said, masks[1][0])) == pytest.approx(2 * 400 / (1600 + 400))


def test_sharpening_at_the_ends_marks_all_or_only_the_full() -> None:
    share = np.array([0.0, 0.01, 0.5, 0.99, 1.0])
    assert list(sharpened(share, 0.0) >= 0.5) == [False, True, True, True, True]
    assert list(sharpened(share, 1.0) >= 0.5) == [False, False, False, False, True]

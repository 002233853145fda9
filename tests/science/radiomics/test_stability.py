"""ICC(1,1) against published figures and a hand-made analysis of variance; perturbations by what they promise."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.radiomics.perturbation import Extent, Perturbation, draw, perturb
from hounsfield.science.radiomics.stability import Case, Repeats, repeated, stabilities, stability, stable

Array = npt.NDArray[np.float64]
# six targets rated by four judges: Shrout and Fleiss 1979, table 2
RATINGS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)
ISO = (1.0, 1.0, 1.0)


def test_shrout_and_fleiss() -> None:
    found = stability(RATINGS)
    assert round(found.icc, 2) == 0.17
    # the limits that R's psych::ICC gives for the same table
    assert found.low == pytest.approx(-0.133, abs=5e-4)
    assert found.high == pytest.approx(0.723, abs=5e-4)
    assert found.regions == 6


def test_analysis_of_variance_by_hand() -> None:
    # means 2, 5, 11; grand mean 6: MSB = 2 (16 + 1 + 25) / 2 = 42, MSW = (2 + 2 + 2) / 3 = 2
    values = np.array([[1.0, 3.0], [4.0, 6.0], [10.0, 12.0]])
    found = stability(values)
    assert found.icc == pytest.approx((42 - 2) / (42 + 2))
    # F(0.975; 2, 3) = 16.0441 and F(0.975; 3, 2) = 39.1655 of any table
    assert found.low == pytest.approx((21 / 16.0441 - 1) / (21 / 16.0441 + 1), abs=1e-5)
    assert found.high == pytest.approx((21 * 39.1655 - 1) / (21 * 39.1655 + 1), abs=1e-5)


def test_intervals_cover_the_truth() -> None:
    generator = stream(0, "test icc")
    truth, covered = 0.8, 0
    for _ in range(400):
        regions = generator.normal(0, np.sqrt(truth), (15, 1))
        found = stability(regions + generator.normal(0, np.sqrt(1 - truth), (15, 4)))
        covered += found.low <= truth <= found.high
    assert 0.93 <= covered / 400 <= 0.975


def test_where_it_is_undefined_it_says_why() -> None:
    assert stability(np.full((5, 3), 0.1)).reason == "the feature is constant"
    holed = RATINGS.copy()
    holed[1:, 2] = np.nan
    assert "1 of 6 regions" in stability(holed).reason
    assert np.isnan(stability(holed).icc)
    assert stability(RATINGS[:, :1]).reason
    with pytest.raises(InputError):
        stability(RATINGS[0])
    with pytest.raises(InputError):
        stability(RATINGS, confidence=1.0)


def test_a_region_with_a_missing_value_is_left_out() -> None:
    holed = np.vstack([RATINGS, [1.0, np.inf, 2.0, 3.0]])
    assert stability(holed) == stability(RATINGS)


def test_repeats_that_agree_and_those_that_do_not() -> None:
    one = stability(np.repeat([[1.1], [2.2], [3.3]], 4, axis=1))
    assert (one.icc, one.low, one.high) == (1.0, 1.0, 1.0)
    assert stability(np.array([[1.0, 9.0], [2.0, 8.0]])).icc < 0
    # figures do not depend on the unit
    scaled = stability(RATINGS * 1e9 + 1e12)
    assert scaled.icc == pytest.approx(stability(RATINGS).icc, rel=1e-4)


def test_what_is_stable_goes_on() -> None:
    generator = stream(0, "test stable")
    regions = generator.normal(size=(20, 1))
    good = regions + 0.1 * generator.normal(size=(20, 3))
    bad = regions + 2.0 * generator.normal(size=(20, 3))
    constant = np.zeros((20, 3))
    found = stabilities(Repeats(("good", "bad", "constant"), np.stack([good, bad, constant], axis=2)))
    assert stable(found) == ("good",)
    assert stable(found, least=-1.0) == ("good", "bad")


def _ball(radius: float, shape: tuple[int, int, int] = (40, 40, 40), sides: tuple[float, float, float] = ISO) -> Array:
    places = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, sides, strict=True)]
    z, y, x = np.meshgrid(*places, indexing="ij")
    made: Array = (z**2 + y**2 + x**2 <= radius**2).astype(float)
    return made


def test_no_change_changes_nothing() -> None:
    image, mask = stream(0, "test perturb").normal(size=(5, 6, 7)), _ball(2, (5, 6, 7))
    found, region = perturb(image, mask, ISO, by=Perturbation())
    np.testing.assert_array_equal(found, image)
    np.testing.assert_array_equal(region, mask > 0)
    assert found is not image


def test_whole_shifts_are_shifts() -> None:
    image, mask = stream(0, "test perturb").normal(size=(9, 9, 9)), np.zeros((9, 9, 9))
    mask[3:6, 3:6, 3:6] = 1
    found, region = perturb(image, mask, (3.0, 1.0, 2.0), by=Perturbation(shift_voxels=(1.0, 0.0, -2.0)))
    np.testing.assert_allclose(found[1:, :, :-2], image[:-1, :, 2:], atol=1e-12)
    np.testing.assert_array_equal(region, np.roll(mask > 0, (1, 0, -2), axis=(0, 1, 2)))


def test_a_quarter_turn_about_the_regions_centre() -> None:
    image = stream(0, "test perturb").normal(size=(3, 11, 11))
    mask = np.zeros(image.shape)
    mask[1, 5, 3:8] = 1
    found, region = perturb(image, mask, (5.0, 2.0, 2.0), by=Perturbation(rotation_deg=90.0))
    assert {tuple(p) for p in np.argwhere(region)} == {(1, y, 5) for y in range(3, 8)}
    assert sorted(found[1].ravel()) == pytest.approx(sorted(image[1].ravel()))


def test_a_turn_is_made_in_mm() -> None:
    # pixels twice as high as wide: a square turned by 90 degrees in mm stays that square
    mask = np.zeros((1, 21, 41))
    mask[0, 8:13, 15:26] = 1
    _, region = perturb(mask, mask, (1.0, 2.0, 1.0), by=Perturbation(rotation_deg=90.0))
    assert abs(int(region.sum()) - 55) <= 6
    assert region.any(axis=(0, 2)).sum() == 5


@pytest.mark.parametrize("sides", [ISO, (3.0, 1.0, 1.0)])
@pytest.mark.parametrize("growth", [-2.0, 2.0])
def test_a_ball_grows_to_a_larger_ball(sides: tuple[float, float, float], growth: float) -> None:
    shape = (int(42 / sides[0]), 42, 42)
    mask = _ball(12, shape, sides)
    _, region = perturb(mask, mask, sides, by=Perturbation(growth_mm=growth))
    radius = (region.sum() * np.prod(sides) * 3 / (4 * np.pi)) ** (1 / 3)
    # thick slices say little of where the poles are
    assert radius == pytest.approx(12 + growth, abs=0.2 if sides == ISO else 0.6)


def test_a_rough_contour_keeps_the_volume_on_average_and_moves_as_much_as_told() -> None:
    mask = _ball(12)
    distance = ndimage.distance_transform_edt(mask == 0) - ndimage.distance_transform_edt(mask)
    volumes, reached = [], []
    for seed in range(12):
        _, region = perturb(mask, mask, ISO, by=Perturbation(roughness_mm=1.0, roughness_scale_mm=4.0, seed=seed))
        volumes.append(region.sum() / mask.sum())
        reached.append(np.abs(distance[region != (mask > 0)]).max())
    assert np.mean(volumes) == pytest.approx(1, abs=0.05)
    assert np.std(volumes) > 0.005
    assert 1.0 < np.mean(reached) < 5.0


def test_noise_has_its_standard_deviation_and_is_repeatable() -> None:
    image, mask = np.full((20, 20, 20), 40.0), _ball(5, (20, 20, 20))
    change = Perturbation(noise=7.0, seed=3)
    found, _ = perturb(image, mask, ISO, by=change)
    assert found.std() == pytest.approx(7, rel=0.05)
    np.testing.assert_array_equal(perturb(image, mask, ISO, by=change)[0], found)
    assert not np.array_equal(perturb(image, mask, ISO, by=Perturbation(noise=7.0, seed=4))[0], found)


def test_draws_stay_within_their_extent() -> None:
    extent = Extent(rotation_deg=4.0, shift_voxels=0.5, noise=3.0, growth_mm=2.0)
    drawn = draw(extent, 200, stream(1, "test draw"))
    turns = np.array([d.rotation_deg for d in drawn])
    assert np.abs(turns).max() <= 4
    assert turns.min() < -3 < 3 < turns.max()
    assert np.abs([d.shift_voxels for d in drawn]).max() <= 0.5
    assert np.abs([d.growth_mm for d in drawn]).max() <= 2
    assert len({d.seed for d in drawn}) == 200
    assert drawn == draw(extent, 200, stream(1, "test draw"))


@pytest.mark.parametrize("wrong", [{"noise": -1.0}, {"roughness_scale_mm": 0.0}, {"growth_mm": float("nan")}])
def test_what_is_no_extent_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Extent(**wrong)


def test_what_cannot_be_perturbed_is_refused() -> None:
    with pytest.raises(InputError, match="empty"):
        perturb(np.zeros((3, 3, 3)), np.zeros((3, 3, 3)), ISO, by=Perturbation())
    with pytest.raises(InputError, match="shape"):
        perturb(np.zeros((3, 3, 3)), np.zeros((3, 3, 2)), ISO, by=Perturbation())


def test_a_region_at_the_edge_and_one_of_a_voxel() -> None:
    mask = np.zeros((6, 6, 6))
    mask[0, 0, :] = 1
    assert perturb(mask, mask, ISO, by=Perturbation(growth_mm=1.2))[1].sum() > 6
    mask[:] = 0
    mask[3, 3, 3] = 1
    assert not perturb(mask, mask, ISO, by=Perturbation(growth_mm=-1.0))[1].any()
    assert perturb(mask, mask, ISO, by=Perturbation(growth_mm=1.0))[1].sum() == 7


def _measured(image: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_]) -> Mapping[str, float]:
    inside = image[mask]
    return {"mean": float(inside.mean()), "first voxel": float(inside[0]), "voxels": float(mask.sum())}


def test_the_whole_road_on_phantoms() -> None:
    generator = stream(2, "test road")
    cases = []
    for number in range(8):
        mask = _ball(5 + number % 4, (24, 24, 24))
        texture = ndimage.gaussian_filter(generator.normal(0, 40, mask.shape), 1)
        cases.append(Case(texture + 30 * number * mask, mask, (2.0, 1.0, 1.0)))
    extent = Extent(noise=5.0, growth_mm=0.5)
    found = repeated(cases, _measured, lambda number: draw(extent, 5, stream(0, "test road", number)))
    assert found.names == ("mean", "first voxel", "voxels")
    assert found.values.shape == (8, 5, 3)
    judged = stabilities(found)
    assert judged["mean"].low > judged["first voxel"].low
    assert "mean" in stable(judged)


def test_features_of_a_region_that_vanishes_are_missing() -> None:
    small, large = np.zeros((9, 9, 9)), np.zeros((9, 9, 9))
    small[4, 4, 4] = 1
    large[2:7, 2:7, 2:7] = 1
    changes = (Perturbation(), Perturbation(growth_mm=-1.0))
    found = repeated([Case(large, m, ISO) for m in (small, large)], _measured, lambda _: changes)
    assert np.isnan(found.values[0, 1]).all()
    assert np.isfinite(found.values[1]).all()
    with pytest.raises(InputError):
        repeated([], _measured, lambda _: changes)
    with pytest.raises(InputError):
        repeated([Case(large, large, ISO)] * 2, _measured, lambda number: changes[: number + 1])

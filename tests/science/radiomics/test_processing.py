"""The way from an image to grey levels: interpolation, re-segmentation, discretisation, histograms, peaks."""

import math

import numpy as np
import pytest
from scipy import ndimage

from hounsfield.core.errors import InputError, ReadError, UnknownNameError
from hounsfield.core.streams import stream
from hounsfield.science.radiomics.discretisation import discretise
from hounsfield.science.radiomics.histograms import NAMES, histogram, volume_histogram
from hounsfield.science.radiomics.intensities import NAMES as STATISTICS
from hounsfield.science.radiomics.intensities import statistics
from hounsfield.science.radiomics.interpolation import Axis, axes_of, axis, interpolate
from hounsfield.science.radiomics.local_intensity import RADIUS_MM, peaks
from hounsfield.science.radiomics.region import Outline, Scene, bounds, process, resegmented
from hounsfield.science.radiomics.settings import (
    Discretisation,
    Interpolation,
    Resegmentation,
    Settings,
    preset,
    settings_from,
)


def test_new_voxels_lie_evenly_about_the_middle_of_the_old_ones() -> None:
    found = axis(4, 3.0, 2.0)
    assert len(found.places) == 6
    assert found.places.mean() == pytest.approx(1.5)
    assert np.diff(found.places) == pytest.approx([2 / 3] * 5)


def test_a_header_of_almost_three_millimetres_gives_no_slice_more() -> None:
    assert len(axis(60, 3.0000002, 2.0).places) == 90


def test_a_header_of_a_hundred_metres_is_refused() -> None:
    with pytest.raises(ReadError, match="would become"):
        axis(500, 1e5, 1.0)


@pytest.mark.parametrize("order", [1, 3])
def test_interpolation_is_that_of_scipy(order: int) -> None:
    array = stream(1, "interpolation").normal(0, 100, (7, 9, 11))
    axes = axes_of(array.shape, (3.0, 1.0, 1.0), Interpolation(spacing_mm=(1.7, 0.6, 2.0)))
    grid = np.meshgrid(*(np.clip(a.places, 0, n - 1) for a, n in zip(axes, array.shape, strict=True)), indexing="ij")
    wanted = ndimage.map_coordinates(array, grid, order=order, mode="mirror")
    np.testing.assert_allclose(interpolate(array, axes, order=order), wanted, atol=1e-9)


def test_a_part_of_the_grid_has_the_values_of_the_whole() -> None:
    array = stream(2, "interpolation").normal(0, 100, (90, 12, 14))
    axes = axes_of(array.shape, (1.0, 1.0, 1.0), Interpolation(spacing_mm=(0.7, 0.7, 0.7)))
    whole = interpolate(array, axes, order=3)
    part = [Axis(axes[0].places[50:60], 0.7), *axes[1:]]
    np.testing.assert_allclose(interpolate(array, part, order=3), whole[50:60], atol=1e-12)


def test_outliers_are_told_by_the_whole_region() -> None:
    image = np.array([[[0.0, 1.0, -1.0, 0.5, 50.0, -400.0]]])
    whole = np.ones(image.shape, dtype=np.bool_)
    kept = resegmented(image, whole, Resegmentation(lowest=-100, outlier_sigma=2))
    assert kept.tolist() == [[[True, True, True, True, True, False]]]


def test_bins() -> None:
    values = np.array([0.0, 24.9, 25.0, 99.0, 100.0])
    assert discretise(values, Discretisation(method="width", width=25), lowest=-50.0).values.tolist() == [3, 3, 4, 6, 7]
    assert discretise(values, Discretisation(method="width", width=25)).values.tolist() == [1, 1, 2, 4, 5]
    assert discretise(values, Discretisation(method="number", bins=4)).values.tolist() == [1, 1, 2, 4, 4]
    assert discretise(np.arange(8.0), Discretisation(method="equal", bins=4)).values.tolist() == [
        1,
        1,
        2,
        2,
        3,
        3,
        4,
        4,
    ]
    assert discretise(np.array([5.0, 5, 5, 9]), Discretisation(method="equal", bins=2)).values.tolist() == [1, 1, 1, 2]


def test_levels_that_are_none_are_refused() -> None:
    for wrong in ([0.5, 1.0], [0.0, 1.0], [1.0, 1e9]):
        with pytest.raises(ReadError, match="grey levels"):
            discretise(np.array(wrong), Discretisation(method="none"))
    with pytest.raises(ReadError, match="grey levels in a region"):
        discretise(np.array([0.0, 1.0]), Discretisation(method="width", width=1e-9))


def test_statistics_by_numpy() -> None:
    values = np.sort(stream(3, "statistics").gamma(2.0, 30.0, 301))
    found = dict(zip(STATISTICS, statistics(values), strict=True))
    p10, p25, p75, p90 = np.percentile(values, [10, 25, 75, 90])
    inner = values[(values >= p10) & (values <= p90)]
    centred = values - values.mean()
    assert found == pytest.approx(
        {
            "mean": values.mean(), "var": values.var(), "skew": (centred**3).mean() / values.std() ** 3,
            "kurt": (centred**4).mean() / values.var() ** 2 - 3, "median": np.median(values), "min": values[0],
            "p10": p10, "p90": p90, "max": values[-1], "iqr": p75 - p25, "range": np.ptp(values),
            "mad": abs(centred).mean(), "rmad": abs(inner - inner.mean()).mean(),
            "medad": abs(values - np.median(values)).mean(), "cov": values.std() / values.mean(),
            "qcod": (p75 - p25) / (p75 + p25), "energy": (values**2).sum(), "rms": math.sqrt((values**2).mean()),
        },
        rel=1e-10,
    )  # fmt: skip


def test_the_mode_is_the_frequent_level_nearest_to_the_mean() -> None:
    levels = discretise(np.array([1.0, 1, 2, 7, 7, 9]), Discretisation(method="none"))
    found = dict(zip(NAMES, histogram(levels), strict=True))
    assert found["mode"] == 7
    assert found["max_grad"] == 1.0
    assert found["min_grad_g"] == 1.0


def test_the_volume_histogram_of_fractions() -> None:
    found = volume_histogram(np.array([0.0, 0.25, 0.5, 1.0]), Discretisation(method="none"), Resegmentation())
    v10, v90, i10, i90, _, _, area = found
    assert (v10, v90, i10) == (0.75, 0.25, 1.0)
    assert i90 == pytest.approx(0.25)
    assert area == pytest.approx(0.25 * (1 + 0.75) / 2 + 0.25 * (0.75 + 0.5) / 2 + 0.5 * (0.5 + 0.25) / 2)


def test_whole_numbers_are_in_steps_of_one() -> None:
    found = volume_histogram(np.array([1.0, 1, 1, 4, 9]), Discretisation(method="none"), Resegmentation())
    assert (found[2], found[3]) == (10.0, 2.0)


def test_peaks_are_means_over_a_sphere() -> None:
    spacing = (3.0, 2.0, 1.0)
    image = stream(4, "peaks").normal(0, 10, (5, 7, 9))
    mask = np.zeros(image.shape, dtype=np.bool_)
    mask[1:4, 2:6, 3:7] = True
    places = np.argwhere(np.ones_like(mask))
    means = np.full(image.shape, -np.inf)
    for z, y, x in np.argwhere(mask):
        far = np.linalg.norm((places - (z, y, x)) * spacing, axis=1)
        means[z, y, x] = image.reshape(-1)[far <= RADIUS_MM + 1e-9].mean()
    brightest = np.unravel_index(np.argmax(np.where(mask, image, -np.inf)), image.shape)
    assert peaks(image, mask, spacing) == pytest.approx([means[brightest], means.max()])


def test_only_the_box_of_a_region_is_interpolated() -> None:
    array = np.zeros((40, 40, 40), dtype=np.int16)
    array[10:14, 10:15, 10:16] = 100
    labels = (array > 0).astype(np.uint8)
    how = Settings(interpolation=Interpolation(spacing_mm=(0.5, 0.5, 0.5)), families=("stat",))
    region = process(Scene(array, (1.0, 1.0, 1.0)), Outline(labels, 1, bounds(labels > 0)), how)
    assert region.whole.shape == (8, 10, 12)
    assert region.around.shape == (8, 10, 12)
    assert region.grid == (80, 80, 80)


def test_settings_by_name_and_with_a_fault() -> None:
    assert preset("ibsi-C").discretisation.width == 25
    with pytest.raises(UnknownNameError, match="ibsi-A"):
        preset("ibsi-a1")
    with pytest.raises(InputError, match="discretisation") as caught:
        settings_from({"discretization": {"method": "number"}})
    assert "'discretisation'" in caught.value.next_step
    with pytest.raises(InputError, match="spacing"):
        settings_from({"interpolation": {"spacing_mm": [0.0, 1.0, 1.0]}})

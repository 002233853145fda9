"""What a region can be that no textbook shows: one voxel, one value, one bin or a million, ten thousand parts."""

import math

import numpy as np
import pytest

from hounsfield.core.errors import ReadError
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray
from hounsfield.science.radiomics.extraction import features, tags
from hounsfield.science.radiomics.labels import Marked, marked, whole_numbers
from hounsfield.science.radiomics.reasons import reasons
from hounsfield.science.radiomics.region import Scene, process
from hounsfield.science.radiomics.settings import Discretisation, Interpolation, Resegmentation, Settings
from tests.counting import lines

WHOLE = Settings(dimensions="both")


def measured(image: AnyArray, mask: AnyArray, settings: Settings = WHOLE) -> tuple[dict[str, float], dict[str, str]]:
    scene = Scene(image, (1.0, 1.0, 1.0))
    outline = marked(whole_numbers(mask), parts=False)[0].outline
    values, facts = features(process(scene, outline, settings), settings)
    return values, reasons(values, facts)


def test_one_voxel_has_a_volume_and_no_neighbours() -> None:
    mask = np.zeros((3, 3, 3), dtype=np.uint8)
    mask[1, 1, 1] = 1
    values, missing = measured(np.full((3, 3, 3), 7.0), mask)
    assert values["morph_vol_approx"] == 1.0
    assert values["morph_volume"] == pytest.approx(1 / 6)
    assert values["stat_mean"] == 7.0
    assert values["szm_sze_3D"] == 1.0
    assert missing["cm_contrast_3D_avg"] == "the region is one voxel: it has no neighbours"
    assert missing["morph_pca_elongation"] == "the region is one voxel"
    assert missing["morph_moran_i"] == "all intensities are the same"
    assert all(math.isnan(values[t]) == (t in missing) for t in values)


def test_a_constant_region_has_no_skewness_and_says_why() -> None:
    values, missing = measured(np.full((4, 5, 6), 40.0), np.ones((4, 5, 6), dtype=np.uint8))
    assert missing["stat_skew"] == missing["morph_geary_c"] == missing["ivh_v10"] == "all intensities are the same"
    assert missing["cm_corr_3D_comb"] == missing["ngt_contrast_2D"] == "all voxels have one grey level"
    assert values["stat_var"] == 0.0
    assert values["cm_joint_max_3D_avg"] == 1.0
    assert values["cm_info_corr2_3D_avg"] == 0.0
    assert all(math.isnan(values[t]) == (t in missing) for t in values)


def test_a_mean_of_zero_leaves_out_the_coefficient_of_variation() -> None:
    image = np.array([[[-1.0, 1.0], [-2.0, 2.0]]])
    _, missing = measured(image, np.ones(image.shape, dtype=np.uint8))
    assert missing["stat_cov"] == "the mean is 0"
    assert missing["morph_com"] == "the intensities add up to 0"


def test_a_region_at_the_border_is_measured_as_one_within() -> None:
    drawn = stream(1, "border").integers(0, 200, (5, 6, 7)).astype(np.float64)
    wide = np.pad(drawn, 3, constant_values=55.0)
    inner = np.pad(np.ones(drawn.shape, dtype=np.uint8), 3)
    at_border, _ = measured(drawn, np.ones(drawn.shape, dtype=np.uint8))
    within, _ = measured(wide, inner)
    local = {"loc_peak_loc", "loc_peak_glob"}
    assert {t: v for t, v in at_border.items() if t not in local} == {t: v for t, v in within.items() if t not in local}


def test_nan_in_the_region_is_refused_and_beside_it_costs_the_peaks_only() -> None:
    image = stream(2, "nan").normal(0, 1, (6, 6, 6))
    mask = np.zeros((6, 6, 6), dtype=np.uint8)
    mask[:3] = 1
    image[5, 0, 0] = np.nan
    values, missing = measured(image, mask)
    assert missing["loc_peak_glob"] == "some voxels near the region have no finite intensity"
    assert math.isfinite(values["cm_contrast_3D_avg"])
    image[0, 0, 0] = np.nan
    with pytest.raises(ReadError, match="not finite"):
        measured(image, mask)


def test_what_resegmentation_empties_keeps_its_shape() -> None:
    settings = Settings(resegmentation=Resegmentation(lowest=1000))
    values, missing = measured(np.zeros((4, 4, 4)), np.ones((4, 4, 4), dtype=np.uint8), settings)
    assert values["morph_vol_approx"] == 64.0
    assert (
        missing["stat_mean"]
        == missing["morph_com"]
        == missing["cm_contrast_3D_avg"]
        == "re-segmentation leaves no voxel"
    )


def test_one_bin_and_a_million() -> None:
    image = stream(3, "bins").normal(0, 100, (12, 12, 12))
    mask = np.ones(image.shape, dtype=np.uint8)
    one, missing = measured(image, mask, Settings(discretisation=Discretisation(method="width", width=1e6)))
    assert one["ih_entropy"] == 0.0
    assert missing["cm_corr_3D_avg"] == "all voxels have one grey level"
    fine = Settings(discretisation=Discretisation(method="width", width=float(np.ptp(image)) / 1e6), dimensions="both")
    many, missing = measured(image, mask, fine)
    assert many["ih_range"] == pytest.approx(1e6, rel=1e-3)
    assert many["rlm_sre_3D_avg"] == pytest.approx(1.0, abs=1e-3)
    assert missing == {}


def test_a_region_that_interpolation_loses_says_so() -> None:
    image, mask = np.zeros((9, 9, 9)), np.zeros((9, 9, 9), dtype=np.uint8)
    mask[3, 3, 3] = 1
    with pytest.raises(ReadError, match="No voxel of the region is left"):
        measured(image, mask, Settings(interpolation=Interpolation(spacing_mm=(4.0, 4.0, 4.0))))


def test_an_empty_mask_has_no_region() -> None:
    assert marked(np.zeros((4, 4, 4), dtype=np.uint8), parts=False) == []
    assert marked(np.zeros((4, 4, 4), dtype=np.int16), parts=True) == []


def test_labels_of_any_size_and_their_parts() -> None:
    labels = np.zeros((1, 5, 9), dtype=np.int64)
    labels[0, 0, 0] = labels[0, 1, 1] = 7
    labels[0, 3, 3] = labels[0, 4, 8] = 10**12
    labels[0, 0, 8] = -4
    found = marked(labels, parts=True)
    assert [(m.label, m.part) for m in found] == [(7, 1), (10**12, 1), (10**12, 2)]
    assert [int(m.outline.within(m.outline.box).sum()) for m in found] == [2, 1, 1]
    whole = marked(labels, parts=False)
    assert [(m.label, m.part, int(m.outline.within(m.outline.box).sum())) for m in whole] == [(7, 0, 2), (10**12, 0, 2)]


def test_probabilities_are_no_labels() -> None:
    with pytest.raises(ReadError, match="no labels"):
        whole_numbers(np.array([0.0, 0.4, 1.0]))
    assert whole_numbers(np.array([0.0, 2.0, np.nan])).tolist() == [0, 2, 0]


def test_ten_thousand_parts() -> None:
    labels = np.zeros((40, 100, 100), dtype=np.uint8)
    labels[::2, ::4, ::5] = 1
    labels[1::2, 2::4, 2::5] = 1
    found: list[Marked] = []
    marked(labels[:2], parts=True)  # compiles, where nothing is compiled yet
    # each part costs 20 lines and holds no map of its own: none is looked for in the whole
    assert lines(lambda: found.extend(marked(labels, parts=True))) < 24 * len(found)
    assert len(found) == 20 * 25 * 20 * 2
    assert len({id(one.outline.labels) for one in found}) == 1
    assert sum(math.prod(s.stop - s.start for s in one.outline.box) for one in found) == np.count_nonzero(labels)
    image = np.ones(labels.shape)
    settings = Settings(families=("stat", "szm"), slow=False)
    for one in found[::200]:
        values, _ = features(process(Scene(image, (1.0, 1.0, 1.0)), one.outline, settings), settings)
        assert values["szm_z_perc_3D"] == 1.0


def test_a_plane_is_measured_in_two_dimensions() -> None:
    drawn = stream(6, "plane").integers(1, 9, (1, 12, 15)).astype(np.float64)
    settings = Settings()
    scene = Scene(drawn, (1.0, 0.5, 0.5), planar=True)
    outline = marked(np.ones(drawn.shape, dtype=np.uint8), parts=False)[0].outline
    values, facts = features(process(scene, outline, settings), settings)
    assert "cm_contrast_3D_avg" not in values
    assert math.isfinite(values["cm_contrast_2_5D_comb"])
    assert math.isfinite(values["loc_peak_glob"])
    assert reasons(values, facts)["morph_volume"].startswith("the image is a plane")
    assert tuple(values) == tags(settings, planar_image=True)


def test_voxels_too_unequal_for_a_box_say_so() -> None:
    mask = np.ones((3, 4, 5), dtype=np.uint8)
    scene = Scene(np.arange(60.0).reshape(3, 4, 5), (1e-14, 1.0, 1.0))
    region = process(scene, marked(mask, parts=False)[0].outline, WHOLE)
    values, facts = features(region, WHOLE)
    missing = reasons(values, facts)
    assert {"morph_vol_dens_ombb", "morph_area_dens_mvee"} <= missing.keys()
    assert "million times" in missing["morph_vol_dens_ombb"]
    assert values["morph_diam"] == pytest.approx(math.hypot(3.0, 5.0))
    assert math.isfinite(values["morph_volume"])
    assert math.isfinite(values["morph_vol_dens_conv_hull"])
    assert math.isfinite(values["cm_contrast_3D_avg"])

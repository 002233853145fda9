"""Maps of features, their correlations, and how noise is told from an image."""

import numpy as np
import pytest
from scipy import ndimage, stats

from hounsfield.core.errors import InputError, ReadError
from hounsfield.core.streams import stream
from hounsfield.science.radiomics.extraction import features
from hounsfield.science.radiomics.labels import marked
from hounsfield.science.radiomics.noise_level import noise_level
from hounsfield.science.radiomics.parameter_maps import MOST, parameter_map
from hounsfield.science.radiomics.redundancy import clustered, kept, rank_correlations
from hounsfield.science.radiomics.region import Scene, process
from hounsfield.science.radiomics.settings import Discretisation, Settings

BINS = Discretisation(method="number", bins=8)


def test_a_map_of_the_mean_is_a_mean_filter() -> None:
    volume = stream(0, "maps").normal(size=(5, 12, 14))
    cube = parameter_map(volume, (1, 1, 1), depth=2, tag="stat_mean", how=BINS)
    wanted = ndimage.uniform_filter(volume, 5)[2]
    assert cube.values[2:-2, 2:-2] == pytest.approx(wanted[2:-2, 2:-2])
    assert cube.values[0, 0] == pytest.approx(volume[:, :3, :3].mean())
    square = parameter_map(volume[2:3], (1, 1, 1), depth=0, tag="stat_mean", how=BINS, radius=1)
    assert square.values[1:-1, 1:-1] == pytest.approx(ndimage.uniform_filter(volume[2], 3)[1:-1, 1:-1])


@pytest.mark.parametrize("tag", ["cm_joint_entr_3D_avg", "rlm_sre_3D_comb", "ngt_coarseness_3D", "cm_contrast_2D_avg"])
def test_a_place_of_a_map_is_the_feature_of_its_neighbourhood(tag: str) -> None:
    volume = stream(1, "maps").normal(size=(5, 9, 9))
    found = parameter_map(volume, (1, 1, 1), depth=2, tag=tag, how=BINS)
    planar = "2D" in tag
    near = volume[2:3] if planar else volume
    levels = np.minimum(np.floor(8 * (near - near.min()) / np.ptp(near)) + 1, 8)
    labels = np.zeros(levels.shape, dtype=np.uint8)
    labels[:, 3:8, 2:7] = 1
    settings = Settings(
        families=(tag.split("_", maxsplit=1)[0],),
        dimensions="2D" if planar else "3D",
        discretisation=Discretisation(method="none"),
    )
    scene = Scene(levels, (1, 1, 1))
    values, _ = features(process(scene, marked(labels, parts=False)[0].outline, settings), settings)
    assert found.values[5, 4] == pytest.approx(values[tag])


def test_large_slices_are_walked_in_steps_and_holes_have_none() -> None:
    volume = np.zeros((1, 200, 100))
    volume[0, 50, 50] = np.nan
    found = parameter_map(volume, (1, 1, 1), depth=0, tag="stat_mean", how=BINS)
    assert found.step == 3
    assert found.values.shape == (67, 34)
    assert found.values.size <= MOST
    # steps 48 and 51 along either axis reach the hole at 50
    assert np.argwhere(np.isnan(found.values)).tolist() == [[16, 16], [16, 17], [17, 16], [17, 17]]
    for tag in ("morph_volume", "ivh_auc", "cm_nothing_3D_avg", "stat_"):
        with pytest.raises(InputError, match="no parameter map"):
            parameter_map(volume, (1, 1, 1), depth=0, tag=tag, how=BINS)
    with pytest.raises(ReadError, match="of a plane"):
        parameter_map(volume, (1, 1, 1), depth=0, tag="cm_contrast_3D_avg", how=BINS)
    with pytest.raises(ReadError, match="finite"):
        parameter_map(volume * np.nan, (1, 1, 1), depth=0, tag="cm_contrast_2D_avg", how=BINS)


def test_correlations_are_spearmans_and_blocks_stand_together() -> None:
    draws = stream(2, "maps")
    base = draws.normal(size=(40, 2))
    values = np.stack([base[:, n % 2] * (-1) ** (n // 2) + 0.1 * draws.normal(size=40) for n in range(8)], axis=1)
    values[:, 5] = np.round(values[:, 5])  # ties
    found = rank_correlations(values)
    assert found == pytest.approx(stats.spearmanr(values).statistic)
    order = clustered(found)
    assert sorted(order) == list(range(8))
    assert len({int(n) % 2 for n in order[:4]}) == 1
    assert kept(found, range(8)) == (0, 1)
    assert kept(found, [7, 6, 5, 4], most=1.0) == (7, 6, 5, 4)
    constant = rank_correlations(np.stack([values[:, 0], np.ones(40)], axis=1))
    assert constant.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_noise_is_told_from_anatomy() -> None:
    z, y, x = np.indices((6, 60, 60))
    anatomy = 100 * ((y - 30) ** 2 + (x - 30) ** 2 < 300) + 2.0 * x + z
    assert noise_level(anatomy) == pytest.approx(0, abs=1e-9)
    noisy = anatomy + stream(3, "maps").normal(0, 5, anatomy.shape)
    assert noise_level(noisy) == pytest.approx(5, rel=0.05)
    noisy[:, ::7] = np.nan
    assert noise_level(noisy) == pytest.approx(5, rel=0.05)
    assert noise_level(np.zeros((1, 1, 9))) == 0

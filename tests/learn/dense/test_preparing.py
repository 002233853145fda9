"""Images to arrays and probabilities back to where they belong."""

import numpy as np
import pytest

from hounsfield.core.errors import PlanError
from hounsfield.core.image import Grid, Image
from hounsfield.core.structures import Structures
from hounsfield.geometry.canonical import canonical, turned_back
from hounsfield.learn.dense.case import prepare_images
from hounsfield.learn.dense.preparing import (
    DensePreparation,
    prepare_labels,
    prepared_size,
    put_back,
)
from tests.workflow.dense.making import affine, ball

TURNED = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS", spacing_mm=[1.5, 1.0, 1.2])


@pytest.mark.parametrize("number", range(6))
def test_turning_there_and_back_is_the_identity(number: int) -> None:
    volume = ball(number)[0][None]
    image = Image(volume, Grid(affine(number)))
    np.testing.assert_array_equal(turned_back(canonical(image).array, affine(number)), volume)


@pytest.mark.parametrize("number", range(6))
def test_a_mask_comes_back_to_its_own_grid(number: int) -> None:
    volume, labels = ball(number)
    image = Image(volume[None], Grid(affine(number)))
    structures = Structures(classes=("near", "far"), layout="exclusive", values=(1, 2))
    prepared = prepare_labels(labels[None], image, TURNED, structures)
    assert prepared.shape[1:] == prepared_size(image, TURNED) == prepare_images({"image": image}, TURNED).shape[1:]
    back = put_back(structures.masks(prepared).astype(np.float32), image, TURNED)
    np.testing.assert_array_equal(back > 0.5, structures.masks(labels[None]))


def test_a_picture_keeps_its_aspect() -> None:
    spec = DensePreparation(ndim=2, channels={"image": 1}, edge=32)
    picture = Image(np.random.default_rng(0).integers(0, 255, (1, 64, 48)).astype(np.uint8))
    assert prepare_images({"image": picture}, spec).shape == (1, 32, 24)
    assert put_back(np.ones((2, 32, 24), dtype=np.float32), picture, spec).shape == (2, 64, 48)


def test_values_have_no_mean_and_unit_deviation_or_those_of_the_window() -> None:
    picture = Image(np.random.default_rng(0).normal(500, 90, (1, 40, 40)).astype(np.float32))
    plain = prepare_images({"image": picture}, DensePreparation(ndim=2, channels={"image": 1}))
    assert abs(float(plain.mean())) < 1e-5
    assert float(plain.std()) == pytest.approx(1.0, abs=1e-4)
    spec = DensePreparation(ndim=2, channels={"image": 1}, window={"image": [400.0, 600.0]})
    shown = prepare_images({"image": picture}, spec)
    assert (float(shown.min()), float(shown.max())) == (-2.0, 2.0)


def test_two_sequences_of_a_case_are_brought_to_one_grid() -> None:
    spec = DensePreparation(ndim=3, channels={"a": 1, "b": 1}, orientation="RAS")
    volume = ball(1)[0][None]
    first = Image(volume, Grid(np.diag([1.0, 1.0, 1.0, 1.0])))
    finer = Image(
        np.repeat(volume, 2, axis=3), Grid(np.array([[0.5, 0, 0, -0.25], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    )
    both = prepare_images({"a": first, "b": finer}, spec)
    assert both.shape == (2, *volume.shape[1:])
    assert np.corrcoef(both[0].ravel(), both[1].ravel())[0, 1] > 0.9


def test_pictures_of_one_case_that_differ_in_size_are_refused() -> None:
    spec = DensePreparation(ndim=2, channels={"a": 1, "b": 1})
    with pytest.raises(PlanError, match="sizes 8 x 8 and 8 x 9"):
        prepare_images({"a": Image(np.zeros((1, 8, 8))), "b": Image(np.zeros((1, 8, 9)))}, spec)


def test_a_volume_without_a_place_is_refused_where_the_plan_needs_one() -> None:
    with pytest.raises(PlanError, match="how it lies"):
        prepare_images({"image": Image(np.zeros((1, 4, 5, 6)))}, TURNED)


def test_a_volume_of_one_slice_is_prepared_and_one_of_two_channels_is_refused() -> None:
    values, grid = np.random.default_rng(0).random((2, 1, 20, 20)), Grid(np.diag([1.0, 1.0, 5.0, 1.0]))
    spec = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS", spacing_mm=[2.0, 1.0, 1.0])
    assert prepare_images({"image": Image(values[:1], grid)}, spec).shape == (1, 2, 20, 20)
    with pytest.raises(PlanError, match="2 channels where 1 is expected"):
        prepare_images({"image": Image(values, grid)}, spec)

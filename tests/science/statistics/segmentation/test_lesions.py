import math

import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.types import BoolArray
from hounsfield.science.statistics.segmentation.lesions import LesionCounts, count_lesions


def squares(*places: tuple[int, int], side: int = 4) -> BoolArray:
    mask = np.zeros((40, 40), dtype=np.bool_)
    for row, column in places:
        mask[row : row + side, column : column + side] = True
    return mask


def test_any_overlap_finds() -> None:
    truth = squares((2, 2), (2, 20), (20, 2))
    said = squares((5, 5), (2, 22), (30, 30))  # one voxel, half, none
    found = count_lesions(said, truth)
    assert found == LesionCounts(true=3, found=2, said=3, right=2)
    assert (found.sensitivity, found.precision) == (2 / 3, 2 / 3)
    assert found.f1 == pytest.approx(2 / 3)


def test_one_blob_over_two_lesions_finds_both_but_pairs_with_one() -> None:
    truth = squares((2, 2), (2, 8))
    said = np.zeros_like(truth)
    said[2:6, 2:12] = True
    assert count_lesions(said, truth) == LesionCounts(2, 2, 1, 1)
    assert count_lesions(said, truth, least_iou=0.3) == LesionCounts(2, 1, 1, 1)
    assert count_lesions(said, truth, least_iou=0.5) == LesionCounts(2, 0, 1, 0)


def test_specks_in_one_lesion_are_right_but_pair_once() -> None:
    truth = squares((2, 2), side=10)
    said = squares((2, 2), (9, 9), side=3)
    assert count_lesions(said, truth) == LesionCounts(1, 1, 2, 2)
    assert count_lesions(said, truth, least_iou=0.05) == LesionCounts(1, 1, 2, 1)


def test_the_best_pair_is_made_first() -> None:
    truth = squares((10, 10))
    said = squares((10, 13)) | squares((9, 9), side=3)
    assert count_lesions(said, truth, least_iou=0.1).right == 1


def test_the_threshold_is_reached_by_equality() -> None:
    truth, said = squares((2, 2)), squares((2, 2), side=2)
    assert count_lesions(said, truth, least_iou=0.25).found == 1
    assert count_lesions(said, truth, least_iou=0.26).found == 0


def test_none_and_many() -> None:
    none = squares()
    empty = count_lesions(none, none)
    assert math.isnan(empty.sensitivity)
    assert math.isnan(empty.precision)
    assert empty.f1 == 1.0
    assert count_lesions(squares((2, 2)), none).f1 == count_lesions(none, squares((2, 2))).f1 == 0.0
    many = np.zeros((60, 60), dtype=np.bool_)
    many[::3, ::4] = True
    assert count_lesions(many, many, least_iou=1.0) == LesionCounts(300, 300, 300, 300)
    assert LesionCounts(1, 1, 2, 1) + LesionCounts(2, 0, 0, 0) == LesionCounts(3, 1, 2, 1)


def test_an_impossible_overlap_is_refused() -> None:
    with pytest.raises(InputError):
        count_lesions(squares(), squares(), least_iou=1.5)

"""What a mask file says."""

import numpy as np
import pytest

from hounsfield.core.errors import ReadError
from hounsfield.core.structures import Structures, distinct, single_channel

EXCLUSIVE = Structures(classes=("near", "far"), layout="exclusive", values=(2, 5))
ONE = Structures(classes=("lesion",), layout="one")
OVER = Structures(classes=("whole", "core"), layout="overlapping", values=(0, 1))


def test_exclusive_numbers_become_labels_in_the_order_of_the_classes() -> None:
    labels = EXCLUSIVE.labels(np.array([[[0, 2], [5, 2]]], dtype=np.int16))
    assert labels.dtype == np.uint8
    assert labels.tolist() == [[[0, 1], [2, 1]]]
    assert EXCLUSIVE.masks(labels)[1].tolist() == [[False, False], [True, False]]
    assert (EXCLUSIVE.width, EXCLUSIVE.planes) == (3, 1)


def test_an_unknown_label_is_refused_by_name() -> None:
    with pytest.raises(ReadError, match="unknown label 7") as caught:
        EXCLUSIVE.labels(np.array([[[0, 7]]], dtype=np.uint8))
    assert "2 (near), 5 (far)" in str(caught.value.expected)


def test_whatever_is_not_0_is_marked_where_there_is_one_structure() -> None:
    assert ONE.labels(np.array([[[0, 255], [3, 0]]], dtype=np.uint8)).tolist() == [[[0, 1], [1, 0]]]
    assert (ONE.width, ONE.planes) == (1, 1)


def test_overlapping_structures_are_channels_and_fractions_are_rounded() -> None:
    mask = np.array([[[0.2, 0.9]], [[0.6, 0.5]]], dtype=np.float32)
    assert OVER.labels(mask).tolist() == [[[0, 1]], [[1, 0]]]
    with pytest.raises(ReadError, match="has 1 channels"):
        OVER.labels(mask[:1])


def test_grey_pictures_saved_in_colour_count_and_colours_do_not() -> None:
    grey = np.repeat(np.array([[[0, 1]]], dtype=np.uint8), 3, axis=0)
    assert single_channel(grey).shape == (1, 1, 2)
    with pytest.raises(ReadError, match="3 channels that differ"):
        single_channel(np.array([[[0, 1]], [[0, 1]], [[1, 0]]], dtype=np.uint8))


@pytest.mark.parametrize("values", [[0.0, 0.5], [-1.0, 1.0], [0.0, np.nan], [0.0, 1e9]])
def test_what_is_no_label_is_refused(values: list[float]) -> None:
    with pytest.raises(ReadError, match="no labels"):
        distinct(np.array([[values]]))


def test_floats_that_are_whole_are_labels() -> None:
    assert distinct(np.array([[[0.0, 2.0, 1.0]]])) == (0, 1, 2)


def test_a_background_cannot_be_a_class() -> None:
    with pytest.raises(ValueError, match="background"):
        Structures(classes=("a", "b"), layout="exclusive", values=(0, 1))

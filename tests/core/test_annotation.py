import numpy as np
import pytest

from hounsfield.core.annotation import Annotation
from hounsfield.core.errors import InputError


def test_labels_and_masks_say_the_same() -> None:
    labels = np.array([[0, 1, 2], [2, 0, 1]], dtype=np.uint8)
    one = Annotation(labels, ("a", "b"))
    two = Annotation(np.stack([labels == 1, labels == 2]), ("a", "b"))
    assert (one.overlapping, two.overlapping) == (False, True)
    assert one.size == two.size == (2, 3)
    assert one.ndim == two.ndim == 2
    for index in range(2):
        np.testing.assert_array_equal(one.mask(index), two.mask(index))


@pytest.mark.parametrize(
    ("array", "classes"),
    [
        (np.zeros((2, 3), dtype=np.int64), ("a",)),
        (np.zeros((2, 3), dtype=np.float32), ("a",)),
        (np.zeros((2, 3, 4), dtype=bool), ("a",)),
        (np.zeros((2, 3), dtype=bool), ("a", "b")),
        (np.full((2, 3), 2, dtype=np.uint8), ("a",)),
        (np.zeros((2, 3), dtype=np.uint8), ()),
        (np.zeros((2, 3), dtype=np.uint8), ("a", "a")),
        (np.zeros((0, 3), dtype=np.uint8), ("a",)),
    ],
)
def test_what_is_neither_is_refused(array: np.ndarray, classes: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        Annotation(array, classes)


def test_probabilities_have_one_map_for_each_class() -> None:
    labels = np.zeros((2, 3), dtype=np.uint8)
    held = Annotation(labels, ("a", "b"), probabilities=np.full((2, 2, 3), 0.25)).probability(1)
    assert held is not None
    assert held.shape == (2, 3)
    with pytest.raises(InputError, match="shape"):
        Annotation(labels, ("a",), probabilities=np.zeros((2, 2, 3)))

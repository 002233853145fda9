"""Masks come to the grid of their image by the affines, voxel by voxel as a slow loop puts them."""

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.geometry.masks import Frame, lost_share, onto, relation

IMAGE = Frame((6, 7, 8), np.diag([1.0, 1.0, 2.0, 1.0]))


def labels(*size: int) -> AnyArray:
    return stream(0, "masks").integers(0, 4, size).astype(np.uint8)


def slowly(mask: AnyArray, frame: Frame, image: Frame) -> AnyArray:
    """Take for each voxel of the image the voxel of the mask that its centre lies in."""
    assert image.affine_ras is not None
    assert frame.affine_ras is not None
    found = np.zeros(image.size, mask.dtype)
    to_mask = np.linalg.inv(frame.affine_ras) @ image.affine_ras
    for z, y, x in np.ndindex(*image.size):
        i, j, k = np.floor((to_mask @ (x, y, z, 1.0))[:3] + 0.5 + 1e-9).astype(int)
        if 0 <= i < frame.shape[0] and 0 <= j < frame.shape[1] and 0 <= k < frame.shape[2]:
            found[z, y, x] = mask[k, j, i]
    return found


def moved(matrix: list[list[float]]) -> Float64Array:
    assert IMAGE.affine_ras is not None
    affine: Float64Array = IMAGE.affine_ras @ np.array(matrix)
    return affine


@pytest.mark.parametrize(
    ("size", "matrix"),
    [
        ((6, 7, 8), [[-1, 0, 0, 7], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
        ((6, 8, 7), [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
        ((4, 5, 5), [[1, 0, 0, 2], [0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 1.0]]),
        ((12, 7, 8), [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0.5, -0.25], [0, 0, 0, 1.0]]),
        ((3, 4, 4), [[2, 0, 0, 0.4], [0, 2, 0, 0.4], [0, 0, 2, 0.4], [0, 0, 0, 1.0]]),
        ((8, 9, 9), [[0.96, -0.28, 0, 0.3], [0.28, 0.96, 0, -1.2], [0, 0, 1, 0.1], [0, 0, 0, 1.0]]),
    ],
    ids=["mirrored", "exchanged", "cropped", "finer", "coarser", "turned"],
)
def test_moved(size: tuple[int, ...], matrix: list[list[float]]) -> None:
    frame, mask = Frame(size, moved(matrix)), labels(*size)
    assert relation(IMAGE, frame).match == "moved"
    found = onto(mask, frame, IMAGE)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, slowly(mask, frame, IMAGE))


@pytest.mark.parametrize(
    ("size", "affine", "match"),
    [
        ((6, 7, 8), IMAGE.affine_ras, "same"),
        ((6, 7, 8), None, "assumed"),
        ((6, 7, 9), None, "refused"),
        ((6, 7, 8), moved([[1, 0, 0, 0.02], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), "same"),
        ((6, 7, 8), moved([[1, 0, 0, 0.2], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), "moved"),
        ((6, 7, 8), moved([[1, 0, 0, 8.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), "refused"),
        ((6, 7, 8), moved([[1, 0, 0, -8.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), "refused"),
    ],
)
def test_relations(size: tuple[int, ...], affine: Float64Array | None, match: str) -> None:
    assert relation(IMAGE, Frame(size, affine)).match == match


def test_without_any_affine_the_shapes_decide() -> None:
    assert relation(Frame((6, 7, 8), None), Frame((6, 7, 8), None)).match == "same"
    assert relation(Frame((6, 7, 8), None), Frame((8, 7, 6), None)).match == "refused"
    assert relation(Frame((7, 8), None), Frame((1, 7, 8), None)).match == "same"


def test_the_share_that_is_lost() -> None:
    frame = Frame((6, 7, 8), moved([[1, 0, 0, 4], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    assert lost_share(np.ones((6, 7, 8), np.uint8), frame, IMAGE) == 0.5
    assert lost_share(np.zeros((6, 7, 8), np.uint8), frame, IMAGE) == 0.0
    assert lost_share(np.ones((6, 7, 8), np.uint8), IMAGE, IMAGE) == 0.0


def test_a_plane_is_a_volume_of_one() -> None:
    image = Frame((7, 8), np.eye(4))
    mirrored = np.diag([-1.0, 1.0, 1.0, 1.0])
    mirrored[0, 3] = 7.0
    mask = labels(7, 8)
    np.testing.assert_array_equal(onto(mask, Frame((7, 8), mirrored), image), mask[:, ::-1])

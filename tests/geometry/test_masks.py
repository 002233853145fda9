"""Masks come to the grid of their image by the affines, voxel by voxel as a slow loop puts them."""

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.geometry.masks import Frame, changed_share, lost_share, onto, relation

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


@pytest.mark.parametrize("blank", [np.eye(4), np.diag([-1.0, -1.0, 1.0, 1.0])], ids=["nibabel", "itk"])
def test_a_mask_that_lost_its_header_is_not_moved(blank: Float64Array) -> None:
    """Issue 5: a tumour of 110 voxels of 5 mm became one voxel elsewhere, silently."""
    image = Frame((20, 36, 40), np.diag([5.0, 5.0, 5.0, 1.0]))
    found = relation(image, Frame(image.size, blank))
    assert found.match == "refused"
    assert "affine of the mask is that of a bare array" in found.reason
    assert relation(Frame(image.size, blank), image).match == "refused"
    assert relation(Frame(image.size, blank), Frame(image.size, blank)).match == "same"
    cropped = Frame((8, 8, 8), blank)
    assert relation(Frame((20, 36, 40), np.diag([0.5, 0.5, 0.5, 1.0])), cropped).match != "same"
    assert "bare array" not in relation(image, cropped).reason  # of another shape: a grid of its own


def test_the_volume_that_a_move_changes() -> None:
    fine, coarse = Frame((20, 20, 20), np.diag([1.0, 1.0, 1.0, 1.0])), Frame((4, 4, 4), np.diag([5.0, 5.0, 5.0, 1.0]))
    ball = np.zeros((20, 20, 20), np.uint8)
    z, y, x = np.mgrid[:20, :20, :20]
    ball[(z - 9) ** 2 + (y - 9) ** 2 + (x - 9) ** 2 < 36] = 1
    assert changed_share(ball, onto(ball, fine, coarse), frame=fine, image=coarse) == 0.0
    sheet = np.zeros((20, 20, 20), np.uint8)
    sheet[5, :16, :16] = 1  # one thin layer that a thick slice takes whole
    assert changed_share(sheet, onto(sheet, fine, coarse), frame=fine, image=coarse) == pytest.approx(
        16 * 125 / 256 - 1
    )
    gone = np.zeros((20, 20, 20), np.uint8)
    gone[7, 7, 7] = 1
    assert changed_share(gone, onto(gone, fine, coarse), frame=fine, image=coarse) == 1.0
    assert changed_share(0 * gone, 0 * gone, frame=fine, image=coarse) == 0.0

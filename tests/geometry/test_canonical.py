"""Turned arrays keep every voxel at its place in the patient."""

from itertools import permutations, product

import numpy as np
import pytest

from hounsfield.core.image import Grid, Image
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.geometry.affines import closest_axes, orientation
from hounsfield.geometry.canonical import canonical, canonical_shape

SIZE = (4, 5, 6)  # z y x


def image(affine: Float64Array, channels: int = 1) -> Image:
    array = stream(0, "canonical").integers(0, 1000, (channels, *SIZE)).astype(np.int16)
    return Image(array, Grid(affine), "MR", "a.u.")


def affines() -> list[Float64Array]:
    found = []
    for order, signs in product(permutations(range(3)), product((1.0, -1.0), repeat=3)):
        affine = np.eye(4)
        affine[:3, :3] = 0.0
        for axis, (world, sign) in enumerate(zip(order, signs, strict=True)):
            affine[world, axis] = sign * (0.7, 1.5, 4.0)[axis]
        affine[:3, 3] = (11.0, -7.0, 3.0)
        found.append(affine)
    return found


@pytest.mark.parametrize("affine", affines(), ids=orientation)
def test_all_48_orientations(affine: Float64Array) -> None:
    before, after = image(affine, 2), canonical(image(affine, 2))
    assert after.grid is not None
    assert orientation(after.grid.affine_ras) == "RAS"
    assert np.all(np.diag(after.grid.affine_ras)[:3] > 0)
    assert (after.modality, after.units) == (before.modality, before.units)
    size, spacing = canonical_shape(before)
    assert size == after.size
    assert spacing == pytest.approx(tuple(reversed(after.grid.spacing_mm)))
    back = np.linalg.inv(after.grid.affine_ras)
    for z, y, x in np.ndindex(*SIZE):
        i, j, k = np.rint((back @ affine @ (x, y, z, 1.0))[:3]).astype(int)
        np.testing.assert_array_equal(after.array[:, k, j, i], before.array[:, z, y, x])


def test_as_nibabel_turns_it() -> None:
    import nibabel

    a, b = 0.5, 0.4
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    turn = turn @ np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0, 0, -1.0], [2.0, 0, 0], [0, -3.0, 0]])
    before = image(affine)
    known = nibabel.as_closest_canonical(nibabel.Nifti1Image(before.array[0].transpose(2, 1, 0), affine))
    after = canonical(before)
    assert orientation(affine) == "".join(nibabel.aff2axcodes(affine))
    np.testing.assert_array_equal(after.array[0], np.asanyarray(known.dataobj).transpose(2, 1, 0))
    assert after.grid is not None
    np.testing.assert_allclose(after.grid.affine_ras, known.affine, atol=1e-9)


def test_an_axis_at_45_degrees_is_given_to_one_world_axis_only() -> None:
    affine = np.eye(4)
    affine[:3, :3] = np.array([[1, 1, 0], [1, -1, 0], [0, 0, 1.0]]) / np.sqrt([2, 2, 1])
    assert sorted(axis for axis, _ in closest_axes(affine)) == [0, 1, 2]


def test_what_has_no_place_is_left_alone() -> None:
    plain = Image(np.zeros((1, 4, 5, 6), np.uint8))
    assert canonical(plain) is plain
    assert canonical_shape(plain) == ((4, 5, 6), None)
    plane = Image(np.zeros((1, 5, 6), np.uint8), Grid(np.diag([-1.0, 1, 1, 1])))
    assert canonical(plane) is plane
    straight = image(np.diag([1.0, 2.0, 3.0, 1.0]))
    assert canonical(straight) is straight

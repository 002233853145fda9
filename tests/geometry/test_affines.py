from itertools import permutations, product

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.geometry.affines import (
    apply,
    closest_axes,
    inverse,
    lps_to_ras,
    orientation,
    reorient,
    shear_deg,
    spacing_mm,
)

EVERY_WAY = [
    "".join(pair[sign] for pair, sign in zip(order, signs, strict=True))
    for order in permutations(("LR", "PA", "IS"))
    for signs in product((0, 1), repeat=3)
]


def oblique(seed: int, *, angle: float = 0.3) -> Float64Array:
    """Return a turned, unequally spaced and shifted affine."""
    rng = stream(seed, "affine")
    turn, _ = np.linalg.qr(np.eye(3) + angle * rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([0.7, 1.3, 2.5])
    affine[:3, 3] = rng.normal(size=3) * 50
    return affine


def test_lps_to_ras_turns_two_axes_and_is_its_own_inverse() -> None:
    affine = oblique(1)
    ras = lps_to_ras(affine)
    point = np.array([[3.0, 4.0, 5.0]])
    np.testing.assert_allclose(apply(ras, point), apply(affine, point) * [-1, -1, 1])
    np.testing.assert_allclose(lps_to_ras(ras), affine)


@settings(deadline=None, database=None, derandomize=True)
@given(st.integers(0, 500))
def test_codes_are_nibabels(seed: int) -> None:
    affine = oblique(seed, angle=0.2)
    assert orientation(affine) == "".join(nibabel.aff2axcodes(affine))
    np.testing.assert_allclose(np.array(spacing_mm(affine)), nibabel.affines.voxel_sizes(affine))


@pytest.mark.parametrize("way", EVERY_WAY)
def test_every_orientation_is_reached_and_no_voxel_moves(way: str) -> None:
    array = stream(0, "voxels").integers(0, 1000, size=(2, 3, 4, 5))
    affine = oblique(7)
    turned, changed = reorient(array, affine, way)
    assert orientation(changed) == way
    for z, y, x in product(range(turned.shape[1]), range(turned.shape[2]), range(turned.shape[3])):
        place = apply(changed, np.array([[x, y, z]], dtype=np.float64))
        old = np.rint(apply(inverse(affine), place))[0].astype(int)
        assert (turned[:, z, y, x] == array[:, old[2], old[1], old[0]]).all()


def test_canonical_is_nibabels() -> None:
    array = stream(0, "voxels").integers(0, 1000, size=(3, 4, 5)).astype(np.int16)
    affine = np.array([[0, 0, 4.8, 67.2], [-1.0, 0, 0, 130], [0, 1, 0, -129], [0, 0, 0, 1.0]])
    turned, changed = reorient(array, affine)
    wanted = nibabel.as_closest_canonical(nibabel.Nifti1Image(array.transpose(2, 1, 0), affine))
    np.testing.assert_array_equal(turned.transpose(2, 1, 0), np.asarray(wanted.dataobj))
    np.testing.assert_allclose(changed, wanted.affine)


def test_no_patient_axis_is_named_twice_when_two_index_axes_lean_the_same_way() -> None:
    affine = np.eye(4)
    affine[:3, :3] = np.array([[1.0, 0.8, 0.0], [0.1, 0.6, 0.0], [0.0, 0.0, 1.0]])
    assert sorted(axis for axis, _ in closest_axes(affine)) == [0, 1, 2]


def test_shear_is_the_tilt() -> None:
    affine = np.diag([0.5, 0.5, 2.5, 1.0])
    assert shear_deg(affine) == pytest.approx(0.0)
    tilt = np.radians(18.5)
    affine[:3, 1] = 0.5 * np.array([0.0, np.cos(tilt), -np.sin(tilt)])
    assert shear_deg(affine) == pytest.approx(18.5)


@pytest.mark.parametrize("to", ["RRS", "RA", "XYZ", "RASL"])
def test_a_wrong_orientation_is_refused(to: str) -> None:
    with pytest.raises(ValueError, match="three different axes"):
        reorient(np.zeros((2, 2, 2)), np.eye(4), to)


def test_flat_affines_have_no_inverse() -> None:
    with pytest.raises(ValueError, match="flat"):
        inverse(np.diag([1.0, 1.0, 0.0, 1.0]))
    with pytest.raises(ValueError, match="not finite"):
        inverse(np.diag([1.0, np.nan, 1.0, 1.0]))
    with pytest.raises(ValueError, match="three space axes"):
        reorient(np.zeros((2, 2)), np.eye(4))

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.geometry.affines import apply, inverse, reorient
from hounsfield.geometry.resampling import resample
from tests.geometry.test_affines import oblique


def close(found: AnyArray, wanted: AnyArray, atol: float = 0.0) -> None:
    np.testing.assert_allclose(np.asarray(found, dtype=np.float64), np.asarray(wanted, dtype=np.float64), atol=atol)


def by_hand(array: Float64Array, affine: Float64Array, to_affine: Float64Array, size: tuple[int, ...]) -> Float64Array:
    """Trilinear interpolation voxel by voxel, from its definition; NaN where the array has no voxel."""
    result = np.full(size, np.nan)
    for place in np.ndindex(*size):
        point = apply(inverse(affine), apply(to_affine, np.array([place[::-1]], dtype=np.float64)))[0][::-1]
        if any(p < -0.5 or p > n - 0.5 for p, n in zip(point, array.shape, strict=True)):
            continue
        held = [min(max(p, 0.0), n - 1.0) for p, n in zip(point, array.shape, strict=True)]
        low = [min(int(p), n - 2) for p, n in zip(held, array.shape, strict=True)]
        total = 0.0
        for corner in np.ndindex(2, 2, 2):
            weight = np.prod([p - b if c else 1 - (p - b) for p, b, c in zip(held, low, corner, strict=True)])
            total += float(weight * array[tuple(b + c for b, c in zip(low, corner, strict=True))])
        result[place] = total
    return result


def test_linear_is_what_its_definition_gives() -> None:
    array = stream(0, "values").normal(size=(5, 6, 7))
    affine = oblique(3)
    finer = affine @ np.diag([0.6, 0.7, 0.8, 1.0])
    finer[:3, 3] += affine[:3, :3] @ [0.3, -0.4, 0.2]
    wanted = by_hand(array, affine, finer, (7, 9, 12))
    found = resample(array, affine, finer, (7, 9, 12), outside=-1024.0)
    assert found.dtype == np.float32
    assert np.isnan(wanted).any()
    close(found, np.where(np.isnan(wanted), -1024.0, wanted), atol=1e-5)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_the_same_grid_and_a_turned_grid_give_the_same_values(order: int) -> None:
    array = stream(1, "values").integers(0, 90, size=(4, 5, 6)).astype(np.int16)
    affine = oblique(2)
    close(resample(array, affine, affine, array.shape, order=order), array, atol=1e-4)
    turned, changed = reorient(array, affine, "PSR")
    close(resample(array, affine, changed, turned.shape, order=order), turned, atol=1e-4)


def test_labels_keep_their_values_and_dtype() -> None:
    labels = stream(2, "labels").integers(0, 4, size=(6, 6, 6)).astype(np.uint8)
    found = resample(labels, np.eye(4), np.diag([0.5, 0.5, 0.5, 1.0]), (12, 12, 12), order=0)
    assert found.dtype == np.uint8
    assert set(np.unique(found)) <= {0, 1, 2, 3}
    mask = resample(labels > 1, np.eye(4), np.eye(4), (6, 6, 6), order=0)
    np.testing.assert_array_equal(mask, labels > 1)
    assert mask.dtype == np.bool_


def test_a_linear_function_of_place_is_kept() -> None:
    affine, other = oblique(4), oblique(4) @ np.diag([0.5, 0.5, 0.5, 1.0])
    z, y, x = np.mgrid[:17, :17, :17]
    place = apply(affine, np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(float))
    values = (place @ [2.0, -1.0, 3.0]).reshape(17, 17, 17)
    for order in (1, 3):
        # the spline turns back at the border; what it does there dies away within a few voxels
        found = resample(values, affine, other, (32, 32, 32), order=order)[12:21, 12:21, 12:21]
        z, y, x = np.mgrid[12:21, 12:21, 12:21]
        wanted = apply(other, np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(float)) @ [2.0, -1.0, 3.0]
        close(found, wanted.reshape(9, 9, 9), atol=1e-2 if order == 3 else 1e-3)


def test_shrinking_averages_what_it_would_skip() -> None:
    stripes = np.zeros((8, 8, 64))
    stripes[..., ::2] = 100.0
    found = resample(stripes, np.eye(4), np.diag([4.0, 1.0, 1.0, 1.0]), (8, 8, 16))
    close(found[:, :, 2:-2], np.full((8, 8, 12), 50.0), atol=5.0)
    labels = resample(stripes, np.eye(4), np.diag([4.0, 1.0, 1.0, 1.0]), (8, 8, 16), order=0)
    assert set(np.unique(labels)) <= {0.0, 100.0}


def test_channels_are_taken_one_by_one() -> None:
    array = stream(5, "values").normal(size=(2, 3, 4, 5)).astype(np.float32)
    found = resample(array, np.eye(4), np.diag([0.5, 1.0, 1.0, 1.0]), (3, 4, 10))
    assert found.shape == (2, 3, 4, 10)
    np.testing.assert_array_equal(found[1], resample(array[1], np.eye(4), np.diag([0.5, 1, 1, 1.0]), (3, 4, 10)))


def test_what_cannot_be_resampled_is_refused() -> None:
    with pytest.raises(ValueError, match="order 2"):
        resample(np.zeros((2, 2, 2)), np.eye(4), np.eye(4), (2, 2, 2), order=2)
    with pytest.raises(ValueError, match="z y x"):
        resample(np.zeros((2, 2)), np.eye(4), np.eye(4), (2, 2, 2))

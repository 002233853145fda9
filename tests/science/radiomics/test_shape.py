"""Shape against meshes that are built, hulls of all their corners, and sums over all pairs."""

import math

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform
from scipy.spatial.transform import Rotation
from skimage.measure import marching_cubes, mesh_surface_area

from hounsfield.core.streams import stream
from hounsfield.core.types import BoolArray, Float64Array
from hounsfield.science.radiomics import hulls, morphology
from hounsfield.science.radiomics.autocorrelation import autocorrelation
from hounsfield.science.radiomics.mesh import volume_and_area

SPACING = (2.5, 0.7, 1.1)


def blob(seed: int, shape: tuple[int, int, int] = (9, 11, 12)) -> BoolArray:
    """Return a ragged region with holes and loose voxels."""
    smooth = ndimage.gaussian_filter(stream(seed, "blob").standard_normal(shape), 1.0)
    return np.asarray(smooth > 0.05)


def built(mask: BoolArray) -> tuple[Float64Array, Float64Array]:
    """Return the corners and faces of a mesh, in mm."""
    padded = np.pad(mask, 1).astype(np.float32)
    points, faces, _, _ = marching_cubes(padded, 0.5, spacing=SPACING, method="lorensen")
    return points.astype(np.float64), faces


@pytest.mark.parametrize("seed", range(4))
def test_volume_and_area_are_those_of_the_mesh(seed: int) -> None:
    mask = blob(seed)
    points, faces = built(mask)
    corners = points[faces]
    inside = abs(np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6)
    volume, area = volume_and_area(mask, SPACING)
    assert volume == pytest.approx(inside, rel=1e-5)
    assert area == pytest.approx(mesh_surface_area(points, faces), rel=1e-5)


def test_one_voxel_is_an_octahedron() -> None:
    volume, area = volume_and_area(np.ones((1, 1, 1), dtype=np.bool_), (2.0, 2.0, 2.0))
    assert volume == pytest.approx(8 / 6)
    assert area == pytest.approx(8 * math.sqrt(3) / 4 * 2)


@pytest.mark.parametrize("seed", range(4))
def test_the_hull_is_that_of_all_corners_of_the_mesh(seed: int) -> None:
    mask = blob(seed)
    points, _ = built(mask)
    wanted, found = ConvexHull(points), hulls.hull(mask, SPACING)
    assert found.volume == pytest.approx(wanted.volume, rel=1e-5)
    assert found.area == pytest.approx(wanted.area, rel=1e-5)
    assert hulls.diameter(found.points) == pytest.approx(pdist(points).max(), rel=1e-5)


def test_a_turned_box_is_found() -> None:
    edges = np.array([10.0, 4.0, 2.5])
    corners = np.array([[z, y, x] for z in (0, 1) for y in (0, 1) for x in (0, 1)]) * edges
    turned = Rotation.from_euler("zyx", [20, -35, 50], degrees=True).apply(corners)
    around = ConvexHull(turned)
    found = hulls.smallest_box(hulls.Hull(turned, around.equations[:, :3], around.volume, around.area))
    assert found == pytest.approx((100.0, 2 * (40 + 10 + 25)))


def test_an_ellipsoid_is_found_and_holds_every_point() -> None:
    drawn = stream(1, "ellipsoid").standard_normal((400, 3))
    ball = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    turned = Rotation.from_euler("zyx", [20, -35, 50], degrees=True).apply(ball * [9.0, 5.0, 3.0]) + 40.0
    assert hulls.enclosing_ellipsoid(turned) == pytest.approx([9.0, 5.0, 3.0], rel=5e-3)


def test_the_smallest_ellipsoid_of_a_box_is_known() -> None:
    corners = np.array([[z, y, x] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)]) * [6.0, 3.0, 2.0]
    assert hulls.enclosing_ellipsoid(corners) == pytest.approx(math.sqrt(3) * np.array([6.0, 3.0, 2.0]), rel=1e-3)


def test_principal_axes_are_those_of_the_covariance() -> None:
    mask = blob(3)
    places = np.argwhere(mask) * np.array(SPACING)
    wanted = 4 * np.sqrt(np.linalg.eigvalsh(np.cov(places.T)))[::-1]
    assert morphology.principal_axes(mask, SPACING) == pytest.approx(wanted, rel=1e-9)


def test_a_plane_has_a_least_axis_of_nothing() -> None:
    assert morphology.principal_axes(np.ones((1, 5, 7), dtype=np.bool_), SPACING)[2] == 0.0
    found = morphology.shape_features(np.ones((1, 5, 7), dtype=np.bool_), SPACING)
    assert math.isnan(found["vol_dens_aee"])
    assert math.isnan(found["area_dens_aee"])
    assert found["pca_flatness"] == 0.0


@pytest.mark.parametrize("shape", [(5, 6, 7), (1, 8, 5), (4, 1, 1)])
def test_autocorrelation_is_the_sum_over_all_pairs(shape: tuple[int, int, int]) -> None:
    drawn = stream(5, "pairs")
    mask = drawn.random(shape) < 0.7
    mask[0, 0, 0] = mask[-1, -1, -1] = True
    image = drawn.normal(40.0, 12.0, shape)
    values, places = image[mask], np.argwhere(mask) * np.array(SPACING)
    far = squareform(pdist(places))
    weight = np.divide(1.0, far, where=far > 0, out=np.zeros_like(far))
    away = values - values.mean()
    n, total, second = len(values), weight.sum(), (away**2).sum()
    moran = n / total * (weight * np.outer(away, away)).sum() / second
    geary = (n - 1) / (2 * total) * (weight * (values[:, None] - values) ** 2).sum() / second
    assert autocorrelation(image, mask, SPACING) == pytest.approx([moran, geary], rel=1e-10)


def test_autocorrelation_of_one_value_is_undefined() -> None:
    mask = np.ones((2, 2, 2), dtype=np.bool_)
    assert np.isnan(autocorrelation(np.full((2, 2, 2), 7.0), mask, SPACING)).all()


def test_the_area_of_a_ball_is_that_of_the_series_too() -> None:
    assert morphology.ellipsoid_area(3.0, 3.0, 3.0) == pytest.approx(36 * math.pi)
    assert math.isnan(morphology.ellipsoid_area(0.0, 0.0, 0.0))

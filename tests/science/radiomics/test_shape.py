"""Shape against meshes that are built, hulls of all their corners, and sums over all pairs."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform
from scipy.spatial.transform import Rotation
from skimage.measure import marching_cubes, mesh_surface_area

from hounsfield.core.streams import stream
from hounsfield.core.types import BoolArray, Float64Array
from hounsfield.science.radiomics import autocorrelation as pairs
from hounsfield.science.radiomics import ellipsoids, hulls, morphology
from hounsfield.science.radiomics.autocorrelation import autocorrelation
from hounsfield.science.radiomics.mesh import volume_and_area
from hounsfield.science.radiomics.oriented_boxes import smallest_box

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


def outward(mask: BoolArray) -> Float64Array:
    """Return the points half a voxel away from every voxel of a region, in mm: its mesh's corners and some within."""
    steps = np.concatenate([np.eye(3), -np.eye(3)]) / 2
    return np.asarray((np.argwhere(mask)[:, None] + steps).reshape(-1, 3) * np.array(SPACING))


def regions() -> list[BoolArray]:
    """Return ragged regions, loose voxels, a ball, a line, a plane, a cube and one voxel."""
    far = np.linalg.norm(np.indices((17, 15, 16)) - np.array([8, 7, 7.5]).reshape(3, 1, 1, 1), axis=0)
    loose = stream(2, "loose").random((6, 9, 7)) < 0.05
    solid = [np.ones(shape, dtype=np.bool_) for shape in ((1, 1, 1), (1, 1, 9), (5, 1, 6), (4, 4, 4))]
    return [*(blob(seed) for seed in range(4)), loose, np.asarray(far < 7.3), *solid]


@pytest.mark.parametrize("mask", regions(), ids=lambda m: f"{m.shape} {m.sum()}")
def test_the_hull_is_that_of_all_corners_of_the_mesh(mask: BoolArray) -> None:
    points = outward(mask)
    wanted, found = ConvexHull(points), hulls.hull(mask, SPACING)
    assert found.volume == pytest.approx(wanted.volume, rel=1e-12)
    assert found.area == pytest.approx(wanted.area, rel=1e-12)
    longest = pdist(points[wanted.vertices]).max()
    assert hulls.farthest(found.points) == pytest.approx(longest, rel=1e-14)
    assert hulls.diameter(mask, SPACING) == pytest.approx(longest, rel=1e-14)
    # its corners are extreme points of the hull, each once
    corners = {tuple(p) for p in np.rint(found.points * 2 / np.array(SPACING)).astype(int).tolist()}
    assert len(corners) == len(found.points)
    assert corners <= {tuple(p) for p in np.rint(points * 2 / np.array(SPACING)).astype(int).tolist()}
    assert ConvexHull(found.points).volume == pytest.approx(wanted.volume, rel=1e-12)
    # no two faces have one direction, each has the whole hull below it, and two sides bound each edge
    assert len({tuple(n) for n in np.round(found.normals, 12).tolist()}) == len(found.normals)
    heights = found.points @ found.normals.T
    assert (np.sum(heights > heights.max(axis=0) - 1e-9, axis=0) > 2).all()
    assert np.array_equal(np.sort(found.edges[:, 1]), np.sort(found.edges[:, 2]))


def test_the_mesh_s_corners_have_that_hull_too() -> None:
    points, _ = built(blob(0))
    assert hulls.hull(blob(0), SPACING).volume == pytest.approx(ConvexHull(points).volume, rel=1e-5)


def test_the_diameter_of_many_points_is_that_of_their_hull(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [hulls.diameter(mask, SPACING) for mask in regions()]
    monkeypatch.setattr(hulls, "_MANY", 0)
    assert [hulls.diameter(mask, SPACING) for mask in regions()] == pytest.approx(wanted, rel=1e-14)


def box_by_all_directions(points: Float64Array) -> tuple[float, float]:
    """Return volume and area of the smallest box on a face of a hull, by the hull's shadow along each normal."""
    best = (np.inf, np.inf)
    around = ConvexHull(points)
    corners = points[around.vertices]
    for normal in around.equations[:, :3]:
        first, second = np.linalg.svd(normal[None])[2][1:]
        flat = np.column_stack([corners @ first, corners @ second])
        ring = flat[ConvexHull(flat).vertices]
        height = np.ptp(corners @ normal)
        for side in np.roll(ring, -1, axis=0) - ring:
            along = side / np.linalg.norm(side)
            a, b = np.ptp(ring @ along), np.ptp(ring @ np.array([-along[1], along[0]]))
            best = min(best, (a * b * height, 2 * (a * b + b * height + height * a)))
    return best


@pytest.mark.parametrize("mask", regions(), ids=lambda m: f"{m.shape} {m.sum()}")
def test_the_smallest_box_is_that_of_every_direction(mask: BoolArray) -> None:
    around = hulls.hull(mask, SPACING)
    found, wanted = smallest_box(around), box_by_all_directions(outward(mask))
    assert found[0] == pytest.approx(wanted[0], rel=1e-10)
    turn = Rotation.from_euler("zyx", [20, -35, 50], degrees=True)
    turned = replace(around, points=turn.apply(around.points), normals=turn.apply(around.normals))
    assert smallest_box(turned)[0] == pytest.approx(found[0], rel=1e-12)
    # boxes of one volume may differ in area
    assert found[1] ** 3 >= 216 * found[0] ** 2 * (1 - 1e-12)


@pytest.mark.parametrize("name", morphology.NAMES)
def test_one_feature_alone_is_what_it_is_among_all(name: str) -> None:
    mask = blob(1)
    whole, alone = (morphology.shape_features(mask, SPACING, n) for n in (morphology.NAMES, (name,)))
    assert alone.get(name) == whole.get(name)


def test_no_hull_is_made_where_no_feature_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(morphology, "hull")
    named = [n for n in morphology.NAMES if not n.endswith(("ombb", "mvee", "hull"))]
    assert {"diam", "pca_flatness", "sphericity"} <= morphology.shape_features(blob(1), SPACING, named).keys()
    with pytest.raises(NameError):
        morphology.shape_features(blob(1), SPACING)


def test_an_ellipsoid_is_found_and_holds_every_point() -> None:
    drawn = stream(1, "ellipsoid").standard_normal((400, 3))
    ball = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    turned = Rotation.from_euler("zyx", [20, -35, 50], degrees=True).apply(ball * [9.0, 5.0, 3.0]) + 40.0
    assert ellipsoids.enclosing_ellipsoid(turned) == pytest.approx([9.0, 5.0, 3.0], rel=5e-3)


def test_the_smallest_ellipsoid_of_a_box_is_known() -> None:
    corners = np.array([[z, y, x] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)]) * [6.0, 3.0, 2.0]
    assert ellipsoids.enclosing_ellipsoid(corners) == pytest.approx(math.sqrt(3) * np.array([6.0, 3.0, 2.0]), rel=1e-3)


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


@pytest.mark.parametrize("few", [0, 1 << 11])
@pytest.mark.parametrize("shape", [(5, 6, 7), (1, 8, 5), (4, 1, 1)])
def test_autocorrelation_is_the_sum_over_all_pairs(
    shape: tuple[int, int, int], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "_FEW", few)
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
    assert ellipsoids.ellipsoid_area(3.0, 3.0, 3.0) == pytest.approx(36 * math.pi)
    assert math.isnan(ellipsoids.ellipsoid_area(0.0, 0.0, 0.0))

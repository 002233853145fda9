"""Lesions of phantoms, measured and found again."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.lesions.matching import Change, Match, Visit, changes, matched, sizes_after
from hounsfield.science.lesions.measuring import checked, diameters, measured

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def _affine(x: float, y: float, z: float, at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Array:
    made = np.diag([x, y, z, 1.0])
    made[:3, 3] = at
    return made


def _phantom(
    shape: tuple[int, int, int], affine: Array, balls: Sequence[tuple[int, tuple[float, ...], float]]
) -> Labels:
    """Return a label map of balls: label, centre x y z in mm, radius in mm."""
    z, y, x = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    places = np.stack([x, y, z, np.ones(shape)], axis=-1) @ affine.T
    labels = np.zeros(shape, dtype=np.int64)
    for label, centre, radius in balls:
        labels[np.linalg.norm(places[..., :3] - np.array(centre), axis=-1) <= radius] = label
    return labels


@pytest.mark.parametrize("sides", [(0.7, 0.7, 1.0), (1.0, 1.0, 2.5), (-0.8, -0.8, 1.5)])
@pytest.mark.parametrize("radius", [6.0, 11.0])
def test_a_ball_measures_its_diameter(sides: tuple[float, float, float], radius: float) -> None:
    affine = _affine(*sides, at=(-10.0, 20.0, 5.0))
    centre = tuple(float(v) for v in (affine @ [25.3, 24.1, 12.2, 1])[:3])
    labels = _phantom((26, 52, 50), affine, [(3, centre, radius)])
    (found,) = measured(labels, affine)
    assert found.label == 3
    assert found.volume_mm3 == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.06)
    assert found.centroid_mm == pytest.approx(centre, abs=0.15)
    assert found.long_mm == pytest.approx(2 * radius, abs=1.01 * abs(sides[0]))
    assert found.short_mm == pytest.approx(2 * radius, abs=1.01 * abs(sides[0]))
    assert abs(found.slice_index - 12) <= 1


def test_an_ellipse_at_an_angle_has_two_axes() -> None:
    y, x = np.mgrid[:120, :120] - 59.5
    along, across = x * np.cos(0.6) + y * np.sin(0.6), -x * np.sin(0.6) + y * np.cos(0.6)
    region = (along / 40) ** 2 + (across / 15) ** 2 <= 1
    assert diameters(region, _affine(0.5, 0.5, 3)) == pytest.approx((40, 15), abs=0.4)


def test_an_outline_is_found_from_the_ends_of_its_lines() -> None:
    # every pixel's sides, and all pairs of them, by brute force
    region = stream(0, "test outline").random((9, 14)) < 0.3
    y, x = np.nonzero(region)
    middles = [
        (a + dx, b + dy) for a, b in zip(x, y, strict=True) for dx, dy in ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5))
    ]
    wanted = max(np.hypot(0.7 * (a - c), 1.3 * (b - d)) for a, b in middles for c, d in middles)
    assert diameters(region, _affine(0.7, 1.3, 2))[0] == pytest.approx(wanted)


def test_small_regions() -> None:
    one = np.ones((1, 1), dtype=bool)
    assert diameters(one, _affine(0.8, 1.2, 5)) == pytest.approx((1.2, 0.8))
    assert diameters(np.ones((1, 10), dtype=bool), _affine(2, 2, 2)) == pytest.approx((20, 2))
    # a triangle's chord at a right angle to its longest side is its height
    y, x = np.mgrid[:60, :101]
    triangle = (y <= x) & (y <= 100 - x)
    assert diameters(triangle, _affine(1, 1, 1)) == pytest.approx((101, 51), abs=1.0)


def test_a_tilted_slice_is_measured_in_its_own_plane() -> None:
    tilt = np.deg2rad(20)
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([0.5, 0.5, 2])
    region = np.ones((8, 20), dtype=bool)
    assert diameters(region, affine) == pytest.approx(diameters(region, _affine(0.5, 0.5, 2)))


def test_labels_may_have_gaps_and_must_be_whole() -> None:
    labels = np.zeros((4, 4, 4))
    labels[0, 0, 0], labels[3, 3, 3] = 2, 7
    assert [x.label for x in measured(labels, np.eye(4))] == [2, 7]
    assert measured(np.zeros((2, 2, 2)), np.eye(4)) == ()
    for wrong in (labels + 0.5, labels - 3, labels[0], np.full((2, 2, 2), np.nan)):
        with pytest.raises(InputError):
            measured(wrong, np.eye(4))


BEFORE = _affine(1, 1, 2)
AFTER = _affine(0.8, 0.8, 3, at=(-4.0, 3.0, -2.0))
SIZE = (40, 80, 80)
LATER = (30, 110, 110)


def test_the_same_lesions_on_another_grid() -> None:
    balls = [(20.0, 20.0, 20.0), (60.0, 20.0, 40.0), (40.0, 60.0, 60.0)]
    before = Visit(_phantom(SIZE, BEFORE, [(n + 1, c, 6.0) for n, c in enumerate(balls)]), BEFORE)
    # numbered in reverse, the second one larger, the third one gone, a new one
    later = [(3, balls[0], 6.0), (2, (61.0, 21.0, 41.0), 8.0), (9, (15.0, 65.0, 30.0), 5.0)]
    after = Visit(_phantom(LATER, AFTER, later), AFTER)
    found = matched(before, after)
    assert found == (
        Match((1,), (3,), "overlap"),
        Match((2,), (2,), "overlap"),
        Match((3,), ()),
        Match((), (9,)),
    )
    assert [m.kind for m in found] == ["same", "same", "gone", "new"]
    one, grown, gone, new = changes(
        found, measured(before.labels, before.affine_ras), measured(after.labels, after.affine_ras)
    )
    assert one.volume_ratio == pytest.approx(1, abs=0.06)
    assert grown.volume_ratio == pytest.approx((8 / 6) ** 3, rel=0.06)
    assert grown.long_after_mm - grown.long_before_mm == pytest.approx(4, abs=1)
    assert (gone.volume_after_mm3, gone.long_after_mm) == (0, 0)
    assert new.volume_ratio == np.inf
    assert isinstance(new, Change)


def test_a_registration_brings_lesions_together() -> None:
    centres = [(25.0, 25.0, 20.0), (25.0, 45.0, 20.0)]
    before = Visit(_phantom(SIZE, BEFORE, [(1, centres[0], 5.0), (2, centres[1], 5.0)]), BEFORE)
    # the patient lay 20 mm further along y: without registration, the first lesion takes the place of the second
    shift = _affine(1, 1, 1, at=(0.0, -20.0, 0.0))
    moved = [(c[0], c[1] + 20, c[2]) for c in centres]
    after = Visit(_phantom(SIZE, BEFORE, [(1, moved[0], 5.0), (2, moved[1], 5.0)]), BEFORE)
    wrong = matched(before, after)
    assert Match((2,), (1,), "overlap") in wrong
    assert matched(before, after, to_before=shift) == (Match((1,), (1,), "overlap"), Match((2,), (2,), "overlap"))


def test_a_turned_patient() -> None:
    turn = np.eye(4)
    turn[:2, :2] = [[0, -1], [1, 0]]
    centres = [(20.0, 10.0, 20.0), (50.0, 12.0, 40.0)]
    before = Visit(_phantom(SIZE, BEFORE, [(n + 1, c, 5.0) for n, c in enumerate(centres)]), BEFORE)
    back = np.linalg.inv(turn)
    affine = _affine(1, 1, 2, at=(0.0, -70.0, 0.0))
    later = [(n + 5, tuple((back @ [*c, 1])[:3]), 5.0) for n, c in enumerate(centres)]
    after = Visit(_phantom(SIZE, affine, later), affine)
    assert matched(before, after, to_before=turn) == (Match((1,), (5,), "overlap"), Match((2,), (6,), "overlap"))


def test_what_does_not_overlap_is_paired_by_distance() -> None:
    old = [(1, (20.0, 20.0, 20.0), 3.0), (2, (32.0, 20.0, 20.0), 3.0)]
    # both moved by 8 mm: the nearest of each in turn would pair 2 with the first and leave 1 alone
    new = [(1, (28.0, 20.0, 22.0), 2.0), (2, (40.0, 20.0, 22.0), 2.0)]
    before, after = (Visit(_phantom(SIZE, BEFORE, b), BEFORE) for b in (old, new))
    assert matched(before, after) == (Match((1,), (1,), "distance"), Match((2,), (2,), "distance"))
    kinds = [m.kind for m in matched(before, after, most_apart_mm=3.0)]
    assert kinds == ["gone", "gone", "new", "new"]


def test_lesions_that_fall_apart_and_grow_together() -> None:
    large, parts = [(1, (40.0, 40.0, 40.0), 12.0)], [(1, (33.0, 40.0, 40.0), 4.0), (2, (47.0, 40.0, 40.0), 4.0)]
    before, after = (Visit(_phantom(SIZE, BEFORE, b), BEFORE) for b in (large, parts))
    (split,) = matched(before, after)
    assert (split, split.kind) == (Match((1,), (1, 2), "overlap"), "split")
    (merged,) = matched(after, before)
    assert (merged, merged.kind) == (Match((1, 2), (1,), "overlap"), "merged")
    old, new = (measured(v.labels, v.affine_ras) for v in (before, after))
    assert sizes_after({"a": 1}, (split,), new)["a"] == pytest.approx(16, abs=2.1)
    joined = sizes_after({"a": 1, "b": 2}, (merged,), old)
    assert joined["a"] == pytest.approx(24, abs=1)
    assert joined["b"] == 0


def test_a_node_counts_by_its_short_axis_and_one_that_is_gone_by_nothing() -> None:
    labels = np.zeros((3, 40, 40), dtype=np.int64)
    labels[1, 10:22, 5:35] = 4
    visit = Visit(labels, np.eye(4))
    found, lesions = matched(visit, visit), measured(labels, np.eye(4))
    node = sizes_after({"n": 4}, found, lesions, nodes=frozenset("n"))["n"]
    assert node == pytest.approx(12 / np.cos(np.arctan2(12, 30)), abs=2.5)
    assert sizes_after({"n": 4}, found, lesions)["n"] == pytest.approx(np.hypot(12, 30), abs=1)
    gone = matched(visit, dataclasses.replace(visit, labels=np.zeros_like(labels)))
    assert sizes_after({"n": 4}, gone, ()) == {"n": 0.0}
    with pytest.raises(InputError):
        sizes_after({"n": 5}, found, lesions)


def test_a_lesion_smaller_than_the_other_grids_voxels_is_seen() -> None:
    fine, coarse = _affine(0.5, 0.5, 0.5), _affine(6, 6, 6, at=(2.5, 2.5, 2.5))
    small = _phantom((60, 60, 60), fine, [(1, (10.5, 10.5, 10.5), 1.2)])
    large = np.zeros((5, 5, 5), dtype=np.int64)
    large[1, 1, 1] = 1  # 5.5 to 11.5 mm
    assert matched(Visit(small, fine), Visit(large, coarse))[0].by == "overlap"
    assert matched(Visit(large, coarse), Visit(small, fine))[0].by == "overlap"


def test_a_brush_of_an_edge_is_no_overlap() -> None:
    old, new = [(1, (30.0, 40.0, 40.0), 10.0)], [(1, (48.0, 40.0, 40.0), 10.0)]
    before, after = (Visit(_phantom(SIZE, BEFORE, b), BEFORE) for b in (old, new))
    assert matched(before, after, most_apart_mm=0.0)[0].kind == "gone"
    assert matched(before, after, least_overlap=0.001)[0].kind == "same"


def test_ten_thousand_lesions() -> None:
    labels = np.zeros((40, 100, 100), dtype=np.int32)
    z, y, x = np.meshgrid(np.arange(0, 40, 4), np.arange(0, 100, 3), np.arange(0, 100, 3), indexing="ij")
    labels[z, y, x] = np.arange(1, z.size + 1).reshape(z.shape)
    assert z.size > 10_000
    before = Visit(labels, np.eye(4))
    assert {m.kind for m in matched(before, before)} == {"same"}
    # half a step away nothing overlaps, and every voxel has its own as the nearest
    shifted = Visit(labels, _affine(1, 1, 1, at=(1.2, 0.0, 0.0)))
    found = matched(before, shifted, most_apart_mm=1.5)
    assert all(m.before == m.after for m in found)
    assert {m.by for m in found} == {"distance"}


def test_a_label_map_of_whole_numbers_is_not_copied() -> None:
    labels = np.ones((2, 2, 2), dtype=np.uint8)
    assert checked(labels) is labels
    assert checked(labels.astype(bool)).dtype == np.int32


def test_empty_visits_and_wrong_numbers() -> None:
    empty = Visit(np.zeros((2, 2, 2), dtype=np.int64), np.eye(4))
    full = Visit(np.ones((2, 2, 2), dtype=np.int64), np.eye(4))
    assert matched(empty, empty) == ()
    assert matched(empty, full) == (Match((), (1,)),)
    assert matched(full, empty) == (Match((1,), ()),)
    with pytest.raises(InputError):
        matched(full, full, least_overlap=0.0)
    with pytest.raises(InputError):
        matched(full, full, to_before=np.eye(3))

import numpy as np
from scipy.ndimage import distance_transform_edt

from hounsfield.core.streams import stream
from hounsfield.geometry.surfaces import surface_distances, surface_voxels


def test_the_surface_of_a_box_is_its_shell() -> None:
    mask = np.zeros((9, 9, 9), dtype=bool)
    mask[2:7, 2:7, 2:7] = True
    wanted = mask.copy()
    wanted[3:6, 3:6, 3:6] = False
    np.testing.assert_array_equal(surface_voxels(mask), wanted)


def test_what_the_edge_of_the_array_cuts_off_has_a_surface_there() -> None:
    assert surface_voxels(np.ones((5, 5), dtype=bool)).sum() == 16


def test_a_volume_of_one_slice_has_the_outline_of_the_slice() -> None:
    plane = stream(1, "plane").random((20, 20)) < 0.7
    np.testing.assert_array_equal(surface_voxels(plane[None])[0], surface_voxels(plane))
    assert surface_voxels(np.ones((1, 1, 1), dtype=bool)).all()


def test_distances_are_those_of_a_distance_transform() -> None:
    rng = stream(2, "noise")
    one, other = (rng.random((7, 24, 22)) < 0.2 for _ in range(2))
    spacing = (3.0, 0.7, 1.1)
    there, back = surface_distances(one, other, spacing)
    away = distance_transform_edt(~surface_voxels(other), sampling=spacing)
    home = distance_transform_edt(~surface_voxels(one), sampling=spacing)
    np.testing.assert_allclose(there, away[surface_voxels(one)], atol=1e-9)
    np.testing.assert_allclose(back, home[surface_voxels(other)], atol=1e-9)


def test_nothing_is_infinitely_far() -> None:
    one = np.zeros((4, 4), dtype=bool)
    one[1, 1] = True
    there, back = surface_distances(one, np.zeros_like(one), (1.0, 1.0))
    assert np.isinf(there).all()
    assert len(back) == 0

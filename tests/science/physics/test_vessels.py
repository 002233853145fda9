"""Vessels and airways: tapering, sided, seeded."""

import numpy as np

from hounsfield.science.physics.vessels import airway_tree, pulmonary_vessels

HILA = ((0.0, -30.0, -1.0), (0.0, 30.0, 1.0))


def test_vessels_are_thinner_far_from_the_hilum_and_smaller_than_nodules() -> None:
    pieces = list(pulmonary_vessels(HILA, extent_mm=120.0, density=1.0, rng=np.random.default_rng(0)))
    away = np.array([abs(piece.x1_mm) - 30.0 for piece, _ in pieces])
    radius = np.array([piece.radius_mm for piece, _ in pieces])
    assert len(pieces) > 80
    assert radius[away > 50].mean() < 0.8 * radius[away < 25].mean()
    assert radius.max() < 4.0
    assert all(0 < opacity <= 1 for _, opacity in pieces)


def test_the_same_seed_draws_the_same_tree() -> None:
    first, again = (list(airway_tree(HILA, rng=np.random.default_rng(5))) for _ in range(2))
    assert first == again
    assert len(first) == 6

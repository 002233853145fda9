"""The thorax without lesions: plausible densities and sizes for every build."""

import numpy as np
import pytest

from hounsfield.science.physics.anatomy import FIELD_MM, render_thorax, sample_build
from hounsfield.science.physics.raster import FineGrid


@pytest.mark.parametrize("seed", range(6))
def test_lungs_and_body_are_plausible(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = FineGrid(96, FIELD_MM / 96)
    level = 0.1 + 0.16 * seed
    thorax = render_thorax(sample_build(rng), level, grid=grid, rng=rng)
    lung_cm2 = thorax.lung.sum() * grid.step_mm**2 / 100
    assert 90 < lung_cm2 < 420
    assert -920 < np.median(thorax.hu[thorax.lung]) < -700
    left, right = thorax.lung[:, :144].sum(), thorax.lung[:, 144:].sum()
    assert 0.4 < left / right < 2.5
    assert (thorax.hu > 300).sum() * grid.step_mm**2 > 500
    assert thorax.hu[:6].max() == thorax.hu[:, 0].min() == -1000.0
    assert thorax.hu.max() < 1000.0


def test_builds_differ_and_fit_the_field() -> None:
    builds = [sample_build(np.random.default_rng(seed)) for seed in range(200)]
    half_widths = [b.cavity_x_mm + b.wall_mm + b.fat_mm for b in builds]
    assert max(half_widths) <= FIELD_MM / 2 - 12 + 1e-6
    assert np.std(half_widths) > 6
    assert {b.sex for b in builds} == {"F", "M"}


def test_liver_and_heart_take_lung_towards_the_base() -> None:
    build = sample_build(np.random.default_rng(3))
    grid = FineGrid(64, FIELD_MM / 64)
    middle, base = (
        render_thorax(build, level, grid=grid, rng=np.random.default_rng(1)).lung.sum() for level in (0.4, 0.97)
    )
    assert base < 0.9 * middle

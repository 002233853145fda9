"""Spacings enter the fingerprint only where every volume says how it lies."""

import numpy as np
import pytest

from hounsfield.core.image import Grid, Header, Image
from hounsfield.core.types import Float64Array
from hounsfield.stages.fingerprinting.images import image_facts
from hounsfield.stages.fingerprinting.looks import Look, look
from hounsfield.stages.fingerprinting.masks import mask_look


def seen(size: tuple[int, ...], affine: Float64Array | None, top: int = 100) -> Look:
    array = np.linspace(0, top, int(np.prod(size))).astype(np.int16).reshape(1, *size)
    return look(Image(array, Grid(affine) if affine is not None else None), Header(size, 1, 16, "NIFTI", array.nbytes))


def test_sizes_and_spacings_are_of_turned_volumes() -> None:
    sagittal = np.array([[0, 0, 3.0, 0], [1.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, 0, 1]])
    found = seen((20, 30, 40), sagittal)
    assert found.size == (30, 40, 20)
    assert found.spacing_mm == (2.0, 1.0, 3.0)


def test_percentiles_over_the_training_part() -> None:
    looks = [seen((20, 30, 40), np.diag([1.0, 1.0, float(s), 1.0]), top=100 * s) for s in range(1, 12)]
    facts = image_facts("image", looks)
    assert facts.spacing_median == (6.0, 1.0, 1.0)
    assert facts.spacing_low == (2.0, 1.0, 1.0)
    assert facts.extent_median == (120.0, 30.0, 40.0)
    assert facts.extent_high == (210.0, 30.0, 40.0)
    assert facts.brightness_ratio == pytest.approx(10.5 / 1.5, rel=0.02)


def test_one_volume_without_a_place_leaves_all_unknown() -> None:
    facts = image_facts("image", [seen((20, 30, 40), np.eye(4)), seen((20, 30, 40), None)])
    assert facts.spacing_median is None
    assert facts.extent_high is None
    assert facts.brightness_ratio == 1.0


def test_a_lesion_in_one_thick_slice_is_no_line() -> None:
    mask = np.zeros((1, 4, 60, 60), dtype=np.uint8)
    mask[0, 1, 20:36, 20:36] = 1
    thick, cubes = (Grid(np.diag([1.0, 1.0, z, 1.0])) for z in (10.0, 1.0))
    found = {
        n: mask_look(Image(mask, g), Image(mask.astype(np.int16), g)).fill
        for n, g in (("thick", thick), ("cubes", cubes))
    }
    assert found["thick"] == pytest.approx(16 * 16 / (4 * 15))
    assert found["cubes"] == 1.0

"""The phantom's answers agree with its own pixels."""

import numpy as np
import pytest

from hounsfield.science.physics.anatomy import sample_build
from hounsfield.science.physics.lesions import LesionType
from hounsfield.science.physics.phantom import thorax_phantom

BUILD = sample_build(np.random.default_rng(7))


def test_without_lesions_the_answers_are_none() -> None:
    phantom = thorax_phantom(BUILD, 0.4, size=64, rng=np.random.default_rng(0))
    assert phantom.hu.shape == phantom.lung_mask.shape == (64, 64)
    assert (phantom.lesion_types, phantom.grade, phantom.diameter_mm) == ((), 0, None)
    assert not phantom.lesion_mask.any()


@pytest.mark.parametrize(
    ("kind", "density"),
    [("nodule", (-30.0, 80.0)), ("consolidation", (-250.0, 80.0)), ("ground-glass", (-600.0, -200.0))],
)
def test_a_lesion_is_seen_where_the_mask_says(kind: LesionType, density: tuple[float, float]) -> None:
    phantom = thorax_phantom(BUILD, 0.35, wanted=[(kind, 24.0)], size=128, rng=np.random.default_rng(3))
    assert phantom.lesion_types == (kind,)
    assert phantom.diameter_mm == pytest.approx(24.0, rel=0.25)
    assert density[0] < np.median(phantom.hu[phantom.lesion_mask]) < density[1]
    assert not (phantom.lesion_mask & ~phantom.lung_mask).sum() > 0.1 * phantom.lesion_mask.sum()
    pixels = phantom.lesion_mask.sum() * phantom.pixel_mm**2
    assert pixels == pytest.approx(phantom.findings[0].area_mm2, rel=0.1)
    assert phantom.involved == pytest.approx(pixels / (phantom.lung_mask.sum() * phantom.pixel_mm**2), rel=0.15)


def test_more_and_larger_lesions_have_a_higher_grade() -> None:
    def grade(diameter_mm: float, count: int) -> int:
        wanted: list[tuple[LesionType, float]] = [("ground-glass", diameter_mm)] * count
        return thorax_phantom(BUILD, 0.4, wanted=wanted, size=64, rng=np.random.default_rng(1)).grade

    assert [grade(14.0, 1), grade(34.0, 1), grade(38.0, 3)] == [1, 2, 3]

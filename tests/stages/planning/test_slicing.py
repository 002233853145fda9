"""Whether volumes are judged as volumes, slice by slice with neighbours, or slice by slice alone."""

from collections.abc import Sequence

import pytest

from hounsfield.learn.dense.job import Terms
from hounsfield.learn.dense.preparing import DensePreparation
from hounsfield.stages.planning.dense import Sections, draft_dense
from tests.stages.planning.test_dense import BODY, LINES, VOLUME, facts


def planned(size: tuple[int, int, int], spacing: tuple[float, float, float] | None, **more: object) -> Sections:
    seen: dict[str, object] = {"ndim": 3, "size_median": size, "size_low": size, "size_high": size}
    if spacing is not None:
        extent = tuple(n * s for n, s in zip(size, spacing, strict=True))
        seen |= {"spacing_median": spacing, "spacing_low": spacing, "extent_median": extent, "extent_high": extent}
    return draft_dense(facts(BODY, {**seen, **more}))


def numbers(value: object) -> list[float]:
    assert isinstance(value, Sequence)
    return [float(str(v)) for v in value]


@pytest.mark.parametrize(
    ("size", "spacing", "slices", "neighbours"),
    [
        ((36, 50, 35), (1.0, 1.0, 1.0), "", 0),
        ((40, 256, 256), (3.0, 1.0, 1.0), "", 0),
        ((12, 256, 256), (8.0, 1.4, 1.4), "z", 1),
        ((256, 256, 20), (0.9, 0.9, 6.0), "x", 1),
        ((256, 18, 256), (0.9, 7.0, 0.9), "y", 1),
        ((5, 200, 200), (2.0, 1.0, 1.0), "z", 1),
        ((2, 200, 200), (2.0, 1.0, 1.0), "z", 0),
        ((1, 200, 200), None, "z", 0),
        ((6, 200, 200), None, "z", 1),
        ((40, 60, 50), None, "", 0),
    ],
)
def test_the_fingerprint_decides(
    size: tuple[int, int, int], spacing: tuple[float, float, float] | None, slices: str, neighbours: int
) -> None:
    plan = planned(size, spacing)
    preparation = plan["preparation"]
    assert preparation["slices"].value == slices
    assert preparation["neighbours"].value == neighbours
    assert f"({'3D' if not slices else '2.5D' if neighbours else '2D'})" in preparation["slices"].rule
    assert str(size[1] if slices == "z" else size[0]) in preparation["slices"].evidence
    spec = DensePreparation.model_validate({k: d.value for k, d in preparation.items()})
    axes = 2 if slices else 3
    assert spec.axes == axes
    assert spec.width == 1 + 2 * neighbours
    patch = numbers(plan["patch"]["size"].value)
    assert len(patch) == axes
    strides, kernels = numbers(plan["network"]["strides"].value), numbers(plan["network"]["kernels"].value)
    assert len(strides) == len(kernels) == axes * len(numbers(plan["network"]["depths"].value))
    if slices and spacing is not None:
        kept = preparation["spacing_mm"].value
        assert isinstance(kept, list)
        assert kept["zyx".index(slices)] is None  # slices are never resampled across
        assert sum(s is None for s in kept) == 1


def test_slices_that_lie_along_the_side_axis_are_not_mirrored() -> None:
    assert planned((256, 256, 20), (0.9, 0.9, 6.0))["augmentation"]["flips"].value == []
    assert planned((20, 256, 256), (6.0, 0.9, 0.9))["augmentation"]["flips"].value == ["x"]
    assert planned((20, 256, 256), (6.0, 0.9, 0.9))["augmentation"]["tilt_deg"].value == 0.0


def test_slices_are_made_coarser_within_where_time_is_short() -> None:
    large = planned((20, 512, 512), (6.0, 0.5, 0.5))["preparation"]["spacing_mm"].value
    assert isinstance(large, list)
    assert large[0] is None
    assert float(str(large[1])) > 0.6


def test_patches_of_slices_look_for_what_is_marked_even_where_they_hold_a_whole_slice() -> None:
    assert float(str(planned((20, 96, 96), (6.0, 1.0, 1.0))["patch"]["marked"].value)) > 0.0


def test_terms_of_the_loss_follow_the_masks_and_say_why() -> None:
    body, lines, rare = (
        draft_dense(facts(mask))["loss"] for mask in (BODY, LINES, BODY.model_copy(update={"share": 0.001}))
    )
    for plan in (body, lines, rare):
        Terms.model_validate({k: d.value for k, d in plan.items()})
        assert (plan["dice"].value, plan["entropy"].value) == (1.0, 1.0)
    assert "lines" in lines["skeleton"].evidence
    assert "bodies" in body["skeleton"].evidence
    assert ": asked for" in rare["focal"].evidence
    assert ": asked for" in rare["boundary"].evidence
    assert "not asked for" in body["focal"].evidence
    assert "not asked for" in lines["boundary"].evidence


def test_volumes_keep_the_channels_that_they_have() -> None:
    assert planned((36, 50, 35), (1.0, 1.0, 1.0), stored_channels=2)["preparation"]["channels"].value == {"image": 2}
    assert draft_dense(facts(BODY, VOLUME))["preparation"]["channels"].value == {"image": 1}

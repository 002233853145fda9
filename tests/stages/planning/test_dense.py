"""Plans for masks: decided by rule from what images and masks are."""

import itertools
from collections.abc import Mapping
from dataclasses import replace

import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.core.fingerprint import Fingerprint, ImageFacts, MaskFacts, TargetFacts
from hounsfield.core.plan import Budget, Facts, Machine
from hounsfield.stages.planning.dense import draft_dense, redecide_dense
from hounsfield.stages.planning.rules.dense.shape import strides


def facts(
    mask: MaskFacts,
    image: Mapping[str, object] | None = None,
    *,
    minutes: float | None = 30,
    samples: int = 200,
    classes: tuple[str, ...] = (),
) -> Facts:
    seen = {
        "size_median": (256, 256),
        "size_low": (200, 200),
        "size_high": (256, 256),
        "value_low": 0.0,
        "value_high": 255.0,
        "mean": 100.0,
        "std": 40.0,
        **(image or {}),
    }
    target = TargetSpec(name="mask", kind="mask", classes=classes)
    return Facts(
        Fingerprint(
            samples=samples,
            patients=samples,
            val_samples=40,
            inputs={"image": ImageFacts.model_validate(seen)},
            targets={"mask": TargetFacts(kind="mask", mask=mask)},
        ),
        Budget(minutes=minutes, threads=2),
        Machine(cores=2, bfloat16=True),
        (target,),
        network=None,
        wishes={"folds": "0"},
        decided={},
    )


BODY = MaskFacts(values={"255": 200}, share=0.1, fill=12.0, extent=(0.3, 0.3))
LINES = MaskFacts(values={"255": 200}, share=0.08, fill=1.6, extent=(0.9, 0.9))
VOLUME: dict[str, object] = {
    "ndim": 3,
    "size_median": (36, 50, 35),
    "size_low": (32, 44, 30),
    "size_high": (42, 56, 42),
    "spacing_median": (1.0, 1.0, 1.0),
    "spacing_low": (1.0, 1.0, 1.0),
    "extent_median": (36.0, 50.0, 35.0),
    "extent_high": (42.0, 56.0, 42.0),
}


def test_bodies_are_seen_whole_and_smaller_where_time_is_short() -> None:
    short, long = (draft_dense(facts(BODY, minutes=m)) for m in (5, 120))
    assert int(str(short["preparation"]["edge"].value)) < int(str(long["preparation"]["edge"].value))
    assert long["preparation"]["edge"].value == 256
    assert long["patch"]["marked"].value == 0.0
    assert long["structures.mask"]["layout"].value == "one"
    assert long["structures.mask"]["classes"].value == ["mask"]


def test_small_things_are_looked_for_more_often_in_smaller_pictures() -> None:
    sizes = {"size_median": (224, 256), "size_low": (180, 256), "size_high": (256, 256)}
    short = Budget(minutes=0.1, threads=2, device="cuda")
    few, many = (
        draft_dense(replace(facts(MaskFacts(values={"1": 150}, share=share, fill=14.0), sizes), budget=short))
        for share in (0.05, 0.3)
    )
    small, large = few["preparation"], many["preparation"]
    assert int(str(small["edge"].value)) < int(str(large["edge"].value))
    assert "5.0% marked" in small["edge"].evidence


def test_pictures_with_small_things_are_halved_by_the_network_where_time_is_short() -> None:
    small = MaskFacts(values={"1": 150}, share=0.05, fill=14.0)
    short = draft_dense(facts(small, minutes=6))
    halving = short["network"]["strides"].value
    assert isinstance(halving, list)
    assert halving[:4] == [2, 2, 2, 2]
    assert short["network"]["width"].value == 24
    members = []
    batch = int(str(short["optimisation"]["batch"].value))
    for total in (90 * 200 // batch, 130 * 200 // batch, 900 * 200 // batch):  # passes over 200 samples
        known = replace(facts(small, minutes=6), decided={})
        decided = {(section, key): one.value for section, found in short.items() for key, one in found.items()}
        known = replace(known, decided={**decided, ("cost", "total_steps"): total})
        members.append(redecide_dense(short, known)["ensemble"]["members"].value)
    assert members == [1, 2, 4]
    for other in (
        draft_dense(facts(small, minutes=600)),
        draft_dense(facts(MaskFacts(values={"1": 150}, share=0.3, fill=14.0), minutes=6)),
        draft_dense(facts(MaskFacts(values={"1": 150}, share=0.05, fill=1.6), minutes=6)),
        draft_dense(facts(small, VOLUME, minutes=1)),
    ):
        strides_found = other["network"]["strides"].value
        assert isinstance(strides_found, list)
        assert set(strides_found[:2]) == {1}


def test_lines_keep_every_pixel_and_are_cut_into_patches() -> None:
    plan = draft_dense(facts(LINES, {"size_median": (584, 565), "size_low": (584, 565), "size_high": (584, 565)}))
    assert plan["preparation"]["edge"].value is None
    assert plan["patch"]["size"].value == [192, 192]
    assert plan["network"]["deep"].value == 0
    assert plan["augmentation"]["flips"].value == ["y", "x"]


def test_small_volumes_keep_their_spacing_and_large_ones_give_way_to_time() -> None:
    small = draft_dense(facts(BODY, VOLUME))
    assert small["preparation"]["spacing_mm"].value == [1.0, 1.0, 1.0]
    large = {**VOLUME, "size_median": (200, 512, 512), "extent_median": (400.0, 400.0, 400.0)}
    large |= {"spacing_median": (2.0, 0.8, 0.8), "spacing_low": (2.0, 0.7, 0.7), "extent_high": (500.0, 450.0, 450.0)}
    plan = draft_dense(facts(BODY, large))
    spacing = plan["preparation"]["spacing_mm"].value
    assert isinstance(spacing, list)
    assert float(str(spacing[1])) > 0.8
    size = plan["patch"]["size"].value
    assert isinstance(size, list)
    assert all(isinstance(n, int) and n % 2 == 0 for n in size)


def test_every_patch_fits_the_strides_of_its_network() -> None:
    kinds: tuple[Mapping[str, object], ...] = ({}, VOLUME, {"size_median": (600, 300), "size_high": (700, 400)})
    small = MaskFacts(values={"255": 200}, share=0.05, fill=12.0)
    for mask, changes in itertools.product((BODY, small), kinds):
        plan = draft_dense(facts(mask, changes, minutes=8))
        size, steps = plan["patch"]["size"].value, plan["network"]["strides"].value
        assert isinstance(size, list)
        assert isinstance(steps, list)
        for axis, edge in enumerate(size):
            product = 1
            for stride in steps[axis :: len(size)]:
                product *= int(str(stride))
            assert int(str(edge)) % product == 0
            assert int(str(edge)) // product >= 3


def test_slices_that_lie_far_apart_are_not_halved_with_the_pixels() -> None:
    found = strides([16, 128, 128], [5.0, 1.0, 1.0], most=6)
    assert found[0] == [1, 1, 1]
    assert found[1] == [1, 2, 2]
    assert found[2] == [1, 2, 2]
    assert found[3][0] == 2


def test_numbers_without_names_are_classes_named_after_them() -> None:
    plan = draft_dense(facts(MaskFacts(values={"1": 150, "4": 90}, share=0.1, fill=9.0)))
    assert plan["structures.mask"]["classes"].value == ["1", "4"]
    assert plan["structures.mask"]["values"].value == [1, 4]
    named = draft_dense(facts(MaskFacts(values={"1": 9, "2": 9}, share=0.1, fill=9.0), classes=("none", "a", "b")))
    assert named["structures.mask"]["classes"].value == ["a", "b"]
    channels = draft_dense(facts(MaskFacts(values={"0": 9, "1": 9}, channels=2, share=0.1, fill=9.0)))
    assert channels["structures.mask"]["layout"].value == "overlapping"


def test_ct_is_seen_through_the_window_of_what_is_marked() -> None:
    inside = MaskFacts(values={"1": 200}, share=0.02, fill=9.0, inside_low=-80.0, inside_high=220.0)
    plan = draft_dense(facts(inside, {**VOLUME, "modality": "CT", "bits": 16, "value_low": -1000.0}))
    assert plan["preparation"]["window"].value == {"image": [-110.0, 250.0]}
    assert draft_dense(facts(inside))["preparation"]["window"].value == {}


def test_a_side_in_a_name_forbids_mirror_images() -> None:
    plan = draft_dense(facts(MaskFacts(values={"1": 9, "2": 9}, share=0.1, fill=9.0), classes=("b", "left lung", "x")))
    assert plan["augmentation"]["flips"].value == []
    assert plan["prediction"]["views"].value == []


def test_steps_are_fixed_once_it_is_known_how_many_fit() -> None:
    asked = facts(BODY)
    plan = draft_dense(asked)
    decided = {(s, k): d.value for s, made in plan.items() for k, d in made.items()}
    fresh = redecide_dense(plan, replace(asked, decided={**decided, ("cost", "allowed_steps"): 321}))
    assert fresh["optimisation"]["steps"].value == 321


def test_masks_that_mark_nothing_are_refused() -> None:
    with pytest.raises(CohortError, match="1 of 200 training masks"):
        draft_dense(facts(MaskFacts(values={"1": 1}, empty=199)))


def _stack(slices: int, edge: int = 128) -> dict[str, object]:
    """Thick slices: 10 mm apart, pixels of 3 mm."""
    size, steps = (slices, edge, edge), (10.0, 3.0, 3.0)
    extent = tuple(n * s for n, s in zip(size, steps, strict=True))
    return {
        "ndim": 3, "size_median": size, "size_low": size, "size_high": size, "spacing_median": steps,
        "spacing_low": steps, "extent_median": extent, "extent_high": extent,
    }  # fmt: skip


def test_volumes_of_few_slices_are_not_learned_in_bfloat16_on_a_processor() -> None:
    # PyTorch 2.13, AMX: the gradient of such convolutions is NaN, or the process ends
    drafts = {n: draft_dense(facts(BODY, _stack(n, 256))) for n in (1, 4, 9, 12, 40)}
    assert {n: d["preparation"]["slices"].value for n, d in drafts.items()} == {1: "z", 4: "z", 9: "", 12: "", 40: ""}
    found = {n: d["optimisation"]["precision"] for n, d in drafts.items()}
    assert {n: d.value for n, d in found.items() if n > 4} == {9: "float32", 12: "float32", 40: "bfloat16"}
    assert found[9].evidence == "a stage sees 6 x 192 x 192 voxels"
    assert found[12].evidence == "a stage sees 4 x 40 x 40 voxels"
    # fewer slices are judged by a network of planes, that has no such gradient
    assert {n: d.value for n, d in found.items() if n <= 4} == {1: "bfloat16", 4: "bfloat16"}
    assert draft_dense(facts(BODY, VOLUME))["optimisation"]["precision"].value == "bfloat16"
    assert draft_dense(facts(BODY))["optimisation"]["precision"].value == "bfloat16"


def test_deep_stages_go_on_looking_across_the_pixels_of_few_slices() -> None:
    kernels = draft_dense(facts(BODY, _stack(8)))["network"]["kernels"].value
    assert isinstance(kernels, list)
    stages = [kernels[n : n + 3] for n in range(0, len(kernels), 3)]
    assert stages[0] == [1, 3, 3]
    assert all(stage == [3, 3, 3] for stage in stages[2:])

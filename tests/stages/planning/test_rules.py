"""Each rule decides as it says, on hand-made facts."""

from dataclasses import replace

import numpy as np
import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.fingerprint import ImageFacts, TargetFacts
from hounsfield.core.plan import Facts, Machine, PlanValue
from hounsfield.stages.planning.rules import augmentation, judging, network, optimisation, preparation
from tests.stages.planning.facts import SLICE, TARGET, facts


def image(**changed: object) -> ImageFacts:
    return ImageFacts.model_validate({**SLICE.model_dump(), **changed})


def prepared(key: str, given: Facts) -> PlanValue:
    return preparation.rules("image")[key](given).value


def sized(edge: tuple[int, ...], **changed: object) -> ImageFacts:
    return image(size_median=edge, size_low=edge, size_high=edge, ndim=len(edge), **changed)


def decided(given: Facts, **values: PlanValue) -> Facts:
    return replace(given, decided={("optimisation", key): value for key, value in values.items()})


@pytest.mark.parametrize("edge", [(28, 28), (64, 64), (40, 60)])
def test_small_images_keep_their_size(edge: tuple[int, ...]) -> None:
    assert prepared("size", facts(seen=sized(edge), minutes=1)) == list(edge)


def test_tiny_images_have_at_least_eight_pixels() -> None:
    assert prepared("size", facts(seen=sized((5, 30)))) == [8, 30]


def test_size_grows_with_the_budget_and_shrinks_with_the_cohort() -> None:
    edges = [preparation.edge(SLICE, facts(2000, minutes=m)) for m in (1, 10, 60, 600)]
    assert edges == sorted(edges)
    assert edges[0] < edges[-1]
    assert set(edges) <= set(preparation.EDGES_2D)
    fewer = [preparation.edge(SLICE, facts(n, minutes=20)) for n in (200, 2000, 20_000, 200_000)]
    assert fewer == sorted(fewer, reverse=True)
    assert fewer[-1] == preparation.EDGES_2D[0]
    gpu = Machine(cores=2, device="cuda")
    assert preparation.edge(SLICE, facts(20_000, minutes=20, machine=gpu)) > preparation.edge(
        SLICE, facts(20_000, minutes=20)
    )


def test_images_are_not_enlarged_much() -> None:
    assert preparation.edge(sized((100, 100)), facts(100, minutes=1000)) == 96
    assert preparation.edge(sized((120, 120)), facts(100, minutes=1000)) == 128


def test_elongated_images_keep_their_shape() -> None:
    size = prepared("size", facts(100, seen=sized((400, 200)), minutes=1000))
    assert size == [224, 112]
    assert prepared("size", facts(100, seen=sized((300, 250)), minutes=1000)) == [224, 224]


def test_volumes_have_sizes_of_their_own() -> None:
    seen = sized((40, 128, 128))
    size = prepared("size", facts(100, seen=seen, minutes=100))
    assert isinstance(size, list)
    assert len(size) == 3
    assert max(int(str(n)) for n in size) in preparation.EDGES_3D
    assert prepared("ndim", facts(seen=seen)) == 3


def test_colour_where_most_have_it() -> None:
    assert prepared("channels", facts()) == 1
    assert prepared("channels", facts(seen=image(channels=3, colour_share=0.9))) == 3


def test_padding_only_where_all_have_one_shape() -> None:
    assert prepared("fit", facts(seen=sized((300, 200)))) == "pad"
    assert prepared("fit", facts(seen=image(size_low=(200, 200), size_high=(300, 300)))) == "stretch"
    assert prepared("fit", facts(seen=image(size_low=(200, 100), size_high=(200, 200)))) == "stretch"


@pytest.mark.parametrize(
    ("seen", "scale", "low", "high", "storage"),
    [
        (image(), "window", 0.0, 255.0, "uint8"),
        (image(modality="CT", bits=16, value_low=-1000, value_high=1500), "window", -1000.0, 400.0, "float16"),
        (image(modality="CT", bits=16, value_low=0, value_high=4000), "window", 0.0, 4000.0, "float16"),
        (image(modality="MR", bits=16, value_low=3, value_high=900), "percentile", 3.0, 900.0, "float16"),
        (image(bits=16, value_low=7, value_high=7), "window", 7.0, 7.000001, "float16"),
    ],
    ids=["8 bit", "HU", "CT without air", "MR", "constant"],
)
def test_normalisation_goes_by_modality(seen: ImageFacts, scale: str, low: float, high: float, storage: str) -> None:
    given = facts(seen=seen)
    assert [prepared(k, given) for k in ("scale", "low", "high", "storage")] == [scale, low, high, storage]


@pytest.mark.parametrize(
    ("name", "classes", "modality", "flips"),
    [
        ("ill", ("no", "yes"), "", ["x"]),
        ("ill", ("no", "yes"), "DX", []),
        ("ill", ("no", "yes"), "CR", []),
        ("ill", ("no", "yes"), "CT", ["x"]),
        ("side", ("a", "b"), "", []),
        ("lesion", ("left_lung", "right_lung"), "", []),
        ("lesion", ("Left", "none"), "", []),
        ("laterality", ("l", "r"), "", []),
        ("brightness", ("bright", "dark"), "", ["x"]),
        ("opacity", ("bilateral", "none"), "", ["x"]),
        ("left", ("0", "1"), "", []),
    ],
)
def test_no_mirror_where_the_side_matters(name: str, classes: tuple[str, ...], modality: str, flips: list[str]) -> None:
    target = TargetSpec(name=name, kind="categorical", classes=classes)
    decision = augmentation.RULES["flips"](facts(targets=(target,), seen=image(modality=modality)))
    assert decision.value == flips
    assert decision.rule


def test_a_second_target_that_names_a_side_counts_too() -> None:
    side = TargetSpec(name="place", kind="categorical", classes=("left", "right"))
    assert augmentation.RULES["flips"](facts(targets=(TARGET, side))).value == []


def test_small_images_are_zoomed_less() -> None:
    assert augmentation.RULES["scale"](facts(seen=sized((28, 28)))).value == [0.9, 1.15]
    assert augmentation.RULES["scale"](facts()).value == [0.8, 1.25]


def net(key: str, given: Facts, size: list[PlanValue]) -> PlanValue:
    return network.RULES[key](replace(given, decided={("preparation.image", "size"): size})).value


def test_network_by_data_size() -> None:
    assert net("family", facts(), [128, 128]) == "residual"
    assert net("family", replace(facts(), network="textbook"), [128, 128]) == "textbook"
    assert [net("stem", facts(), [n, n]) for n in (28, 64, 65, 224)] == ["small", "small", "wavelet", "wavelet"]
    assert [net("stem", facts(n), [28, 28]) for n in (999, 1000)] == ["small", "wavelet"]
    assert [net("scales", facts(), [n, n]) for n in (28, 64, 65, 224)] == [2, 2, 3, 3]
    assert [net("width", facts(n), [28, 28]) for n in (100, 999, 1000)] == [16, 16, 32]
    for edge in (128, 224):
        assert [net("width", facts(n), [edge, edge]) for n in (100, 9000)] == [32, 32]
    volume = sized((64, 64, 64))
    assert [net("width", facts(n, seen=volume), [64, 64, 64]) for n in (100, 999, 1000)] == [16, 16, 24]
    assert net("depths", facts(500), [224, 224]) == [1, 1, 1, 1]
    assert net("depths", facts(500), [128, 128]) == net("depths", facts(500), [28, 28]) == [1, 1, 1]
    assert net("depths", facts(3000), [128, 128]) == [2, 2, 2]
    assert [net("dropout", facts(n), [28, 28]) for n in (100, 5000)] == [0.2, 0.1]


def test_volumes_are_made_smaller_sooner() -> None:
    stems = [net("stem", facts(seen=sized((n, n, n))), [n, n, n]) for n in (16, 28, 40, 41)]
    assert stems == ["small", "medium", "medium", "large"]


def test_network_shrinks_to_what_the_minutes_hold() -> None:
    """For much data and little time a narrow network sees the images more often."""

    def sizes(minutes: float | None, *, folds: int = 0) -> list[PlanValue]:
        given = replace(facts(4708, minutes=minutes), wishes={"folds": str(folds)})
        given = replace(given, decided={("preparation.image", "size"): [128, 128], ("network", "stem"): "wavelet"})
        return [network.RULES[key](given).value for key in ("width", "depths")]

    assert sizes(None) == sizes(600) == [32, [2, 2, 2]]
    assert sizes(10) == [32, [1, 1, 1]]
    assert sizes(7) == [24, [1, 1, 1]]
    assert sizes(1) == [16, [1, 1, 1]]
    assert sizes(50, folds=5) == sizes(10)


def test_folds_share_the_minutes() -> None:
    one = facts(2000, minutes=20)
    assert preparation.edge(SLICE, replace(one, wishes={"folds": "5"})) == preparation.edge(
        SLICE, facts(2000, minutes=4)
    )


def test_norms_end_plain_where_there_are_batch_norms() -> None:
    rule = optimisation.RULES["plain_norms"]
    given = replace(facts(), decided={("network", "norm"): "group"})
    assert [rule(f).value for f in (facts(), given, replace(facts(), network="textbook"))] == [True, False, False]


def test_several_processes_share_a_batch_through_group_norm() -> None:
    given = facts()
    several = replace(given, budget=given.budget.model_copy(update={"processes": 2}))
    assert [net("norm", f, [28, 28]) for f in (given, several)] == ["batch", "group"]


def test_a_number_is_learned_without_zoom_and_dropout() -> None:
    """Its picture must not change size, nor its features their scale."""
    given = facts(targets=(TARGET, TargetSpec(name="diameter", kind="number")))
    assert augmentation.RULES["scale"](given).value == [1.0, 1.0]
    assert net("dropout", given, [28, 28]) == 0.0


def test_batch_by_data_size() -> None:
    assert [optimisation.RULES["batch"](facts(n)).value for n in (50, 199, 200, 2999, 3000)] == [16, 16, 32, 32, 64]


@pytest.mark.parametrize(("samples", "batch"), [(10, 16), (150, 16), (425, 32), (5000, 64), (100_000, 64)])
def test_enough_steps(samples: int, batch: int) -> None:
    found = optimisation.enough(decided(facts(samples), batch=batch))
    per_epoch = max(1, samples // min(batch, samples))
    assert found == max(100, round(min(300.0, max(30.0, 120_000 / samples)) * per_epoch))
    assert found >= 30 * per_epoch


def test_steps_are_what_fits_into_the_minutes_and_no_more_than_bring_anything() -> None:
    free = decided(facts(425), batch=32)
    wanted = optimisation.RULES["steps"](free).value
    assert wanted == optimisation.enough(free)

    def within(allowed: int) -> PlanValue:
        return optimisation.RULES["steps"](
            replace(free, decided={**free.decided, ("cost", "allowed_steps"): allowed})
        ).value

    assert within(50) == 50
    assert within(10**9) == wanted
    assert within(0) == 1


@pytest.mark.parametrize("steps", [1, 10, 200, 5000, 10**6])
def test_average_and_looks_follow_the_steps(steps: int) -> None:
    given = decided(facts(), steps=steps)
    decay = optimisation.RULES["averaging"](given).value
    assert isinstance(decay, float)
    assert 0.0 <= decay < 1.0
    every = optimisation.RULES["validate_every"](given).value
    assert every == max(10, steps // 20)


def test_precision_by_the_machine() -> None:
    assert optimisation.RULES["precision"](facts(machine=Machine(bfloat16=True))).value == "bfloat16"
    assert optimisation.RULES["precision"](facts()).value == "float32"
    volume = sized((64, 64, 64))
    precisions = [
        optimisation.RULES["precision"](facts(seen=volume, machine=Machine(bfloat16=True, device=device))).value
        for device in ("cpu", "cuda")
    ]
    assert precisions == ["float32", "bfloat16"]


def test_best_weights_only_where_the_validation_part_can_tell() -> None:
    assert [optimisation.RULES["selection"](facts(val=n)).value for n in (0, 299, 300)] == ["last", "last", "best"]


@pytest.mark.parametrize("counts", [{"no": 100, "yes": 50}, {"no": 60, "yes": 21}])
def test_classes_of_like_frequency_are_not_weighted(counts: dict[str, int]) -> None:
    assert optimisation.RULES["class_weights"](facts(counts=counts)).value == []


@pytest.mark.parametrize("counts", [{"no": 900, "yes": 100}, {"a": 400, "b": 100, "c": 25}, {"a": 90, "b": 0, "c": 10}])
def test_rare_classes_weigh_more_by_the_root_and_the_mean_is_one(counts: dict[str, int]) -> None:
    target = TargetSpec(name="ill", kind="categorical", classes=tuple(counts))
    value = optimisation.RULES["class_weights"](facts(targets=(target,), counts=counts)).value
    assert isinstance(value, list)
    weights = np.array([float(str(v)) for v in value])
    number = np.array(list(counts.values()))
    assert (weights * number).sum() / number.sum() == pytest.approx(1.0, abs=1e-3)
    there = number > 0
    np.testing.assert_allclose(
        weights[there] * np.sqrt(number[there]), (weights[there] * np.sqrt(number[there]))[0], rtol=1e-3
    )


@pytest.mark.parametrize("kind", ["multilabel", "number"])
def test_other_kinds_are_not_weighted(kind: str) -> None:
    target = TargetSpec.model_validate({"name": "ill", "kind": kind})
    assert optimisation.RULES["class_weights"](facts(targets=(target,), counts={"a": 100, "b": 1})).value == []


def test_operating_point_by_wish() -> None:
    def said(wishes: dict[str, str]) -> list[PlanValue]:
        given = replace(facts(), wishes=wishes)
        return [rule(given).value for rule in judging.OPERATING_POINT.values()]

    assert said({}) == ["balanced_accuracy", None, {}]
    assert said({"sensitivity": "0.95"}) == ["sensitivity", 0.95, {}]
    assert said({"specificity": "0.9"}) == ["specificity", 0.9, {}]


@pytest.mark.parametrize(
    ("kind", "counts", "tau"),
    [
        ("categorical", {"a": 300, "b": 15, "c": 100}, judging.TAU),
        ("categorical", {"a": 299, "b": 15, "c": 100}, 0.0),
        ("categorical", {"a": 300, "b": 0, "c": 16}, 0.0),  # a class without samples tells nothing
        ("categorical", {"a": 300, "b": 10}, 0.0),  # two classes have a threshold
        ("multilabel", {"a": 300, "b": 10, "c": 10}, 0.0),
        ("ordinal", {"a": 300, "b": 10, "c": 10}, 0.0),
    ],
)
def test_rare_ones_of_more_than_two_classes_are_called_more_often(
    kind: str, counts: dict[str, int], tau: float
) -> None:
    target = TargetSpec.model_validate({"name": "ill", "kind": kind, "classes": tuple(counts)})
    decision = judging.OPERATING_POINT["logit_adjustment"](facts(targets=(target,), counts=counts))
    assert decision.value == ({"ill": tau} if tau else {})
    if tau:
        assert "ratio 20.0" in decision.evidence


def test_each_target_has_its_own_rare_classes() -> None:
    given = facts(targets=(TARGET, TARGET), counts={"a": 1})
    rare, even = (TargetSpec(name=name, kind="categorical", classes=("a", "b", "c")) for name in ("rare", "even"))
    seen = {
        "rare": TargetFacts(kind="categorical", counts={"a": 500, "b": 20, "c": 90}),
        "even": TargetFacts(kind="categorical", counts={"a": 400, "b": 100, "c": 1}),  # one mistyped label is no class
    }
    given = replace(given, targets=(rare, even), fingerprint=given.fingerprint.model_copy(update={"targets": seen}))
    decision = judging.OPERATING_POINT["logit_adjustment"](given)
    assert decision.value == {"rare": judging.TAU}
    assert decision.evidence == "rare: ratio 25.0, even: ratio 4.0"


def test_baselines_are_in_every_plan() -> None:
    assert judging.BASELINES["names"](facts()).value == ["prevalence", "logistic"]

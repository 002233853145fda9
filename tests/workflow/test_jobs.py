"""From plan and samples to what a learner needs, and nothing of the test part."""

from dataclasses import replace

import numpy as np
import pytest

from hounsfield.core.errors import PlanError
from hounsfield.core.fingerprint import Fingerprint
from hounsfield.core.plan import Decision, Plan
from hounsfield.core.types import AnyArray
from hounsfield.stages.planning.draft import draft
from hounsfield.workflow.jobs import Calling, check_plan, job_of, normalisation, start_decodings
from hounsfield.workflow.survey import latest_image
from hounsfield.workflow.tasks import task_named
from tests.learn.toys import make_feed
from tests.stages.planning.test_beats import hearts
from tests.workflow.conftest import Drafted


def changed(plan: Plan, section: str, key: str, value: object) -> Plan:
    made = Decision.model_validate({"value": value})
    return plan.with_section(section, {**plan.sections.get(section, {}), key: made})


def check(given: Drafted, plan: Plan) -> None:
    check_plan(plan, given.known.task, given.known.fingerprint)


def test_the_drafted_plan_is_sound(drafted: Drafted) -> None:
    check(drafted, drafted.plan)


@pytest.mark.parametrize(
    ("section", "key", "near"),
    [
        ("optimisation", "batchs", "batch"),
        ("preparation.image", "sizes", "size"),
        ("augmentation", "rotation", "rotation_deg"),
        ("network", "widht", "width"),
        ("netwrok", "width", "network"),
        ("operating_point", "logit_adjustmet", "logit_adjustment"),
    ],
)
def test_unknown_names_are_told_with_the_nearest(drafted: Drafted, section: str, key: str, near: str) -> None:
    with pytest.raises(PlanError) as caught:
        check(drafted, changed(drafted.plan, section, key, 1))
    assert near in caught.value.next_step


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("optimisation", "batch", 0),
        ("optimisation", "schedule", "linear"),
        ("network", "width", "wide"),
        ("preparation.image", "size", [32, 32, 32]),
        ("augmentation", "scale", [2.0, 1.0]),
        ("operating_point", "logit_adjustment", {"label": 0.5}),
        ("operating_point", "logit_adjustment", 0.5),
        ("operating_point", "rule", "youden"),
    ],
)
def test_values_that_do_not_fit_are_refused(drafted: Drafted, section: str, key: str, value: object) -> None:
    with pytest.raises(PlanError):
        check(drafted, changed(drafted.plan, section, key, value))


@pytest.mark.parametrize("value", [{"label": 0.3}, {"label": 1.5}, {"lebal": 0.3}])
def test_logits_are_adjusted_of_targets_of_more_than_two_classes(drafted: Drafted, value: dict[str, float]) -> None:
    (target,) = drafted.plan.targets
    three = target.model_copy(update={"classes": ("a", "b", "c"), "positive": None})
    plan = changed(drafted.plan.model_copy(update={"targets": (three,)}), "operating_point", "logit_adjustment", value)
    if value == {"label": 0.3}:
        assert plan.section("operating_point", Calling).logit_adjustment == value
        check(drafted, plan)
    else:
        with pytest.raises(PlanError, match=r"lebal|logit_adjustment"):
            check(drafted, plan)


def test_a_missing_section_is_said(drafted: Drafted) -> None:
    sections = {k: v for k, v in drafted.plan.sections.items() if k != "augmentation"}
    with pytest.raises(PlanError, match="augmentation"):
        check(drafted, drafted.plan.model_copy(update={"sections": sections}))


def test_a_job_is_what_the_plan_says(drafted: Drafted) -> None:
    job = job_of(drafted.plan, drafted.known.task, drafted.known.fingerprint, member=2)
    assert job.seed == drafted.plan.seed * 1000 + 2
    assert job.optimisation.steps == 6
    assert job.network.heads == {"label": 2}
    assert job.network.inputs["image"].size == job.preparation["image"].shape.size == (32, 32)
    assert [h.loss for h in job.heads] == ["categorical"]
    assert start_decodings(drafted.plan, drafted.known.task, drafted.known.fingerprint)["label"].temperature == 1.0


def test_the_feed_holds_training_and_validation_samples_as_prepared(drafted: Drafted) -> None:
    known, prepared = drafted.known, drafted.prepared
    feed = prepared.feed
    assert {prepared.ids[r] for r in feed.train} == set(known.split.ids("train"))
    assert {prepared.ids[r] for r in feed.val} == set(known.split.ids("val"))
    assert not set(prepared.ids) & set(known.split.ids("test"))
    assert len(feed.inputs["image"]) == len(feed.train) + len(feed.val)
    by_id = {s.id: s for s in known.cohort.samples}
    spec = job_of(drafted.plan, known.task, known.fingerprint).preparation["image"]
    for row in (0, 7, len(prepared.ids) - 1):
        sample = by_id[prepared.ids[row]]
        wanted = spec.prepared(latest_image(known.cohort, sample, "image"))
        np.testing.assert_array_equal(feed.inputs["image"][row], wanted)
        answer = drafted.plan.targets[0].classes.index(str(sample.targets["label"]))
        assert feed.targets["label"][row] == answer
    patients = [by_id[i].patient for i in prepared.ids]
    assert len(set(patients)) == len(set(feed.groups.tolist())) == len(set(zip(patients, feed.groups, strict=True)))
    np.testing.assert_array_equal(prepared.rows(list(prepared.ids)[::-1]), np.arange(len(prepared.ids))[::-1])


@pytest.mark.parametrize("dtype", ["uint8", "float16"])
def test_normalisation_is_that_of_the_training_rows(dtype: str) -> None:
    feed = make_feed(count=200)
    stored: AnyArray = feed.inputs["image"]
    if dtype == "float16":
        stored = (stored.astype(np.float32) / 255).astype(np.float16)
    feed = replace(feed, inputs={"image": stored})
    values = stored[feed.train].astype(np.float64) / (255 if dtype == "uint8" else 1)
    assert normalisation(feed, "image") == pytest.approx((values.mean(), values.std()))
    poisoned = stored.copy()
    poisoned[feed.val] = 0
    assert normalisation(replace(feed, inputs={"image": poisoned}), "image") == normalisation(feed, "image")


def test_normalisation_of_a_constant_can_be_divided_by() -> None:
    feed = make_feed()
    flat = replace(feed, inputs={"image": np.zeros_like(feed.inputs["image"])})
    mean, std = normalisation(flat, "image")
    assert mean == 0.0
    assert std > 0.0


def of_beats() -> tuple[Plan, Fingerprint]:
    """The plan that rules make for beats of few hearts."""
    facts = hearts()
    plan = Plan(
        hounsfield="0",
        cohort="beats",
        cohort_digest="0",
        task="classify",
        targets=facts.targets,
        sections=draft(facts),
    )
    return plan, facts.fingerprint


def test_rows_of_beats_and_the_network_that_reads_their_neighbours_belong_together() -> None:
    plan, seen = of_beats()
    task = task_named("classify")
    job = job_of(plan, task, seen)
    assert job.network.inputs["form"].size == (21,)
    for section, key, value, named in (
        ("encoder.form", "family", "row", "10 beats on either side are read, and its network is 'row'"),
        ("preparation.rhythm", "around", 3, "Of input 'rhythm' 3 beats on either side"),
        ("encoder.signal", "family", "beat-sequence", "the input is a signal"),
    ):
        with pytest.raises(PlanError, match=named):
            job_of(changed(plan, section, key, value), task, seen)
    fewer = job_of(changed(plan, "preparation.form", "around", 3), task, seen)
    assert fewer.network.inputs["form"].size == (7,)

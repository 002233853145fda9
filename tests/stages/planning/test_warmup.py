"""When a warm-up is planned, how long it is, and how weights from elsewhere are treated."""

from dataclasses import replace

import pytest

from hounsfield.core.plan import Facts, PlanValue, checked
from hounsfield.learn.warmup.spec import Warmup
from hounsfield.stages.planning.draft import draft, redecide
from hounsfield.stages.planning.rules.warmup import MANY, RULES, SHARE, STEP_COST
from tests.stages.planning.facts import facts, values


def beside(samples: int = 100, **wishes: str) -> Facts:
    return replace(facts(samples), wishes=wishes)


def section(given: Facts) -> dict[str, PlanValue]:
    return values(draft(given)["warmup"])


def test_every_key_is_decided() -> None:
    assert set(RULES) == set(Warmup.model_fields)
    assert checked("warmup", section(facts()), Warmup) == Warmup()


@pytest.mark.parametrize(("factor", "on"), [(0.0, False), (MANY - 0.5, False), (MANY, True), (10.0, True)])
def test_images_without_answers_must_outnumber_the_others(factor: float, on: bool) -> None:  # noqa: FBT001  # a case
    made = section(beside(100, unlabelled=str(int(100 * factor)), unlabelled_digest="ab"))
    assert (made["method"] == "two-views") is on
    assert (made["share"] == SHARE) is on
    assert made["unlabelled"] == int(100 * factor)
    assert made["unlabelled_digest"] == "ab"


def test_a_handful_is_not_warmed_up_on() -> None:
    assert section(beside(10, unlabelled="100"))["method"] == "none"


def test_a_protocol_has_no_warm_up() -> None:
    given = replace(beside(100, unlabelled="1000"), network="textbook")
    assert section(given)["method"] == "none"


def test_steps_take_their_share_of_the_time() -> None:
    given = beside(100, unlabelled="1000")
    sections = draft(given)
    allowed = {
        **{(s, k): d.value for s, made in sections.items() for k, d in made.items()},
        ("cost", "allowed_steps"): 90,
    }
    again = redecide(sections, replace(given, decided=allowed))
    fit, warm = again["optimisation"]["steps"].value, again["warmup"]["steps"].value
    assert isinstance(fit, int)
    assert isinstance(warm, int)
    assert warm * STEP_COST / (warm * STEP_COST + fit) == pytest.approx(SHARE, abs=0.01)
    quick = replace(given, wishes={**given.wishes, "max_steps": "20"})
    assert values(draft(quick)["warmup"])["steps"] == round(20 * SHARE / (1 - SHARE) / STEP_COST)


def test_weights_from_elsewhere_learn_slowly_after_the_heads() -> None:
    made = section(beside(100, encoder="cd"))
    assert made["encoder"] == "cd"
    assert isinstance(made["encoder_rate"], float)
    assert made["encoder_rate"] < 1.0
    assert isinstance(made["frozen"], float)
    assert made["frozen"] > 0.0
    assert made["method"] == "none"

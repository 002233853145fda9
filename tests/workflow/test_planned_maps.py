"""A report explains as many signals as the minutes have room for."""

import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.plan import Budget, Plan
from hounsfield.learn.explain.curves import STEPS
from hounsfield.learn.explain.occlusion import PATCHES
from hounsfield.stages.explaining.faithfulness import RANDOM
from hounsfield.workflow.planned_maps import MAPS, MOST, asked_maps, copies, maps_seconds, planned_maps


def plan(minutes: float | None = None) -> Plan:
    target = TargetSpec(name="t", kind="categorical", classes=("a", "b"))
    return Plan(
        hounsfield="0",
        cohort="c",
        cohort_digest="d",
        task="classify",
        targets=(target,),
        budget=Budget(minutes=minutes),
        sections={},
    )


def test_only_signals_and_no_quick_trial() -> None:
    assert planned_maps(plan(), ("signal",), seconds=1e-3, quick=False).value == MOST
    assert planned_maps(plan(), ("signal", "row"), seconds=1e-3, quick=False).value == MOST
    assert planned_maps(plan(), ("image",), seconds=1e-3, quick=False).value == 0
    assert planned_maps(plan(), ("signal",), seconds=1e-3, quick=True).value == 0


def test_they_keep_to_their_share_of_the_minutes() -> None:
    for seconds in (1e-4, 1e-3, 3e-3, 1e-2, 1.0):
        made = planned_maps(plan(10.0), ("signal",), seconds=seconds, quick=False)
        assert maps_seconds(made, seconds) <= 0.03 * 600.0
    assert planned_maps(plan(10.0), ("signal",), seconds=1.0, quick=False).value == 0


def test_copies_are_those_that_a_map_and_its_checks_take() -> None:
    windows = 2 * PATCHES[1]  # and one fewer, for whole sizes
    assert copies() == pytest.approx(4 * windows + (RANDOM + 2) * 2 * (STEPS - 1) + 2 * RANDOM + 4)


def test_a_plan_of_an_older_version_asks_for_none() -> None:
    assert asked_maps(plan()) == 0
    made = planned_maps(plan(), ("signal",), seconds=1e-3, quick=False)
    assert asked_maps(plan().with_section(MAPS, {"cases": made})) == MOST

"""Measured speed becomes steps; minutes that do not suffice are said."""

from dataclasses import replace
from pathlib import Path

import pytest

from hounsfield.core.errors import MinutesError, PlanError, RunExistsError
from hounsfield.core.plan import Machine, Plan
from hounsfield.stages.planning.rules.ensemble import LEAN
from hounsfield.workflow import planning
from hounsfield.workflow.planning import (
    Speed,
    _fixed,
    _looks_per_step,
    _training_seconds,
    first_draft,
    plan,
)
from hounsfield.workflow.turns import START_SECONDS
from hounsfield.workflow.wishes import Wishes
from tests.workflow.conftest import Drafted

HERE = Machine(cores=1)


def speed(step: float) -> Speed:
    return Speed(step=step, run=0.001, baselines=0.001, read=0.001, peak_mib=500.0)


def steps(given: Drafted, *, minutes: float | None, step: float, wishes: Wishes = Wishes()) -> int:
    wishes = replace(wishes, minutes=minutes)
    fixed = _fixed(first_draft(given.known, wishes, HERE), given.known, wishes, HERE, speed=speed(step), elapsed=5.0)
    value = fixed.value("optimisation", "steps")
    assert isinstance(value, int)
    seconds = fixed.value("cost", "seconds")
    assert isinstance(seconds, float)
    if minutes is not None and wishes.network is None:
        assert seconds <= minutes * 60
    told = fixed.value("cost", "seconds_per_step")
    assert isinstance(told, float)
    assert step < told < 1.05 * step, "a step and its share of the looks at the validation part"
    return value


def test_steps_follow_minutes_and_speed(drafted: Drafted) -> None:
    free = steps(drafted, minutes=None, step=0.1)
    few = steps(drafted, minutes=1.0, step=0.5)
    assert few < steps(drafted, minutes=2.0, step=0.5) < free
    assert steps(drafted, minutes=1.0, step=0.25) == pytest.approx(2 * few, rel=0.1)
    assert steps(drafted, minutes=1000.0, step=0.1) == free


def test_an_upper_bound_on_steps(drafted: Drafted) -> None:
    assert steps(drafted, minutes=None, step=0.1, wishes=Wishes(max_steps=7)) == 7


def test_too_few_minutes_are_refused_with_what_would_do(drafted: Drafted) -> None:
    with pytest.raises(PlanError, match="not enough") as caught:
        steps(drafted, minutes=0.1, step=0.5)
    assert "minutes" in caught.value.expected
    enough = float(caught.value.expected.split()[2])
    assert steps(drafted, minutes=enough + 0.1, step=0.5) >= 1


def test_no_worker_is_idle_while_folds_are_fitted_side_by_side(drafted: Drafted) -> None:
    wishes = Wishes(folds=5, threads=2, max_steps=1000)
    made = first_draft(drafted.known, wishes, Machine(cores=2))
    assert (made.value("ensemble", "members"), made.value("ensemble", "workers")) == (1, 2)
    measured = replace(speed(0.1), side=0.12)
    each = 0.12 + _looks_per_step(drafted.known, made, measured)
    # two and a half rounds instead of three, and one start more
    found = _training_seconds(1000, made, drafted.known, speed=measured)
    assert found == pytest.approx(2500 * each + 3 * START_SECONDS)


def test_a_brief_plan_makes_fewer_steps_down_to_a_floor_where_the_machine_is_slow(drafted: Drafted) -> None:
    def planned(step: float, *, brief: bool, heads: float = 110.0) -> Plan:
        wishes = Wishes(minutes=2.0, brief=brief, threads=1)
        # a learner beside the networks takes nearly all of the minutes
        measured = replace(speed(step), heads=heads)
        start = first_draft(drafted.known, wishes, HERE)
        return _fixed(start, drafted.known, wishes, HERE, speed=measured, elapsed=5.0)

    enough = [planned(0.01, brief=brief, heads=1.0) for brief in (True, False)]
    assert enough[0] == enough[1], "nothing is left out where the minutes are enough"
    with pytest.raises(MinutesError, match="2 minutes are not enough"):
        planned(12.0, brief=False)
    slow = planned(12.0, brief=True)
    assert [slow.value("ensemble", name) for name in ("members", "features", "workers")] == [1, False, 1]
    assert slow.sections["ensemble"]["members"].rule == slow.sections["ensemble"]["features"].rule == LEAN
    made, slower = slow.value("optimisation", "steps"), planned(16.0, brief=True).value("optimisation", "steps")
    assert isinstance(made, int)
    assert isinstance(slower, int)
    assert 5 <= slower < made < 20
    seconds = slow.value("cost", "seconds")
    assert isinstance(seconds, float)
    assert seconds <= 120.0
    assert slow.value("curve", "baseline") is False
    with pytest.raises(MinutesError, match="2 minutes are not enough"):
        planned(25.0, brief=True)


def test_the_curve_of_the_linear_model_takes_a_small_share_of_the_minutes(
    drafted: Drafted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planned(cost: float, wishes: Wishes) -> Plan:
        monkeypatch.setattr(planning, "CURVE_FIT_SECONDS", cost)
        start = first_draft(drafted.known, wishes, HERE)
        return _fixed(start, drafted.known, wishes, HERE, speed=speed(0.5), elapsed=5.0)

    rows = drafted.known.fingerprint.samples
    asked = Wishes(minutes=4.0, threads=1)
    least = planned(1e-9, asked)
    assert least.value("curve", "baseline") is True
    over = 0.06 * 240.0 / (2 * rows)  # six hundredths of the minutes, for two outputs
    without = planned(over, asked)
    assert without.value("curve", "baseline") is False
    assert "more than 5%" in without.sections["curve"]["baseline"].rule
    assert without.value("optimisation", "steps") == least.value("optimisation", "steps")
    within = planned(0.04 * 240.0 / (2 * rows), asked)
    assert within.value("curve", "baseline") is True
    assert float(str(within.value("optimisation", "steps"))) < float(str(least.value("optimisation", "steps")))
    assert planned(over, replace(asked, learning_curve=True)).value("curve", "baseline") is True
    assert planned(over, Wishes(threads=1)).value("curve", "baseline") is True


def test_folds_share_the_minutes(drafted: Drafted) -> None:
    alone = steps(drafted, minutes=2.0, step=0.5)
    shared = steps(drafted, minutes=2.0, step=0.5, wishes=Wishes(folds=3))
    assert shared < alone / 2.5


def test_an_existing_plan_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "plan.yaml"
    out.write_text("mine")
    with pytest.raises(RunExistsError):
        plan(tmp_path, out=out)
    assert out.read_text() == "mine"

"""Plans are complete, readable, and refuse what they do not know."""

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import PlanError
from hounsfield.core.plan import Decision, Plan, PlanValue, checked


class _Optimisation(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    learning_rate: float = Field(gt=0)
    batch: int = 32
    betas: tuple[float, float] = (0.9, 0.999)


def _plan(**values: PlanValue) -> Plan:
    return Plan(
        hounsfield="0.0.0",
        cohort="toy",
        cohort_digest="0",
        task="classify",
        targets=(TargetSpec(name="finding", kind="categorical", classes=("no", "yes"), positive="yes"),),
        sections={
            "optimisation": {key: Decision(value=value, rule="r", evidence="e") for key, value in values.items()}
        },
    )


def test_section_as_its_model() -> None:
    section = _plan(learning_rate=0.001, batch=8).section("optimisation", _Optimisation)
    assert section == _Optimisation(learning_rate=0.001, batch=8)


def test_unknown_key_names_the_nearest() -> None:
    with pytest.raises(PlanError, match="unknown key 'learning_rat'") as caught:
        _plan(learning_rat=0.1).section("optimisation", _Optimisation)
    assert "'learning_rate' instead of 'learning_rat'" in caught.value.next_step


def test_unknown_key_far_from_all() -> None:
    with pytest.raises(PlanError) as caught:
        checked("optimisation", {"learning_rate": 0.1, "qqqq": 1}, _Optimisation)
    assert caught.value.next_step == "take 'qqqq' out of plan.yaml"


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"learning_rate": 1, "batch": "many"}, "batch"),
        ({}, "learning_rate"),
    ],
)
def test_value_that_does_not_fit_names_its_key(values: dict[str, PlanValue], key: str) -> None:
    with pytest.raises(PlanError, match=key):
        checked("optimisation", values, _Optimisation)


def test_missing_section() -> None:
    with pytest.raises(PlanError, match="no section 'network'"):
        _plan().section("network", _Optimisation)


def test_with_section_leaves_the_old_plan_alone() -> None:
    old = _plan(learning_rate=0.1)
    new = old.with_section("network", {"family": Decision(value="residual")})
    assert new.value("network", "family") == "residual"
    assert new.value("optimisation", "learning_rate") == 0.1
    assert "network" not in old.sections


def test_plan_comes_back_from_json_with_nested_values() -> None:
    plan = _plan(learning_rate=0.1, depths=[1, 2, [3, None]], nested={"a": {"b": True}})
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


@pytest.mark.parametrize("change", [{"schema_version": 2}, {"surprise": 1}])
def test_future_and_unknown_heads_are_refused(change: dict[str, object]) -> None:
    content = {**_plan().model_dump(mode="json"), **change}
    with pytest.raises(ValidationError):
        Plan.model_validate(content)

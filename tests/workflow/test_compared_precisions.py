"""Precisions are compared on few samples a step, so that the slower one is not the peak of the run."""

import numpy as np
import pytest

from hounsfield.core.plan import Plan, PlanValue
from hounsfield.workflow import planning
from tests.workflow.conftest import Drafted


@pytest.mark.parametrize(
    ("batch", "made"),
    [
        (32, [("bfloat16", 32), ("float32", 32)]),
        (64, [("bfloat16", 32), ("float32", 32), ("bfloat16", 64)]),
    ],
)
def test_only_the_chosen_one_is_timed_at_full_batch(
    drafted: Drafted, monkeypatch: pytest.MonkeyPatch, batch: int, made: list[tuple[str, int]]
) -> None:
    asked: list[tuple[str, PlanValue]] = []

    def seconds(plan: Plan, *_: object, precision: str) -> float:
        asked.append((precision, plan.value("optimisation", "batch")))
        return {"bfloat16": 0.1, "float32": 0.3}[precision] * asked[-1][1] / 32  # type: ignore[operator]  # a number

    monkeypatch.setattr(planning, "_step_seconds", seconds)
    plan = drafted.plan
    for key, value in (("precision", "bfloat16"), ("batch", batch)):
        decision = plan.sections["optimisation"][key].model_copy(update={"value": value})
        plan = planning._with_value(plan, "optimisation", key, decision)
    measured, speed = planning._measured(plan, drafted.known, drafted.prepared, read=0.0)
    assert asked == made
    assert measured.value("optimisation", "batch") == batch
    assert measured.value("optimisation", "precision") == "bfloat16"
    np.testing.assert_allclose(speed.step, 0.1 * batch / 32)

"""The task is the one asked for, or the one with the strongest claim; a tie is said."""

import pytest

from hounsfield.core.cohort import Schema, TargetSpec
from hounsfield.core.errors import CohortError, UnknownNameError
from hounsfield.core.tables import Table
from hounsfield.tasks.classify.task import Classify
from hounsfield.workflow import tasks

ILL = TargetSpec(name="ill", kind="categorical", classes=("no", "yes"))
MASK = TargetSpec(name="mask", kind="mask")


class Rival(Classify):
    """A task that claims whatever classify claims."""

    name = "rival"


def test_best_claim_and_wish() -> None:
    assert tasks.choose_task(Schema(targets=(ILL,)), None).name == "classify"
    assert tasks.choose_task(Schema(targets=(MASK,)), "classify").name == "classify"


def test_unknown_task_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        tasks.choose_task(Schema(targets=(ILL,)), "clasify")
    assert "classify" in caught.value.next_step


@pytest.mark.parametrize(("targets", "said"), [((MASK,), "mask"), ((), "no answers at all")])
def test_no_task_fits(targets: tuple[TargetSpec, ...], said: str) -> None:
    with pytest.raises(CohortError, match=said):
        tasks.choose_task(Schema(targets=targets), None)


def test_a_tie_lists_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    both = {"classify": "hounsfield.tasks.classify.task:Classify", "rival": f"{__name__}:Rival"}
    monkeypatch.setattr(tasks, "TASKS", Table("task", both))
    with pytest.raises(CohortError, match="classify") as caught:
        tasks.choose_task(Schema(targets=(ILL,)), None)
    assert "rival" in caught.value.found
    assert "--task" in caught.value.next_step
    assert tasks.choose_task(Schema(targets=(ILL,)), "rival").name == "rival"

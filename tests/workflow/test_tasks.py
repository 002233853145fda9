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


def test_no_task_fits() -> None:
    with pytest.raises(CohortError, match="no answers at all"):
        tasks.choose_task(Schema(targets=()), None)


def test_masks_alone_are_to_be_drawn_and_beside_a_class_the_class_is_asked_for() -> None:
    assert tasks.choose_task(Schema(targets=(MASK,)), None).name == "annotate"
    assert tasks.choose_task(Schema(targets=(ILL, MASK)), None).name == "classify"
    assert tasks.choose_task(Schema(targets=(ILL, MASK)), "annotate").name == "annotate"


def test_a_tie_lists_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    both = {"classify": "hounsfield.tasks.classify.task:Classify", "rival": f"{__name__}:Rival"}
    monkeypatch.setattr(tasks, "TASKS", Table("task", both))
    with pytest.raises(CohortError, match="classify") as caught:
        tasks.choose_task(Schema(targets=(ILL,)), None)
    assert "rival" in caught.value.found
    assert "--task" in caught.value.next_step
    assert tasks.choose_task(Schema(targets=(ILL,)), "rival").name == "rival"

"""Which task a cohort is for."""

from typing import cast

from hounsfield.core.cohort import Schema
from hounsfield.core.errors import CohortError
from hounsfield.core.protocols import Task
from hounsfield.tasks import TASKS


def task_named(name: str) -> Task:
    """Return a task by its name."""
    return cast("type[Task]", TASKS.resolve(name))()


def choose_task(schema: Schema, wanted: str | None) -> Task:
    """Return the task that was asked for, or the one with the strongest claim.

    Raises
    ------
    UnknownNameError
        If there is no task of that name.
    CohortError
        If no task claims the cohort, or two claim it equally.
    """
    if wanted is not None:
        return task_named(wanted)
    tasks = [task_named(name) for name in TASKS]
    claims = sorted(((task.claim(schema), task.name) for task in tasks), reverse=True)
    best = [name for claim, name in claims if claim == claims[0][0] and claim > 0]
    if len(best) > 1:
        raise CohortError(
            f"The data would serve several tasks equally well: {', '.join(best)}.",
            expected="one task",
            next_step=f"choose with --task {best[0]}",
        )
    if not best:
        there = ", ".join(f"{t.name} ({t.kind})" for t in schema.targets) or "no answers at all"
        raise CohortError(
            f"No task of this version fits: the data have {there}.",
            expected=f"targets for one of the tasks {', '.join(TASKS)}",
            next_step="name the column of answers with --target, or add a table of answers",
        )
    return task_named(best[0])

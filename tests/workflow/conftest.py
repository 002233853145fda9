"""One small study, planned by rule without a look at the clock."""

from dataclasses import dataclass

import pytest

from hounsfield.core.plan import Machine, Plan
from hounsfield.core.progress import SILENT
from hounsfield.workflow.jobs import Prepared, prepare_feed
from hounsfield.workflow.planning import _with_normalisation, _with_value, first_draft
from hounsfield.workflow.study import Study, study
from hounsfield.workflow.wishes import Wishes
from tests.workflow.toys import rows


@dataclass(frozen=True)
class Drafted:
    """A study, its plan of six steps, and the arrays."""

    known: Study
    plan: Plan
    prepared: Prepared


@pytest.fixture(autouse=True)
def _small_cohorts_have_a_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hounsfield.workflow.fitting.FEWEST_PATIENTS", 2)


@pytest.fixture(scope="session")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> Drafted:
    wishes = Wishes(threads=1)
    known = study(rows(), wishes, progress=SILENT)
    plan = first_draft(known, wishes, Machine(cores=1))
    steps = plan.sections["optimisation"]["steps"].model_copy(update={"value": 6})
    plan = _with_value(plan, "optimisation", "steps", steps)
    parts = {"train": known.split.ids("train"), "val": known.split.ids("val")}
    prepared = prepare_feed(
        known.cohort,
        plan,
        known.task,
        parts=parts,
        groups=known.split.groups,
        work=tmp_path_factory.mktemp("work"),
        progress=SILENT,
    )
    return Drafted(known, _with_normalisation(plan, known, prepared), prepared)

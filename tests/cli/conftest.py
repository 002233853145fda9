"""Fake verbs, so that the door is tested without what lies behind it."""

import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from hounsfield.core.audit import Audit, Duplicate, Shortcut
from hounsfield.core.cohort import Cohort, ColumnRole, Reading, Ref, Sample, Schema, SetAside, TargetSpec
from hounsfield.core.plan import Budget, Decision, Plan
from hounsfield.core.report import AuditBlock, Cost, Figure, PartFigures, Report

Fake = Callable[..., object]
TARGET = TargetSpec(
    name="label", kind="categorical", classes=("benign", "[bold]COVID"), positive="[bold]COVID", positive_source="name"
)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, Fake], None]:
    """Put a function in the place of a verb, in a module that need not exist."""

    def put(module: str, name: str, function: Fake) -> None:
        stand_in = ModuleType(module)
        setattr(stand_in, name, function)
        monkeypatch.setitem(sys.modules, module, stand_in)

    return put


@pytest.fixture
def cohort() -> Cohort:
    """Four samples of three patients in two official parts."""
    samples = tuple(
        Sample(
            id=f"case{i}.png",
            patient=f"p{min(i, 2)}",
            inputs={"image": (Reading(Ref("raster", f"case{i}.png")),)},
            targets={"label": TARGET.classes[i % 2]},
            part="train" if i < 3 else "test",
        )
        for i in range(4)
    )
    schema = Schema(
        targets=(TARGET,),
        layout="manifest",
        official_parts=("train", "test"),
        patients_known=True,
        columns=(ColumnRole(table="labels.csv", column="covid", role="target", reason="two words, named so"),),
        side_tables=("meta.csv",),
        notes=("42 files are read",),
        unsure=("is 'pid' the patient?",),
    )
    return Cohort(name="covid-ct", root="/nowhere", samples=samples, schema=schema)


@pytest.fixture
def audit() -> Audit:
    """One of every finding."""
    return Audit(
        samples=4,
        patients=3,
        balance={"train": {"benign": 2, "[bold]COVID": 1}, "test": {"[bold]COVID": 1}},
        unreadable=(SetAside(sample="broken.png", reason="the PNG is cut short"),),
        duplicates=(Duplicate(a="case0.png", b="case3.png", kind="exact", similarity=1.0),),
        duplicates_across_parts=(("case0.png", "case3.png"),),
        contradictions=(("case0.png", "case3.png"),),
        in_doubt=(SetAside(sample="case1.png", reason="aVR and aVL swapped: by 90%"),),
        shortcut=Shortcut(
            auroc=Figure(value=0.81, low=0.7, high=0.9),
            by={"file ending": Figure(value=0.75, low=0.68, high=0.82), "border": Figure(value=None, note="constant")},
            by_part={"test": {"file ending": Figure(value=0.7, low=0.6, high=0.8)}},
            warnings=("The file ending tells the answer.",),
        ),
        warnings=("Two parts share a picture.",),
    )


@pytest.fixture
def plan() -> Plan:
    """A small plan with a cost."""
    return Plan(
        hounsfield="0.1.0",
        cohort="covid-ct",
        cohort_digest="ab",
        task="classify",
        targets=(TARGET,),
        budget=Budget(minutes=15, threads=2),
        sections={
            "preparation": {"size": Decision(value=[128, 128], rule="median size", evidence="median 130 x 127")},
            "cost": {"seconds": Decision(value=840.0, rule="measured steps", evidence="0.1 s a step")},
        },
    )


@pytest.fixture
def report() -> Report:
    """The least report."""
    part = PartFigures(samples=4, patients=3, metrics={"auroc": Figure(value=0.8, low=0.7, high=0.9)})
    return Report(
        hounsfield="0.1.0",
        task="classify",
        cohort="covid-ct",
        created="2026-01-01",
        seed=0,
        target=TARGET,
        parts={"test": part},
        baselines={},
        shortcut=None,
        audit=AuditBlock(),
        cost=Cost(),
        environment={},
        targets={},
        judged_part="test",
    )

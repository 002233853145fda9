"""Reports, audits and fingerprints cross files unchanged."""

import json

import pytest
from pydantic import BaseModel, ValidationError

from hounsfield.core.audit import Audit, Duplicate, Shortcut
from hounsfield.core.cohort import SetAside, TargetSpec
from hounsfield.core.fingerprint import Fingerprint, ImageFacts, TargetFacts
from hounsfield.core.report import (
    AuditBlock,
    Baseline,
    Caveat,
    Cost,
    Curve,
    Figure,
    PartFigures,
    Report,
    ShortcutBlock,
    TargetReport,
)

TARGET = TargetSpec(name="finding", kind="categorical", classes=("no", "yes"), positive="yes", positive_source="name")
FIGURE = Figure(value=0.8, low=0.7, high=0.9)


def _report() -> Report:
    part = PartFigures(
        samples=10,
        patients=8,
        metrics={"auroc": FIGURE, "recall:yes": Figure(value=None, note="no positive sample")},
        confusion=((4, 1), (2, 3)),
        curves={"roc": Curve(x=(0.0, 1.0), y=(0.0, 1.0))},
        folds=({"auroc": 0.1 + 0.2, "f1": None},),
    )
    baselines = {"prevalence": Baseline(metrics={"auroc": Figure(value=0.5)}, difference={"auroc": FIGURE})}
    return Report(
        hounsfield="0.0.0",
        task="classify",
        cohort="toy",
        created="2026-01-01T00:00:00Z",
        seed=0,
        target=TARGET,
        parts={"test": part},
        baselines=baselines,
        shortcut=ShortcutBlock(auroc=FIGURE, by={"width": FIGURE}),
        audit=AuditBlock(duplicates_across_parts=(("a", "b"),), unreadable=({"sample": "c", "reason": "truncated"},)),
        cost=Cost(predicted_seconds=10.0, seconds=9.5),
        environment={"python": "3.11"},
        targets={"finding": TargetReport(target=TARGET, parts={"test": part}, baselines=baselines, temperature=1.3)},
        judged_part="test",
        caveats=(Caveat(level="warning", en="Few samples.", zh="样本很少。"),),
    )


def _audit() -> Audit:
    return Audit(
        samples=3,
        patients=2,
        unreadable=(SetAside(sample="c", reason="truncated"),),
        duplicates=(Duplicate(a="a", b="b", kind="near", similarity=0.98, same_answer=False),),
        shortcut=Shortcut(auroc=FIGURE, by={"width": FIGURE}, by_part={"test": {"width": FIGURE}}),
    )


def _fingerprint() -> Fingerprint:
    facts = ImageFacts(
        size_median=(8, 8), size_low=(4, 4), size_high=(16, 16), value_low=0, value_high=255, mean=100.5, std=1 / 3
    )
    return Fingerprint(
        samples=3,
        patients=2,
        val_samples=1,
        inputs={"image": facts},
        targets={"finding": TargetFacts(kind="categorical", counts={"no": 2, "yes": 1})},
    )


@pytest.mark.parametrize("value", [_report(), _audit(), _fingerprint()], ids=["report", "audit", "fingerprint"])
def test_comes_back_from_json_unchanged(value: BaseModel) -> None:
    assert type(value).model_validate_json(value.model_dump_json()) == value


@pytest.mark.parametrize("value", [_report(), _audit(), _fingerprint()], ids=["report", "audit", "fingerprint"])
@pytest.mark.parametrize("change", [{"schema_version": 2}, {"surprise": 1}])
def test_future_versions_and_unknown_keys_are_refused(value: BaseModel, change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        type(value).model_validate({**value.model_dump(mode="json"), **change})


def test_report_json_has_what_readers_of_it_rely_on() -> None:
    content = json.loads(_report().model_dump_json())
    assert content["schema_version"] == 1
    assert content["parts"]["test"]["metrics"]["auroc"] == {"value": 0.8, "low": 0.7, "high": 0.9, "note": ""}
    assert content["parts"]["test"]["metrics"]["recall:yes"]["value"] is None
    assert content["audit"]["duplicates_across_parts"] == [["a", "b"]]
    assert content["shortcut"]["by"]["width"]["value"] == 0.8
    assert content["target"]["positive"] == "yes"


def test_values_are_frozen() -> None:
    with pytest.raises(ValidationError):
        FIGURE.value = 1.0  # type: ignore[misc]  # the assignment is what is refused

"""A report with every block filled, made by hand."""

import base64
import io

import numpy as np
from PIL import Image

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.report import (
    AuditBlock,
    Baseline,
    Caveat,
    ClassCoverage,
    Cost,
    Curve,
    Figure,
    LearningCurve,
    LearningPoint,
    OperatingPointBlock,
    PartFigures,
    Picture,
    PlanLine,
    Report,
    SecondLook,
    SetFigures,
    ShortcutBlock,
    Subgroup,
    TargetReport,
)

TARGET = TargetSpec(
    name="label", kind="categorical", classes=("normal", "COVID"), positive="COVID", positive_source="name"
)


def figure(value: float, width: float = 0.05) -> Figure:
    """Return a figure with an interval around it."""
    return Figure(value=value, low=value - width, high=value + width)


def part() -> PartFigures:
    """Return the figures of one part."""
    line = Curve(x=(0.0, 0.2, 1.0), y=(0.0, 0.7, 1.0), low=(0.0, 0.6, 1.0), high=(0.0, 0.8, 1.0), count=(5, 5, 5))
    metrics = {
        "auroc": figure(0.871),
        "accuracy": figure(0.8),
        "sensitivity": figure(0.82),
        "specificity": figure(0.79),
        "brier": figure(0.14),
        "calibration_intercept": figure(-0.1, 0.3),
        "npv": Figure(value=None, note="everything is called positive"),
        "new_metric": figure(0.5),
        "auroc:normal": figure(0.871),
        "recall:normal": figure(0.79),
        "recall:COVID": figure(0.82),
    }
    return PartFigures(
        samples=203,
        patients=118,
        metrics=metrics,
        patient_metrics={"auroc": figure(0.9)},
        uncalibrated={"brier": figure(0.2)},
        confusion=((80, 25), (18, 80)),
        curves={
            "roc": line,
            "reliability": line,
            "reliability_uncalibrated": line,
            "decision": line,
            "decision_all": line,
        },
        subgroups=(Subgroup(attribute="sex", value="F", samples=90, patients=50, metrics={"auroc": figure(0.85)}),),
        folds=({"auroc": 0.86}, {"auroc": None}),
        without_faulty={"auroc": figure(0.88)},
        patients_judged=110,
        patients_skipped=8,
        classes={"normal": 105, "COVID": 98},
        sets=sets(),
    )


def sets() -> SetFigures:
    """Return figures of prediction sets; the second class has too few calibration cases."""
    return SetFigures(
        level=0.9,
        coverage=0.94,
        per_patient=0.92,
        size=1.4,
        single=0.58,
        empty=0.01,
        classes={
            "normal": ClassCoverage(
                cases=58, samples=105, coverage=0.886, low=0.82, high=0.97, seen_low=0.8, seen_high=0.98, within=True
            ),
            "COVID": ClassCoverage(
                cases=8,
                samples=98,
                coverage=1.0,
                low=1.0,
                high=1.0,
                seen_low=1.0,
                seen_high=1.0,
                within=True,
                always=True,
            ),
        },
    )


def learning() -> LearningCurve:
    """Return a learning curve of three shares."""
    points = tuple(
        LearningPoint(share=s, samples=round(425 * s), patients=round(233 * s), runs=r, figure=figure(v))
        for s, r, v in ((0.25, 3, 0.7), (0.5, 2, 0.75), (1.0, 1, 0.78))
    )
    law = Curve(x=(106.0, 425.0, 850.0), y=(0.7, 0.78, 0.8), low=(0.65, 0.73, 0.74), high=(0.75, 0.83, 0.87))
    return LearningCurve(
        target="label",
        metric="auroc",
        model="logistic",
        part="val",
        points=points,
        fitted=law,
        now=figure(0.78),
        double=figure(0.8),
        gain=Figure(value=0.02, low=0.0, high=0.06),
    )


def report() -> Report:
    """Return a report with two targets and every block filled."""
    stream = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), dtype=np.uint8)).save(stream, "PNG")
    picture = base64.b64encode(stream.getvalue()).decode("ascii")
    baselines = {
        "prevalence": Baseline(metrics={"auroc": figure(0.5, 0)}, difference={"auroc": figure(0.371)}),
        "logistic": Baseline(metrics={"auroc": figure(0.85)}, difference={"auroc": figure(0.021)}, ties=True),
    }
    main = TargetReport(
        target=TARGET,
        parts={"test": part(), "val": part()},
        baselines=baselines,
        operating_point=OperatingPointBlock(
            threshold=0.41, rule="balanced_accuracy", samples=118, sensitivity=0.84, specificity=0.8
        ),
        temperature=1.6,
        recommended="logistic",
        second_look=(
            SecondLook(
                sample="s17",
                part="val",
                given="normal",
                suggested="COVID",
                given_probability=0.03,
                suggested_probability=0.97,
            ),
        ),
        second_look_of=118,
    )
    number = TargetReport(
        target=TargetSpec(name="diameter", kind="number", unit="mm"),
        parts={
            "test": PartFigures(
                samples=100,
                patients=90,
                metrics={"mae": figure(2.5, 0.3)},
                curves={"scatter": Curve(x=(1.0, 2.0, 9.0), y=(1.5, 2.0, 8.0))},
            )
        },
    )
    return Report(
        hounsfield="0.1.0",
        task="classify",
        cohort="covid-ct",
        created="2026-01-02 03:04",
        seed=0,
        target=TARGET,
        parts=main.parts,
        baselines=baselines,
        shortcut=ShortcutBlock(
            auroc=figure(0.8), by={"file ending": figure(0.75)}, warnings=("The ending predicts it.",)
        ),
        audit=AuditBlock(
            unreadable=({"sample": "broken.png", "reason": "truncated"},),
            contradictions=(("kjr-29", "71_pct_0"),),
            duplicates_across_parts=tuple((f"a{number}", f"b{number}") for number in range(250)),
            balance={"train": {"normal": 3, "COVID": 4}},
            warnings=("One patient lies in two parts.",),
        ),
        cost=Cost(predicted_seconds=840.0, seconds=861.0, peak_mib=1700.0, steps=300, stopped_by_clock=True),
        environment={"python": "3.11"},
        targets={"label": main, "diameter": number},
        judged_part="test",
        split_rule="The parts of the data were kept.",
        expected_interval="AUC 0.80: 0.74 to 0.86",
        caveats=(Caveat(level="warning", en="Small test part.", zh="测试集样本量小。"),),
        plan=(PlanLine(section="network", key="family", value="residual", rule="few images", evidence="425 samples"),),
        learning=(
            learning(),
            learning().model_copy(update={"fitted": None, "double": Figure(value=None, note="a class is missing")}),
        ),
        history={"train loss": (1.0, 0.5, 0.3)},
        errors=(
            Picture(sample="img_7.png", part="test", truth="normal", predicted="COVID", probability=0.98, png=picture),
        ),
        alternatives=({"network": "textbook", "reason": "measured worse"},),
    )

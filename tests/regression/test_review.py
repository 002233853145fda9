"""Faults found when the way from outputs to figures was read again, each failing before its fix."""

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from hounsfield.bundle.run_folder import find_bundle
from hounsfield.bundle.sealed import open_sealed
from hounsfield.core.cohort import Sample, TargetSpec
from hounsfield.core.errors import InputError
from hounsfield.core.protocols import Decoding
from hounsfield.core.report import AuditBlock, Baseline, Cost, Figure, OperatingPointBlock, Report, TargetReport
from hounsfield.core.types import Float64Array, TargetValue
from hounsfield.learn.model import Judgement
from hounsfield.science.statistics.operating_point import OperatingPoint, Rule
from hounsfield.stages.evaluation.caveats import CaveatFacts, caveats
from hounsfield.stages.evaluation.comparing import recommend, ties
from hounsfield.stages.evaluation.judging import judge
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions
from hounsfield.stages.reporting.opening import opening
from hounsfield.stages.reporting.page import render_html
from hounsfield.stages.reporting.summary import summary_text
from hounsfield.tasks.classify.ordinal import ORDINAL
from hounsfield.tasks.classify.task import Classify
from hounsfield.workflow.comparing import Comparison, compare
from hounsfield.workflow.fitting import Calibrated, Fitted
from hounsfield.workflow.judging import answers, calibrations, judge_target, points_of
from hounsfield.workflow.predictions import Row, Rows, written
from hounsfield.workflow.training import Run
from tests.journeys.making import quick, write_cohort

ILL = TargetSpec(name="ill", kind="categorical", classes=("no", "yes"), positive="yes")
GRADE = TargetSpec(name="grade", kind="ordinal", classes=("0", "1", "2"))
SIGNS = TargetSpec(name="signs", kind="multilabel", classes=("x", "z"))
SIZE = TargetSpec(name="size", kind="number")
DECODINGS = {t.name: Decoding() for t in (ILL, GRADE, SIGNS, SIZE)}
FEW = JudgeOptions(replicates=40)
TASK = Classify()


def sample(key: str, **targets: TargetValue) -> Sample:
    return Sample(id=key, patient=f"p-{key}", inputs={}, targets=targets)


def row(
    key: str, outputs: Mapping[str, Float64Array], *, fold: int = -1, refusal: str = "", **truth: TargetValue
) -> Row:
    beside = {"prevalence": outputs}
    return Row(sample(key, **truth), "cv" if fold >= 0 else "test", Judgement(key, outputs, beside, (), refusal), fold)


def fixed_at(threshold: float, temperature: float = 1.0) -> Calibrated:
    point = OperatingPoint(threshold=threshold, rule=Rule.BALANCED_ACCURACY, positives=9, negatives=9)
    return Calibrated({"ill": Decoding(temperature=temperature, threshold=threshold)}, {"ill": point})


def log_shares(p: float) -> dict[str, Float64Array]:
    return {"ill": np.log([1 - p, p])}


def test_each_fold_is_read_with_its_own_temperature_and_threshold() -> None:
    rows = Rows(tuple(row(str(i), log_shares(0.6), fold=i % 2, ill="yes" if i % 2 else "no") for i in range(20)))
    fixed = {
        "network": fixed_at(0.3),
        "network.0": fixed_at(0.9, temperature=2.0),
        "network.1": fixed_at(0.55),
        "prevalence": fixed_at(0.5),
    }
    found = answers(rows, ILL, task=TASK, fixed=fixed)[:, 1]
    softened = 1 / (1 + math.exp(-0.5 * math.log(0.6 / 0.4)))
    np.testing.assert_allclose(found[:4], [softened, 0.6, softened, 0.6])
    report = judge_target(ILL, {"cv": rows}, task=TASK, fixed=fixed, judged_part="cv", options=FEW)
    assert report.parts["cv"].metrics["sensitivity"].value == 1.0
    assert report.parts["cv"].metrics["specificity"].value == 1.0  # 0.3 would have called everybody
    assert report.parts["cv"].confusion == ((10, 0), (0, 10))
    assert report.operating_point is not None
    assert report.operating_point.threshold == 0.3
    assert report.operating_point.folds == (0.9, 0.55)
    assert set(report.baselines) == {"prevalence"}


def test_without_folds_the_shipped_reading_is_used() -> None:
    rows = Rows((row("a", log_shares(0.6), ill="yes"),))
    fixed = {"network": fixed_at(0.3), "network.0": fixed_at(0.9, temperature=2.0)}
    np.testing.assert_allclose(answers(rows, ILL, task=TASK, fixed=fixed)[:, 1], 0.6)
    assert points_of(rows, ILL, fixed) == fixed["network"].points["ill"]


def test_shares_of_folds_are_no_worse_than_chance() -> None:
    # A fold with more positives leaves fewer to train on.
    made = [
        row(f"{fold}-{i}", log_shares(share), fold=fold, ill="yes" if i < ill else "no")
        for fold, (share, ill) in enumerate(((0.4, 8), (0.6, 2)))
        for i in range(10)
    ]
    fixed = {
        name: fixed_at(share / 2)
        for model in ("network", "prevalence")
        for name, share in ((model, 0.5), (f"{model}.0", 0.4), (f"{model}.1", 0.6))
    }
    rows = Rows(tuple(made))
    report = judge_target(ILL, {"cv": rows}, task=TASK, fixed=fixed, judged_part="cv", options=FEW)
    prevalence = report.baselines["prevalence"].metrics
    assert prevalence["auroc"].value == 0.5
    assert prevalence["sensitivity"].value == 1.0
    np.testing.assert_allclose(answers(rows, ILL, task=TASK, fixed=fixed, name="prevalence")[:, 1], 0.5)


def test_what_could_not_be_run_or_is_refused_is_counted() -> None:
    kept = [row(str(i), log_shares(0.2 + 0.6 * (i % 2)), ill="yes" if i % 2 else "no") for i in range(10)]
    kept += [row("r", log_shares(0.5), refusal="unlike", ill="no"), row("q", log_shares(0.5), refusal="unlike")]
    failed = (row("f", {}, refusal="cut short", ill="yes"), row("g", {}, refusal="cut short"))
    fixed = {"network": fixed_at(0.5)}
    parts = {"test": Rows(tuple(kept), failed)}
    figures = judge_target(ILL, parts, task=TASK, fixed=fixed, judged_part="test", options=FEW).parts["test"]
    assert (figures.samples, figures.not_run, figures.refused) == (11, 1, 1)  # without an answer, nothing is missed
    said = {c.level: c for c in caveats(CaveatFacts(target=ILL, figures=figures)) if "run" in c.en or "guard" in c.en}
    assert "1 of 12 samples of the judged part could not be run" in said["warning"].en
    assert "12" in said["warning"].zh
    assert "would refuse 1 of the 11 judged samples" in said["note"].en


def test_the_level_that_is_said_is_the_level_that_is_judged() -> None:
    shares = np.array([[0.4, 0.25, 0.35]])  # most probable: 0; median: 1
    assert ORDINAL.say(GRADE, shares[0], Decoding()).value == "1"
    samples = [JudgedSample(str(i), str(i), "1" if i else "0") for i in range(10)]
    figures = judge(GRADE, samples, np.repeat(shares, 10, axis=0), options=FEW)
    assert figures.metrics["accuracy"].value == pytest.approx(0.9)
    assert figures.metrics["recall:1"].value == 1.0
    assert figures.confusion == ((0, 1, 0), (0, 9, 0), (0, 0, 0))


def test_an_undefined_comparison_decides_nothing() -> None:
    undefined = Figure(value=None, note="a class is missing")
    block = Baseline(metrics={"auroc": undefined}, difference={"auroc": undefined})
    assert not ties(undefined)
    assert recommend(ILL, {"logistic": block}) == ""
    clear = Baseline(metrics={"auroc": Figure(value=0.5)}, difference={"auroc": Figure(value=0.3, low=0.2, high=0.4)})
    assert recommend(ILL, {"logistic": block, "prevalence": clear}) == "network"
    report = plain_report(ILL, baselines={"logistic": block}, recommended="")
    assert not opening(report).simpler
    assert "not conclusive" in opening(report).verdict.en
    assert "not conclusive" in summary_text(report)
    assert 'class="verdict simpler"' not in render_html(report, lang="en")


def test_a_history_that_is_not_finite_can_be_sealed() -> None:
    fitted = Fitted((), {}, {"loss": [1.0, float("nan"), float("inf"), 0.5]}, 4, False, 0.1)
    written_down = json.loads(json.dumps(fitted.to_json(), allow_nan=False))
    assert written_down["history"]["loss"] == [1.0, None, None, 0.5]


def test_patients_who_share_a_picture_are_drawn_together() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat(rng.integers(0, 2, 20), 6)
    score = np.repeat(rng.normal(size=20), 6) + truth
    rows = Rows(
        tuple(
            row(str(i), log_shares(1 / (1 + math.exp(-s))), ill=ILL.classes[t])
            for i, (s, t) in enumerate(zip(score, truth, strict=True))
        )
    )
    fixed = {"network": fixed_at(0.5), "prevalence": fixed_at(0.5)}
    groups = {str(i): f"g{i // 6}" for i in range(120)}
    options = JudgeOptions(replicates=300)

    def width(groups: Mapping[str, str] | None) -> float:
        report = judge_target(
            ILL, {"test": rows}, task=TASK, fixed=fixed, judged_part="test", options=options, groups=groups
        )
        assert report.parts["test"].patients == 120
        figure = report.parts["test"].metrics["auroc"]
        assert figure.low is not None
        assert figure.high is not None
        return figure.high - figure.low

    assert width(groups) > 1.5 * width(None)


def plain_report(
    target: TargetSpec,
    *,
    baselines: Mapping[str, Baseline] | None = None,
    recommended: str = "network",
    point: OperatingPointBlock | None = None,
) -> Report:
    parts = {"test": judge(target, [], np.zeros((0, len(target.classes)) if target.classes else 0), options=FEW)}
    judged = TargetReport(
        target=target, parts=parts, baselines=dict(baselines or {}), recommended=recommended, operating_point=point
    )
    return Report(
        hounsfield="0",
        task="classify",
        cohort="toy",
        created="2026-01-01T00:00:00+00:00",
        seed=0,
        target=target,
        parts=parts,
        baselines=judged.baselines,
        shortcut=None,
        audit=AuditBlock(),
        cost=Cost(),
        environment={},
        targets={target.name: judged},
        judged_part="test",
    )


def compared(folder: Path, target: TargetSpec, *rows: Rows) -> Comparison:
    for name, given in zip("ab", rows, strict=True):
        (folder / name).mkdir()
        text = written([given], [target], task=TASK, decodings=DECODINGS)
        (folder / name / "predictions.csv").write_bytes(text.encode())
        point = OperatingPointBlock(threshold=0.5, rule="default", samples=9) if target is ILL else None
        report = plain_report(target, point=point)
        (folder / name / "report.json").write_text(report.model_dump_json(), encoding="utf-8")
    return compare(folder / "a", folder / "b")


def test_samples_with_no_label_are_compared(tmp_path: Path) -> None:
    labels: tuple[tuple[str, ...], ...] = ((), ("x",), ("x", "z"), ("z",)) * 3
    rows = Rows(tuple(row(str(i), {"signs": np.array([0.1 * i, -1.0])}, signs=labels[i]) for i in range(12)))
    assert compared(tmp_path, SIGNS, rows, rows).samples == 12


def test_failed_rows_are_left_out_of_a_comparison_and_counted(tmp_path: Path) -> None:
    made = [row(f"s\u2028{i}", log_shares(0.3 + 0.4 * (i % 2)), ill="yes" if i % 2 else "no") for i in range(12)]
    broken = row(made[0].sample.id, {}, refusal="cut short", ill="no")
    found = compared(tmp_path, ILL, Rows(tuple(made)), Rows(tuple(made[1:]), (broken,)))
    assert (found.samples, found.left_out) == (11, 1)
    assert found.difference["auroc"].value == 0.0


def test_nothing_that_both_answered(tmp_path: Path) -> None:
    broken = Rows((), (row("a", {}, refusal="cut short", ill="no"),))
    with pytest.raises(InputError, match="None of the 1"):
        compared(tmp_path, ILL, broken, broken)


def test_refused_numbers_keep_their_value_for_figures(tmp_path: Path) -> None:
    made = Rows(
        tuple(
            row(str(i), {"size": np.array([float(i)])}, refusal="unlike" if i == 3 else "", size=i + 0.5)
            for i in range(9)
        )
    )
    assert compared(tmp_path, SIZE, made, made).samples == 9
    with (tmp_path / "a" / "predictions.csv").open(newline="") as file:
        refused = list(csv.DictReader(file))[3]
    assert (refused["predicted"], refused["value"]) == ("", "3")


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("folded")
    write_cohort(folder / "data", n=30)
    return quick(folder / "data", folder / "run", folds=2)


def test_a_run_in_folds_calibrates_each_member_for_itself(folded: Run) -> None:
    contents = open_sealed(find_bundle(folded.path))
    fixed = calibrations(contents)
    names = {n.rpartition(".")[0] for n in contents.baselines} | {"network"}
    assert set(fixed) == names | {f"{n}.{i}" for n in names for i in (0, 1)}
    point = fixed["network"].points["disease"]
    own = [fixed[f"network.{i}"].points["disease"] for i in (0, 1)]
    assert sum(p.positives for p in own) == point.positives
    assert sum(p.negatives for p in own) == point.negatives
    block = folded.report.targets["disease"].operating_point
    assert block is not None
    assert block.folds == tuple(p.threshold for p in own)
    with (folded.path / "predictions.csv").open(newline="") as file:
        for said in csv.DictReader(file):
            called = float(said["probability:yes"]) >= own[int(said["fold"])].threshold
            assert said["at_operating_point"] == ("yes" if called else "no") or said["refusal"]
    prevalence = folded.report.baselines["prevalence"].metrics["auroc"]
    assert prevalence.value == 0.5
    assert compare(folded.path, folded.path).difference["sensitivity"].value == 0.0

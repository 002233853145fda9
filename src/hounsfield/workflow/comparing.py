"""Compare two runs on the same test samples, paired."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import InputError
from hounsfield.core.report import Figure, Report
from hounsfield.core.types import Float64Array
from hounsfield.stages.evaluation.comparing import compare as paired
from hounsfield.stages.evaluation.preparing import ClassFactors, PerSample
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions
from hounsfield.workflow.predictions import read_answer


class Comparison(BaseModel):
    """Two runs on the same samples.

    Attributes
    ----------
    a, b : str
        Names of the run folders.
    part, target : str
        What was compared.
    samples, patients : int
        Answered by both.
    left_out : int
        Samples with an answer that one of the two could not run.
    metrics_a, metrics_b : dict of str to Figure
        As the two reports have them.
    difference : dict of str to Figure
        a minus b, paired patient-level bootstrap, 95 % interval.
    verdict : str
        In words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    a: str
    b: str
    part: str
    target: str
    samples: int
    patients: int
    metrics_a: dict[str, Figure]
    metrics_b: dict[str, Figure]
    difference: dict[str, Figure]
    verdict: str
    left_out: int = 0


@dataclass(frozen=True)
class _Side:
    report: Report
    rows: dict[str, dict[str, str]]
    points: PerSample | ClassFactors | None


def compare(a: str | Path, b: str | Path, *, seed: int = 0) -> Comparison:
    """Compare two runs by their predictions of the judged part.

    Parameters
    ----------
    a, b : str or Path
        Run folders, or folders that `evaluate` wrote.
    seed : int
        Of the bootstrap.

    Raises
    ------
    InputError
        If the runs answer different questions or were judged on different samples.
    """
    first, second = _side(Path(a)), _side(Path(b))
    target = first.report.target
    if (target.name, target.kind, target.classes) != (
        second.report.target.name,
        second.report.target.kind,
        second.report.target.classes,
    ):
        raise InputError(
            f"The runs answer different questions: {target.name!r} and {second.report.target.name!r}.",
            expected="the same target with the same classes",
            next_step="compare runs on the same data and target",
        )
    part = first.report.judged_part
    ids = [i for i in first.rows if i in second.rows]
    same = all(first.rows[i]["truth"] == second.rows[i]["truth"] for i in ids)
    if part != second.report.judged_part or len(ids) != len(first.rows) or len(ids) != len(second.rows) or not same:
        raise InputError(
            f"The runs were judged on different samples: {len(first.rows)} and {len(second.rows)}, "
            f"{len(ids)} in common.",
            expected="the same judged samples with the same answers",
            next_step="train both on the same data with the same split, or use hu evaluate on one set for both",
        )
    shared = len(ids)
    ids = [i for i in ids if _is_answered(target, first.rows[i]) and _is_answered(target, second.rows[i])]
    if not ids:
        raise InputError(
            f"None of the {shared} judged samples was answered by both runs.",
            expected="predictions of the same samples",
            next_step="look at the column refusal of both predictions.csv",
        )
    samples = [JudgedSample(i, first.rows[i]["patient"], read_answer(first.rows[i]["truth"], target)) for i in ids]
    difference = paired(
        target,
        samples,
        ours=_answers(target, first.rows, ids),
        theirs=_answers(target, second.rows, ids),
        points=(first.points, second.points),
        options=JudgeOptions(seed=seed),
    )
    return Comparison(
        a=Path(a).name,
        b=Path(b).name,
        part=part,
        target=target.name,
        samples=len(ids),
        patients=len({s.patient for s in samples}),
        metrics_a=first.report.parts[part].metrics,
        metrics_b=second.report.parts[part].metrics,
        difference=difference,
        verdict=_verdict(difference, Path(a).name, Path(b).name),
        left_out=shared - len(ids),
    )


def _side(path: Path) -> _Side:
    folder = path.parent if path.name == "bundle" else path
    try:
        report = Report.model_validate_json((folder / "report.json").read_text(encoding="utf-8"))
        text = (folder / "predictions.csv").read_bytes().decode("utf-8")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder.name!r} is not a complete run.",
            expected="a folder with report.json and predictions.csv",
            next_step="give the folder that hu train or hu evaluate wrote",
        ) from error
    # Not splitlines: a name may hold what counts as the end of a line there.
    table = csv.DictReader(io.StringIO(text, newline=""))
    rows = {r["sample"]: r for r in table if r["part"] == report.judged_part and r.get("truth")}
    return _Side(report, rows, points_of_report(report, rows))


def points_of_report(report: Report, rows: Mapping[str, Mapping[str, str]]) -> PerSample | ClassFactors | None:
    """Return how a report's primary target is called, for rows of its ``predictions.csv`` by sample."""
    judged = report.targets.get(report.target.name)
    if judged and judged.class_factors:
        of_fold = {str(fold): factors for fold, factors in enumerate(judged.fold_class_factors)}
        own = {i: of_fold[row["fold"]] for i, row in rows.items() if row.get("fold", "") in of_fold}
        return ClassFactors(judged.class_factors, own)
    point = judged.operating_point if judged else None
    if point is None:
        return None
    folds = {str(fold): threshold for fold, threshold in enumerate(point.folds)}
    return PerSample({i: folds.get(row.get("fold", ""), point.threshold) for i, row in rows.items()})


def _columns(target: TargetSpec) -> list[str]:
    return ["value"] if target.kind == "number" else [f"probability:{c}" for c in target.classes]


def _is_answered(target: TargetSpec, row: dict[str, str]) -> bool:
    return all(row.get(column) for column in _columns(target))


def _answers(target: TargetSpec, rows: dict[str, dict[str, str]], ids: list[str]) -> Float64Array:
    found = np.array([[float(rows[i][column]) for column in _columns(target)] for i in ids], dtype=np.float64)
    return found[:, 0] if target.kind == "number" else found


def _verdict(difference: dict[str, Figure], a: str, b: str) -> str:
    name, figure = next(iter(difference.items()))
    if figure.value is None or figure.low is None or figure.high is None:
        return f"The difference in {name} is undefined: {figure.note}."
    span = f"{figure.value:+.3f} (95 % interval {figure.low:+.3f} to {figure.high:+.3f})"
    if figure.low <= 0 <= figure.high:
        return f"No clear difference in {name}: {a} minus {b} is {span}."
    return f"{a} and {b} differ clearly in {name}: {a} minus {b} is {span}."

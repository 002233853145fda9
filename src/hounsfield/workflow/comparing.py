"""Compare two runs on the same test samples, paired."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import InputError
from hounsfield.core.report import Figure, Report
from hounsfield.core.types import TargetValue
from hounsfield.science.statistics.operating_point import OperatingPoint
from hounsfield.stages.evaluation.comparing import compare as paired
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions
from hounsfield.workflow.fitting import NETWORK
from hounsfield.workflow.judging import calibrations
from hounsfield.workflow.opening import open_bundle


class Comparison(BaseModel):
    """Two runs on the same samples.

    Attributes
    ----------
    a, b : str
        Names of the run folders.
    part, target : str
        What was compared.
    samples, patients : int
        Judged by both.
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


@dataclass(frozen=True)
class _Side:
    report: Report
    rows: dict[str, dict[str, str]]
    point: OperatingPoint | None


def compare(a: str | Path, b: str | Path, *, seed: int = 0) -> Comparison:
    """Compare two runs by their predictions of the judged part.

    Parameters
    ----------
    a, b : str or Path
        Run folders.
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
    samples = [JudgedSample(i, first.rows[i]["patient"], _truth(target, first.rows[i]["truth"])) for i in ids]
    difference = paired(
        target,
        samples,
        ours=_answers(target, first.rows, ids),
        theirs=_answers(target, second.rows, ids),
        points=(first.point, second.point),
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
    )


def _side(path: Path) -> _Side:
    folder = path.parent if path.name == "bundle" else path
    try:
        report = Report.model_validate_json((folder / "report.json").read_text(encoding="utf-8"))
        text = (folder / "predictions.csv").read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder.name!r} is not a complete run.",
            expected="a folder with report.json and predictions.csv",
            next_step="give the folder that hu train wrote",
        ) from error
    rows = {r["sample"]: r for r in csv.DictReader(text.splitlines()) if r["part"] == report.judged_part}
    usable = {k: r for k, r in rows.items() if r.get("truth")}
    fixed = calibrations(open_bundle(folder))[NETWORK]
    return _Side(report, usable, fixed.points.get(report.target.name))


def _truth(target: TargetSpec, text: str) -> TargetValue:
    if target.kind == "number":
        return float(text)
    return tuple(text.split("|")) if target.kind == "multilabel" else text


def _answers(target: TargetSpec, rows: dict[str, dict[str, str]], ids: list[str]) -> np.typing.NDArray[np.float64]:
    if target.kind == "number":
        return np.array([float(rows[i]["predicted"]) for i in ids])
    return np.array([[float(rows[i][f"probability:{c}"]) for c in target.classes] for i in ids])


def _verdict(difference: dict[str, Figure], a: str, b: str) -> str:
    name, figure = next(iter(difference.items()))
    if figure.value is None or figure.low is None or figure.high is None:
        return f"The difference in {name} is undefined: {figure.note}."
    span = f"{figure.value:+.3f} (95 % interval {figure.low:+.3f} to {figure.high:+.3f})"
    if figure.low <= 0 <= figure.high:
        return f"No clear difference in {name}: {a} minus {b} is {span}."
    return f"{a} and {b} differ clearly in {name}: {a} minus {b} is {span}."

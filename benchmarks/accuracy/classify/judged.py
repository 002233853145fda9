"""What is kept of a run: figures, what they had to be, what was beside them, what they cost."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.accuracy.classify.sets import DataSet, command
from benchmarks.record import provenance
from hounsfield.bundle.sealed import open_sealed
from hounsfield.core.report import Figure, PartFigures, Report
from hounsfield.stages.evaluation.judging import judge
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions
from hounsfield.workflow.comparing import points_of_report

Figures = dict[str, dict[str, object]]


def summary(report: Report, folder: Path, name: str, entry: DataSet, seed: int) -> dict[str, object]:
    """Return what is kept of a run.

    Parameters
    ----------
    report : Report
    folder : Path
        Of the run.
    name : str
    entry : DataSet
    seed : int
    """
    part = report.parts[report.judged_part]
    found: dict[str, object] = {
        "data": name,
        "minutes": entry.minutes,
        "seed": seed,
        "folds": entry.folds,
        **provenance(command(entry, seed)),
        "part": report.judged_part,
        "samples": part.samples,
        "patients": part.patients,
        "members": members(folder),
        "figures": dumped(part.metrics),
        "must": verdicts(part.metrics, entry.must),
        "aim": verdicts(part.metrics, entry.aim),
        "anchors": entry.anchors,
        "baselines": {k: v.model_dump() for k, v in report.baselines.items()},
        "flagged_by_audit": [f["sample"] for f in report.audit.flagged_in_test],
        "without_flagged": dumped(part.without_faulty),
        "cost": report.cost.model_dump(),
        "ensemble": {p.key: p.value for p in report.plan if p.section == "ensemble"},
    }
    if entry.faulty:
        kept = without(report, folder, entry.faulty)
        found["faulty"] = entry.faulty
        found["without_faulty"] = dumped(kept.metrics)
        found["must_without_faulty"] = verdicts(kept.metrics, entry.must)
    return found


def dumped(metrics: dict[str, Figure]) -> Figures:
    """Return figures as JSON."""
    return {k: v.model_dump() for k, v in metrics.items()}


def verdicts(metrics: dict[str, Figure], wanted: dict[str, float]) -> dict[str, dict[str, object]]:
    """Return for each wanted figure whether it is exceeded, and by how much.

    Parameters
    ----------
    metrics : dict of str to Figure
    wanted : dict of str to float
    """
    made: dict[str, dict[str, object]] = {}
    for name, least in wanted.items():
        figure = metrics.get(name)
        value = figure.value if figure else None
        above = None if value is None else round(value - least, 4)
        made[name] = {"wanted": least, "value": value, "above": above, "met": bool(above is not None and above > 0)}
    return made


def members(folder: Path) -> dict[str, int]:
    """Return how many members of each learner the bundle holds."""
    return dict(Counter(m.learner for m in open_sealed(folder / "bundle").members))


def without(report: Report, folder: Path, faulty: list[str]) -> PartFigures:
    """Judge the run's own predictions again without some samples.

    Parameters
    ----------
    report : Report
    folder : Path
    faulty : list of str
        Ends of sample ids, file endings aside.

    Raises
    ------
    ValueError
        If one of them is not among the judged samples.
    """
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["part"] == report.judged_part and r.get("truth")]
    rows = [r for r in rows if r.get(f"probability:{report.target.classes[0]}")]

    def named(row: dict[str, str], end: str) -> bool:
        stem = row["sample"].rpartition(".")[0] if "." in row["sample"].rpartition("/")[2] else row["sample"]
        return stem == end or stem.endswith(f"/{end}")

    for end in faulty:
        if not any(named(r, end) for r in rows):
            raise ValueError(f"{end!r} is not among the {len(rows)} judged samples")
    kept = [r for r in rows if not any(named(r, end) for end in faulty)]
    answers = np.array([[float(r[f"probability:{c}"]) for c in report.target.classes] for r in kept])
    samples = [JudgedSample(r["sample"], r["patient"], r["truth"]) for r in kept]
    points = points_of_report(report, {r["sample"]: r for r in kept})
    return judge(report.target, samples, answers, operating_point=points, options=JudgeOptions(seed=report.seed))

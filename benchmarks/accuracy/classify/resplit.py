"""Random re-splits by patient, with frozen rules, to see whether anything was tuned to the official split."""

import csv
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.accuracy.classify.sets import DataSet, run_folder, trained
from benchmarks.record import RUNS, provenance, read_result, write_result
from hounsfield.core.progress import SILENT
from hounsfield.core.report import Report
from hounsfield.stages.splitting.dividing import divide
from hounsfield.stages.splitting.strata import strata_of
from hounsfield.workflow.study import Study, study
from hounsfield.workflow.wishes import Wishes

PARTS = ("train", "val", "test")
METRICS = ("auroc", "accuracy")
MARGIN = "margin_over_logistic"


def resplits(name: str, entry: DataSet, *, count: int, again: bool = False) -> None:
    """Train on several re-splits and on the official split by the same budget, and write where the latter lies.

    Parameters
    ----------
    name : str
    entry : DataSet
    count : int
        How many re-splits.
    again : bool
        Whether a whole result is made again.
    """
    budget = entry.minutes
    command = f"python -m benchmarks.accuracy.classify.run --only {name} --resplits {count} --minutes {budget:g}"
    there = read_result(f"{name}-resplits")
    if there is not None and there.get("command") == command and not again:
        print(f"{name}: re-splits are there already, of commit {there['commit']}")
        return
    known = study(entry.source, Wishes(), progress=SILENT)
    out = run_folder(name, seed=0, minutes=budget)
    print(f"{name}: official split", flush=True)
    official = trained(entry.source, out, minutes=budget, seed=0, folds=0, network=None)
    made = []
    for number in range(count):
        print(f"{name}: re-split {number}", flush=True)
        parts = divided(known, seed=number + 1)
        folder = RUNS / "resplits" / f"{name}-{number}"
        source = written(entry.source, known, parts, folder)
        run = run_folder(f"{name}-resplit{number}", seed=0, minutes=budget)
        report = trained(source, run, minutes=budget, seed=0, folds=0, network=None)
        made.append({"number": number, "sizes": sizes(parts), **figures(report)})
        shutil.rmtree(folder)
    write_result(
        f"{name}-resplits",
        {
            "data": name,
            "minutes": budget,
            **provenance(command),
            "grouped_by": "patients joined with duplicate clusters",
            "official": {"sizes": sizes(official_parts(known)), **figures(official)},
            "resplits": made,
            **{metric: placed(figures(official), made, metric) for metric in (*METRICS, MARGIN)},
        },
    )


def official_parts(known: Study) -> dict[str, str]:
    """Return each sample's part as the data have it."""
    return {s.id: str(s.part) for s in known.cohort.samples if s.part}


def divided(known: Study, *, seed: int) -> dict[str, str]:
    """Return each sample's part in a random split of the official sizes, by group, every class shared out.

    Parameters
    ----------
    known : Study
    seed : int
    """
    samples = [s for s in known.cohort.samples if s.part]
    ids = [s.id for s in samples]
    have = sizes(official_parts(known))
    groups = {i: known.split.groups.get(i, i) for i in ids}
    shares = [have[p] / len(ids) for p in PARTS]
    strata = strata_of(samples, known.cohort.schema.targets[0])
    numbers = divide(ids, groups, strata, shares=shares, seed=seed)
    return {i: PARTS[n] for i, n in numbers.items()}


def sizes(parts: Mapping[str, str]) -> dict[str, int]:
    """Return the samples of each part."""
    return {p: sum(v == p for v in parts.values()) for p in PARTS}


def written(source: Path, known: Study, parts: Mapping[str, str], folder: Path) -> Path:
    """Write the data with another split into a folder, pictures as links, and return what to train on.

    Parameters
    ----------
    source : Path
        An archive with arrays of parts, or a folder with ``labels.csv`` whose column ``split`` names them.
    known : Study
    parts : mapping of str to str
        Sample id to part.
    folder : Path
        Replaced.
    """
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return _archive(source, parts, folder) if source.suffix == ".npz" else _table(source, known, parts, folder)


def _archive(source: Path, parts: Mapping[str, str], folder: Path) -> Path:
    arrays: dict[str, list[np.typing.NDArray[np.generic]]] = {
        f"{p}_{k}": [] for p in PARTS for k in ("images", "labels")
    }
    with np.load(source, allow_pickle=False) as whole:
        loaded = {name: whole[name] for name in whole.files}
    for ident, part in parts.items():
        old, _, index = ident.rpartition("_")
        for kind in ("images", "labels"):
            arrays[f"{part}_{kind}"].append(loaded[f"{old}_{kind}"][int(index)])
    path = folder / source.name
    np.savez_compressed(path, **{name: np.stack(rows) for name, rows in arrays.items()})  # type: ignore[arg-type]  # names are ours
    return path


def _table(source: Path, known: Study, parts: Mapping[str, str], folder: Path) -> Path:
    by_path = {}
    for sample in known.cohort.samples:
        if sample.id in parts:
            readings = next(iter(sample.inputs.values()))
            by_path[readings[0].ref.path] = parts[sample.id]
    with (source / "labels.csv").open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file)
        names = list(table.fieldnames or [])
        rows = [{**row, "split": by_path[row["path"]]} for row in table if row["path"] in by_path]
    if len(rows) != len(parts):
        raise ValueError(f"{len(parts)} samples are divided anew, {len(rows)} of them stand in labels.csv")
    for row in rows:
        target = folder / row["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source / row["path"], target)
        except OSError:  # another file system
            shutil.copyfile(source / row["path"], target)
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, names)
        out.writeheader()
        out.writerows(rows)
    return folder


def figures(report: Report) -> dict[str, object]:
    """Return the main figures of the test part, and by how much the AUC is above that of the linear model beside it.

    Notes
    -----
    A part that is easy for everybody is easy for a linear model with no rules to tune: the margin tells a lucky split
    from rules that were tuned to it.
    """
    metrics = report.parts[report.judged_part].metrics
    found: dict[str, object] = {name: metrics[name].model_dump() for name in METRICS}
    own, linear = metrics["auroc"].value, report.baselines["logistic"].metrics["auroc"].value
    margin = None if own is None or linear is None else own - linear
    return {**found, "logistic_auroc": {"value": linear}, MARGIN: {"value": margin}}


def placed(official: dict[str, object], made: list[dict[str, object]], metric: str) -> dict[str, object]:
    """Return the range over the re-splits and whether the official figure lies inside it."""
    own = _value(official[metric])
    values = [v for row in made if (v := _value(row[metric])) is not None]
    if own is None or not values:
        return {"official": own, "low": None, "high": None, "inside": False}
    low, high = min(values), max(values)
    return {"official": own, "low": low, "high": high, "mean": float(np.mean(values)), "inside": low <= own <= high}


def _value(figure: object) -> float | None:
    found = figure.get("value") if isinstance(figure, dict) else None
    return found if isinstance(found, float) else None

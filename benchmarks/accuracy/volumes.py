"""Volumes from files: a size told from the image alone, and one data set read from two formats.

python -m benchmarks.accuracy.volumes hippocampus
python -m benchmarks.accuracy.volumes adrenal
"""

import argparse
import csv
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.record import RUNS, code, data_root, provenance, write_result
from hounsfield.bundle.sealed import open_sealed
from hounsfield.core.image import Image
from hounsfield.core.plan import Plan
from hounsfield.core.report import Report
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.workflow.training import train
from hounsfield.workflow.wishes import Wishes

HIPPOCAMPUS, TARGET = "msd-hippocampus", "anterior_voxels"
ADRENAL = "adrenalmnist3d"
PARTS = ("train", "val", "test")


def hippocampus(minutes: float, folds: int) -> None:
    """Predict how many voxels of a volume are anterior hippocampus, from the image alone."""
    command = f"hu train {HIPPOCAMPUS} --target {TARGET} --minutes {minutes:g} --folds {folds}"
    out = RUNS / f"{HIPPOCAMPUS}-{minutes:g}min-{folds}-{code()}"
    run = train(
        data_root() / HIPPOCAMPUS,
        out=out,
        wishes=Wishes(target=(TARGET,), minutes=minutes, folds=folds),
    )
    report = run.report
    part = report.parts[report.judged_part]
    found = {
        "data": HIPPOCAMPUS,
        "target": TARGET,
        **provenance(f"python -m benchmarks.accuracy.volumes hippocampus, as {command}"),
        "part": report.judged_part,
        "samples": part.samples,
        "figures": {k: f.model_dump() for k, f in part.metrics.items()},
        "baselines": {k: b.model_dump() for k, b in report.baselines.items()},
        "preparation": _section(report, "preparation.image"),
        "cost": report.cost.model_dump(),
    }
    write_result(f"volumes-{HIPPOCAMPUS}", found)
    print(part.metrics)


def adrenal(steps: int) -> None:
    """Train on one data set as an archive and as NIfTI files, with equal steps, and compare the weights bit by bit."""
    source = data_root() / "medmnist" / f"{ADRENAL}.npz"
    with TemporaryDirectory() as scratch:
        files = as_files(source, Path(scratch) / ADRENAL)
        wishes = Wishes(max_steps=steps, members=1, threads=1)
        runs = {
            kind: train(data, out=Path(scratch) / kind, wishes=wishes)
            for kind, data in (("npz", source), ("nifti", files))
        }
        sealed = {kind: open_sealed(run.path / "bundle") for kind, run in runs.items()}
        differing = decisions_that_differ(sealed["npz"].plan, sealed["nifti"].plan)
        same = all(
            np.array_equal(one.arrays[name], other.arrays[name])
            for one, other in zip(sealed["npz"].members, sealed["nifti"].members, strict=True)
            for name in one.arrays
        )
        found = {
            "data": ADRENAL,
            **provenance(f"python -m benchmarks.accuracy.volumes adrenal --steps {steps}"),
            "steps": steps,
            "weights_equal": same,
            "decisions_that_differ": differing,
            "figures": {kind: _figures(run.report) for kind, run in runs.items()},
        }
    write_result(f"volumes-{ADRENAL}", found)
    print("weights equal:", same, "; decisions that differ:", differing)


def as_files(source: Path, folder: Path) -> Path:
    """Write an archive of train, val and test volumes as NIfTI files and a table of answers; return the folder.

    Parameters
    ----------
    source : Path
        As MedMNIST stores it.
    folder : Path
        Made here.
    """
    (folder / "images").mkdir(parents=True)
    with np.load(source, allow_pickle=False) as archive, (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "image", "label", "split"])
        for part in PARTS:
            answers = archive[f"{part}_labels"].ravel()
            for number, volume in enumerate(archive[f"{part}_images"]):
                path = f"images/{part}_{number}.nii.gz"
                write_nifti(folder / path, Image(volume[None]))
                table.writerow([f"{part}_{number}", path, int(answers[number]), part])
    return folder


def decisions_that_differ(first: Plan, second: Plan) -> list[str]:
    """Return the decisions of two plans whose values differ, but for what the clock has measured."""
    left, right = (_values(plan) for plan in (first, second))
    return sorted(k for k in left.keys() | right.keys() if left.get(k) != right.get(k))


def _values(plan: Plan) -> dict[str, object]:
    return {f"{s}.{k}": d.value for s, keys in plan.sections.items() if s != "cost" for k, d in keys.items()}


def _section(report: Report, name: str) -> dict[str, object]:
    return {p.key: p.value for p in report.plan if p.section == name}


def _figures(report: Report) -> Mapping[str, object]:
    return {k: f.model_dump() for k, f in report.parts[report.judged_part].metrics.items()}


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["hippocampus", "adrenal"])
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    asked = parser.parse_args()
    if asked.what == "hippocampus":
        hippocampus(asked.minutes, asked.folds)
    else:
        adrenal(asked.steps)


if __name__ == "__main__":
    main()

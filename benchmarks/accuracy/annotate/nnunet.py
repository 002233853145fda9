"""nnU-Net and hounsfield on one machine: the same fold, the same minutes, one measure for both.

    python -m benchmarks.accuracy.annotate.nnunet --python OTHER/bin/python

OTHER is an environment of its own with torch, nnunetv2, and dynamic-network-architectures installed without its
dependencies (one of them needs torchvision). nnU-Net's planning and preparation are not counted, its training is; of
hounsfield the whole command is. nnU-Net's schedule is cut so that its learning rate has decayed when the time is
over; ``--only stock`` leaves its own schedule off there, which ends after days on a processor.
"""

import argparse
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.record import RUNS, code, data_root, provenance, read_result, write_result
from hounsfield.core.report import Report
from hounsfield.core.streams import stream
from hounsfield.science.statistics.figures import bootstrap_figures
from hounsfield.science.statistics.segmentation.mask_figures import mask_figures
from hounsfield.science.statistics.segmentation.over_cases import figures_of_masks

NAME = "annotate-against-nnunet"
NUMBER = 4
FOLDER = "Dataset004_Hippocampus"
LABELS = {"background": 0, "anterior": 1, "posterior": 2}
FOLDS = 5
SEED = 12345
"""With which nnU-Net divides cases into folds."""
GOAL = 0.80
TRIES = (2.0, 3.0, 5.0, 8.0)
"""Minutes given to hounsfield, one after the other, until its Dice passes the goal."""
TOLERANCE_MM = 1.0


def main() -> None:
    """Run what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True, help="of the environment that holds nnU-Net")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--only", nargs="*", choices=("theirs", "stock", "ours"), default=("theirs", "ours"))
    wanted = parser.parse_args()
    work = RUNS / "nnunet"
    train, judged = divided()
    result = read_result(NAME) or {}
    result |= {**provenance(f"python -m {__spec__.name} --minutes {wanted.minutes:g}"), "judged": len(judged)}
    if "theirs" in wanted.only:
        result["nnunet"] = theirs(work, wanted.python, judged, minutes=wanted.minutes)
        write_result(NAME, result)
    if "stock" in wanted.only:
        result["nnunet_stock"] = theirs(work, wanted.python, judged, minutes=wanted.minutes, words=("--stock",))
        write_result(NAME, result)
    if "ours" in wanted.only:
        for told in ours(work, train, judged, minutes=wanted.minutes):
            result["hounsfield"] = told
            write_result(NAME, result)


def divided() -> tuple[list[str], list[str]]:
    """Return the cases of fold 0, as nnU-Net divides them: to train on, and to judge on."""
    from sklearn.model_selection import KFold

    cases = sorted(p.name.removesuffix(".nii.gz") for p in (data_root() / "msd-hippocampus" / "imagesTr").iterdir())
    folds = KFold(n_splits=FOLDS, shuffle=True, random_state=SEED).split(cases)
    inside, outside = next(iter(folds))
    return [cases[i] for i in inside], [cases[i] for i in outside]


def theirs(
    work: Path, python: Path, judged: list[str], *, minutes: float, words: tuple[str, ...] = ()
) -> dict[str, object]:
    """Train nnU-Net and return its figures; `words` are further options of its side."""
    raw = work / "raw" / FOLDER
    laid_out(raw, {"imagesTr": None, "labelsTr": None})
    out = work / f"answers-{minutes:g}min{''.join(words).replace('--', '-')}"
    if not (out / "final").is_dir():
        variables = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            "nnUNet_raw": str(work / "raw"),
            "nnUNet_preprocessed": str(work / "preprocessed"),
            "nnUNet_results": str(work / "results"),
            "nnUNet_compile": "f",
            "nnUNet_n_proc_DA": "1",
        }
        script = Path(__file__).with_name("nnunet_side.py")
        # -P: modules beside the script would stand in for those of the standard library that bear their names
        command = [str(python), "-P", str(script), str(NUMBER), FOLDER, str(out), "--minutes", str(minutes), *words]
        subprocess.run(command, env=variables, check=True)
    times = json.loads((out / "times.json").read_text(encoding="utf-8"))
    reached = [m["seconds"] for m in times["marks"] if m["pseudo_dice"] > GOAL]
    return {
        "epochs": times["epochs"],
        "iterations": times["iterations"],
        "half": {"seconds": times["half"], "dice": scored(out / "half", judged)},
        "end": {"seconds": times["seconds"], "dice": scored(out / "final", judged)},
        "seconds_to_goal": reached[0] if reached else None,
        "goal_by": "its own Dice over patches, which is kinder to it than masks of whole cases",
    }


def ours(work: Path, train: list[str], judged: list[str], *, minutes: float) -> Iterator[dict[str, object]]:
    """Train hounsfield on the same fold just long enough, for half the time, and for all of it; tell after each run."""
    folder = work / "ours"
    laid_out(folder, {"imagesTr": train, "labelsTr": train, "imagesTs": judged, "labelsTs": judged})
    told: dict[str, object] = {}
    for given in TRIES:
        found = one(folder, work, given)
        told["least"] = found
        dice = found["dice"]
        if isinstance(dice, dict) and dice["value"] > GOAL:
            told["seconds_to_goal"] = found["seconds"]
            break
    yield dict(told)
    for name, given in (("half", minutes / 2), ("end", minutes)):
        told[name] = one(folder, work, given)
        yield dict(told)


def one(folder: Path, work: Path, minutes: float) -> dict[str, object]:
    """Return seconds and Dice of one whole run."""
    from hounsfield.workflow.training import train
    from hounsfield.workflow.wishes import Wishes

    out = work / f"run-{minutes:g}min-{code()}"
    took = out / "seconds.json"
    if not took.exists():
        shutil.rmtree(out, ignore_errors=True)
        began = time.monotonic()
        train(folder, out=out, wishes=Wishes(task="annotate", minutes=minutes, seed=0))
        took.write_text(json.dumps(time.monotonic() - began), encoding="utf-8")
    report = Report.model_validate_json((out / "report.json").read_text(encoding="utf-8"))
    figure = report.parts["test"].metrics["dice"]
    return {"minutes": minutes, "seconds": json.loads(took.read_text()), "dice": figure.model_dump(mode="json")}


def laid_out(root: Path, folders: dict[str, list[str] | None]) -> None:
    """Copy cases into the folders of an nnU-Net data set; None for all cases."""
    source = data_root() / "msd-hippocampus"
    for name, cases in folders.items():
        kind = "imagesTr" if name.startswith("images") else "labelsTr"
        (root / name).mkdir(parents=True, exist_ok=True)
        for path in sorted((source / kind).iterdir()):
            case = path.name.removesuffix(".nii.gz")
            if cases is None or case in cases:
                ending = "_0000.nii.gz" if kind == "imagesTr" else ".nii.gz"
                target = root / name / f"{case}{ending}"
                if not target.exists():
                    shutil.copy(path, target)
    count = len(list((root / "labelsTr").iterdir()))
    described = {"channel_names": {"0": "MRI"}, "labels": LABELS, "numTraining": count, "file_ending": ".nii.gz"}
    (root / "dataset.json").write_text(json.dumps(described), encoding="utf-8")


def scored(folder: Path, judged: list[str]) -> dict[str, object]:
    """Return the mean Dice of masks, as a report of hounsfield gives it."""
    import nibabel

    truth = data_root() / "msd-hippocampus" / "labelsTr"
    cases: dict[str, list[dict[str, float]]] = {name: [] for name in LABELS if name != "background"}
    for case in judged:
        said, true = (
            np.asarray(nibabel.nifti1.Nifti1Image.from_filename(where / f"{case}.nii.gz").dataobj).astype(int)
            for where in (folder, truth)
        )
        for name, rows in cases.items():
            rows.append(
                mask_figures(said == LABELS[name], true == LABELS[name], (1.0, 1.0, 1.0), tolerance_mm=TOLERANCE_MM)
            )
    found = bootstrap_figures(figures_of_masks(cases), np.array(judged), rng=stream(0, "bootstrap"))["dice"]
    return {"value": found.value, "low": found.low, "high": found.high}


if __name__ == "__main__":
    main()

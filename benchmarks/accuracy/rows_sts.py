"""Lung metastasis of soft-tissue sarcoma from PET, CT and MR features, by the commands that a user has.

``python -m benchmarks.accuracy.rows_sts`` writes ``results/rows-sts.json``. `hu measure` makes a table of features for
each modality, `hu train` joins them to the answers and validates them: repeated nested cross-validation, SUVmax alone
beside it. The literature's protocol, bootstrap .632+ with the selection outside, stands beside it, and so does the same
bootstrap with the selection inside each sample; the gap is what the protocol adds.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from benchmarks.record import RUNS, TOP, code, data_root, provenance, write_result
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, BoolArray, Float64Array, IntArray
from hounsfield.science.radiomics.redundancy import kept, rank_correlations
from hounsfield.science.radiomics.selection import Recipe, apply, areas, fit, logistic
from hounsfield.science.statistics.discrimination import auroc
from hounsfield.science.statistics.intervals import bootstrap, resampled

NAME = "rows-sts"
MODALITIES = ("ct", "pet", "mr_t1")
SUV = "SUVmax_native_in_mask"
SETTINGS = "name: sts\nslow: false\ndiscretisation: {method: number, bins: 32}\n"
MOST_FEATURES = 4
"""Of the literature's models: Vallieres 2015 reports one of four textures."""


def source() -> Path:
    """Return where the cohort lies."""
    return data_root() / "sts_multimodal"


def write_cases(folder: Path) -> None:
    """Write the cohort as a hospital has it: a NIfTI for each modality and mask, and a table of answers.

    Parameters
    ----------
    folder : Path
        Gets ``ct/``, ``pet/``, ``mr_t1/``, ``masks/`` and ``study/labels.csv``.
    """
    import nibabel

    (folder / "study").mkdir(parents=True, exist_ok=True)
    with (source() / "cases.csv").open(newline="", encoding="utf-8") as file:
        cases = list(csv.DictReader(file))
    for case in cases:
        with np.load(source() / "cases" / f"{case['case']}.npz") as held:
            spacing = np.asarray(held["spacing"], dtype=np.float64).reshape(-1)
            affine = np.diag([*(np.full(3, spacing[0]) if spacing.size == 1 else spacing), 1.0])
            arrays = {"masks": held["mask"].astype(np.uint8), **{m: held[m].astype(np.float32) for m in MODALITIES}}
        for name, array in arrays.items():
            path = folder / name / f"{case['case']}.nii.gz"
            path.parent.mkdir(exist_ok=True)
            nibabel.Nifti1Image(np.ascontiguousarray(array.transpose(2, 1, 0)), affine).to_filename(path)
    with (folder / "study" / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["case", SUV, "lung_metastasis"])
        writer.writerows([c["case"], c[SUV], ("no", "yes")[int(c["lung_metastasis"])]] for c in cases)
    (folder / "sts.yaml").write_text(SETTINGS, encoding="utf-8")


def hu(*words: str, folder: Path) -> str:
    """Run a command as a user types it, and return it."""
    environment = {**os.environ, "PYTHONPATH": str(TOP / "src")}
    subprocess.run([sys.executable, "-m", "hounsfield.cli", *words], cwd=folder, check=True, env=environment)
    return " ".join(["hu", *words])


def read_features(folder: Path) -> tuple[tuple[str, ...], Float64Array, BoolArray, Float64Array]:
    """Return names, values ``n f``, answers ``n`` and SUVmax ``n`` from the tables that `hu measure` wrote."""
    import pyarrow.parquet as pq

    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        answers = list(csv.DictReader(file))
    names: list[str] = []
    columns: list[Float64Array] = []
    for modality in MODALITIES:
        table = pq.read_table(folder / f"{modality}.parquet").to_pydict()
        place = {case: row for row, case in enumerate(table["case"])}
        rows = [place[a["case"]] for a in answers]
        for tag, cells in table.items():
            # the shape is the mask's: once is enough
            if tag in ("case", "mask", "label", "part", "voxels", "notes", "missing") or (
                tag.startswith("morph") and modality != "ct" and tag not in ("morph_com", "morph_integ_int")
            ):
                continue
            names.append(f"{modality}_{tag}")
            columns.append(np.array([cells[row] for row in rows], dtype=np.float64))
    truth = np.array([a["lung_metastasis"] == "yes" for a in answers])
    return tuple(names), np.column_stack(columns), truth, np.array([float(a[SUV]) for a in answers])


def weighted(inside: float, outside: float) -> float:
    """Return Efron and Tibshirani's .632+ estimate of an area from those inside and outside of a bootstrap sample.

    Notes
    -----
    With error ``1 - AUC`` and the no-information error 1/2, as Vallieres 2015 takes it: the weight goes from .632 to 1
    as overfitting, ``(outside - inside) / (1/2 - inside)`` of the errors, goes from 0 to 1.
    """
    apparent, left = 1.0 - inside, 1.0 - min(max(outside, 0.5), 1.0)
    over = (left - apparent) / (0.5 - apparent) if left > apparent and apparent < 0.5 else 0.0
    weight = 0.632 / (1.0 - 0.368 * min(max(over, 0.0), 1.0))
    return 1.0 - ((1.0 - weight) * apparent + weight * left)


def samples(truth: BoolArray, draws: int, generator: np.random.Generator) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield bootstrap samples with both classes inside and outside: rows drawn, and rows left out."""
    made = 0
    while made < draws:
        rows = generator.integers(0, len(truth), len(truth))
        out = np.setdiff1d(np.arange(len(truth)), rows)
        if 0 < truth[rows].sum() < len(rows) and 0 < truth[out].sum() < len(out):
            made += 1
            yield rows, out


def selected_outside(
    values: Float64Array, truth: BoolArray, *, draws: int, seed: int = 0
) -> tuple[list[int], list[float]]:
    """Return the features that the literature's forward selection takes, and its figure after each.

    Notes
    -----
    Which feature comes next is decided, on all patients, by the very bootstrap figure that is then reported: the last
    one is the largest of hundreds, and is given as if it were one. This is the common error, on purpose.
    """
    whole = np.where(np.isfinite(values), values, np.nanmedian(values, axis=0, keepdims=True))
    usable = np.flatnonzero(np.isfinite(whole).all(axis=0) & (np.ptp(whole, axis=0) > 0))
    order = usable[np.argsort(-np.abs(areas(whole[:, usable], truth) - 0.5), kind="stable")]
    pool = [int(order[n]) for n in kept(rank_correlations(whole[:, order]), range(len(order)))]
    drawn = list(samples(truth, draws, stream(seed, "sts bootstrap")))
    taken: list[int] = []
    figures: list[float] = []
    for _ in range(MOST_FEATURES):
        tried = {one: _mean_figure(whole[:, [*taken, one]], truth, drawn) for one in pool if one not in taken}
        taken.append(max(tried, key=lambda one: tried[one]))
        figures.append(tried[taken[-1]])
    return taken, figures


def _mean_figure(values: AnyArray, truth: BoolArray, drawn: Sequence[tuple[IntArray, IntArray]]) -> float:
    found = []
    for rows, out in drawn:
        mean, spread = values[rows].mean(axis=0), values[rows].std(axis=0)
        standard = (values - mean) / np.where(spread > 0, spread, 1.0)
        coefficients, _ = logistic(standard[rows], truth[rows], penalty=0.01)
        odds = standard @ coefficients
        found.append(weighted(*(float(areas(odds[part, None], truth[part])[0]) for part in (rows, out))))
    return float(np.mean(found))


def selected_inside(
    values: Float64Array, truth: BoolArray, names: Sequence[str], *, draws: int, seed: int = 0
) -> float:
    """Return the bootstrap .632+ figure where filter, selection and weights are found in each sample anew."""
    found = []
    for rows, out in samples(truth, draws, stream(seed, "sts bootstrap")):
        model = fit(values[rows], truth[rows], names=names, recipe=Recipe(features=MOST_FEATURES, penalty=1.0))
        found.append(weighted(*(float(auroc(truth[p], apply(model, values[p]))) for p in (rows, out))))
    return float(np.mean(found))


def literature(folder: Path, *, draws: int, shuffles: int) -> dict[str, object]:
    """Return both bootstrap figures, what the first one gives for shuffled answers, and SUVmax as it is."""
    names, values, truth, suv_max = read_features(folder)
    taken, steps = selected_outside(values, truth, draws=draws)
    mixed = [stream(n, "sts shuffled").permutation(truth) for n in range(shuffles)]
    alone = bootstrap(resampled(auroc, truth, suv_max), np.arange(len(truth)), rng=stream(0, "sts interval"))
    return {
        "draws": draws,
        "features": [names[n] for n in taken],
        "selected_outside_after_each": steps,
        "selected_outside_of_shuffled_answers": [selected_outside(values, m, draws=draws)[1][-1] for m in mixed],
        "selected_inside": selected_inside(values, truth, names, draws=draws),
        "selected_inside_of_shuffled_answers": [selected_inside(values, m, names, draws=draws) for m in mixed],
        "suv_max_unfitted": [alone.value, alone.low, alone.high],
        "columns": len(names),
    }


def main() -> None:
    """Run the commands, add the literature's protocol, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=0.0, help="of hu train; 0 for none")
    parser.add_argument("--members", type=int, default=1, help="networks in each fold: they are bystanders here")
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--shuffles", type=int, default=3)
    asked = parser.parse_args()
    folder = RUNS / f"{NAME}-{code()}"
    commands = []
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        write_cases(folder)
        for m in MODALITIES:
            commands.append(
                hu("measure", f"{m}/", "masks/", "--settings", "sts.yaml", "--out", f"study/{m}.parquet", folder=folder)
            )
        (folder / "done").write_text("\n".join(commands), encoding="utf-8")
    commands = (folder / "done").read_text(encoding="utf-8").splitlines()
    words = ["train", "study/", "--folds", "5", "--members", str(asked.members)]
    words += ["--repeats", str(asked.repeats), "--alone", SUV, "--out", "run"]
    words += ["--minutes", f"{asked.minutes:g}"] if asked.minutes else []
    if not (folder / "run" / "report.json").exists():
        hu(*words, folder=folder)
    report = json.loads((folder / "run" / "report.json").read_text(encoding="utf-8"))
    beside = literature(folder / "study", draws=asked.draws, shuffles=asked.shuffles)
    models = {m["model"]: m for m in report["repeated"]["models"]}
    told = cast("list[float]", beside["selected_outside_after_each"])[-1]
    command = f"python -m benchmarks.accuracy.rows_sts --repeats {asked.repeats} --draws {asked.draws}"
    command += f" --shuffles {asked.shuffles} --members {asked.members}" + (
        f" --minutes {asked.minutes:g}" if asked.minutes else ""
    )
    content = {
        **provenance(command),
        "seed": 0,
        "data": "sts_multimodal",
        "commands": [*commands, " ".join(["hu", *words])],
        "patients": report["repeated"]["patients"],
        "folds": report["repeated"]["folds"],
        "repeats": report["repeated"]["repeats"],
        "models": {n: {k: v for k, v in m.items() if k != "model"} for n, m in models.items()},
        "network_out_of_fold": report["parts"]["cv"]["metrics"]["auroc"],
        "baselines_out_of_fold": {n: b["metrics"]["auroc"] for n, b in report["baselines"].items()},
        "literature": beside,
        "gap": {n: told - m["mean"]["value"] for n, m in models.items() if n in ("chosen", "selected")},
        "seconds": report["cost"]["seconds"],
    }
    write_result(NAME, content)


if __name__ == "__main__":
    main()

"""Which images without masks would teach a model most: those it is unsure of, and that are unlike each other."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hounsfield.bundle.atomic import write_text
from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.errors import HounsfieldError, InputError, RunExistsError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import Float64Array
from hounsfield.learn.dense.model import case_looks
from hounsfield.science.statistics.queueing import expected_dice
from hounsfield.science.statistics.queueing import queue as ranked
from hounsfield.workflow.dense.model import DenseModel
from hounsfield.workflow.dense.predicting import asked_cases, images_of
from hounsfield.workflow.opening import open_bundle
from hounsfield.workflow.planning import settle
from hounsfield.workflow.wishes import Wishes

FILE = "queue.csv"


@dataclass(frozen=True)
class Waiting:
    """One image in the queue.

    Parameters
    ----------
    sample : str
    uncertainty : float
        One less the Dice to be expected if the model's probabilities were right, mean over structures.
    distance : float
        How unlike it is to the nearest image before it in the queue; infinite for the first.
    """

    sample: str
    uncertainty: float
    distance: float


def queue(
    bundle: str | Path,
    inputs: Sequence[str | Path],
    *,
    number: int = 20,
    out: Path | None = None,
    progress: Progress = SILENT,
) -> tuple[Waiting, ...]:
    """Say which images should be annotated next.

    Parameters
    ----------
    bundle : str or Path
        Run folder or bundle of the task annotate.
    inputs : sequence of str or Path
        Images without masks; what has one is not left out.
    number : int
        How many are wanted, at least 1.
    out : Path or None
        Folder for ``queue.csv``.
    progress : Progress

    Returns
    -------
    tuple of Waiting
        The most instructive first.

    Raises
    ------
    BundleError
        If the bundle cannot be used or marks nothing.
    InputError
        If there is nothing to choose from.
    RunExistsError
        If `out` holds a queue already.
    """
    if number < 1:
        raise InputError(f"--number is {number}.", expected="1 or more", next_step="write --number 20")
    if out is not None and (out / FILE).exists():
        raise RunExistsError(
            f"{FILE} exists in the output folder already.", expected="another folder", next_step="choose another --out"
        )
    settle(Wishes())
    contents = open_bundle(bundle)
    names, looks, unsure = _looked(contents, [Path(p) for p in inputs], progress)
    found = tuple(Waiting(names[q.index], q.uncertainty, q.distance) for q in ranked(looks, unsure, number))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / FILE, _written(found))
    return found


def _looked(
    contents: BundleContents, inputs: list[Path], progress: Progress
) -> tuple[list[str], Float64Array, Float64Array]:
    """Return names, looks ``n d`` and uncertainties ``n`` of the images that can be judged."""
    cases = asked_cases(contents, inputs, None)
    model = DenseModel(contents)
    names: list[str] = []
    looks: list[Float64Array] = []
    unsure: list[float] = []
    with progress.step("Looking", float(len(cases))) as shown:
        for cohort, sample in cases:
            try:
                images = images_of(model, cohort, sample)
                outcome = model.outcome(images)
                prepared = model.prepared(images)
            except HounsfieldError:
                outcome = None  # what cannot be read cannot be annotated either
            shown.advance()
            if outcome is None or not outcome.said:
                continue
            expected = [
                expected_dice(p, threshold=t)
                for name, said in outcome.said.items()
                for p, t in zip(said.probabilities, model.settled[name].thresholds, strict=True)
            ]
            names.append(sample.id)
            looks.append(case_looks(prepared))
            unsure.append(1.0 - float(np.mean(expected)))
    if not names:
        raise InputError(
            f"None of the {len(cases)} images can be judged by this model.",
            expected="images like those that it was trained on",
            next_step="check that this is the right model for them",
        )
    return names, np.stack(looks), np.maximum(np.array(unsure), 0.0)


def _written(found: Sequence[Waiting]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["place", "sample", "uncertainty", "distance"])
    for place, one in enumerate(found, start=1):
        far = f"{one.distance:.4f}" if np.isfinite(one.distance) else ""
        writer.writerow([place, one.sample, f"{one.uncertainty:.4f}", far])
    return file.getvalue()

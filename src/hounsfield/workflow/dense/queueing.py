"""Which images without masks would teach a model most: those it is unsure of, and that are unlike each other."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hounsfield.bundle.atomic import write_text
from hounsfield.bundle.run_folder import find_bundle
from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import Cohort, Sample
from hounsfield.core.errors import HounsfieldError, InputError, RunExistsError
from hounsfield.core.image import Image
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import Float64Array
from hounsfield.learn.dense.model import case_looks
from hounsfield.science.statistics.queueing import expected_dice
from hounsfield.science.statistics.queueing import queue as ranked
from hounsfield.stages.auditing.thumbnails import glance
from hounsfield.workflow.dense.model import DenseModel
from hounsfield.workflow.dense.predicting import asked_cases, images_of
from hounsfield.workflow.forecast.unserved import refuse_forecast
from hounsfield.workflow.opening import open_bundle
from hounsfield.workflow.planning import settle
from hounsfield.workflow.study import learned_by, seen_digest
from hounsfield.workflow.survey import latest_header
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
        Images without masks. What the run has learned from is left out, where its folder is given and says so.
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
    refuse_forecast(contents, "queue")
    learned = learned_by(find_bundle(Path(bundle)).parent)
    names, looks, unsure = _looked(contents, [Path(p) for p in inputs], learned, progress)
    found = tuple(Waiting(names[q.index], q.uncertainty, q.distance) for q in ranked(looks, unsure, number))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / FILE, _written(found))
    return found


def _looked(
    contents: BundleContents, inputs: list[Path], learned: frozenset[str] | None, progress: Progress
) -> tuple[list[str], Float64Array, Float64Array]:
    """Return names, looks ``n d`` and uncertainties ``n`` of the images that can be judged."""
    cases = asked_cases(contents, inputs, None)
    model = DenseModel(contents)
    names: list[str] = []
    looks: list[Float64Array] = []
    unsure: list[float] = []
    known = failed = 0
    with progress.step("Looking", float(len(cases))) as shown:
        for cohort, sample in cases:
            try:
                images = images_of(model, cohort, sample)
                if learned is not None and _learned_from(cohort, sample, images, learned):
                    known += 1
                    shown.advance()
                    continue
                outcome = model.outcome(images)
                prepared = model.prepared(images)
            except HounsfieldError:
                outcome = None  # what cannot be read cannot be annotated either
            shown.advance()
            if outcome is None or not outcome.said:
                failed += 1
                continue
            expected = [
                expected_dice(p, threshold=t)
                for name, said in outcome.said.items()
                for p, t in zip(said.probabilities, model.settled[name].thresholds, strict=True)
            ]
            names.append(sample.id)
            looks.append(case_looks(prepared))
            unsure.append(1.0 - float(np.mean(expected)))
    if known:
        progress.say(f"Left out: {known} images that the model was trained on")
    if failed:
        progress.say(f"Left out: {failed} images that cannot be read or judged")
    if not names:
        raise InputError(
            f"Of {len(cases)} images the model was trained on {known}, and {failed} cannot be judged by it.",
            expected="other images like those that it was trained on",
            next_step="check that this is the right model for them",
        )
    return names, np.stack(looks), np.maximum(np.array(unsure), 0.0)


def _learned_from(cohort: Cohort, sample: Sample, images: Mapping[str, Image], learned: frozenset[str]) -> bool:
    name = next(iter(images))
    seen = glance(sample.id, images[name], latest_header(cohort, sample, name))
    return seen_digest(seen.digest) in learned


def _written(found: Sequence[Waiting]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["place", "sample", "uncertainty", "distance"])
    for place, one in enumerate(found, start=1):
        far = f"{one.distance:.4f}" if np.isfinite(one.distance) else ""
        writer.writerow([place, one.sample, f"{one.uncertainty:.4f}", far])
    return file.getvalue()

"""Predictions of the sealed bundle, one row per sample, and the table they are written to."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np

from hounsfield.core.cohort import Cohort, Sample, TargetSpec
from hounsfield.core.prediction import Prediction, TargetPrediction
from hounsfield.core.progress import Progress
from hounsfield.core.protocols import Decoding, Task
from hounsfield.core.types import Float64Array, TargetValue
from hounsfield.learn.model import Judgement, Model
from hounsfield.stages.evaluation.class_points import has_class_points
from hounsfield.workflow.sets import written_sets
from hounsfield.workflow.together import judge_each

DIGITS = 9
"""Significant digits of a probability in a table: what float32 holds, and a little more."""
NO_LABEL = "(none)"
"""An answer with no label, which is not a missing answer."""


@dataclass(frozen=True)
class Row:
    """One sample and what was put out for it.

    Parameters
    ----------
    sample : Sample
    part : str
    judgement : Judgement
    fold : int
        Fold that it was held out of, -1 where there are none.
    """

    sample: Sample
    part: str
    judgement: Judgement
    fold: int = -1


@dataclass(frozen=True)
class Rows:
    """Rows of one part, with the outputs as arrays.

    Parameters
    ----------
    rows : tuple of Row
        Those that could be run.
    failed : tuple of Row
        Those that could not.
    """

    rows: tuple[Row, ...]
    failed: tuple[Row, ...] = field(default=())

    def outputs(self, target: str, baseline: str | None = None) -> Float64Array:
        """Return raw outputs ``n w`` of the network or of a baseline."""
        found = [
            (r.judgement.outputs if baseline is None else r.judgement.baselines[baseline])[target] for r in self.rows
        ]
        return np.stack(found)


def run_part(
    model: Model,
    cohort: Cohort,
    samples: Sequence[Sample],
    *,
    part: str,
    progress: Progress,
    folds: Mapping[str, int] | None = None,
) -> Rows:
    """Predict samples with a sealed bundle.

    Parameters
    ----------
    model : Model
    cohort : Cohort
    samples : sequence of Sample
    part : str
        Name of the part, for the rows and for who is waiting.
    progress : Progress
    folds : mapping of str to int or None
        Fold of each sample, where it was held out of one.
    """
    rows: list[Row] = []
    failed: list[Row] = []
    with progress.step(f"Predicting {part}", float(len(samples))) as shown:
        for sample, judgement in zip(samples, judge_each(model, cohort, samples), strict=True):
            row = Row(sample, part, judgement, (folds or {}).get(sample.id, -1))
            (rows if judgement.outputs else failed).append(row)
            shown.advance()
    return Rows(tuple(rows), tuple(failed))


def say(
    judgement: Judgement, targets: Sequence[TargetSpec], *, task: Task, decodings: Mapping[str, Decoding]
) -> Prediction:
    """Return what is said of one sample."""
    return say_all([judgement], targets, task=task, decodings=decodings)[0]


def say_all(
    judgements: Sequence[Judgement], targets: Sequence[TargetSpec], *, task: Task, decodings: Mapping[str, Decoding]
) -> list[Prediction]:
    """Return what is said of each of several samples."""
    answers: list[dict[str, TargetPrediction]] = [{} for _ in judgements]
    for target in targets:
        places = [place for place, judgement in enumerate(judgements) if target.name in judgement.outputs]
        if not places:
            continue
        kind, decoding = task.kind(target), decodings[target.name]
        rows = kind.decode(target, np.stack([judgements[p].outputs[target.name] for p in places]), decoding)
        sets: Sequence[str | None] = [None] * len(places)
        if decoding.sets:
            sets = written_sets(target, rows, decoding.sets)
        for place, row, plausible in zip(places, rows, sets, strict=True):
            said = kind.say(target, row, decoding)
            over = pointed_out(said.probabilities, decoding.class_thresholds)
            answers[place][target.name] = replace(said, plausible=plausible, pointed_out=over)
    return [
        Prediction(judgement.key, said, judgement.flags, judgement.refusal)
        for judgement, said in zip(judgements, answers, strict=True)
    ]


def pointed_out(probabilities: Mapping[str, float], limits: Mapping[str, float]) -> tuple[str, ...] | None:
    """Return the classes at or above thresholds of their own; None where there are no such thresholds."""
    return tuple(name for name, p in probabilities.items() if p >= limits.get(name, 1.1)) if limits else None


def table_header(targets: Sequence[TargetSpec], *, with_truth: bool, with_fold: bool = False) -> list[str]:
    """Return the columns of a table of predictions."""
    columns = ["sample", "patient", "part"] if with_truth else ["sample"]
    columns += ["fold"] if with_fold else []
    for place, target in enumerate(targets):
        prefix = "" if place == 0 else f"{target.name}/"
        columns += [f"{prefix}truth"] if with_truth else []
        columns += [f"{prefix}probability:{c}" for c in target.classes]
        columns += [f"{prefix}value"] if target.kind == "number" else []
        columns += [f"{prefix}predicted"]
        if _has_point(target):
            columns += [f"{prefix}at_operating_point"]
        if has_class_points(target):
            columns += [f"{prefix}pointed_out"]
        columns += [f"{prefix}set"]
    return [*columns, "flags", "refusal"]


def table_row(prediction: Prediction, targets: Sequence[TargetSpec]) -> list[str]:
    """Return what a table says of one sample, without sample, patient, part and truth."""
    return [cell for target in targets for cell in _cells(prediction, target)] + _notes(prediction)


def written(
    parts: Iterable[Rows],
    targets: Sequence[TargetSpec],
    *,
    task: Task,
    decodings: Mapping[str, Decoding],
    folds: Mapping[int, Mapping[str, Decoding]] | None = None,
) -> str:
    """Return ``predictions.csv`` of a run as text.

    Parameters
    ----------
    parts : iterable of Rows
    targets : sequence of TargetSpec
    task : Task
    decodings : mapping of str to Decoding
        By target.
    folds : mapping of int to mapping or None
        The same of each fold's own member, for rows that were held out of one; the table then has a column ``fold``.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    rows = [row for part in parts for row in (*part.rows, *part.failed)]
    with_fold = any(row.fold >= 0 for row in rows)
    writer.writerow(table_header(targets, with_truth=True, with_fold=with_fold))
    said = [
        prediction
        for fold, held in groupby(rows, key=lambda row: row.fold)
        for prediction in say_all(
            [row.judgement for row in held], targets, task=task, decodings=(folds or {}).get(fold, decodings)
        )
    ]
    for row, prediction in zip(rows, said, strict=True):
        cells = [row.sample.id, row.sample.patient, row.part]
        cells += [str(row.fold) if row.fold >= 0 else ""] if with_fold else []
        for target in targets:
            cells += [written_answer(row.sample.targets.get(target.name)), *_cells(prediction, target)]
        writer.writerow([*cells, *_notes(prediction)])
    return file.getvalue()


def written_answer(answer: TargetValue) -> str:
    """Return an answer as a table holds it; `read_answer` reads it back."""
    if answer is None:
        return ""
    if isinstance(answer, tuple):
        return "|".join(answer) or NO_LABEL
    return f"{answer:.{DIGITS}g}" if isinstance(answer, float) else str(answer)


def read_answer(text: str, target: TargetSpec) -> TargetValue:
    """Return the answer that `written_answer` wrote; None for an empty cell."""
    if not text:
        return None
    if target.kind == "number":
        return float(text)
    if target.kind == "multilabel":
        return () if text == NO_LABEL else tuple(text.split("|"))
    return text


def _cells(prediction: Prediction, target: TargetSpec) -> list[str]:
    said = prediction.targets.get(target.name)
    if said is None:
        return [""] * len(table_header([target], with_truth=False)[1:-2])
    # A refused sample keeps its probabilities or number, so that figures can be recomputed, but no answer is given.
    cells = [f"{said.probabilities[c]:.{DIGITS}g}" for c in target.classes]
    cells += [written_answer(said.value)] if target.kind == "number" else []
    cells.append("" if prediction.refusal else written_answer(said.value))
    if _has_point(target):
        cells.append("" if prediction.refusal else said.at_operating_point or "")
    if has_class_points(target):
        cells.append("" if prediction.refusal else written_answer(said.pointed_out))
    cells.append("" if prediction.refusal or said.plausible is None else said.plausible or NO_LABEL)
    return cells


def _notes(prediction: Prediction) -> list[str]:
    return ["; ".join(prediction.flags), prediction.refusal]


def _has_point(target: TargetSpec) -> bool:
    return target.kind == "categorical" and (len(target.classes) > 2 or target.positive in target.classes)

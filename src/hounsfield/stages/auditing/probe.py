"""The shortcut probe: how well an answer can be guessed without looking at the anatomy."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.audit import Shortcut
from hounsfield.core.cohort import Sample, Schema, TargetSpec
from hounsfield.core.report import Figure
from hounsfield.core.streams import address, stream
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.science.statistics.intervals import bootstrap
from hounsfield.science.statistics.weighted_ranks import ranked_figures, sort_scores
from hounsfield.stages.auditing.cues import Cue, collect_cues
from hounsfield.stages.auditing.guessing import Model, guess
from hounsfield.stages.auditing.naming import ALL, sentences
from hounsfield.stages.auditing.thumbnails import Glance

_FOLDS = 5
_REPLICATES = 400
_FEWEST = 10


@dataclass(frozen=True, eq=False)
class Question:
    """Answers as columns of 0 and 1, and who they are of.

    Parameters
    ----------
    answers : float64 array (n k)
        One column for two classes, else one per class or label.
    strata : int64 array (n,)
        The rarest answer of each sample, for stratified folds.
    patients : int64 array (n,)
        Patient numbers.
    folds : int64 array (n,) or None
        Fold of each sample; None where the samples cannot be divided.
    seed : int
        Of trees and bootstrap.
    """

    answers: Float64Array
    strata: IntArray
    patients: IntArray
    folds: IntArray | None
    seed: int

    def at(self, rows: IntArray) -> "Question":
        """Return the question for some of the samples, divided into folds of its own."""
        strata, patients = self.strata[rows], self.patients[rows]
        return Question(self.answers[rows], strata, patients, _folds(strata, patients, self.seed), self.seed)


def probe(
    samples: Sequence[Sample], glances: Sequence[Glance], schema: Schema, *, target: TargetSpec, seed: int
) -> Shortcut | None:
    """Guess the answer from each cue alone and from all cues of the file together.

    Parameters
    ----------
    samples : sequence of Sample
        Samples of all parts.
    glances : sequence of Glance
        Looks at their images; samples without one are left out.
    schema : Schema
        Roles of columns and official parts.
    target : TargetSpec
        What is guessed.
    seed : int
        Of folds, trees and bootstrap.

    Returns
    -------
    Shortcut or None
        None where the target has no classes.

    Notes
    -----
    A small regression tree per cue (logistic regression for the recorded ending with size) and a forest for all of
    the file's cues together (``all`` in `by_part`), fitted by patient-grouped, stratified cross-validation;
    AUROC (macro over classes or labels) of the held-out guesses with a patient-level bootstrap interval. Where the
    data has official parts, the same within ``train``, and fitted on ``train`` and judged on ``val`` and ``test``.
    The answers of the test part are used here and nowhere else: the probe describes, it decides nothing.
    """
    if target.kind not in ("categorical", "ordinal", "multilabel") or not target.classes:
        return None
    looks = {g.sample: g for g in glances if not g.fault}
    kept = [s for s in samples if s.id in looks and s.targets.get(target.name) is not None]
    if len(kept) < _FEWEST:
        return Shortcut(auroc=Figure(value=None, note=f"only {len(kept)} samples with an answer"), by={})
    cues = collect_cues(kept, [looks[s.id] for s in kept], schema)
    question = _question(kept, target, seed)
    together = _together(cues, len(kept))
    by = {cue.name: _cross_validated(cue.values, question, model=_model(cue)) for cue in cues}
    auroc = _cross_validated(together, question, model=Model.FOREST)
    by_part = _by_part(kept, cues, together, question=question)
    said = sentences(cues, {**by, ALL: auroc}, by_part, samples=kept, target=target)
    return Shortcut(auroc=auroc, by=by, by_part=by_part, warnings=said)


def _model(cue: Cue) -> Model:
    return Model.LOGISTIC if cue.linear else Model.TREE


def _question(samples: Sequence[Sample], target: TargetSpec, seed: int) -> Question:
    held = [_as_set(s.targets[target.name]) for s in samples]
    classes = target.classes
    if target.kind != "multilabel" and len(classes) == 2:
        classes = (target.positive or classes[1],)
    answers = np.array([[float(c in answer) for c in classes] for answer in held]).reshape(len(held), -1)
    shares = answers.mean(axis=0)
    rarest = np.where(answers > 0, shares, np.inf)
    strata = np.where(answers.any(axis=1), rarest.argmin(axis=1), answers.shape[1]).astype(np.int64)
    _, patients = np.unique(np.array([s.patient for s in samples]), return_inverse=True)
    codes = patients.astype(np.int64)
    return Question(answers, strata, codes, _folds(strata, codes, seed), seed)


def _as_set(value: object) -> frozenset[str]:
    return frozenset(value) if isinstance(value, tuple) else frozenset([str(value)])


def _together(cues: Sequence[Cue], count: int) -> Float64Array:
    chosen = [c.values for c in cues if c.of_file]
    return np.concatenate(chosen, axis=1) if chosen else np.zeros((count, 0))


def _by_part(
    samples: Sequence[Sample], cues: Sequence[Cue], together: Float64Array, *, question: Question
) -> dict[str, dict[str, Figure]]:
    parts = np.array([s.part or "" for s in samples])
    train = np.flatnonzero(parts == "train")
    if len(train) < _FEWEST or len(train) == len(parts):
        return {}
    inside = question.at(train)
    tried = [(c.name, c.values, _model(c)) for c in cues]
    tried.append((ALL, together, Model.FOREST))
    found = {"train": {name: _cross_validated(values[train], inside, model=model) for name, values, model in tried}}
    for part in ("val", "test"):
        rows = np.flatnonzero(parts == part)
        if len(rows):
            judged = question.at(rows)
            found[part] = {
                name: _carried_over(values[train], values[rows], inside=inside, judged=judged, model=model)
                for name, values, model in tried
            }
    return found


def _cross_validated(values: Float64Array, question: Question, *, model: Model) -> Figure:
    if not values.shape[1]:
        return Figure(value=None, note="no cue varies")
    if question.folds is None:
        return Figure(value=None, note="a class has too few patients to cross-validate")
    scores = np.zeros_like(question.answers)
    for fold in np.unique(question.folds):
        inside, outside = np.flatnonzero(question.folds != fold), np.flatnonzero(question.folds == fold)
        answers = question.answers[inside]
        guessed = guess(values[inside], answers, values[outside], seed=question.seed, model=model)
        # Without this a useless cue would score below .5: where a class is rarer in training it is commoner outside.
        scores[outside] = guessed - answers.mean(axis=0)
    return _judged(scores, question)


def _carried_over(
    values: Float64Array, wanted: Float64Array, *, inside: Question, judged: Question, model: Model
) -> Figure:
    if not values.shape[1]:
        return Figure(value=None, note="no cue varies")
    return _judged(guess(values, inside.answers, wanted, seed=inside.seed, model=model), judged)


def _folds(strata: IntArray, patients: IntArray, seed: int) -> IntArray | None:
    """Return the fold of each sample: patients stay together, classes are spread."""
    from sklearn.model_selection import StratifiedGroupKFold

    kinds = np.unique(strata)
    least = min(len(np.unique(patients[strata == kind])) for kind in kinds)
    count = min(_FOLDS, max(2, least))
    if len(kinds) < 2 or len(np.unique(patients)) < count:
        return None
    folds = np.zeros(len(strata), dtype=np.int64)
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=address(seed, "probe folds") % 2**31)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rare classes are allowed to miss a fold
        for number, (_, outside) in enumerate(splitter.split(folds, strata, patients)):
            folds[outside] = number
    return folds


def _judged(scores: Float64Array, question: Question) -> Figure:
    sorted_scores = [sort_scores(question.answers[:, k] > 0, np.round(scores[:, k], 9)) for k in range(scores.shape[1])]

    def macro(weights: Float64Array) -> Float64Array:
        values = np.stack([ranked_figures(ordered, weights)[0] for ordered in sorted_scores])
        known = ~np.isnan(values)
        mean = np.where(known, values, 0.0).sum(axis=0) / np.maximum(1, known.sum(axis=0))
        return np.where(known.any(axis=0), mean, np.nan)

    rng = stream(question.seed, "probe bootstrap")
    found = bootstrap(macro, question.patients, rng=rng, replicates=_REPLICATES, name="auroc")
    return Figure(
        value=_or_none(found.value), low=_or_none(found.low), high=_or_none(found.high), note=found.reason or ""
    )


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)

"""Nested choice: which learner, how many variables, how strong a penalty is found by folds inside the training part."""

import numpy as np

from hounsfield.core.errors import BundleError
from hounsfield.core.streams import address
from hounsfield.core.types import AnyArray, Float64Array, IntArray, Json
from hounsfield.learn.features.ridge import INNER_FOLDS, Folds, inner_folds
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import HeadSpec, Job, Learner, Runner, State
from hounsfield.learn.learners.selected import SELECTED, fit_recipes
from hounsfield.learn.learners.summarised import SUMMARISED
from hounsfield.learn.loop import Watch
from hounsfield.learn.prepare.row import RowPreparation
from hounsfield.science.radiomics.selection import Recipe

FEATURES = (1, 2, 4, 8)
PENALTIES = (0.3, 3.0, 30.0)
LEAST = 1e-6
"""Least probability that a loss is counted with."""


class Chosen:
    """The best of a grid of recipes (variables, penalty, harmonised or not) and of ridge regression on all variables.

    Notes
    -----
    Each candidate is fitted in `INNER_FOLDS` folds of the training rows that are given, groups whole, and the one with
    the least log loss of what was left out, summed over targets, is fitted again to all of them. What it is worth is
    told by rows outside the training part only: the inner loss is the best of many. Trees are no candidate: of the few
    rows that the choice is for they learn next to nothing, and take a hundred times as long.
    """

    name = "chosen"

    def fit(self, feed: Feed, job: Job, *, watch: Watch) -> State:
        """Choose and fit, by the training rows alone.

        Raises
        ------
        PlanError
            If an input is no row, or an answer is no class or label.
        """
        recipes = _recipes(job)
        folds = _folds(feed, job)
        losses = np.zeros(len(recipes) + 1)
        for inside, outside in folds:
            part = feed.with_parts(feed.train[inside], feed.val[:0])
            held = feed.train[outside]
            states = [(SELECTED, s) for s in fit_recipes(part, job, recipes)]
            runners: list[Runner] = [learner.open(state, job) for learner, state in states]
            runners.append(SUMMARISED.open(SUMMARISED.fit(part, job, watch=Watch()), job))
            losses += [_loss(runner, feed, job, held) for runner in runners]
        best = int(losses.argmin()) if folds else 0
        if best == len(recipes):
            state, told = SUMMARISED.fit(feed, job, watch=watch), {"learner": SUMMARISED.name}
        else:
            state, told = fit_recipes(feed, job, [recipes[best]])[0], {"learner": SELECTED.name}
        return State(state.arrays, {**told, "facts": state.json})

    def open(self, state: State, job: Job) -> Runner:
        """Return the runner of what was chosen.

        Raises
        ------
        BundleError
            If the state is damaged.
        """
        facts = state.json if isinstance(state.json, dict) else {}
        learners: dict[Json, Learner] = {SELECTED.name: SELECTED, SUMMARISED.name: SUMMARISED}
        learner = learners.get(facts.get("learner"))
        if learner is None:
            raise BundleError(
                "The state does not say which learner was chosen.",
                expected="a state of the same bundle",
                next_step="copy the bundle again, whole",
            )
        return learner.open(State(state.arrays, facts.get("facts")), job)


def _recipes(job: Job) -> list[Recipe]:
    asked = {s.harmonise for s in job.preparation.values() if isinstance(s, RowPreparation)} - {"none"}
    return [
        Recipe(features=features, penalty=penalty, harmonise=method)
        for method in ("none", *sorted(asked))
        for features in FEATURES
        for penalty in PENALTIES
    ]


def _folds(feed: Feed, job: Job) -> Folds:
    """Return the inner folds, as positions in the training rows, with the shares of the first target's answers."""
    answers = np.asarray(feed.targets[job.heads[0].target.name])[feed.train]
    known = np.nan_to_num(answers.reshape(len(answers), -1).astype(np.float64), nan=-1.0)
    labels: IntArray = known.max(axis=1).astype(np.int64)
    return inner_folds(labels, feed.groups[feed.train], seed=address(job.seed, "nested choice"))[:INNER_FOLDS]


def _loss(runner: Runner, feed: Feed, job: Job, rows: IntArray) -> float:
    outputs = runner.run({name: stored[rows] for name, stored in feed.inputs.items()})
    return sum(_log_loss(outputs[h.target.name], np.asarray(feed.targets[h.target.name])[rows], h) for h in job.heads)


def _log_loss(raw: Float64Array, answers: AnyArray, head: HeadSpec) -> float:
    """Return the summed log loss of raw outputs ``n w``, rows without an answer left out."""
    if head.loss == "multilabel":
        told = np.asarray(answers, dtype=np.float64)
        known = np.isfinite(told)
        return float(_bounded(np.logaddexp(0.0, (1.0 - 2.0 * told[known]) * raw[known])).sum())
    truth = np.asarray(answers, dtype=np.int64)
    known = truth >= 0
    said = raw[known] - np.logaddexp.reduce(raw[known], axis=1, keepdims=True)
    return float(_bounded(-said[np.arange(len(said)), truth[known]]).sum())


def _bounded(losses: Float64Array) -> Float64Array:
    found: Float64Array = np.minimum(losses, -np.log(LEAST))
    return found


CHOSEN = Chosen()

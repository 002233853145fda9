"""A few variables of a row, chosen and weighed inside the training part: what a radiomics study would publish."""

from collections.abc import Mapping
from typing import cast

import numpy as np

from hounsfield.core.errors import BundleError, InputError, PlanError
from hounsfield.core.types import AnyArray, Float64Array, Json
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.prevalence import label_shares
from hounsfield.learn.learners.protocol import HeadSpec, Job, State
from hounsfield.learn.loop import Watch
from hounsfield.science.radiomics.selection import Recipe, RowModel, apply, fit

PER_FEATURE = 10
"""Answers of the rarer kind that each chosen variable needs (Peduzzi et al., J Clin Epidemiol 49, 1996)."""
MOST_FEATURES = 10


class Selected:
    """Selects variables and fits a logistic regression for each yes-no question; nothing is seen outside the fold.

    Notes
    -----
    What stands in for missing values, the filter of redundant variables, the order of the others and the coefficients
    are all fitted to the training rows that are given, see `hounsfield.science.radiomics.selection`. One of several
    classes is asked for against all others.
    """

    name = "selected"

    def fit(self, feed: Feed, job: Job, *, watch: Watch) -> State:
        """Fit to the training rows alone.

        Raises
        ------
        PlanError
            If an input is no row, or an answer is no class or label.
        """
        del watch
        values = _values({name: stored[feed.train] for name, stored in feed.inputs.items()})
        names = [f"x{place}" for place in range(values.shape[1])]
        models: list[list[Json]] = []
        for head in job.heads:
            asked = _questions(np.asarray(feed.targets[head.target.name])[feed.train], head)
            models.append([_fitted(values, truth, names) for truth in asked.T])
        return State({}, cast("list[Json]", models))

    def open(self, state: State, job: Job) -> "SelectedRunner":
        """Return a runner in NumPy."""
        return SelectedRunner(state, job)


class SelectedRunner:
    """Fitted models of rows.

    Parameters
    ----------
    state : State
        From `Selected.fit`.
    job : Job

    Raises
    ------
    BundleError
        If the state is damaged.
    """

    def __init__(self, state: State, job: Job) -> None:
        if not isinstance(state.json, list) or len(state.json) != len(job.heads):
            raise BundleError(
                "The state does not hold a model of rows for each target.",
                expected="a state of the same bundle",
                next_step="copy the bundle again, whole",
            )
        self._heads = job.heads
        self._models = [[_opened(m) for m in own] if isinstance(own, list) else [] for own in state.json]

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Float64Array]:
        """Return raw outputs by target, ``n w`` float64, for stored inputs ``n c``."""
        values = _values(inputs)
        found = {}
        for head, models in zip(self._heads, self._models, strict=True):
            scores = np.stack([_odds(model, values) for model in models], axis=1)
            two = head.loss == "categorical" and scores.shape[1] == 1
            found[head.target.name] = np.hstack([-scores, scores]) / 2.0 if two else scores
        return found


def _values(inputs: Mapping[str, AnyArray]) -> Float64Array:
    """Return all rows side by side, ``n f`` float64, NaN where missing."""
    other = sorted(name for name, stored in inputs.items() if stored.ndim != 2)
    if other:
        raise PlanError(
            f"The input {other[0]!r} is no row.",
            expected="rows of variables, for the learner selected",
            next_step="take selected out of baselines.names in plan.yaml",
        )
    return np.concatenate([np.asarray(stored, dtype=np.float64) for stored in inputs.values()], axis=1)


def _questions(values: AnyArray, head: HeadSpec) -> Float64Array:
    """Return the answers to a head's yes-no questions, ``n q``: 0, 1, NaN where not known."""
    if head.loss == "multilabel":
        return np.asarray(values, dtype=np.float64)
    if head.loss != "categorical":
        raise PlanError(
            f"The target {head.target.name!r} is {head.loss}; selected answers yes-no questions.",
            expected="classes or labels",
            next_step="take selected out of baselines.names in plan.yaml",
        )
    answers = np.asarray(values, dtype=np.int64)
    classes = range(len(head.target.classes)) if len(head.target.classes) != 2 else (1,)
    return np.stack([np.where(answers >= 0, answers == k, np.nan) for k in classes], axis=1).astype(np.float64)


def _fitted(values: Float64Array, truth: Float64Array, names: list[str]) -> Json:
    """Return a fitted model as JSON, or the log-odds where there is nothing to choose from."""
    known = np.isfinite(truth)
    own = truth[known]
    rarer = int(min(own.sum(), len(own) - own.sum())) if len(own) else 0
    chance = float(label_shares(np.append(own, [0.0, 1.0])[:, None])[0])
    odds = float(np.log(chance) - np.log1p(-chance))
    if rarer < 1:
        return odds
    recipe = Recipe(features=max(1, min(MOST_FEATURES, rarer // PER_FEATURE)))
    try:
        return cast(Json, fit(values[known], own, names=names, recipe=recipe).model_dump(mode="json"))
    except InputError:  # no variable differs between rows that have it often enough
        return odds


def _opened(stored: Json) -> RowModel | float:
    return float(stored) if isinstance(stored, int | float) else RowModel.model_validate(stored)


def _odds(model: RowModel | float, values: Float64Array) -> Float64Array:
    """Return the log-odds ``n`` of rows; row by row, so that what is said of one does not depend on the others."""
    if isinstance(model, float):
        return np.full(len(values), model)
    return np.concatenate([apply(model, row[None]) for row in values])


SELECTED = Selected()

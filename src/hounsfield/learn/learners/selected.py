"""A few variables of a row, chosen and weighed inside the training part: what a radiomics study would publish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from hounsfield.core.errors import BundleError, InputError, PlanError, unknown_name
from hounsfield.core.types import AnyArray, Float64Array, Json
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.prevalence import label_shares
from hounsfield.learn.learners.protocol import HeadSpec, Job, State
from hounsfield.learn.loop import Watch
from hounsfield.learn.prepare.row import RowPreparation
from hounsfield.science.radiomics.selection import Recipe, RowModel, Sites, apply, fit_each

PER_FEATURE = 10
"""Answers of the rarer kind that each chosen variable needs (Peduzzi et al., J Clin Epidemiol 49, 1996)."""
MOST_FEATURES = 10


class Selected:
    """Selects variables and fits a logistic regression for each yes-no question; nothing is seen outside the fold.

    Notes
    -----
    What stands in for missing values, what sites add (where the preparation says to take it away), the filter of
    redundant variables, the order of the others and the coefficients are all fitted to the training rows that are
    given, see `hounsfield.science.radiomics.selection`. One of several classes is asked for against all others.
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
        return fit_recipes(feed, job, [None])[0]

    def open(self, state: State, job: Job) -> "SelectedRunner":
        """Return a runner in NumPy."""
        return SelectedRunner(state, job)


class Alone:
    """A logistic regression on one variable that was named beforehand: what it tells without any selection."""

    name = "alone"

    def fit(self, feed: Feed, job: Job, *, watch: Watch) -> State:
        """Fit direction and scale to the training rows alone; the order of rows is the variable's own.

        Raises
        ------
        PlanError
            If an input is no row, an answer is no class or label, or no variable of the name is looked at.
        """
        del watch
        return fit_recipes(feed, job, [Recipe(features=1, harmonise="none", missing=0.99)], only=job.alone)[0]

    def open(self, state: State, job: Job) -> "SelectedRunner":
        """Return a runner in NumPy."""
        return SelectedRunner(state, job)


def fit_recipes(feed: Feed, job: Job, recipes: Sequence[Recipe | None], *, only: str = "") -> list[State]:
    """Fit one state for each recipe to the training rows; what recipes share is computed once.

    Parameters
    ----------
    feed : Feed
    job : Job
    recipes : sequence of Recipe or None
        None: as many variables as the answers of the rarer kind can bear, harmonised as the preparation says.
    only : str
        Variable that alone may be chosen; ``""`` for all.
    """
    rows = row_table({name: stored[feed.train] for name, stored in feed.inputs.items()}, job, "selected")
    able = _places_of(job, only) if only else tuple(range(rows.values.shape[1]))
    names = [f"x{place}" for place in range(rows.values.shape[1])]
    found: list[list[list[Json]]] = [[] for _ in recipes]
    for head in job.heads:
        asked = _questions(np.asarray(feed.targets[head.target.name])[feed.train], head)
        each = [_fitted(rows, truth, names, recipes=recipes, able=able) for truth in asked.T]
        for number, models in enumerate(found):
            models.append([own[number] for own in each])
    return [State({}, cast("list[Json]", models)) for models in found]


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
        self._job = job
        self._heads = job.heads
        self._models = [[_opened(m) for m in own] if isinstance(own, list) else [] for own in state.json]

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Float64Array]:
        """Return raw outputs by target, ``n w`` float64, for stored inputs ``n c``."""
        rows = row_table(inputs, self._job, "selected")
        found = {}
        for head, models in zip(self._heads, self._models, strict=True):
            scores = np.stack([_odds(model, rows) for model in models], axis=1)
            two = head.loss == "categorical" and scores.shape[1] == 1
            found[head.target.name] = np.hstack([-scores, scores]) / 2.0 if two else scores
        return found


@dataclass(frozen=True)
class RowTable:
    """All rows of a sample side by side.

    Parameters
    ----------
    values : numpy.ndarray
        ``n f`` float64, NaN where missing.
    places : list of str
        Where each row was recorded, ``n``; ``""`` where it is not known.
    measured : tuple of int
        Columns from which is taken away what places add; empty where that is not asked for.
    covariates : tuple of int
        Columns whose share in those is kept; none of `measured`.
    method : str
        How, as `Recipe.harmonise` has it.
    """

    values: Float64Array
    places: list[str]
    measured: tuple[int, ...]
    covariates: tuple[int, ...]
    method: Literal["none", "empirical-bayes", "each-feature"]


def row_table(inputs: Mapping[str, AnyArray], job: Job, learner: str) -> RowTable:
    """Return stored rows ``n c`` side by side.

    Parameters
    ----------
    inputs : mapping of str to numpy.ndarray
    job : Job
    learner : str
        Who asks, for the message.

    Raises
    ------
    PlanError
        If an input is no row.
    """
    parts: list[AnyArray] = []
    measured: list[int] = []
    said: list[str] = []
    asked: RowPreparation | None = None
    places = [""] * len(next(iter(inputs.values())))
    width = 0
    for name, stored in inputs.items():
        spec = job.preparation.get(name)
        if not isinstance(spec, RowPreparation) or stored.ndim != 2:
            raise PlanError(
                f"The input {name!r} is no row.",
                expected=f"rows of variables, for the learner {learner}",
                next_step=f"take {learner} out of baselines.names in plan.yaml",
            )
        parts.append(spec.values(stored))
        if spec.harmonise != "none":
            asked, places = spec, spec.places(stored)
            measured += [width + n for n in spec.numbers]
            said += spec.covariates
        width += spec.width
    values = np.concatenate([np.asarray(p, dtype=np.float64) for p in parts], axis=1)
    # one that this part of the cohort does not have as a variable, being the same throughout, keeps nothing
    covariates = tuple(c for name in dict.fromkeys(said) for c in _columns_of(job, name))
    return RowTable(
        values,
        places,
        tuple(c for c in measured if c not in covariates),
        covariates,
        asked.harmonise if asked is not None else "none",
    )


def _columns_of(job: Job, variable: str) -> tuple[int, ...]:
    """Return which columns of a `RowTable` a variable is, none where there is no such variable."""
    found: list[int] = []
    width = 0
    for spec in job.preparation.values():
        if isinstance(spec, RowPreparation):
            at = width
            for column in spec.columns:
                size = len(spec.levels.get(column, (column,)))
                found += range(at, at + size) if column == variable else ()
                at += size
            width += spec.width
    return tuple(found)


def _places_of(job: Job, variable: str) -> tuple[int, ...]:
    """Return which columns of a `RowTable` a variable is that there must be."""
    found = _columns_of(job, variable)
    if not found:
        known = [c for spec in job.preparation.values() if isinstance(spec, RowPreparation) for c in spec.columns]
        raise unknown_name("variable", variable, known)
    return found


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


def _fitted(
    rows: RowTable,
    truth: Float64Array,
    names: list[str],
    *,
    recipes: Sequence[Recipe | None],
    able: tuple[int, ...],
) -> list[Json]:
    """Return a fitted model as JSON for each recipe, or the log-odds where there is nothing to choose from."""
    known = np.isfinite(truth)
    own = truth[known]
    rarer = int(min(own.sum(), len(own) - own.sum())) if len(own) else 0
    chance = float(label_shares(np.append(own, [0.0, 1.0])[:, None])[0])
    odds = float(np.log(chance) - np.log1p(-chance))
    if rarer < 1:
        return [odds] * len(recipes)
    usual = Recipe(features=max(1, min(MOST_FEATURES, rarer // PER_FEATURE)), harmonise=rows.method)
    values = rows.values[known]
    if len(able) < values.shape[1]:
        values = np.where(np.isin(np.arange(values.shape[1]), able), values, np.nan)
    here = [p for p, k in zip(rows.places, known, strict=True) if k]
    sites = Sites(here, rows.measured, rows.covariates) if rows.measured else None
    try:
        found = fit_each(values, own, names=names, recipes=[r or usual for r in recipes], sites=sites)
    except InputError:  # no variable differs between rows that have it often enough
        return [odds] * len(recipes)
    return [cast(Json, model.model_dump(mode="json")) for model in found]


def _opened(stored: Json) -> RowModel | float:
    return float(stored) if isinstance(stored, int | float) else RowModel.model_validate(stored)


def _odds(model: RowModel | float, rows: RowTable) -> Float64Array:
    """Return the log-odds ``n`` of rows; row by row, so that what is said of one does not depend on the others."""
    if isinstance(model, float):
        return np.full(len(rows.values), model)
    return np.concatenate([apply(model, r[None], sites=[p]) for r, p in zip(rows.values, rows.places, strict=True)])


SELECTED = Selected()
ALONE = Alone()

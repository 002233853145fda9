"""Selection: from many features of few patients to a small model, fitted whole, kept as JSON, applied to new rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array, IntArray
from hounsfield.science.radiomics import combat
from hounsfield.science.radiomics.combat import Combat
from hounsfield.science.radiomics.redundancy import kept, rank_correlations

_STEPS = 100
_CLOSE = 1e-9
FEWEST_OF_SITE = 5
"""Rows of a site from which on it is harmonised; the rows of a smaller one are taken for those of the average site."""


class Recipe(BaseModel):
    """How a model is made of features.

    Attributes
    ----------
    features : int
        How many are selected at most.
    penalty : float
        Of the squares of coefficients, on standardised features; the intercept is free.
    redundant : float
        Largest ``|rho|`` of Spearman's correlation of two features that stay.
    missing : float
        Share of rows without a value above which a feature is left out.
    harmonise : str
        How what sites add is taken away, where sites are given: ``empirical-bayes``, ``each-feature`` or ``none``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    features: int = Field(default=4, ge=1)
    penalty: float = Field(default=1.0, gt=0)
    redundant: float = Field(default=0.9, gt=0, le=1)
    missing: float = Field(default=0.2, ge=0, lt=1)
    harmonise: Literal["empirical-bayes", "each-feature", "none"] = "empirical-bayes"


class RowModel(BaseModel):
    """A fitted model of rows; nothing of a patient is in it.

    Attributes
    ----------
    schema_version : int
    recipe : Recipe
    names : tuple of str
        Columns that it takes, in their order.
    median : tuple of float
        What stands in for a missing value of each column.
    combat : Combat or None
        What sites add to the columns in `harmonised`.
    harmonised : tuple of int
        Columns from which it is taken away.
    covariates : tuple of int
        Columns whose share in those is kept.
    usable : tuple of int
        Columns with values enough that are not constant.
    chosen : tuple of int
        Columns that count.
    mean, spread, coefficients : tuple of float
        Of the chosen columns, after harmonisation.
    intercept : float
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    schema_version: int = 1
    recipe: Recipe
    names: tuple[str, ...]
    median: tuple[float, ...]
    combat: Combat | None = None
    harmonised: tuple[int, ...] = ()
    covariates: tuple[int, ...] = ()
    usable: tuple[int, ...]
    chosen: tuple[int, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float


@dataclass(frozen=True)
class Sites:
    """Where rows are from, and what of them that touches.

    Parameters
    ----------
    names : sequence of str
        ``n``; ``""`` where it is not known.
    columns : tuple of int or None
        Columns that a scanner or a site shifts: measured features, not age or sex. None for all.
    covariates : tuple of int
        Columns whose share in those is kept, and which are none of them: age, sex. Never the answer, see
        `hounsfield.science.radiomics.combat.fit`.
    """

    names: Sequence[str] = field(repr=False)
    columns: tuple[int, ...] | None = None
    covariates: tuple[int, ...] = ()


def fit(
    values: Float64Array,
    truth: AnyArray,
    *,
    names: Sequence[str],
    recipe: Recipe | None = None,
    sites: Sites | None = None,
) -> RowModel:
    """Fit everything: what stands in for missing values, harmonisation, redundancy, selection, coefficients.

    Parameters
    ----------
    values : numpy.ndarray
        ``n f`` float64, NaN where there is no value.
    truth : numpy.ndarray
        ``n``, 0 or 1, both.
    names : sequence of str
        ``f``.
    recipe : Recipe or None
    sites : Sites or None
        None fits no ComBat.

    Raises
    ------
    InputError
        If sizes differ, a class is missing, or no feature can be used.

    Notes
    -----
    Features are ordered by how far their area under the curve lies from 1/2 among the rows given; of two that go
    together the first stays; the first ones left are taken into a logistic regression with a penalty on squares. Every
    step looks at the rows given and at no others, so that fitted within a fold it is honest there. Sites with fewer
    than `FEWEST_OF_SITE` rows are no part of the harmonisation; with fewer than two others there is none. A missing
    covariate counts as the median, as every missing value does; one that is missing too often, the same throughout or
    told by the sites is left out.
    """
    return fit_each(values, truth, names=names, recipes=(recipe or Recipe(),), sites=sites)[0]


def fit_each(
    values: Float64Array,
    truth: AnyArray,
    *,
    names: Sequence[str],
    recipes: Sequence[Recipe],
    sites: Sites | None = None,
) -> list[RowModel]:
    """Fit one model for each recipe, as `fit` does; what recipes share is computed once.

    Parameters
    ----------
    values, truth, names, sites
        As `fit` takes them.
    recipes : sequence of Recipe

    Raises
    ------
    InputError
        As `fit`.
    """
    labels = np.asarray(truth).astype(bool)
    if values.ndim != 2 or values.shape != (len(labels), len(names)) or labels.all() or not labels.any():
        positives = int(labels.sum())
        raise InputError(
            f"A model of values of shape {values.shape} for {positives} positives of {labels.size} was asked for.",
            expected="rows by columns, a name for each column, rows of both classes",
            next_step="give rows of both classes",
        )
    shared: dict[tuple[float, str, float], tuple[_Cleaned, IntArray]] = {}
    made = []
    for recipe in recipes:
        key = (recipe.missing, recipe.harmonise, recipe.redundant)
        if key not in shared:
            alike = [r.features for r in recipes if (r.missing, r.harmonise, r.redundant) == key]
            cleaned = _cleaned(values, recipe, sites)
            order = np.argsort(-np.abs(areas(cleaned.rows, labels) - 0.5), kind="stable")
            # of what is alike only the first counts, and no more are looked through than could be wanted
            first = _first(cleaned.rows, order, recipe.model_copy(update={"features": max(alike)}))
            shared[key] = cleaned, np.asarray(first, dtype=np.int64)
        made.append(_weighed(*shared[key], labels=labels, names=names, recipe=recipe))
    return made


@dataclass(frozen=True)
class _Cleaned:
    """Usable columns without gaps and without what sites add."""

    rows: Float64Array
    usable: IntArray
    median: Float64Array
    combat: Combat | None
    harmonised: tuple[int, ...]
    covariates: tuple[int, ...]


def _cleaned(values: Float64Array, recipe: Recipe, sites: Sites | None) -> _Cleaned:
    held = np.isfinite(values)
    median = np.array([np.median(v[k]) if k.any() else 0.0 for v, k in zip(values.T, held.T, strict=True)])
    whole = np.where(held, values, median)
    enough = held.mean(axis=0) >= 1 - recipe.missing
    usable = np.flatnonzero(enough & (np.ptp(whole, axis=0) > 1e-12 * np.abs(whole).max(axis=0)))
    if not usable.size:
        raise InputError("No column can be used.", expected="one that differs between rows", next_step="measure more")
    found = None
    if sites is not None and recipe.harmonise != "none":
        found = _harmony(whole, usable, sites, recipe.harmonise)
    model, touched, kept_for = found or (None, (), ())
    if model is not None and sites is not None:
        beside = whole[:, kept_for]
        whole[:, touched] = combat.apply(model, whole[:, touched], sites.names, covariates=beside, unseen="pooled")
    return _Cleaned(whole[:, usable], usable, median, model, touched, kept_for)


def _harmony(
    whole: Float64Array, usable: IntArray, sites: Sites, method: combat.Method
) -> tuple[Combat, tuple[int, ...], tuple[int, ...]] | None:
    """Return ComBat with the columns that it touches and those whose share it keeps; None where there is too little."""
    counts = Counter(n for n in sites.names if n)
    large = {s for s, n in counts.items() if n >= FEWEST_OF_SITE}
    able = np.setdiff1d(usable, np.asarray(sites.covariates, dtype=np.int64))
    if sites.columns is not None:
        able = np.intersect1d(able, np.asarray(sites.columns, dtype=np.int64))
    if len(large) < 2 or len(able) < 2:
        return None
    inside = np.array([n in large for n in sites.names])
    names = [n for n in sites.names if n in large]
    there = [c for c in sites.covariates if c in usable]
    rows = whole[inside]
    told = tuple(there[k] for k in combat.told_apart(rows[:, there], names))
    model = combat.fit(rows[:, able], names, covariates=rows[:, told], method=method)
    return model, tuple(able.tolist()), told


def _weighed(
    cleaned: _Cleaned, picked: IntArray, *, labels: BoolArray, names: Sequence[str], recipe: Recipe
) -> RowModel:
    picked = picked[: recipe.features]
    taken = cleaned.rows[:, picked]
    mean, spread = taken.mean(axis=0), taken.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    coefficients, intercept = logistic((taken - mean) / spread, labels, penalty=recipe.penalty)
    return RowModel(
        recipe=recipe,
        names=tuple(names),
        median=tuple(cleaned.median.tolist()),
        combat=cleaned.combat,
        harmonised=cleaned.harmonised,
        covariates=cleaned.covariates,
        usable=tuple(cleaned.usable.tolist()),
        chosen=tuple(cleaned.usable[picked].tolist()),
        mean=tuple(mean.tolist()),
        spread=tuple(spread.tolist()),
        coefficients=tuple(coefficients.tolist()),
        intercept=intercept,
    )


def apply(model: RowModel, values: Float64Array, *, sites: Sequence[str] | None = None) -> Float64Array:
    """Return the log odds of rows.

    Parameters
    ----------
    model : RowModel
    values : numpy.ndarray
        ``n f`` float64, columns as the model names them.
    sites : sequence of str or None
        ``n``; needed by a model that harmonises. One that was not seen, or ``""``, is taken for the average site.

    Raises
    ------
    InputError
        If the number of columns differs, or sites are not given.
    """
    if values.ndim != 2 or values.shape[1] != len(model.names) or (model.combat is not None and sites is None):
        raise InputError(
            f"Rows of shape {values.shape} do not fit a model of {len(model.names)} columns.",
            expected="the columns that the model names, and sites where it harmonises them",
            next_step="measure with the settings of the model's rows",
        )
    rows = np.where(np.isfinite(values), values, np.asarray(model.median))
    if model.combat is not None and sites is not None:
        touched = list(model.harmonised)
        beside = rows[:, list(model.covariates)]
        rows[:, touched] = combat.apply(model.combat, rows[:, touched], sites, covariates=beside, unseen="pooled")
    taken = rows[:, list(model.chosen)]
    standard = (taken - np.asarray(model.mean)) / np.asarray(model.spread)
    found: Float64Array = standard @ np.asarray(model.coefficients) + model.intercept
    return found


def areas(values: Float64Array, truth: BoolArray) -> Float64Array:
    """Return the area under the ROC curve of every column ``n f``, ties counting half."""
    from scipy import stats

    ranks = stats.rankdata(values, axis=0)
    positives = int(truth.sum())
    above = ranks[truth].sum(axis=0) - positives * (positives + 1) / 2
    found: Float64Array = above / (positives * (len(truth) - positives))
    return found


def logistic(rows: Float64Array, truth: BoolArray, *, penalty: float) -> tuple[Float64Array, float]:
    """Return coefficients and intercept of least ``-log likelihood + penalty / 2 |coefficients|^2``, by Newton's steps.

    Parameters
    ----------
    rows : numpy.ndarray
        ``n f`` float64, standardised.
    truth : numpy.ndarray
        ``n`` bool, both classes.
    penalty : float
        Above 0, so that there is one solution even where classes can be told apart without error.
    """
    wide = np.column_stack([np.ones(len(rows)), rows])
    ridge = np.full(wide.shape[1], penalty)
    ridge[0] = 0.0
    weights = np.zeros(wide.shape[1])
    share = truth.mean()
    weights[0] = np.log(share / (1 - share))
    loss = _loss(wide, truth, weights, ridge)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(wide @ weights, -40, 40)))
        slope = wide.T @ (chance - truth) + ridge * weights
        bend = (wide * (chance * (1 - chance))[:, None]).T @ wide + np.diag(ridge)
        step = np.linalg.solve(bend + 1e-12 * np.eye(len(weights)), slope)
        share = 1.0
        while share > 1e-6 and _loss(wide, truth, weights - share * step, ridge) > loss + 1e-12:
            share /= 2
        weights = weights - share * step
        loss = _loss(wide, truth, weights, ridge)
        if float(np.abs(step).max()) < _CLOSE:
            break
    return weights[1:], float(weights[0])


def _loss(wide: Float64Array, truth: BoolArray, weights: Float64Array, ridge: Float64Array) -> float:
    odds = wide @ weights
    return float(np.sum(np.logaddexp(0, odds) - truth * odds) + 0.5 * np.sum(ridge * weights**2))


def _first(rows: Float64Array, order: AnyArray, recipe: Recipe) -> tuple[int, ...]:
    """Return the first columns of an order that are not redundant to one before, as many as are wanted."""
    step = 8 * recipe.features
    for end in range(step, len(order) + step, step):
        some = order[:end]
        found = kept(rank_correlations(rows[:, some]), range(len(some)), most=recipe.redundant)
        if len(found) >= recipe.features or end >= len(order):
            return tuple(int(some[n]) for n in found[: recipe.features])
    return ()

"""Rows to a model: ComBat by its formulas written out, a logistic regression as scikit-learn's, nothing seen twice."""

from typing import Literal

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.science.radiomics import combat
from hounsfield.science.radiomics.combat import Combat
from hounsfield.science.radiomics.selection import Recipe, RowModel, Sites, apply, areas, fit, fit_each, logistic

_METHODS: tuple[Literal["none", "empirical-bayes", "each-feature"], ...] = ("none", "empirical-bayes", "each-feature")


def cohort(seed: int = 0) -> tuple[Float64Array, list[str]]:
    """Return 7 features of 3 sites with shifts and spreads of their own."""
    draws = stream(seed, "combat")
    sites = ["a"] * 15 + ["b"] * 9 + ["c"] * 21
    values = draws.normal(size=(45, 7)) * np.arange(1, 8) + 10 * np.arange(7)
    for number, site in enumerate("abc"):
        rows = np.array(sites) == site
        values[rows] = values[rows] * (1 + 0.4 * number) + draws.normal(2 * number, 1, 7)
    return values, sites


def written_out(values: Float64Array, sites: list[str]) -> Float64Array:
    """Johnson 2007, sections 3.1 to 3.3, feature by feature and in plain numbers."""
    n, features = values.shape
    names = sorted(set(sites))
    rows = {s: [j for j in range(n) if sites[j] == s] for s in names}
    site_mean = {s: [sum(values[j, g] for j in rows[s]) / len(rows[s]) for g in range(features)] for s in names}
    alpha = [sum(len(rows[s]) * site_mean[s][g] for s in names) / n for g in range(features)]
    sigma = [
        (sum((values[j, g] - site_mean[s][g]) ** 2 for s in names for j in rows[s]) / n) ** 0.5 for g in range(features)
    ]
    z = [[(values[j, g] - alpha[g]) / sigma[g] for g in range(features)] for j in range(n)]
    made = np.empty_like(values)
    for s in names:
        m = len(rows[s])
        hat = [sum(z[j][g] for j in rows[s]) / m for g in range(features)]
        var = [sum((z[j][g] - hat[g]) ** 2 for j in rows[s]) / (m - 1) for g in range(features)]
        bar = sum(hat) / features
        tau2 = sum((h - bar) ** 2 for h in hat) / (features - 1)
        v = sum(var) / features
        s2 = sum((x - v) ** 2 for x in var) / (features - 1)
        lam, theta = v**2 / s2 + 2, v**3 / s2 + v
        for g in range(features):
            gamma, delta = hat[g], var[g]
            for _ in range(2000):
                gamma = (m * tau2 * hat[g] + delta * bar) / (m * tau2 + delta)
                delta = (theta + 0.5 * sum((z[j][g] - gamma) ** 2 for j in rows[s])) / (m / 2 + lam - 1)
            for j in rows[s]:
                made[j, g] = sigma[g] / delta**0.5 * (z[j][g] - gamma) + alpha[g]
    return made


def test_combat_is_what_its_formulas_say() -> None:
    values, sites = cohort()
    model = combat.fit(values, sites)
    assert combat.apply(model, values, sites) == pytest.approx(written_out(values, sites), rel=1e-6)
    again = Combat.model_validate_json(model.model_dump_json())
    assert np.array_equal(combat.apply(again, values, sites), combat.apply(model, values, sites))


def test_combat_brings_sites_together_and_leaves_what_is_constant() -> None:
    values, sites = cohort(1)
    values = np.column_stack([values, np.full(45, 3.0)])
    made = combat.apply(combat.fit(values, sites), values, sites)
    names = np.array(sites)
    before, after = (np.ptp([v[names == s].mean(axis=0) for s in "abc"], axis=0)[:7] for v in (values, made))
    assert (after < 0.4 * before).all()
    assert (made[:, 7] == 3.0).all()
    new, where = cohort(2)
    assert combat.apply(combat.fit(values[:, :7], sites), new[:3], where[:3]).shape == (3, 7)
    for wrong in ((values[:, :1], sites), (values, sites[:-1]), (values * np.nan, sites), (values, [*sites[:-1], "d"])):
        with pytest.raises(InputError):
            combat.fit(*wrong)
    with pytest.raises(InputError, match="were not seen"):
        combat.apply(combat.fit(values, sites), values[:1], ["z"])


def test_logistic_regression_is_scikit_learns() -> None:
    draws = stream(3, "logistic")
    rows = draws.normal(size=(60, 3))
    truth = rows[:, 0] + draws.normal(size=60) > 0.5
    for penalty in (0.1, 1.0, 10.0):
        coefficients, intercept = logistic(rows, truth, penalty=penalty)
        other = LogisticRegression(C=1 / penalty, tol=1e-12, max_iter=1000).fit(rows, truth)
        assert coefficients == pytest.approx(other.coef_[0], abs=1e-6)
        assert intercept == pytest.approx(other.intercept_[0], abs=1e-6)
    # classes apart without error: still one solution
    assert np.isfinite(logistic(rows, rows[:, 0] > 0, penalty=0.01)[0]).all()


def test_a_model_takes_what_counts_once_and_survives_json() -> None:
    draws = stream(4, "selection")
    truth = draws.random(80) < 0.4
    values = draws.normal(size=(80, 30))
    values[:, 7] += 2.0 * truth
    values[:, 8] = values[:, 7] * 3 + 0.01 * draws.normal(size=80)
    values[:, 20] -= 1.5 * truth
    values[:, 3] = 5.0
    values[::2, 4] = np.nan
    values[0, 20] = np.nan
    names = [f"f{n}" for n in range(30)]
    model = fit(values, truth, names=names, recipe=Recipe(features=2))
    assert 20 in model.chosen
    assert len({7, 8} & set(model.chosen)) == 1
    assert not {3, 4} & set(model.usable)
    again = RowModel.model_validate_json(model.model_dump_json())
    odds = apply(model, values)
    assert np.array_equal(apply(again, values), odds)
    assert roc_auc_score(truth, odds) > 0.9
    assert apply(model, values[:1]) == pytest.approx(odds[:1])
    with pytest.raises(InputError, match="columns"):
        apply(model, values[:, :5])
    with pytest.raises(InputError, match="both classes"):
        fit(values, np.ones(80), names=names)
    with pytest.raises(InputError, match="No column"):
        fit(np.zeros((4, 1)), np.array([0, 1, 0, 1]), names=["f"])


def test_a_model_with_sites_needs_them() -> None:
    values, sites = cohort(5)
    truth = np.arange(45) % 2 == 0
    model = fit(values, truth, names=list("abcdefg"), sites=Sites(sites))
    assert model.combat is not None
    assert apply(model, values, sites=sites).shape == (45,)
    with pytest.raises(InputError, match="sites where it harmonises"):
        apply(model, values)


def test_areas_are_those_of_the_curve() -> None:
    draws = stream(6, "areas")
    truth = draws.random(50) < 0.5
    values = np.round(draws.normal(size=(50, 4)), 1)
    assert areas(values, truth) == pytest.approx([roc_auc_score(truth, v) for v in values.T])


def test_covariates_are_kept_and_sites_are_not() -> None:
    """Against the normal equations: a mean for each site, a slope for age; then each site by its mean and spread."""
    values, sites = cohort(6)
    age = stream(6, "age").normal(60, 10, 45)
    values += 0.2 * age[:, None]
    names = np.array(sites)
    design = np.column_stack([*(names == s for s in "abc"), age]).astype(np.float64)
    found = np.linalg.solve(design.T @ design, design.T @ values)
    model = combat.fit(values, sites, covariates=age[:, None], method="each-feature")
    assert np.asarray(model.slopes[0]) == pytest.approx(found[3], rel=1e-6)
    grand = np.array([15, 9, 21]) / 45 @ found[:3]
    sigma = np.sqrt(np.mean((values - design @ found) ** 2, axis=0))
    z = (values - grand - age[:, None] * found[3]) / sigma
    wanted = np.empty_like(values)
    for s in "abc":
        own = z[names == s]
        wanted[names == s] = (own - own.mean(axis=0)) / own.std(axis=0, ddof=1) * sigma
    wanted += grand + age[:, None] * found[3]
    assert combat.apply(model, values, sites, covariates=age[:, None]) == pytest.approx(wanted, rel=1e-6)
    with pytest.raises(InputError, match="covariates"):
        combat.apply(model, values, sites)
    with pytest.raises(InputError, match="tell the sites apart"):
        combat.fit(values, sites, covariates=(names == "a").astype(np.float64)[:, None])


def test_a_site_that_was_not_seen_is_the_average_site() -> None:
    values, sites = cohort(7)
    model = combat.fit(values, sites)
    two = combat.apply(model, values[:2], ["z", "a"], unseen="pooled")
    assert np.array_equal(two[0], values[0])
    assert np.array_equal(two[1:], combat.apply(model, values[1:2], ["a"]))


def test_small_sites_take_no_part_and_only_measured_columns_are_touched() -> None:
    values, sites = cohort(8)
    truth = np.arange(45) % 2 == 0
    few = ["d" if n in (3, 20, 40) else s for n, s in enumerate(sites)]
    model = fit(values, truth, names=list("abcdefg"), sites=Sites(few, (0, 1, 2, 3)), recipe=Recipe(features=7))
    assert model.combat is not None
    assert set(model.combat.shift) == {"a", "b", "c"}
    assert model.harmonised == (0, 1, 2, 3)
    assert fit(values, truth, names=list("abcdefg"), sites=Sites(["a"] * 45)).combat is None
    none = fit(values, truth, names=list("abcdefg"), sites=Sites(sites), recipe=Recipe(harmonise="none"))
    assert none.model_copy(update={"recipe": Recipe()}) == fit(values, truth, names=list("abcdefg"))
    odds = apply(model, values[:1], sites=[""])
    assert np.isfinite(odds).all()


def test_recipes_together_are_recipes_one_by_one() -> None:
    draws = stream(9, "recipes")
    values, truth = draws.normal(size=(50, 40)), np.arange(50) % 3 == 0
    values[:, 5] += truth
    sites = Sites(["a", "b"] * 25)
    recipes = [Recipe(features=k, penalty=p, harmonise=h) for k in (1, 4) for p in (0.3, 3.0) for h in _METHODS]
    names = [f"f{n}" for n in range(40)]
    together = fit_each(values, truth, names=names, recipes=recipes, sites=sites)
    assert together == [fit(values, truth, names=names, recipe=r, sites=sites) for r in recipes]

"""Rows to a model: ComBat by its formulas written out, a logistic regression as scikit-learn's, nothing seen twice."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.science.radiomics import combat
from hounsfield.science.radiomics.combat import Combat
from hounsfield.science.radiomics.selection import Recipe, RowModel, apply, areas, fit, logistic


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
    model = fit(values, truth, names=list("abcdefg"), sites=sites)
    assert model.combat is not None
    assert apply(model, values, sites=sites).shape == (45,)
    with pytest.raises(InputError, match="sites where it harmonises"):
        apply(model, values)


def test_areas_are_those_of_the_curve() -> None:
    draws = stream(6, "areas")
    truth = draws.random(50) < 0.5
    values = np.round(draws.normal(size=(50, 4)), 1)
    assert areas(values, truth) == pytest.approx([roc_auc_score(truth, v) for v in values.T])

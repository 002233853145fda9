"""ComBat with covariates: against the steps of neuroCombat in plain least squares, and what a dirty cohort does."""

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.science.radiomics import combat
from hounsfield.science.radiomics.selection import Recipe, RowModel, Sites, apply, fit

FEATURES = 9
SITES = np.array(["a"] * 22 + ["b"] * 14 + ["c"] * 18)


def cohort(seed: int = 0) -> tuple[Float64Array, Float64Array]:
    """Features ``n f`` that age and sex move, shifted and spread by sites whose patients are not of one age."""
    draws = stream(seed, "combat covariates")
    place = np.searchsorted(["a", "b", "c"], SITES).astype(np.float64)
    beside: Float64Array = np.column_stack([draws.normal(55 + 8 * place, 9), draws.random(len(SITES)) < 0.5])
    values: Float64Array = draws.normal(size=(len(SITES), FEATURES)) * (1 + 0.3 * place[:, None]) + place[:, None] * 3
    values += beside @ (draws.normal(size=(2, FEATURES)) * np.array([[0.1], [1.0]]))
    return values * np.arange(1, FEATURES + 1) + 5, beside


def written_out(values: Float64Array, beside: Float64Array) -> tuple[Float64Array, Float64Array]:
    """What neuroCombat (Fortin and others 2018) computes, step by step: harmonised values, slopes."""
    n = len(values)
    names, sizes = np.unique(SITES, return_counts=True)
    batch = (SITES[:, None] == names).astype(float)
    design = np.hstack([batch, beside])
    b_hat = np.linalg.pinv(design.T @ design) @ design.T @ values
    grand = sizes / n @ b_hat[: len(names)]
    var_pooled = ((values - design @ b_hat) ** 2).mean(axis=0)
    stand_mean = grand + beside @ b_hat[len(names) :]
    s_data = (values - stand_mean) / np.sqrt(var_pooled)
    gamma_hat = np.linalg.pinv(batch.T @ batch) @ batch.T @ s_data
    made = np.empty_like(values)
    for place, name in enumerate(names):
        own = s_data[name == SITES]
        delta_hat = own.var(axis=0, ddof=1)
        gamma_bar, t2 = gamma_hat[place].mean(), gamma_hat[place].var(ddof=1)
        m, s2 = delta_hat.mean(), delta_hat.var(ddof=1)
        a_prior, b_prior = (2 * s2 + m**2) / s2, (m * s2 + m**3) / s2
        g, d = gamma_hat[place], delta_hat
        for _ in range(3000):
            g = (t2 * len(own) * gamma_hat[place] + d * gamma_bar) / (t2 * len(own) + d)
            d = (0.5 * ((own - g) ** 2).sum(axis=0) + b_prior) / (len(own) / 2 + a_prior - 1)
        made[name == SITES] = (own - g) / np.sqrt(d) * np.sqrt(var_pooled) + stand_mean[name == SITES]
    return made, b_hat[len(names) :]


def slope(values: Float64Array, beside: Float64Array) -> Float64Array:
    """Slopes of age and sex in values from which sites should be gone."""
    wide = np.hstack([np.ones((len(values), 1)), beside])
    return np.asarray(np.linalg.lstsq(wide, values, rcond=None)[0][1:], dtype=np.float64)


def test_harmonised_values_are_those_of_neurocombat() -> None:
    values, beside = cohort()
    wanted, slopes = written_out(values, beside)
    model = combat.fit(values, SITES.tolist(), covariates=beside)
    np.testing.assert_allclose(np.array(model.slopes), slopes, rtol=1e-8)
    np.testing.assert_allclose(combat.apply(model, values, SITES.tolist(), covariates=beside), wanted, rtol=1e-6)


def test_the_share_of_age_is_kept_and_without_it_is_taken_away() -> None:
    values, beside = cohort(1)
    age = beside[:, :1]
    within = np.array(combat.fit(values, SITES.tolist(), covariates=age).slopes)
    kept = combat.apply(combat.fit(values, SITES.tolist(), covariates=age), values, SITES.tolist(), covariates=age)
    lost = combat.apply(combat.fit(values, SITES.tolist()), values, SITES.tolist())
    told = np.abs(within[0]) > 0.3 * np.arange(1, FEATURES + 1) * 0.1
    with_it, without = (slope(v, age)[0][told] / within[0][told] for v in (kept, lost))
    assert np.median(with_it) == pytest.approx(1.0, abs=0.15)
    assert np.median(without) < np.median(with_it) - 0.1


def test_only_what_differs_within_sites_can_be_kept() -> None:
    _, beside = cohort(2)
    age, sex = beside.T
    room = np.where(SITES == "a", 1.0, 0.0)
    constant, again = np.full(len(SITES), 0.1), 2 * age - 7
    both_levels = 1 - sex
    wide = np.column_stack([constant, age, room, again, sex, both_levels])
    assert combat.told_apart(wide, SITES.tolist()) == (1, 4)
    # nearly the site: what is left within it says nothing
    nearly = room + 0.01 * stream(0, "nearly").normal(size=len(SITES))
    assert combat.told_apart(nearly[:, None], SITES.tolist()) == ()
    many = stream(0, "many").normal(size=(len(SITES), 20))
    assert len(combat.told_apart(many, SITES.tolist())) == len(SITES) // combat.PER_COVARIATE - 3
    assert combat.told_apart(many[:12], ["a", "b"] * 6) == ()
    combat.fit(many, SITES.tolist(), covariates=wide[:, [1, 4]])  # nothing that ComBat itself refuses


def drawn(seed: int = 3) -> tuple[Float64Array, np.typing.NDArray[np.bool_], list[str]]:
    """Rows with age and sex in front, gaps in both, and answers that age tells."""
    values, beside = cohort(seed)
    truth = beside[:, 0] + 8 * stream(seed, "answers").normal(size=len(SITES)) > 62
    rows = np.hstack([beside, values])
    rows[[4, 30], 0] = np.nan
    rows[7, 1] = np.nan
    return rows, truth, [f"x{k}" for k in range(rows.shape[1])]


def test_a_model_of_rows_keeps_its_covariates_and_fills_those_that_are_missing() -> None:
    rows, truth, names = drawn()
    measured = tuple(range(2, rows.shape[1]))
    sites = Sites(SITES.tolist(), measured, (0, 1))
    model = fit(rows, truth, names=names, sites=sites, recipe=Recipe(features=5))
    assert model.combat is not None
    assert (model.covariates, model.harmonised) == ((0, 1), measured)
    filled = np.where(np.isfinite(rows), rows, np.nanmedian(rows, axis=0))
    wanted, slopes = written_out(filled[:, 2:], filled[:, :2])
    np.testing.assert_allclose(np.array(model.combat.slopes), slopes, rtol=1e-7)
    # log odds from the values that the reference harmonises
    whole = np.hstack([filled[:, :2], wanted])[:, list(model.chosen)]
    odds = (whole - np.array(model.mean)) / np.array(model.spread) @ np.array(model.coefficients) + model.intercept
    said = apply(model, rows, sites=SITES.tolist())
    np.testing.assert_allclose(said, odds, atol=1e-4)
    alone = [apply(model, r[None], sites=[s])[0] for r, s in zip(rows, SITES, strict=True)]
    np.testing.assert_allclose(alone, said, rtol=1e-12)
    again = RowModel.model_validate_json(model.model_dump_json())
    np.testing.assert_array_equal(apply(again, rows, sites=SITES.tolist()), said)
    assert fit(rows, truth, names=names, sites=Sites(SITES.tolist(), measured)).covariates == ()


def test_covariates_that_cannot_be_kept_leave_a_model_all_the_same() -> None:
    rows, truth, names = drawn(4)
    rows[:, 0] = np.where(SITES == "a", 3.0, 1.0)  # the site under another name
    rows[::2, 1] = np.nan  # missing too often
    model = fit(rows, truth, names=names, sites=Sites(SITES.tolist(), tuple(range(2, rows.shape[1])), (0, 1)))
    assert model.combat is not None
    assert model.covariates == ()
    # a covariate among the columns that sites shift is no such column any more
    rows, truth, names = drawn(5)
    both = fit(rows, truth, names=names, sites=Sites(SITES.tolist(), None, (0,)))
    assert both.covariates == (0,)
    assert 0 not in both.harmonised

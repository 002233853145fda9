"""Ridge and logistic models against scikit-learn, and the choice of the penalty."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from hounsfield.core.streams import stream
from hounsfield.core.types import Float32Array, Float64Array
from hounsfield.learn.features import ridge
from hounsfield.learn.features.ridge import fit_linear, fit_logistic, fit_scaler, inner_folds, principal


def made(count: int = 60, features: int = 200) -> tuple[Float32Array, Float64Array]:
    rng = stream(0, "ridge")
    hidden = rng.standard_normal((count, 5))
    values = hidden @ rng.standard_normal((5, features)) + rng.standard_normal((count, features))
    answers = hidden[:, 0] + 0.3 * rng.standard_normal(count)
    scaler = fit_scaler(values.astype(np.float32), np.ones(features))
    return scaler(values.astype(np.float32)), answers


@pytest.mark.parametrize("shape", [(60, 200), (200, 30)])
def test_principal_directions_lose_nothing(shape: tuple[int, int]) -> None:
    rows, _ = made(*shape)
    basis = principal(rows)
    np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-6)
    np.testing.assert_allclose(rows @ basis @ basis.T, rows, atol=1e-5)
    powers = ((rows @ basis) ** 2).sum(axis=0)
    assert (np.diff(powers) <= 1e-9).all()
    assert principal(rows, most=4).shape == (shape[1], 4)


def test_rows_of_equal_content_have_a_basis() -> None:
    assert principal(np.zeros((6, 9), dtype=np.float32)).shape == (9, 1)


@pytest.mark.parametrize("penalty", [0.1, 1.0])
def test_logistic_weights_are_those_of_scikit_learn(penalty: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "PENALTIES", (penalty,))
    rows, answers = made()
    truth = (answers > 0.2).astype(np.float64)
    basis = principal(rows)
    folds = inner_folds(truth.astype(np.int64), np.arange(len(truth)), seed=0)
    found = fit_logistic(rows @ basis, truth, folds)
    known = LogisticRegression(C=1.0 / penalty, tol=1e-8, max_iter=2000).fit(rows, truth)
    np.testing.assert_allclose(basis @ found.weights, known.coef_[0], atol=2e-3)
    assert found.bias == pytest.approx(float(known.intercept_[0]), abs=5e-3)
    held_out = np.zeros(len(rows))
    for inside, outside in folds:
        part = LogisticRegression(C=1.0 / penalty, tol=1e-8, max_iter=2000).fit(rows[inside], truth[inside])
        held_out[outside] += part.decision_function(rows[outside]) / (len(folds) / ridge.INNER_FOLDS)
    np.testing.assert_allclose(found.held_out, held_out, atol=1e-2)


def test_linear_weights_are_those_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "PENALTIES", (0.3,))
    rows, answers = made()
    basis = principal(rows)
    found = fit_linear(rows @ basis, answers, inner_folds(np.zeros(60, dtype=np.int64), np.arange(60), seed=0))
    known = Ridge(alpha=0.3).fit(rows, answers)
    np.testing.assert_allclose(basis @ found.weights, known.coef_, atol=1e-4)
    assert found.bias == pytest.approx(float(known.intercept_), abs=1e-5)


def test_penalty_is_the_one_with_the_least_held_out_loss() -> None:
    rows, answers = made()
    truth = (answers > 0).astype(np.float64)
    scores = rows @ principal(rows)
    folds = inner_folds(truth.astype(np.int64), np.arange(len(truth)), seed=0)
    chosen = fit_logistic(scores, truth, folds)

    def cost(penalty: float) -> float:
        total = 0.0
        for inside, outside in folds:
            model = LogisticRegression(C=1.0 / penalty, tol=1e-8, max_iter=2000).fit(scores[inside], truth[inside])
            sign = 2.0 * truth[outside] - 1.0
            total += float(np.logaddexp(0.0, -sign * model.decision_function(scores[outside])).sum())
        return total

    assert chosen.penalty == min(ridge.PENALTIES, key=cost)


def test_inner_folds_keep_groups_together() -> None:
    groups = np.repeat(np.arange(12), 3)
    for labels in (np.repeat(np.arange(12) % 2, 3), np.zeros(36, dtype=np.int64), (groups == 0).astype(np.int64)):
        folds = inner_folds(labels, groups, seed=3)
        outside_rows, times = np.unique(np.concatenate([outside for _, outside in folds]), return_counts=True)
        assert np.array_equal(outside_rows, np.arange(36))
        assert set(times) == {len(folds) / ridge.INNER_FOLDS}
        assert all(not set(groups[i]) & set(groups[o]) for i, o in folds)
    assert inner_folds(np.arange(4) % 2, np.zeros(4, dtype=np.int64), seed=0) == []


def test_scaler_leaves_out_what_does_not_vary_and_cuts_what_is_odd() -> None:
    values = stream(1, "ridge").standard_normal((30, 4)).astype(np.float32)
    values[:, 2] = 7.0
    scaler = fit_scaler(values, np.array([1.0, 1.0, 1.0, 2.0]))
    rows = scaler(values)
    assert (rows[:, 2] == 0.0).all()
    np.testing.assert_allclose((rows**2).sum(axis=1).mean(), 6.0 / 7.0, rtol=1e-5)
    foreign = scaler(np.full((1, 4), 1e6, dtype=np.float32))
    np.testing.assert_allclose(foreign[0], ridge.CLIP * scaler.share * [1, 1, 0, 1], rtol=1e-6)

"""Ridge regression with groups left out: against fits that leave them out one after another."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from hounsfield.core.types import Float32Array, Float64Array, IntArray
from hounsfield.learn.features import leaveout
from hounsfield.learn.features.leaveout import fit_left_out


def made(count: int, features: int) -> tuple[Float32Array, Float64Array]:
    rng = np.random.default_rng(count)
    rows = rng.standard_normal((count, features)) / np.sqrt(features) + 0.1
    answers = rows @ rng.standard_normal((features, 2)) + 0.3 * rng.standard_normal((count, 2)) + 1.0
    return rows.astype(np.float32), answers


class Cost:
    """The mean squared error, and every one that was asked for."""

    def __init__(self, answers: Float64Array) -> None:
        self.answers = answers
        self.seen: list[float] = []

    def __call__(self, held_out: Float64Array) -> float:
        self.seen.append(float(((held_out - self.answers) ** 2).mean()))
        return self.seen[-1]


@pytest.mark.parametrize("shape", [(40, 90), (90, 25)])
@pytest.mark.parametrize("size", [1, 3, 20])
def test_what_is_held_out_is_what_other_groups_say(
    shape: tuple[int, int], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaveout, "COLUMNS_AT_A_TIME", 32)
    monkeypatch.setattr(leaveout, "PENALTIES", (0.05,))
    rows, answers = made(*shape)
    groups: IntArray = np.random.default_rng(0).permutation(len(rows)).astype(np.int64) // size
    found = fit_left_out(rows, answers, groups, cost=Cost(answers))
    model = Ridge(alpha=0.05, solver="cholesky").fit(rows.astype(np.float64), answers)
    np.testing.assert_allclose(found.weights, model.coef_, atol=1e-5)
    np.testing.assert_allclose(found.bias, model.intercept_, atol=1e-5)
    for group in np.unique(groups):
        out = groups == group
        part = Ridge(alpha=0.05, solver="cholesky").fit(rows[~out].astype(np.float64), answers[~out])
        np.testing.assert_allclose(found.held_out[out], part.predict(rows[out].astype(np.float64)), atol=1e-4)


def test_the_penalty_of_least_cost_is_taken() -> None:
    rows, answers = made(60, 40)
    cost = Cost(answers)
    found = fit_left_out(rows, answers, np.arange(60), cost=cost)
    assert len(cost.seen) == len(leaveout.PENALTIES)
    assert found.penalty == leaveout.PENALTIES[int(np.argmin(cost.seen))]
    assert 0 < int(np.argmin(cost.seen)) < len(cost.seen) - 1
    np.testing.assert_allclose(((found.held_out - answers) ** 2).mean(), min(cost.seen))


def test_one_group_alone_leaves_out_rows() -> None:
    rows, answers = made(30, 10)
    one = fit_left_out(rows, answers, np.zeros(30, dtype=np.int64), cost=Cost(answers))
    each = fit_left_out(rows, answers, np.arange(30), cost=Cost(answers))
    np.testing.assert_array_equal(one.held_out, each.held_out)


def test_rows_of_equal_content_say_their_mean() -> None:
    answers = np.arange(6, dtype=np.float64)[:, None]
    found = fit_left_out(np.ones((6, 4), dtype=np.float32), answers, np.arange(6), cost=Cost(answers))
    np.testing.assert_allclose(found.weights, 0)
    np.testing.assert_allclose(found.bias, 2.5)
    np.testing.assert_allclose(found.held_out[:, 0], [(15 - a) / 5 for a in range(6)])

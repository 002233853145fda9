"""Trees as arrays against scikit-learn, to 1e-9."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from hounsfield.core.errors import BundleError
from hounsfield.core.types import Float64Array
from hounsfield.learn.series.boosting import Boosting
from hounsfield.learn.series.trees import Loss, Trees, grow

HOW = Boosting(rounds=30, rate=0.1, leaves=8, least=5, penalty=1.0, share=0.5, fewest=1)


def made(count: int = 250, classes: int = 2) -> tuple[Float64Array, Float64Array]:
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((count, 6))
    rows[:, 3] = np.round(rows[:, 3])
    score = rows[:, 0] + rows[:, 1] * rows[:, 2] + 0.2 * rng.standard_normal(count)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    rows[rng.random(count) < 0.3, 0] = np.nan
    answers = np.searchsorted(np.quantile(score, np.arange(1, classes) / classes), score).astype(np.float64)
    return rows, answers if classes else score


def reference(rows: Float64Array, answers: Float64Array, loss: str) -> Any:  # noqa: ANN401 - two classes of one form
    kind = HistGradientBoostingClassifier if loss == "classes" else HistGradientBoostingRegressor
    model = kind(
        learning_rate=HOW.rate,
        max_iter=HOW.rounds,
        max_leaf_nodes=HOW.leaves,
        min_samples_leaf=HOW.least,
        l2_regularization=HOW.penalty,
        max_features=HOW.share,
        early_stopping=False,
        random_state=7,
    )
    return model.fit(rows, answers.astype(int) if loss == "classes" else answers)


@pytest.mark.parametrize("classes", [2, 4])
def test_classes_are_those_of_scikit_learn(classes: int) -> None:
    rows, answers = made(classes=classes)
    trees = grow(rows, answers, HOW, loss="classes", rounds=HOW.rounds, seed=7)
    model = reference(rows, answers, "classes")
    fresh = np.random.default_rng(2).standard_normal((400, 6))
    fresh[::3, 1] = np.nan
    fresh[0], fresh[1], fresh[2] = np.nan, np.inf, -np.inf
    for inputs in (rows, fresh):
        wanted = np.asarray(model.decision_function(inputs)).reshape(len(inputs), -1)
        np.testing.assert_allclose(trees(inputs), wanted, rtol=0, atol=1e-9)
    stages = [s.reshape(len(fresh), -1) for s in model.staged_decision_function(fresh)]
    np.testing.assert_allclose(trees.staged(fresh)[1:], stages, rtol=0, atol=1e-9)


def test_numbers_are_those_of_scikit_learn_and_thresholds_too() -> None:
    rows, _ = made()
    answers = np.nansum(rows, axis=1)
    trees = grow(rows, answers, HOW, loss="number", rounds=HOW.rounds, seed=7)
    edges = np.repeat(trees.threshold[trees.feature >= 0][:200, None], 6, axis=1)
    for inputs in (rows, edges, np.nextafter(edges, np.inf)):
        wanted = reference(rows, answers, "number").predict(inputs)
        np.testing.assert_allclose(trees(inputs)[:, 0], wanted, rtol=0, atol=1e-9)


def test_arrays_hold_all_of_it_and_no_rounds_are_the_start() -> None:
    rows, answers = made()
    trees = grow(rows, answers, HOW, loss="classes", rounds=9, seed=7)
    again = Trees.of(trees.arrays("t"), "t", features=6)
    np.testing.assert_array_equal(again(rows), trees(rows))
    none = grow(rows, answers, HOW, loss="classes", rounds=0, seed=7)
    np.testing.assert_allclose(none(rows), np.log(answers.mean() / (1 - answers.mean())))
    np.testing.assert_array_equal(Trees.of(none.arrays("t"), "t", features=6)(rows), none(rows))


@pytest.mark.parametrize("loss", ["classes", "number", "absolute"])
def test_a_feature_that_nobody_has_is_never_asked_for(loss: Loss) -> None:
    rows, answers = made()
    full = grow(rows, answers, HOW, loss=loss, rounds=5, seed=7)
    empty = np.where(np.arange(6) == 5, np.nan, rows)
    trees = grow(empty, answers, HOW, loss=loss, rounds=5, seed=7)
    assert 5 in full.feature
    assert 5 not in trees.feature
    assert np.isfinite(trees(rows)).all()
    np.testing.assert_array_equal(trees(rows), trees(empty))


def test_damaged_trees_are_refused() -> None:
    rows, answers = made()
    trees = grow(rows, answers, HOW, loss="classes", rounds=5, seed=7)
    inner = int(np.flatnonzero(trees.feature >= 0)[3])

    def with_(name: str, at: int, value: int) -> dict[str, Any]:
        changed = np.array(getattr(trees, name))
        changed.flat[at] = value
        return cast("dict[str, Any]", replace(trees, **{name: changed}).arrays("t"))

    for arrays in (
        with_("left", inner, inner),  # a circle
        with_("right", inner, 10**6),
        with_("feature", inner, 6),
        with_("roots", 0, -1),
        trees.arrays("t") | {"t/value": trees.value[:-1]},
    ):
        with pytest.raises(BundleError, match="damaged"):
            Trees.of(arrays, "t", features=6)

"""Small models that guess an answer from cues; none of them is ever shown to a user as a classifier."""

from enum import StrEnum

import numpy as np

from hounsfield.core.streams import address
from hounsfield.core.types import Float64Array

_LEAVES = 8
TREES = 100
"""In the forest that guesses from many cues."""


class Model(StrEnum):
    """What guesses: a small tree for one cue, logistic regression, or a forest for many."""

    TREE = "tree"
    LOGISTIC = "logistic"
    FOREST = "forest"


def guess(
    values: Float64Array, answers: Float64Array, wanted: Float64Array, *, seed: int, model: Model
) -> Float64Array:
    """Fit a model to known answers and return its scores for other samples.

    Parameters
    ----------
    values : float64 array (n d)
        Cues of the samples with known answers.
    answers : float64 array (n k)
        0 or 1 per class or label.
    wanted : float64 array (m d)
        Cues of the samples to score.
    seed : int
        Of trees.
    model : Model
        What to fit.

    Returns
    -------
    float64 array (m k)
        Higher means more likely. Least squares on 0 and 1 splits trees as the Gini index does, for any k at once.
    """
    if model is Model.LOGISTIC:
        return np.stack([_logistic(values, column, wanted) for column in answers.T], axis=1)
    return _trees(values, answers, wanted, seed=seed, model=model)


def _trees(
    values: Float64Array, answers: Float64Array, wanted: Float64Array, *, seed: int, model: Model
) -> Float64Array:
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.tree import DecisionTreeRegressor

    state = address(seed, "probe") % 2**31
    fitted: RandomForestRegressor | DecisionTreeRegressor
    if model is Model.FOREST:
        fitted = RandomForestRegressor(TREES, min_samples_leaf=5, max_features=0.5, random_state=state, n_jobs=1)
    else:
        leaf = max(5, len(values) // 100)
        fitted = DecisionTreeRegressor(max_leaf_nodes=_LEAVES, min_samples_leaf=leaf, random_state=state)
    fitted.fit(values, answers if answers.shape[1] > 1 else answers[:, 0])
    return np.asarray(fitted.predict(wanted), dtype=np.float64).reshape(len(wanted), -1)


def _logistic(values: Float64Array, answer: Float64Array, wanted: Float64Array) -> Float64Array:
    from sklearn.linear_model import LogisticRegression

    if answer.min() == answer.max():
        return np.full(len(wanted), answer[0])
    centre, spread = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-12)
    fitted = LogisticRegression(max_iter=1000).fit((values - centre) / spread, answer)
    return np.asarray(fitted.predict_proba((wanted - centre) / spread)[:, 1], dtype=np.float64)

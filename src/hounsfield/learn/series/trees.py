"""Gradient-boosted trees as plain arrays: fitted by scikit-learn, run by a compiled loop of our own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hounsfield.core.errors import BundleError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array, IntArray
from hounsfield.learn.series.boosting import Boosting
from hounsfield.science.compiled import compiled

Loss = Literal["classes", "number", "absolute"]


@dataclass(frozen=True)
class Trees:
    """Trees, round by round and in each round one for every output.

    Parameters
    ----------
    feature : numpy.ndarray
        ``m`` int64: what a node looks at; -1 for a leaf.
    threshold : numpy.ndarray
        ``m`` float64: a value at or below goes left.
    left, right : numpy.ndarray
        ``m`` int64: nodes, counted over all trees.
    missing_left : numpy.ndarray
        ``m`` bool: whether NaN goes left.
    value : numpy.ndarray
        ``m`` float64: of a leaf.
    roots : numpy.ndarray
        ``r q`` int64: by round and output.
    start : numpy.ndarray
        ``q`` float64: outputs without any tree.
    """

    feature: IntArray
    threshold: Float64Array
    left: IntArray
    right: IntArray
    missing_left: BoolArray
    value: Float64Array
    roots: IntArray
    start: Float64Array

    def arrays(self, prefix: str) -> dict[str, AnyArray]:
        """Return everything by name, each behind a prefix."""
        return {f"{prefix}/{name}": getattr(self, name) for name in _NAMES}

    @classmethod
    def of(cls, arrays: Mapping[str, AnyArray], prefix: str, *, features: int) -> "Trees":
        """Return what `arrays` gave, for rows of so many features.

        Raises
        ------
        BundleError
            If a node points backwards, beyond the nodes, or at a feature that there is not: such trees would never
            end or read foreign memory.
        """
        whole = {n: np.asarray(arrays[f"{prefix}/{n}"]) for n in _NAMES}
        found = cls(
            feature=whole["feature"].astype(np.int64),
            threshold=whole["threshold"].astype(np.float64),
            left=whole["left"].astype(np.int64),
            right=whole["right"].astype(np.int64),
            missing_left=whole["missing_left"].astype(np.bool_),
            value=whole["value"].astype(np.float64),
            roots=whole["roots"].astype(np.int64),
            start=whole["start"].astype(np.float64),
        )
        if not _sound(found, features):
            raise BundleError(
                "The trees of a member are damaged.",
                expected="nodes that lead down to leaves",
                next_step="copy the bundle again, whole",
            )
        return found

    def __call__(self, rows: Float64Array) -> Float64Array:
        """Return outputs ``n q`` float64 for rows ``n f`` (NaN missing)."""
        out = np.repeat(self.start[None], len(rows), axis=0)
        for place in range(len(self.roots)):
            self._add(rows, place, out)
        return out

    def staged(self, rows: Float64Array) -> Float64Array:
        """Return outputs after each round, ``r + 1 n q`` float64; the first are those without trees."""
        out = np.empty((len(self.roots) + 1, len(rows), len(self.start)))
        out[0] = self.start
        for place in range(len(self.roots)):
            out[place + 1] = out[place]
            self._add(rows, place, out[place + 1])
        return out

    def _add(self, rows: Float64Array, place: int, out: Float64Array) -> None:
        tests = (self.feature, self.threshold, self.missing_left)
        _climb(rows, self.roots[place], tests, (self.left, self.right, self.value), out)


_NAMES = ("feature", "threshold", "left", "right", "missing_left", "value", "roots", "start")


def grow(rows: Float64Array, answers: Float64Array, how: Boosting, *, loss: Loss, rounds: int, seed: int) -> Trees:
    """Grow trees.

    Parameters
    ----------
    rows : numpy.ndarray
        ``n f`` float64, NaN missing; a feature that is missing in all of them is never asked for.
    answers : numpy.ndarray
        ``n``: classes 0 to q - 1, all of which are there, or numbers.
    how : Boosting
    loss : str
        ``classes``: outputs are the log-odds of two classes or logits of more; ``number``, ``absolute``: numbers with
        the least squared and the least absolute error.
    rounds : int
        Rounds made.
    seed : int
        Of the features that splits choose from.

    References
    ----------
    Ke et al.: "LightGBM", NeurIPS 2017, whose algorithm scikit-learn's histogram gradient boosting follows.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    from hounsfield.learn.threads import threads

    made = HistGradientBoostingClassifier if loss == "classes" else HistGradientBoostingRegressor
    more = {"loss": "absolute_error"} if loss == "absolute" else {}
    model = made(
        **more,
        learning_rate=how.rate,
        max_iter=max(rounds, 1),
        max_leaf_nodes=how.leaves,
        min_samples_leaf=how.least,
        l2_regularization=how.penalty,
        max_features=min(1.0, max(how.share, how.fewest / rows.shape[1])),
        early_stopping=False,
        random_state=seed % 2**31,
    )
    nowhere = np.isnan(rows).all(axis=0)  # nothing to split at, and scikit-learn's bins want a value at least
    with threadpool_limits(limits=threads()):
        model.fit(np.where(nowhere, 0.0, rows), answers.astype(np.int64) if loss == "classes" else answers)
    # The fitted nodes are to be had nowhere else; a test compares what they say with what scikit-learn says.
    return _flattened(model._predictors[:rounds], np.ravel(model._baseline_prediction))


def _flattened(predictors: list[list[object]], start: Float64Array) -> Trees:
    nodes, roots, before = [], [], 0
    for group in predictors:
        own = []
        for predictor in group:
            found = np.array(predictor.nodes)  # type: ignore[attr-defined]  # a compiled class without types
            inner = found["is_leaf"] == 0
            found["left"] = np.where(inner, found["left"] + before, 0)
            found["right"] = np.where(inner, found["right"] + before, 0)
            nodes.append(found)
            own.append(before)
            before += len(found)
        roots.append(own)
    whole = np.concatenate(nodes) if nodes else np.empty(0, dtype=_EMPTY)
    leaf = whole["is_leaf"] != 0
    return Trees(
        feature=np.where(leaf, -1, whole["feature_idx"].astype(np.int64)),
        threshold=np.where(leaf, 0.0, whole["num_threshold"].astype(np.float64)),
        left=whole["left"].astype(np.int64),
        right=whole["right"].astype(np.int64),
        missing_left=whole["missing_go_to_left"].astype(np.bool_),
        value=np.where(leaf, whole["value"], 0.0).astype(np.float64),
        roots=np.array(roots, dtype=np.int64).reshape(len(roots), len(start)),
        start=start.astype(np.float64),
    )


_EMPTY = np.dtype(
    [
        ("is_leaf", np.uint8),
        ("feature_idx", np.int64),
        ("num_threshold", np.float64),
        ("left", np.int64),
        ("right", np.int64),
        ("missing_go_to_left", np.uint8),
        ("value", np.float64),
    ]
)


def _sound(trees: Trees, features: int) -> bool:
    count = len(trees.feature)
    if any(len(a) != count for a in (trees.threshold, trees.left, trees.right, trees.missing_left, trees.value)):
        return False
    if trees.roots.ndim != 2 or trees.start.ndim != 1 or trees.roots.shape[1] != len(trees.start):
        return False
    inner = np.flatnonzero(trees.feature >= 0)
    below = np.stack([trees.left[inner], trees.right[inner]])
    at_home = bool(((trees.roots >= 0) & (trees.roots < count)).all())
    return at_home and bool((below > inner).all() and (below < count).all() and (trees.feature < features).all())


@compiled
def _climb(
    rows: Float64Array,
    roots: IntArray,
    tests: tuple[IntArray, Float64Array, BoolArray],
    ways: tuple[IntArray, IntArray, Float64Array],
    out: Float64Array,
) -> None:
    feature, threshold, missing_left = tests
    left, right, value = ways
    for n in range(rows.shape[0]):
        for q in range(len(roots)):
            at = roots[q]
            while feature[at] >= 0:
                found = rows[n, feature[at]]
                if np.isnan(found):
                    at = left[at] if missing_left[at] else right[at]
                elif found <= threshold[at]:
                    at = left[at]
                else:
                    at = right[at]
            out[n, q] += value[at]

"""Baseline: a linear model on simple numbers: of an image coarse pixels and texture."""

from collections.abc import Mapping

import numpy as np

from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array, IntArray
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.prevalence import share
from hounsfield.learn.learners.protocol import HeadSpec, Job, State
from hounsfield.learn.learners.raw import raw_outputs
from hounsfield.learn.loop import Watch

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)
"""Inverse ridge penalties tried inside the training part."""
INNER_FOLDS = 4
MOST_ROWS = 5000
"""Rows that the linear model is fitted to at most: more change it little and cost time that the network needs."""


class Logistic:
    """Logistic regression (ridge regression for a number); the penalty is chosen inside the training part."""

    name = "logistic"

    def fit(self, feed: Feed, job: Job, *, watch: Watch) -> State:
        """Fit scaler, penalty and weights to the training rows alone."""
        arrays: dict[str, AnyArray] = {}
        chosen = feed.train
        if len(chosen) > MOST_ROWS:
            chosen = np.sort(stream(job.seed, "baseline rows").permutation(chosen)[:MOST_ROWS])
        with watch.progress.step("Baseline: simple numbers", float(len(chosen))) as shown:
            rows = []
            for row in chosen:
                rows.append(np.concatenate(feed.described(int(row), job.preparation)))
                shown.advance()
        features = np.stack(rows)
        mean, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
        arrays |= {"mean": mean, "scale": scale}
        scaled = (features - mean) / scale
        groups = feed.groups[chosen]
        for place, head in enumerate(job.heads):
            weights, bias = _fit_head(scaled, feed.targets[head.target.name][chosen], head, groups)
            arrays[f"weights/{place}"], arrays[f"bias/{place}"] = weights, bias
        return State(arrays, None)

    def open(self, state: State, job: Job) -> "LinearRunner":
        """Return a runner in plain NumPy."""
        return LinearRunner(state.arrays, job)


class LinearRunner:
    """``W (x - mean) / scale + b`` on simple numbers of the inputs."""

    def __init__(self, arrays: Mapping[str, AnyArray], job: Job) -> None:
        self._arrays = arrays
        self._heads = job.heads
        self._preparation = job.preparation

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Float64Array]:
        """Return raw outputs by target, ``n w``."""
        count = len(next(iter(inputs.values())))
        specs = self._preparation
        rows = [np.concatenate([specs[n].described(stored[i]) for n, stored in inputs.items()]) for i in range(count)]
        scaled = (np.stack(rows) - self._arrays["mean"]) / self._arrays["scale"]
        outputs = {}
        for place, head in enumerate(self._heads):
            weights = np.asarray(self._arrays[f"weights/{place}"], dtype=np.float64)
            bias = np.asarray(self._arrays[f"bias/{place}"], dtype=np.float64)
            # Row by row: a product of matrices sums in another order for another number of rows.
            outputs[head.target.name] = _as_raw(np.stack([weights @ row + bias for row in scaled]), head)
        return outputs


def _as_raw(scores: Float64Array, head: HeadSpec) -> Float64Array:
    if head.loss != "ordinal":
        return scores
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raw_outputs("ordinal", powers / powers.sum(axis=1, keepdims=True))


def _fit_head(
    features: Float64Array, values: AnyArray, head: HeadSpec, groups: IntArray
) -> tuple[Float64Array, Float64Array]:
    """Return weights ``k f`` and bias ``k`` of one head."""
    if head.loss == "multilabel":
        columns = [
            _fit_classes(features[known], values[known, k].astype(np.int64), groups[known], 2)
            for k in range(head.width)
            for known in [np.isfinite(values[:, k])]
        ]
        return np.stack([w[1] - w[0] for w, _ in columns]), np.array([b[1] - b[0] for _, b in columns])
    if head.loss == "number":
        known = np.isfinite(values[:, 0])
        if known.sum() < 2:
            return np.zeros((1, features.shape[1])), share(values, head)
        return _fit_number(features[known], (values[known, 0] - head.mean) / head.std, groups[known])
    answers = np.asarray(values, dtype=np.int64)
    known = answers >= 0
    return _fit_classes(features[known], answers[known], groups[known], len(head.target.classes))


def _folds(labels: IntArray, groups: IntArray) -> list[tuple[IntArray, IntArray]]:
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    distinct = len(np.unique(groups))
    count = min(INNER_FOLDS, distinct)
    if count < 2:
        return []
    if len(np.unique(labels)) > 1 and np.bincount(np.unique(labels, return_inverse=True)[1]).min() >= count:
        return list(StratifiedGroupKFold(count).split(labels[:, None], labels, groups))
    return list(GroupKFold(count).split(labels[:, None], labels, groups))


def _fit_classes(
    features: Float64Array, labels: IntArray, groups: IntArray, classes: int
) -> tuple[Float64Array, Float64Array]:
    from sklearn.linear_model import LogisticRegression

    weights, bias = np.zeros((classes, features.shape[1])), np.full(classes, np.log(1e-6))
    present = np.unique(labels)
    if len(present) < 2:
        bias[present] = 0.0
        return weights, bias

    def fitted(rows: IntArray, strength: float) -> tuple[Float64Array, Float64Array]:
        model = LogisticRegression(C=strength, max_iter=300, tol=1e-3).fit(features[rows], labels[rows])
        w, b = np.zeros_like(weights), np.full_like(bias, np.log(1e-6))
        if len(model.classes_) == 2:
            w[model.classes_] = np.stack([-model.coef_[0] / 2, model.coef_[0] / 2])
            b[model.classes_] = np.array([-model.intercept_[0] / 2, model.intercept_[0] / 2])
        else:
            w[model.classes_], b[model.classes_] = model.coef_, model.intercept_
        return w, b

    def cost(strength: float) -> float:
        total = 0.0
        for inside, outside in _folds(labels, groups):
            if len(np.unique(labels[inside])) < 2:
                continue
            w, b = fitted(inside, strength)
            scores = features[outside] @ w.T + b
            scores -= np.logaddexp.reduce(scores, axis=1, keepdims=True)
            total -= float(scores[np.arange(len(outside)), labels[outside]].sum())
        return total

    best = min(STRENGTHS, key=cost)
    return fitted(np.arange(len(labels)), best)


def _fit_number(features: Float64Array, values: Float64Array, groups: IntArray) -> tuple[Float64Array, Float64Array]:
    from sklearn.linear_model import Ridge

    def cost(strength: float) -> float:
        total = 0.0
        for inside, outside in _folds(np.zeros(len(values), dtype=np.int64), groups):
            model = Ridge(alpha=1.0 / strength).fit(features[inside], values[inside])
            total += float(np.abs(model.predict(features[outside]) - values[outside]).sum())
        return total

    model = Ridge(alpha=1.0 / min(STRENGTHS, key=cost)).fit(features, values)
    return np.asarray(model.coef_, dtype=np.float64)[None], np.array([float(model.intercept_)])


LOGISTIC = Logistic()

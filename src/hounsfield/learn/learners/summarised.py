"""Ridge regression on summaries of irregular series and on rows: tails drawn in, gaps as features of their own."""

from collections.abc import Mapping

import numpy as np

from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.learn.features.ridge import CLIP, fit_scaler
from hounsfield.learn.features.tails import drawn_in, fit_tails
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.answering import raw_answers, ridge_head
from hounsfield.learn.learners.protocol import Job, State
from hounsfield.learn.learners.tabled import fit_limits, table
from hounsfield.learn.loop import Watch

MOST_ROWS = 20_000
"""Rows that weights are fitted to at most."""


class Summarised:
    """Fits ridge heads on a table; every penalty is chosen by leaving out groups of the training part."""

    name = "summaries"

    def fit(self, feed: Feed, job: Job, *, watch: Watch) -> State:
        """Fit limits, tails, scaler, penalties, weights and probabilities to the training rows alone.

        Raises
        ------
        PlanError
            If an input is an image.
        """
        chosen = feed.train
        if len(chosen) > MOST_ROWS:
            chosen = np.sort(stream(job.seed, "summary rows").permutation(chosen)[:MOST_ROWS])
        arrays = fit_limits(feed.inputs, chosen, job)
        with watch.progress.step("Summaries", float(len(chosen))) as shown:
            values = table({n: v[chosen] for n, v in feed.inputs.items()}, arrays, job)
            shown.advance(len(chosen))
        tails = fit_tails(values)
        features = _features(values, tails)
        scaler = fit_scaler(features, np.ones(features.shape[1]))
        scaled = scaler(features)
        arrays |= {"tails": tails, "mean": scaler.mean, "scale": scaler.scale}
        for place, head in enumerate(job.heads):
            answers = np.asarray(feed.targets[head.target.name])[chosen]
            fitted = ridge_head(scaled, answers, head, groups=feed.groups[chosen])
            arrays[f"weights/{place}"] = fitted.weights * scaler.share
            arrays[f"bias/{place}"] = fitted.bias
        return State(arrays, None)

    def open(self, state: State, job: Job) -> "SummarisedRunner":
        """Return a runner in NumPy and compiled loops."""
        return SummarisedRunner(state.arrays, job)


class SummarisedRunner:
    """Fitted tails and heads.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
        From `Summarised.fit`.
    job : Job
    """

    def __init__(self, arrays: Mapping[str, AnyArray], job: Job) -> None:
        self._arrays = arrays
        self._job = job

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Float64Array]:
        """Return raw outputs by target, ``n w`` float64, for stored inputs ``n c t`` and ``n c``."""
        features = _features(table(inputs, self._arrays, self._job), self._arrays["tails"])
        mean, scale = (np.asarray(self._arrays[n], dtype=np.float32) for n in ("mean", "scale"))
        scaled = np.clip((features - mean) * scale, -CLIP, CLIP).astype(np.float64)
        outputs = {}
        for place, head in enumerate(self._job.heads):
            weights = np.asarray(self._arrays[f"weights/{place}"], dtype=np.float64)
            # Row by row: a product of matrices sums in another order for another number of rows.
            bias = np.asarray(self._arrays[f"bias/{place}"], dtype=np.float64)
            scores = np.stack([weights @ row for row in scaled]) + bias
            outputs[head.target.name] = raw_answers(scores, head)
        return outputs


def _features(values: Float64Array, tails: AnyArray) -> Float32Array:
    """Return numbers, and for each whether it is missing, ``n 2f``; the scaler leaves out what never varies."""
    return np.hstack([drawn_in(values, tails), (~np.isfinite(values)).astype(np.float32)])


SUMMARISED = Summarised()
"""The learner."""

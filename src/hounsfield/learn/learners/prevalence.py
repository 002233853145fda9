"""Baseline: says of everyone what is true of the training part as a whole."""

from collections.abc import Mapping

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import HeadSpec, Job, State
from hounsfield.learn.learners.raw import raw_outputs
from hounsfield.learn.loop import Watch


class Prevalence:
    """Class shares of the training part; the median for a number."""

    name = "prevalence"

    def fit(self, feed: Feed, job: Job, *, watch: Watch) -> State:
        """Count the training answers."""
        del watch
        return State({h.target.name: share(feed.targets[h.target.name][feed.train], h) for h in job.heads}, None)

    def open(self, state: State, job: Job) -> "Constant":
        """Return a runner that repeats the shares."""
        return Constant(
            {
                h.target.name: raw_outputs(h.loss, np.asarray(state.arrays[h.target.name], dtype=np.float64)[None])
                for h in job.heads
            }
        )


class Constant:
    """Runner that gives everyone the same outputs."""

    def __init__(self, outputs: Mapping[str, Float64Array]) -> None:
        self._outputs = outputs

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Float64Array]:
        """Return the same outputs for each sample."""
        count = len(next(iter(inputs.values())))
        return {name: np.repeat(row, count, axis=0) for name, row in self._outputs.items()}


def share(values: AnyArray, head: HeadSpec) -> Float64Array:
    """Return class shares ``k``, label shares ``k``, or the standardised median ``1``."""
    numbers = np.asarray(values, dtype=np.float64)
    found: Float64Array
    if head.loss == "number":
        median = float(np.nanmedian(numbers)) if np.isfinite(numbers).any() else head.mean
        found = np.array([(median - head.mean) / head.std])
    elif head.loss == "multilabel":
        found = label_shares(numbers)
    else:
        known = numbers[numbers >= 0].astype(np.int64)
        counts = np.bincount(known, minlength=len(head.target.classes)) + 1e-3
        found = counts / counts.sum()
    return found


def label_shares(values: Float64Array) -> Float64Array:
    """Return the share of samples with each label, ``k``, of answers ``n k`` (NaN missing); 0.5 where none is known."""
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    shares: Float64Array = np.where(known, values, 0.0).sum(axis=0) / np.maximum(counts, 1)
    return np.where(counts > 0, shares, 0.5)


PREVALENCE = Prevalence()

"""The floor for signals: the answer of the nearest training series, by a distance whose window is learned."""

from collections.abc import Mapping

import numpy as np

from hounsfield.core.errors import BundleError, PlanError
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float32Array, Float64Array, IntArray
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.prevalence import share
from hounsfield.learn.learners.protocol import HeadSpec, Job, State
from hounsfield.learn.learners.raw import raw_outputs
from hounsfield.learn.learners.tabled import variables
from hounsfield.learn.loop import Watch
from hounsfield.learn.series.gaps import bridged
from hounsfield.learn.series.warping import nearest, resampled

MOST_KNOWN = 1000
"""Training series that are kept at most."""
MOST_LEARNED = 300
"""Training series that the window is learned on at most."""
MOST_STEPS = 256
"""Longer series are averaged down to this."""
WINDOWS = (0.0, 0.02, 0.04, 0.06, 0.1, 0.15, 0.2)
"""Windows tried, as shares of the length; 0 is the Euclidean distance."""


class Neighbours:
    """Keeps training series; the window is the one with which those left out are answered best.

    Notes
    -----
    The state holds training series as they are. It is for comparison inside a run: whoever hands on a bundle with it
    hands on recordings of patients. `keeps_samples` says so to whoever seals bundles.
    """

    name = "neighbours"
    keeps_samples = True

    def fit(self, feed: Feed, job: Job, *, watch: Watch) -> State:
        """Keep training series and learn the window and how far an answer is to be trusted from them alone.

        Raises
        ------
        PlanError
            If there is not one signal alone.
        """
        name = _signal(feed)
        chosen = feed.train
        if len(chosen) > MOST_KNOWN:
            chosen = np.sort(stream(job.seed, "neighbour rows").permutation(chosen)[:MOST_KNOWN])
        series, ends = bridged(np.asarray(variables(feed.inputs, job)[name][chosen]))
        steps = min(int(ends.max(initial=1)), MOST_STEPS)
        known = resampled(series, ends, steps)
        values = [np.asarray(feed.targets[h.target.name])[chosen] for h in job.heads]
        window, places = _window(known, feed.groups[chosen], values[0], job, watch=watch)
        arrays: dict[str, AnyArray] = {"series": known}
        for place, head in enumerate(job.heads):
            arrays[f"answers/{place}"] = _answers(values[place], places, head)
        return State(arrays, {"window": window, "input": name})

    def open(self, state: State, job: Job) -> "NeighbourRunner":
        """Return a runner in compiled loops."""
        return NeighbourRunner(state, job)


class NeighbourRunner:
    """Looks up the nearest series.

    Parameters
    ----------
    state : State
        From `Neighbours.fit`.
    job : Job

    Raises
    ------
    BundleError
        If the state does not say the window.
    """

    def __init__(self, state: State, job: Job) -> None:
        facts = state.json if isinstance(state.json, dict) else {}
        window, name = facts.get("window"), facts.get("input")
        if not isinstance(window, int) or not isinstance(name, str):
            raise BundleError(
                "The weights do not say by which distance series are compared.",
                expected="weights and facts of the same bundle",
                next_step="copy the bundle again, whole",
            )
        self._window, self._name, self._job = window, name, job
        self._known = np.asarray(state.arrays["series"], dtype=np.float32)
        self._answers = {
            h.target.name: np.asarray(state.arrays[f"answers/{p}"], dtype=np.float64) for p, h in enumerate(job.heads)
        }

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Float64Array]:
        """Return raw outputs by target, ``n w`` float64, for stored inputs ``n c t``."""
        series, ends = bridged(np.asarray(variables(inputs, self._job)[self._name]))
        asked = resampled(series, ends, self._known.shape[2])
        places, _ = nearest(asked, self._known, self._window)
        return {name: answers[places] for name, answers in self._answers.items()}


def _signal(feed: Feed) -> str:
    signals = [name for name, values in feed.inputs.items() if values.ndim == 3]
    if len(signals) != 1:
        raise PlanError(
            f"There are {len(signals)} signals among the inputs.",
            expected="one, for the learner neighbours",
            next_step="choose another learner",
        )
    return signals[0]


def _window(known: Float32Array, groups: IntArray, values: AnyArray, job: Job, *, watch: Watch) -> tuple[int, IntArray]:
    """Return the best window, and for each series the nearest of another group (-1 where there is none)."""
    head, steps = job.heads[0], known.shape[2]
    tried = sorted({round(s * steps) for s in WINDOWS})
    rows = np.arange(len(known))
    if len(rows) > MOST_LEARNED:
        rows = np.sort(stream(job.seed, "window rows").permutation(rows)[:MOST_LEARNED])
    foreign = groups[:, None] != groups[None]
    best: tuple[float, int] | None = None
    with watch.progress.step("Neighbours", float(len(tried))) as shown:
        for window in tried:
            places, _ = nearest(known[rows], known, window, allowed=foreign[rows])
            wrong = _wrong(values, rows, places, head)
            if best is None or wrong < best[0]:
                best = (wrong, window)
            shown.advance()
    window = best[1] if best is not None else 0
    if len(rows) == len(known):
        return window, nearest(known, known, window, allowed=foreign)[0]
    places = np.full(len(known), -1, dtype=np.int64)
    places[rows] = nearest(known[rows], known, window, allowed=foreign[rows])[0]
    return window, places


def _wrong(values: AnyArray, rows: IntArray, places: IntArray, head: HeadSpec) -> float:
    """Return how wrong the neighbours are: the share of other answers, or the mean absolute difference."""
    numbers = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    if head.loss in ("categorical", "ordinal"):
        numbers = np.where(numbers < 0, np.nan, numbers)
    known = places >= 0
    apart = np.abs(numbers[rows[known]] - numbers[places[known]])
    if head.loss == "categorical":
        apart = np.where(np.isfinite(apart), apart > 0, np.nan)
    return float(np.nanmean(apart)) if np.isfinite(apart).any() else 0.0


def _answers(values: AnyArray, places: IntArray, head: HeadSpec) -> Float64Array:
    """Return the raw output that each kept series gives, ``m w``.

    Notes
    -----
    A neighbour's answer is trusted as often as it was right among those left out; the rest goes to the shares of the
    training part.
    """
    base = share(values, head)
    numbers = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    rows = np.flatnonzero(places >= 0)
    if head.loss == "number":
        return np.where(np.isfinite(numbers), (numbers - head.mean) / head.std, base)
    if head.loss == "multilabel":
        truth = numbers
    else:
        classes = len(head.target.classes)
        truth = np.where(numbers >= 0, numbers == np.arange(classes), np.nan)
    agree = 1.0 - np.abs(truth[rows] - truth[places[rows]])
    seen = np.isfinite(agree)
    right = seen.all(axis=1) & (agree > 0.5).all(axis=1)
    counted = int(seen.all(axis=1).sum())
    trust = (float(right.sum()) + 0.5) / (counted + 1.0)
    said = np.where(np.isfinite(truth), trust * truth + (1.0 - trust) * base, base)
    return raw_outputs(head.loss, said)


NEIGHBOURS = Neighbours()
"""The learner."""

"""Random kernels and ridge regression: the strong cheap learner on signals, and on signals beside rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import BundleError, PlanError
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float32Array, Float64Array, IntArray, Json
from hounsfield.learn.features.ridge import CLIP, fit_scaler
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.answering import raw_answers, ridge_head
from hounsfield.learn.learners.protocol import Job, State
from hounsfield.learn.learners.tabled import variables
from hounsfield.learn.loop import Watch
from hounsfield.learn.series.gaps import bridged
from hounsfield.learn.series.kernels import POOLS, Kernels, fit_kernels

MOST_ROWS = 10_000
"""Rows that weights are fitted to at most."""
MOST_SOLVED = 4000
"""Size of the largest system that is solved: above so many rows there are no more features than this."""
BIASES = 6216
"""Biases for each of the two views, 74 for each of the 84 kernels, as the authors of MultiRocket have it."""
MOST_NUMBERS = 60_000_000
"""Features times rows that are held at once."""
MOST_STEPS = 4e10
"""Biases times steps of all training rows: about a minute."""
POOL_SETS = ((0,), (0, 1, 3), (0, 1, 2, 3))
"""Of the four numbers of each answer: the share above 0 alone, as MiniRocket has it; without the place, which means
nothing where a series begins anywhere; all, as MultiRocket has it. The one with the least held-out cost is taken."""
MOST_TRIED = 1500
"""Rows up to which all of these are tried; with more, all numbers are taken."""
ROWS_AT_A_TIME = 64
VIEWS = ("series", "change")
"""A series is seen as it is and as its differences from step to step."""


class KernelRidge:
    """Fits ridge heads on random kernels; every penalty is chosen by leaving out groups of the training part."""

    name = "kernels"

    def fit(self, feed: Feed, job: Job, *, watch: Watch) -> State:
        """Draw kernels, fit scaler, penalties, weights and probabilities to the training rows alone.

        Raises
        ------
        PlanError
            If there is no signal among the inputs, or an image is.
        """
        chosen = feed.train
        if len(chosen) > MOST_ROWS:
            chosen = np.sort(stream(job.seed, "kernel rows").permutation(chosen)[:MOST_ROWS])
        kernels = _drawn(feed, job, chosen)
        arrays: dict[str, AnyArray] = {}
        for (name, view), own in kernels.items():
            arrays |= own.arrays(f"kernels/{name}/{view}")
        described = []
        with watch.progress.step("Kernels", float(len(chosen))) as shown:
            for at in range(0, len(chosen), ROWS_AT_A_TIME):
                rows = chosen[at : at + ROWS_AT_A_TIME]
                described.append(_described(variables({n: v[rows] for n, v in feed.inputs.items()}, job), kernels))
                shown.advance(len(rows))
        features, owners = np.concatenate(described), _owners(variables(feed.inputs, job), kernels)
        sets = POOL_SETS if len(chosen) <= MOST_TRIED else POOL_SETS[-1:]
        tried = (_fitted(features, owners, pools, (feed, job, chosen)) for pools in sets)
        best = min(tried, key=lambda found: found.cost)
        names: list[Json] = [*dict.fromkeys(name for name, _ in kernels)]
        return State(arrays | best.arrays, {"signals": names, "pools": list(best.pools)})

    def open(self, state: State, job: Job) -> "KernelRunner":
        """Return a runner in NumPy and compiled loops."""
        return KernelRunner(state, job)


@dataclass(frozen=True)
class _Fitted:
    arrays: dict[str, AnyArray]
    pools: tuple[int, ...]
    cost: float


def _fitted(
    features: Float32Array, owners: IntArray, pools: tuple[int, ...], asked: tuple[Feed, Job, IntArray]
) -> _Fitted:
    """Return scaler and heads on some of the numbers, and what their held-out answers cost over all heads.

    Every input counts as much as every other, however many features it has.
    """
    feed, job, chosen = asked
    kept = _kept(owners, pools)
    counts = np.bincount(np.abs(owners[kept])).astype(np.float64)
    emphasis: Float64Array = counts[np.abs(owners[kept])] ** -0.5
    scaler = fit_scaler(features[:, kept], emphasis)
    scaled = scaler(features[:, kept])
    arrays: dict[str, AnyArray] = {"mean": scaler.mean, "scale": scaler.scale}
    cost = 0.0
    for place, head in enumerate(job.heads):
        values = np.asarray(feed.targets[head.target.name])[chosen]
        fitted = ridge_head(scaled, values, head, groups=feed.groups[chosen])
        arrays[f"weights/{place}"] = (fitted.weights * scaler.share).astype(np.float32)
        arrays[f"bias/{place}"] = fitted.bias
        cost += fitted.cost
    return _Fitted(arrays, pools, cost)


class KernelRunner:
    """Fitted kernels and heads.

    Parameters
    ----------
    state : State
        From `KernelRidge.fit`.
    job : Job

    Raises
    ------
    BundleError
        If the state does not say which inputs are signals.
    """

    def __init__(self, state: State, job: Job) -> None:
        facts = state.json if isinstance(state.json, dict) else {}
        names, pools = facts.get("signals"), facts.get("pools")
        if not isinstance(names, list) or not isinstance(pools, list):
            raise BundleError(
                "The weights do not say which inputs their kernels are for.",
                expected="weights and facts of the same bundle",
                next_step="copy the bundle again, whole",
            )
        self._kernels = {(str(n), v): Kernels.of(state.arrays, f"kernels/{n}/{v}") for n in names for v in VIEWS}
        self._pools = tuple(int(str(pool)) for pool in pools)
        self._arrays = state.arrays
        self._job = job
        self._heads = job.heads

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Float64Array]:
        """Return raw outputs by target, ``n w`` float64, for stored inputs ``n c t`` and ``n c``."""
        count = len(next(iter(inputs.values())))
        kept = _kept(_owners(variables(inputs, self._job), self._kernels), self._pools)
        found: dict[str, list[Float64Array]] = {head.target.name: [] for head in self._heads}
        weights = [np.asarray(self._arrays[f"weights/{p}"], dtype=np.float64) for p in range(len(self._heads))]
        biases = [np.asarray(self._arrays[f"bias/{p}"], dtype=np.float64) for p in range(len(self._heads))]
        mean, scale = (np.asarray(self._arrays[n], dtype=np.float32) for n in ("mean", "scale"))
        for at in range(0, count, ROWS_AT_A_TIME):
            part = variables({n: v[at : at + ROWS_AT_A_TIME] for n, v in inputs.items()}, self._job)
            described = _described(part, self._kernels)
            features = np.take(described, kept, axis=1)  # rows that lie as one, so that they are summed as one
            scaled = np.clip((features - mean) * scale, -CLIP, CLIP).astype(np.float64)
            for place, head in enumerate(self._heads):
                # Row by row: a product of matrices sums in another order for another number of rows.
                scores = np.stack([weights[place] @ row for row in scaled]) + biases[place]
                found[head.target.name].append(raw_answers(scores, head))
        return {name: np.concatenate(parts) for name, parts in found.items()}


def _drawn(feed: Feed, job: Job, chosen: IntArray) -> dict[tuple[str, str], Kernels]:
    """Return the kernels of each signal and view."""
    signals = {n: v for n, v in variables(feed.inputs, job).items() if v.ndim == 3}
    other = sorted(n for n, v in feed.inputs.items() if v.ndim not in (2, 3))
    if other or not signals:
        raise PlanError(
            f"The input {other[0]!r} is an image." if other else "There is no signal among the inputs.",
            expected="signals, and rows beside them, for the learner kernels",
            next_step="choose another learner",
        )
    kernels = {}
    for name, values in signals.items():
        biases = _biases(len(chosen), steps=len(feed.train) * values.shape[2], signals=len(signals))
        series, ends = bridged(values[chosen])
        for view in VIEWS:
            rng = stream(job.seed, f"kernels {name} {view}")
            kernels[name, view] = fit_kernels(*_seen(series, ends, view), biases=biases, rng=rng)
    return kernels


def _biases(rows: int, *, steps: int, signals: int) -> int:
    """Return how many biases one view of one signal has: as published, or what time, memory and the solver allow."""
    numbers = MOST_NUMBERS / rows if rows <= MOST_SOLVED else min(MOST_NUMBERS / rows, MOST_SOLVED)
    views = len(VIEWS) * signals
    return max(1, min(BIASES, int(numbers / POOLS / views), int(MOST_STEPS / steps / views)))


def _seen(series: Float32Array, ends: IntArray, view: str) -> tuple[Float32Array, IntArray]:
    """Return series as they are, or as differences from step to step; one step alone has the difference 0."""
    if view == "series":
        return series, ends
    if series.shape[2] < 2:
        return np.zeros_like(series), ends
    return np.diff(series, axis=2), np.maximum(ends - 1, 1)


def _described(inputs: Mapping[str, AnyArray], kernels: Mapping[tuple[str, str], Kernels]) -> Float32Array:
    """Return features ``n f`` float32: kernels of signals, then values and missing flags of rows."""
    found: list[Float32Array] = []
    whole = {name: bridged(np.asarray(inputs[name])) for name in dict.fromkeys(n for n, _ in kernels)}
    for (name, view), own in kernels.items():
        found.append(own(*_seen(*whole[name], view)))
    for values in inputs.values():
        if values.ndim == 2:
            missing = ~np.isfinite(values)
            found += [np.where(missing, 0, values).astype(np.float32), missing.astype(np.float32)]
    return np.concatenate(found, axis=1)


def _owners(inputs: Mapping[str, AnyArray], kernels: Mapping[tuple[str, str], Kernels]) -> IntArray:
    """Return which input each feature comes from, ``f`` int64: 1, 2, ... for signals, less than 0 for rows."""
    signals = list(dict.fromkeys(name for name, _ in kernels))
    found = [np.full(own.features, 1 + signals.index(name)) for (name, _), own in kernels.items()]
    rows = [values.shape[1] for values in inputs.values() if values.ndim == 2]
    found += [np.full(2 * width, -1 - len(signals) - place) for place, width in enumerate(rows)]
    return np.concatenate(found).astype(np.int64)


def _kept(owners: IntArray, pools: Sequence[int]) -> IntArray:
    """Return the features that are used: some of every four numbers of a signal, everything of a row."""
    place = np.arange(len(owners)) % POOLS
    return np.flatnonzero((owners < 0) | np.isin(place, list(pools)))


KERNELS = KernelRidge()
"""The learner."""

"""Wavelet scattering and linear heads: what can be learned from few images without training a network."""

from collections.abc import Mapping
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from hounsfield.core.errors import BundleError
from hounsfield.core.streams import address, stream
from hounsfield.core.types import AnyArray, Float32Array, Float64Array, IntArray
from hounsfield.learn.features.ridge import (
    CLIP,
    MOST_BASIS_ROWS,
    MOST_DIRECTIONS,
    Fitted,
    fit_linear,
    fit_logistic,
    fit_scaler,
    inner_folds,
    principal,
)
from hounsfield.learn.features.scattering import Scattering
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.network_runner import Normalised, calls
from hounsfield.learn.learners.prevalence import share
from hounsfield.learn.learners.protocol import HeadSpec, Job, State
from hounsfield.learn.loop import Watch
from hounsfield.learn.prepare.protocol import Preparation

MOST_ROWS = 5000
"""Rows that the heads are fitted to at most: linear heads gain little from more."""
ROWS_AT_A_TIME = 16
"""Images described in one call while fitting."""
SMALLEST_GAP = 1e-3
"""Least distance of two ordinal log-odds: questions answered apart may contradict each other."""


class Features:
    """Fits linear heads on scattering features; every penalty is chosen inside the training part."""

    name = "features"

    def fit(self, feed: Feed, job: Job, *, watch: Watch) -> State:
        """Fit scaler, penalties and weights to the training rows alone.

        Notes
        -----
        One model per yes-no question, all in the same basis. The heads' outputs are log-odds; those of more than two
        classes are sharpened or softened together so that their held-out log loss is least.
        """
        chosen = feed.train
        if len(chosen) > MOST_ROWS:
            chosen = np.sort(stream(job.seed, "feature rows").permutation(chosen)[:MOST_ROWS])
        layers = describers(job)
        described = _described(feed, job, chosen, layers=layers, watch=watch)
        scaler = fit_scaler(described, np.concatenate([cast(Scattering, d).emphasis for d in layers.values()]))
        scaled = scaler(described)
        kept = np.sort(stream(job.seed, "feature basis").permutation(len(chosen))[:MOST_BASIS_ROWS])
        basis = principal(scaled[kept], most=MOST_DIRECTIONS)
        rows = scaled.astype(np.float64) @ basis
        arrays: dict[str, AnyArray] = {"mean": scaler.mean, "scale": scaler.scale}
        for place, head in enumerate(job.heads):
            values = np.asarray(feed.targets[head.target.name])[chosen]
            weights, bias = _fit_head(rows, values, head, groups=feed.groups[chosen], seed=job.seed)
            arrays[f"weights/{place}"] = ((weights @ basis.T) * scaler.share).astype(np.float32)
            arrays[f"bias/{place}"] = bias.astype(np.float32)
        return State(arrays, None)

    def open(self, state: State, job: Job) -> "FeaturesRunner":
        """Return a runner in PyTorch, float32."""
        return FeaturesRunner(FeaturesNetwork(state, job), job.preparation)

    def module(self, state: State, job: Job) -> nn.Module:
        """Return normalisation, features and heads as one module; see `hounsfield.learn.engines.whole.Modular`."""
        return Normalised(FeaturesNetwork(state, job), job.preparation).eval()


class FeaturesNetwork(nn.Module):
    """Fixed features, standardised, and linear heads.

    Parameters
    ----------
    state : State
        From `Features.fit`.
    job : Job

    Raises
    ------
    BundleError
        If the weights are for images of another size.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, state: State, job: Job) -> None:
        super().__init__()
        self.describers = describers(job)
        self.heads = job.heads
        for name in ("mean", "scale"):
            self.register_buffer(name, torch.from_numpy(np.array(state.arrays[name], dtype=np.float32)))
        self.linear = nn.ModuleList()
        for place, _ in enumerate(job.heads):
            weights = torch.from_numpy(np.array(state.arrays[f"weights/{place}"], dtype=np.float32))
            layer = nn.Linear(weights.shape[1], weights.shape[0])
            layer.weight = nn.Parameter(weights, requires_grad=False)
            bias = torch.from_numpy(np.array(state.arrays[f"bias/{place}"], dtype=np.float32))
            layer.bias = nn.Parameter(bias, requires_grad=False)
            self.linear.append(layer)
        length = sum(cast(Scattering, d).features for d in self.describers.values())
        if any(cast(nn.Linear, layer).in_features != length for layer in [*self.linear]) or len(self.mean) != length:
            raise BundleError(
                f"The weights are for {len(self.mean)} features, images of the plan's size give {length}.",
                expected="weights and plan of the same bundle",
                next_step="copy the bundle again, whole",
            )

    def forward(self, inputs: Mapping[str, Tensor], context: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Return raw outputs ``b w`` by target for normalised inputs ``b c ...``."""
        del context
        described = torch.cat([layer(inputs[name]) for name, layer in self.describers.items()], dim=1)
        scaled = ((described - self.mean) * self.scale).clamp(-CLIP, CLIP)
        return {
            head.target.name: _as_raw(layer(scaled), head) for head, layer in zip(self.heads, self.linear, strict=True)
        }


class FeaturesRunner:
    """A fitted `FeaturesNetwork` in calls of one size.

    Parameters
    ----------
    network : FeaturesNetwork
    preparation : mapping of str to Preparation
        By input name.
    """

    def __init__(self, network: FeaturesNetwork, preparation: Mapping[str, Preparation]) -> None:
        self._network = network.eval()
        self._preparation = preparation

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Float64Array]:
        """Return raw outputs by target, ``n w`` float64, for stored inputs ``n c ...``."""
        collected: dict[str, list[Float64Array]] = {}
        with torch.inference_mode():
            for part, count in calls(inputs):
                tensors = {k: torch.from_numpy(self._preparation[k].normalised(v)) for k, v in part.items()}
                for name, output in self._network(tensors).items():
                    collected.setdefault(name, []).append(output[:count].double().numpy())
        return {name: np.concatenate(parts) for name, parts in collected.items()}


def describers(job: Job) -> nn.ModuleDict:
    """Return the feature modules of a job's inputs, by name."""
    shapes = {name: p.shape for name, p in job.preparation.items()}
    return nn.ModuleDict({name: Scattering(s.size, channels=s.channels) for name, s in shapes.items()})


def _described(feed: Feed, job: Job, chosen: IntArray, *, layers: nn.ModuleDict, watch: Watch) -> Float32Array:
    """Return features ``n f`` of rows, float32; images are read a few at a time."""
    found = []
    with watch.progress.step("Features", float(len(chosen))) as shown, torch.inference_mode():
        for start in range(0, len(chosen), ROWS_AT_A_TIME):
            rows = chosen[start : start + ROWS_AT_A_TIME]
            parts = [
                layer(torch.from_numpy(job.preparation[name].normalised(feed.inputs[name][rows])))
                for name, layer in layers.eval().items()
            ]
            found.append(torch.cat(parts, dim=1).numpy())
            shown.advance(len(rows))
    return np.concatenate(found)


def _fit_head(
    rows: Float64Array, values: AnyArray, head: HeadSpec, *, groups: IntArray, seed: int
) -> tuple[Float64Array, Float64Array]:
    """Return weights ``k r`` and bias ``k`` of one head, in the basis."""
    if head.loss == "number":
        return _fit_number(rows, np.asarray(values, dtype=np.float64)[:, 0], head, groups=groups, seed=seed)
    if head.loss == "multilabel":
        truth = np.asarray(values, dtype=np.float64)
        return _stacked([_asked(rows, truth[:, k], groups=groups, seed=seed) for k in range(head.width)])
    answers = np.asarray(values, dtype=np.int64)
    known = answers >= 0
    classes = len(head.target.classes)
    if head.loss == "ordinal":
        above = [np.where(known, answers > level, np.nan) for level in range(classes - 1)]
        return _stacked([_asked(rows, truth, groups=groups, seed=seed) for truth in above])
    if classes == 2:
        weights, bias = _stacked([_asked(rows, np.where(known, answers == 1, np.nan), groups=groups, seed=seed)])
        return np.concatenate([-weights, weights]) / 2.0, np.concatenate([-bias, bias]) / 2.0
    asked = [_asked(rows, np.where(known, answers == k, np.nan), groups=groups, seed=seed) for k in range(classes)]
    weights, bias = _stacked(asked)
    factor = _sharpness(np.stack([a.held_out for a in asked], axis=1), answers[known])
    return factor * weights, factor * bias


def _asked(rows: Float64Array, truth: Float64Array, *, groups: IntArray, seed: int) -> Fitted:
    """Fit one yes-no question to the rows that answer it (NaN: no answer); base rate where all answer alike."""
    known = np.isfinite(truth)
    own = truth[known]
    if len(own) < 2 or own.min() == own.max():
        chance = (own.sum() + 0.5) / (len(own) + 1.0)
        odds = float(np.log(chance) - np.log1p(-chance))
        return Fitted(np.zeros(rows.shape[1]), odds, np.inf, np.full(len(own), odds))
    folds = inner_folds(own.astype(np.int64), groups[known], seed=address(seed, "inner folds"))
    return fit_logistic(rows[known], own, folds)


def _fit_number(
    rows: Float64Array, values: Float64Array, head: HeadSpec, *, groups: IntArray, seed: int
) -> tuple[Float64Array, Float64Array]:
    known = np.isfinite(values)
    if known.sum() < 2:
        return np.zeros((1, rows.shape[1])), share(values[:, None], head)
    standardised = (values[known] - head.mean) / head.std
    folds = inner_folds(np.zeros(known.sum(), dtype=np.int64), groups[known], seed=address(seed, "inner folds"))
    return _stacked([fit_linear(rows[known], standardised, folds)])


def _stacked(found: list[Fitted]) -> tuple[Float64Array, Float64Array]:
    return np.stack([f.weights for f in found]), np.array([f.bias for f in found])


def _sharpness(log_odds: Float64Array, answers: IntArray) -> float:
    """Return the factor on log-odds ``n k`` with which their softmax has the least log loss."""
    from scipy.optimize import minimize_scalar

    def cost(logarithm: float) -> float:
        scores = np.exp(logarithm) * log_odds
        scores = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        return -float(scores[np.arange(len(answers)), answers].sum())

    return float(np.exp(minimize_scalar(cost, bounds=(np.log(0.2), np.log(5.0)), method="bounded").x))


def _as_raw(scores: Tensor, head: HeadSpec) -> Tensor:
    """Return what a network's head would put out; only the ordinal one differs: a score and raw gaps."""
    if head.loss != "ordinal" or scores.shape[1] < 2:
        return scores
    gaps = (scores[:, :-1] - scores[:, 1:]).clamp_min(SMALLEST_GAP)
    # The inverse of softplus: what becomes the gap when `losses.ordinal.cumulative_logits` has gone over it.
    return torch.cat([scores[:, :1], gaps + torch.log(1.0 - torch.exp(-gaps))], dim=1)


FEATURES = Features()

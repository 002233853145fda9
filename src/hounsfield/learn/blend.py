"""Weights of two kinds of members, from validation outputs: stacking with a belief in equal shares."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.learn.learners.protocol import HeadSpec
from hounsfield.learn.learners.supervised import loss_module

NATS = 8.0
"""Strength of the belief in equal shares: going from one half to none or all must gain a quarter of this many nats of
validation log likelihood."""
SHARES = tuple(np.linspace(0.0, 1.0, 21).tolist())
LEAST_SHARE = 0.075
"""A share below this is not worth the time that the members take: they get none."""
TEMPERATURES = tuple(np.exp(np.linspace(np.log(0.25), np.log(4.0), 33)).tolist())


@dataclass(frozen=True)
class Shared:
    """How two models are joined.

    Parameters
    ----------
    factors : tuple of float
        Of their raw outputs in the weighted sum. For a number they sum to 1. Else each model's outputs are first
        brought to its own best temperature, and the share of each in their sum is in the factor.
    second : float
        Share of the second model, 0 to 1.
    """

    factors: tuple[float, float]
    second: float


def share(first: Float64Array, second: Float64Array, truth: AnyArray, head: HeadSpec) -> Shared:
    """Return the factors of two models' raw outputs in their weighted sum.

    Parameters
    ----------
    first, second : numpy.ndarray
        Raw outputs ``n w`` of the same validation samples.
    truth : numpy.ndarray
        Encoded answers of the same samples.
    head : HeadSpec

    Notes
    -----
    Minimises ``n L((1 - a) z1 / T1 + a z2 / T2) + NATS (a - 1/2)^2`` over the share a, with L the mean validation
    loss of the head (Wolpert, Stacked generalization, Neural Networks 5, 1992; the penalty is a Gaussian prior of a).
    """
    count = len(truth)
    if not count:
        return Shared((0.5, 0.5), 0.5)
    measure = _measure(truth, head)
    scales = (1.0, 1.0) if head.loss == "number" else (_scale(first, measure, count), _scale(second, measure, count))
    ready = [outputs * scale for outputs, scale in zip((first, second), scales, strict=True)]
    costs = [count * measure((1 - a) * ready[0] + a * ready[1]) + NATS * (a - 0.5) ** 2 for a in SHARES]
    best = SHARES[int(np.argmin(costs))]
    best = 0.0 if best < LEAST_SHARE else 1.0 if best > 1 - LEAST_SHARE else best
    return Shared(((1 - best) * scales[0], best * scales[1]), best)


def _measure(truth: AnyArray, head: HeadSpec) -> Callable[[Float64Array], float]:
    loss = loss_module(head.loss).loss
    target = torch.from_numpy(np.ascontiguousarray(truth))
    if head.loss == "number":
        target = ((target.double() - head.mean) / head.std).float()
    weight = torch.ones(len(target))

    def measure(outputs: Float64Array) -> float:
        mean = float(loss(torch.from_numpy(outputs.astype(np.float32)), target, weight))
        # Of a number, about minus the log likelihood of a normal error whose spread is not known.
        return 0.5 * math.log(max(mean, 1e-12)) if head.loss == "number" else mean

    return measure


def _scale(outputs: Float64Array, measure: Callable[[Float64Array], float], count: int) -> float:
    costs = [count * measure(outputs / t) + 2.0 * math.log(t) ** 2 for t in TEMPERATURES]
    return float(1.0 / TEMPERATURES[int(np.argmin(costs))])

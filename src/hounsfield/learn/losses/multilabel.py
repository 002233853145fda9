"""Several labels at once, each present or absent: binary cross-entropy for each."""

import torch
from torch import Tensor
from torch.nn import functional

from hounsfield.learn.losses.base import weighted_mean


def width(classes: int) -> int:
    """Return the width of the head: one output for each label."""
    return classes


def labelled(target: Tensor) -> Tensor:
    """Return which answers are there, (b k), bool: neither negative nor NaN."""
    return target >= 0


def loss(
    logits: Tensor,
    target: Tensor,
    weight: Tensor,
    *,
    positive_weight: Tensor | None = None,
    smoothing: float = 0.0,
    mass: Tensor | float | None = None,
) -> Tensor:
    """Return the mean binary cross-entropy over labelled answers.

    Parameters
    ----------
    logits
        Raw output of the head, (b k).
    target
        1 = present, 0 = absent, between = mixed, -1 or NaN = missing; (b k).
    weight
        Weight of each sample, (b,).
    positive_weight
        Factor on the positive part of each label, (k,), such as (absent / present) of the training part.
    smoothing
        Targets are moved from 0 and 1 towards a half: ``q = (1 - smoothing) target + smoothing / 2``.
    mass
        Divisor; see :func:`~hounsfield.learn.losses.base.weighted_mean`.

    Returns
    -------
    Tensor
        Weighted mean over labelled answers of ``-(u q log p + (1 - q) log(1 - p))``, p the logistic function of the
        logit and u the positive weight; scalar, >= 0, float32.
    """
    logits = logits.float()
    known = labelled(target)
    wanted = torch.where(known, target.to(logits.dtype), 0.0)
    wanted = (1.0 - smoothing) * wanted + 0.5 * smoothing
    positive = wanted if positive_weight is None else wanted * positive_weight.to(logits)
    values = -positive * functional.logsigmoid(logits) - (1.0 - wanted) * functional.logsigmoid(-logits)
    return weighted_mean(values, weight, known, mass=mass)


def decode(logits: Tensor) -> Tensor:
    """Return the probability of each label ``1 / (1 + exp(-s))``, (b k), float32, from raw output (b k)."""
    return torch.sigmoid(logits.float())

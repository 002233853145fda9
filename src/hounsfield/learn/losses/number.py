"""A number: Huber's loss on the standardised value."""

import torch
from torch import Tensor
from torch.nn import functional

from hounsfield.learn.losses.base import weighted_mean


def width() -> int:
    """Return the width of the head: one output."""
    return 1


def labelled(target: Tensor) -> Tensor:
    """Return which samples have an answer, (b 1) as the target, bool: not NaN."""
    return ~target.isnan()


def loss(
    logits: Tensor,
    target: Tensor,
    weight: Tensor,
    *,
    delta: float = 1.0,
    mass: Tensor | float | None = None,
) -> Tensor:
    """Return the mean Huber loss over labelled samples.

    Parameters
    ----------
    logits
        Raw output of the head: the predicted value in standard deviations from the training part's mean, (b 1).
    target
        The standardised true value, NaN = missing, (b 1) or (b,).
    weight
        Weight of each sample, (b,).
    delta
        Where the loss turns from quadratic to linear, in standard deviations, > 0.
    mass
        Divisor; see :func:`~hounsfield.learn.losses.base.weighted_mean`.

    Returns
    -------
    Tensor
        Weighted mean of ``e^2 / 2`` where |e| <= delta, else ``delta (|e| - delta / 2)``; scalar, >= 0, float32.

    References
    ----------
    Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 1964.
    """
    logits = logits.float()
    target = target.reshape(logits.shape).to(logits.dtype)
    known = labelled(target)
    values = functional.huber_loss(logits, torch.where(known, target, 0.0), reduction="none", delta=delta)
    return weighted_mean(values, weight, known, mass=mass)


def decode(logits: Tensor, *, mean: float = 0.0, deviation: float = 1.0) -> Tensor:
    """Return the value in its own unit, (b 1), float32: ``mean + deviation s``.

    Parameters
    ----------
    logits
        Raw output of the head, (b 1).
    mean, deviation
        Mean and standard deviation of the training part's answers, in the target's unit.
    """
    return mean + deviation * logits.float()

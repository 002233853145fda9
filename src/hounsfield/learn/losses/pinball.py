"""Quantiles: the pinball loss of a forecast at several levels."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hounsfield.learn.losses.base import weighted_mean


def labelled(target: Tensor) -> Tensor:
    """Return which answers are known, the shape of the target, bool: not NaN."""
    return ~target.isnan()


def loss(
    quantiles: Tensor,
    target: Tensor,
    weight: Tensor,
    *,
    levels: Sequence[float],
    mass: Tensor | float | None = None,
) -> Tensor:
    """Return the mean pinball loss over known answers and levels.

    Parameters
    ----------
    quantiles
        Standardised quantiles, (b ... q).
    target
        The standardised truth, NaN = not known, (b ...).
    weight
        Weight of each sample, (b,).
    levels
        q levels in (0, 1).
    mass
        Divisor; see :func:`~hounsfield.learn.losses.base.weighted_mean`.

    Returns
    -------
    Tensor
        Weighted mean of ``max(l (y - s), (l - 1) (y - s))``, scalar, >= 0, float32.

    References
    ----------
    Koenker, Bassett, "Regression quantiles", Econometrica 1978;46:33-50.
    """
    quantiles = quantiles.float()
    known = labelled(target)
    truth = torch.where(known, target.to(quantiles.dtype), 0.0)
    under = truth[..., None] - quantiles
    tau = torch.tensor(list(levels), dtype=quantiles.dtype, device=quantiles.device)
    values = torch.maximum(tau * under, (tau - 1.0) * under).mean(-1)
    return weighted_mean(values, weight, known, mass=mass)

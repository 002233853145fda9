"""What every loss shares: its value with its named parts, and the weighted mean over labelled samples."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss and what it is made of.

    Parameters
    ----------
    total
        The scalar to differentiate, float32.
    terms
        Its parts by name, detached scalars, for the log.
    """

    total: Tensor
    terms: Mapping[str, Tensor] = field(default_factory=dict)


def combine(terms: Mapping[str, Tensor], *, weights: Mapping[str, float] | None = None) -> Loss:
    """Add the losses of several targets.

    Parameters
    ----------
    terms
        Scalar loss by target name; at least one.
    weights
        Factor by target name; 1 where absent.

    Returns
    -------
    Loss
        The weighted sum, and each loss before weighting.
    """
    factors = weights or {}
    total = torch.stack([factors.get(name, 1.0) * term for name, term in terms.items()]).sum()
    return Loss(total, {name: term.detach() for name, term in terms.items()})


def weighted_mean(values: Tensor, weight: Tensor, labelled: Tensor, *, mass: Tensor | float | None = None) -> Tensor:
    """Average losses over what is labelled.

    Parameters
    ----------
    values
        Losses, (b ...); where not labelled they must be finite and are ignored.
    weight
        Weight of each sample, (b,), >= 0.
    labelled
        Which values count, same shape as ``values``, bool.
    mass
        What the weighted sum is divided by; the sum of the weights of labelled values if None. Where several processes
        share a batch and add their gradients, each gives the sum over all of them.

    Returns
    -------
    Tensor
        ``sum(w m v) / mass``, scalar; zero, and differentiable, where nothing is labelled.
    """
    factor = weight.to(values.dtype).reshape(-1, *[1] * (values.ndim - 1)) * labelled.to(values.dtype)
    divisor = factor.sum() if mass is None else torch.as_tensor(mass, dtype=values.dtype, device=values.device)
    return (values * factor).sum() / torch.where(divisor > 0, divisor, torch.ones_like(divisor))


def labelled_mass(labelled: Tensor, weight: Tensor) -> Tensor:
    """Return the sum of the weights of labelled values: the divisor that :func:`weighted_mean` takes by itself.

    Parameters
    ----------
    labelled
        Which values count, (b ...), bool.
    weight
        Weight of each sample, (b,).
    """
    return (weight.reshape(-1, *[1] * (labelled.ndim - 1)) * labelled.to(weight.dtype)).sum()

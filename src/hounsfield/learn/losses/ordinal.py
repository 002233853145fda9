"""One of k ordered levels: cumulative binary cross-entropy with thresholds that cannot cross.

The head has k - 1 outputs: a score, and the gaps between thresholds. As in CORAL one score decides all of "is the
level above j?", so that all levels teach the same direction; but where CORAL's thresholds are free biases that are in
order only at the optimum, here gaps pass through a softplus, so that the order holds for every sample at every step,
class probabilities are never negative, and any network with a plain linear head can answer.
"""

import torch
from torch import Tensor
from torch.nn import functional

from hounsfield.learn.losses import categorical
from hounsfield.learn.losses.base import labelled_mass, weighted_mean

labelled = categorical.labelled


def width(classes: int) -> int:
    """Return the width of the head: one output fewer than there are levels."""
    return classes - 1


def cumulative_logits(raw: Tensor) -> Tensor:
    """Return the log-odds that the level is above j, for j = 0 .. k - 2.

    Parameters
    ----------
    raw
        Raw output of the head: score s and k - 2 raw gaps r, (b k-1).

    Returns
    -------
    Tensor
        ``a_0 = s``, ``a_j = a_(j-1) - softplus(r_j)``, (b k-1), falling along each row, float32.
    """
    raw = raw.float()
    if raw.shape[1] == 1:
        return raw
    # Running sum as a product with a triangle of ones: cumsum's backward pass is not deterministic on every device.
    gaps = functional.softplus(raw[:, 1:])
    triangle = torch.ones(gaps.shape[1], gaps.shape[1], dtype=gaps.dtype, device=gaps.device).triu()
    fallen = (gaps[:, :, None] * triangle).sum(dim=1)
    return torch.cat([raw[:, :1], raw[:, :1] - fallen], dim=1)


def loss(
    logits: Tensor,
    target: Tensor,
    weight: Tensor,
    *,
    class_weight: Tensor | None = None,
    smoothing: float = 0.0,
    mass: Tensor | float | None = None,
) -> Tensor:
    """Return the mean binary cross-entropy of the k - 1 questions "is the level above j?".

    Parameters
    ----------
    logits
        Raw output of the head, (b k-1).
    target
        Level of each sample, (b,), int64, -1 = missing; or level probabilities (b k), NaN = missing (mixed samples).
    weight
        Weight of each sample, (b,).
    class_weight
        Weight of each level, (k,); should average to 1 over the training part.
    smoothing
        Share of the target spread evenly over all levels, in [0, 1).
    mass
        Divisor; see :func:`~hounsfield.learn.losses.base.weighted_mean`.

    Returns
    -------
    Tensor
        Weighted mean over labelled samples of the mean over j of ``-(c_j log g(a_j) + (1 - c_j) log(1 - g(a_j)))``,
        with c_j the target's probability above j and g the logistic function; scalar, >= 0, float32.

    References
    ----------
    Cao, Mirjalili, Raschka, "Rank consistent ordinal regression for neural networks" (CORAL), Pattern Recognition
    Letters 2020. McCullagh, "Regression models for ordinal data", JRSS B 1980 (cumulative links).
    """
    above = cumulative_logits(logits)
    count = above.shape[1] + 1
    known = labelled(target)
    soft = torch.where(known[:, None], categorical.soft_target(target, count), 0.0)
    if class_weight is not None:
        mass = labelled_mass(known, weight) if mass is None else mass
        weight = weight * (soft * class_weight.to(soft)).sum(dim=1)
    soft = (1.0 - smoothing) * soft + smoothing / count
    triangle = torch.ones(count, count - 1, dtype=soft.dtype, device=soft.device).tril(-1)
    wanted = soft @ triangle
    values = -wanted * functional.logsigmoid(above) - (1.0 - wanted) * functional.logsigmoid(-above)
    return weighted_mean(values.mean(dim=1), weight, known, mass=mass)


def decode(logits: Tensor) -> Tensor:
    """Return level probabilities from the raw output of the head.

    Parameters
    ----------
    logits
        Raw output of the head, (b k-1).

    Returns
    -------
    Tensor
        ``P(0) = 1 - g(a_0)``, ``P(j) = g(a_(j-1)) - g(a_j)``, ``P(k-1) = g(a_(k-2))``, (b k), float32, >= 0, rows sum
        to 1.
    """
    above = torch.sigmoid(cumulative_logits(logits))
    one = torch.ones_like(above[:, :1])
    padded = torch.cat([one, above, torch.zeros_like(one)], dim=1)
    return padded[:, :-1] - padded[:, 1:]

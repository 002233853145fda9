"""One of k classes: softmax cross-entropy."""

import torch
from torch import Tensor
from torch.nn import functional

from hounsfield.learn.losses.base import weighted_mean


def width(classes: int) -> int:
    """Return the width of the head: one output for each class."""
    return classes


def labelled(target: Tensor) -> Tensor:
    """Return which samples have an answer, (b,), bool: class not negative, or soft target without NaN."""
    return target >= 0 if target.ndim == 1 else ~target.isnan().any(dim=1)


def soft_target(target: Tensor, classes: int) -> Tensor:
    """Return the target as class probabilities.

    Parameters
    ----------
    target
        Class of each sample, (b,), int64, -1 = missing; or probabilities (b k), NaN = missing, which are returned as
        given.
    classes
        Number of classes k.

    Returns
    -------
    Tensor
        (b k), float32; a row of NaN where missing.
    """
    if target.ndim == 2:
        return target
    # A comparison, not scatter: deterministic on every device.
    hot = (target[:, None] == torch.arange(classes, device=target.device)).to(torch.float32)
    return torch.where(labelled(target)[:, None], hot, torch.nan)


def loss(
    logits: Tensor,
    target: Tensor,
    weight: Tensor,
    *,
    class_weight: Tensor | None = None,
    smoothing: float = 0.0,
    mass: Tensor | float | None = None,
) -> Tensor:
    """Return the cross-entropy of softmax probabilities.

    Parameters
    ----------
    logits
        Raw output of the head, (b k).
    target
        Class of each sample, (b,), int64, -1 = missing; or class probabilities (b k), NaN = missing (mixed samples).
    weight
        Weight of each sample, (b,).
    class_weight
        Weight of each class, (k,); should average to 1 over the training part.
    smoothing
        Share of the target spread evenly over all classes, in [0, 1).
    mass
        Divisor; see :func:`~hounsfield.learn.losses.base.weighted_mean`.

    Returns
    -------
    Tensor
        ``sum_b w_b (-sum_k v_k q_bk log p_bk) / sum_b w_b`` over labelled samples, with
        ``q = (1 - smoothing) target + smoothing / k`` and v the class weights; scalar, >= 0, float32.

    Notes
    -----
    The divisor does not hold the class weights (PyTorch's own does): dividing by the weights that happen to be in a
    batch takes the weighting back where the batch holds one class only.
    """
    logits = logits.float()
    count = logits.shape[1]
    known = labelled(target)
    soft = torch.where(known[:, None], soft_target(target, count), 0.0)
    soft = (1.0 - smoothing) * soft + smoothing / count
    if class_weight is not None:
        soft = soft * class_weight.to(soft)
    return weighted_mean(-(soft * functional.log_softmax(logits, dim=1)).sum(dim=1), weight, known, mass=mass)


def decode(logits: Tensor) -> Tensor:
    """Return class probabilities ``exp(s_k) / sum_j exp(s_j)``, (b k), float32, from raw output (b k)."""
    return functional.softmax(logits.float(), dim=1)

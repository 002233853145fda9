"""Moving samples in time: shift, crop and a small change of speed, in one reading."""

import math

import torch
from torch import Tensor


def moved_(
    signals: Tensor,
    *,
    shift: Tensor | None = None,
    crop: tuple[Tensor, Tensor] | None = None,
    bend: Tensor | None = None,
) -> Tensor:
    """Read each series from other times.

    Parameters
    ----------
    signals
        (b c t), float32; changed in place.
    shift
        Share s of its length n by which a series is read later, (b,).
    crop
        Share k that is kept, and where it begins among the places possible, (b,) each.
    bend
        Coefficients r of the change of speed, (b 3), |r_1| + |r_2| + |r_3| < 1.

    Returns
    -------
    Tensor
        The given tensor. With m = round(k n) samples kept, sample i is read at ``round(start (n - m)) + round(s n) + i
        + m sum_j r_j sin(pi j i / (m - 1)) / (pi j)``, held within 0 to n - 1, linearly between two samples; NaN from m
        on. Speed is within 1 +- sum |r_j|, so time never runs backwards.

    Notes
    -----
    Between a sample and one that is missing nothing is known: NaN. Where nothing but whole samples is moved, values
    keep their bits.
    """
    count = signals.shape[2]
    place = torch.arange(count, device=signals.device)
    length = (signals.isfinite().any(1) * (place + 1)).amax(1)
    kept, begin = length.clone(), torch.zeros_like(length)
    if crop is not None:
        kept = torch.minimum((crop[0].double() * length).round().long().clamp_min(1), length)
        begin = (crop[1].double() * (length - kept)).round().long()
    if shift is not None:
        begin = begin + (shift.double() * length).round().long()
    touched = (kept != length) | (begin != 0)
    if bend is not None:
        touched |= (bend != 0.0).any(1)
    active = (touched & (length > 0)).nonzero().flatten()
    if len(active) == 0:
        return signals
    length, kept, begin = (values[active][:, None] for values in (length, kept, begin))
    at = (begin + place).double()
    if bend is not None:
        wave = torch.arange(1, bend.shape[1] + 1, device=signals.device).double()
        angle = math.pi * place.double() / (kept - 1).clamp_min(1)
        swing = torch.sin(angle[:, :, None] * wave) / (math.pi * wave)
        at = at + kept * (swing * bend[active].double()[:, None]).sum(2)
    at = torch.minimum(at.clamp_min(0.0), (length - 1).double())
    lower = at.floor()
    share = (at - lower).to(signals.dtype)[:, None]
    first, second = lower.long(), torch.minimum(lower.long() + 1, length - 1)
    chosen = signals[active]
    found = chosen.gather(2, first[:, None].expand_as(chosen))
    after = chosen.gather(2, second[:, None].expand_as(chosen))
    found = torch.where(share > 0.0, torch.lerp(found, after, share), found)
    found = found.masked_fill((place >= kept)[:, None], math.nan)
    return signals.index_copy_(0, active, found)

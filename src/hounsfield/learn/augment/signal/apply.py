"""The deterministic part: a batch of signals changed by drawn parameters."""

import math

import torch
from torch import Tensor

from hounsfield.learn.augment.intensity import add_noise_
from hounsfield.learn.augment.signal.params import SignalParams
from hounsfield.learn.augment.signal.time import moved_


@torch.no_grad()
def apply_signal_(signals: Tensor, params: SignalParams) -> Tensor:
    """Augment a batch of signals.

    Parameters
    ----------
    signals
        Prepared signals, (b c t), float32, contiguous; changed in place.
    params
        What was drawn for this batch; on any device.

    Returns
    -------
    Tensor
        The given tensor; what was NaN is NaN still, but for samples that moved.

    Notes
    -----
    The order is that of an acquisition: the series begins somewhere and runs at its speed (crop, shift, warp), the
    body and the amplifier scale it, baseline and mains swing into it, noise comes last, then an electrode falls off.
    """
    if params.off:
        return signals
    params = params.to(signals.device)
    crop = None if params.keep is None or params.start is None else (params.keep, params.start)
    if params.shift is not None or crop is not None or params.bend is not None:
        moved_(signals, shift=params.shift, crop=crop, bend=params.bend)
    values = signals[:, 1:] if params.times else signals
    if params.scale is not None:
        values.mul_(params.scale[:, None, None])
    if params.wander is not None and params.wander_hz is not None and params.wander_phase is not None:
        wander_(values, params.wander, hz=params.wander_hz / params.rate_hz, phase=params.wander_phase)
    if params.hum is not None and params.hum_hz is not None and params.hum_phase is not None:
        turns = swing(values, params.hum_hz / params.rate_hz, params.hum_phase)
        values.add_((params.hum[:, None] * turns)[:, None])
    if params.noise is not None and params.noise_key is not None:
        add_noise_(values, params.noise, key=params.noise_key)
    if params.dropped is not None:
        values.masked_fill_(params.dropped[..., None], math.nan)
    return signals


def swing(signals: Tensor, hz: Tensor, phase: Tensor) -> Tensor:
    """Return ``sin(2 pi (f i + p))`` at the samples i of a series, (b t), float32.

    Parameters
    ----------
    signals
        (b c t); gives the number of samples.
    hz
        Frequency f in turns for each sample, (b,).
    phase
        Phase p in turns, (b,).
    """
    place = torch.arange(signals.shape[2], dtype=torch.float32, device=signals.device)
    return torch.sin(2.0 * math.pi * (hz[:, None] * place + phase[:, None]))


def wander_(signals: Tensor, height: Tensor, *, hz: Tensor, phase: Tensor) -> Tensor:
    """Add slow swings to the baseline.

    Parameters
    ----------
    signals
        (b c t), float32; changed in place.
    height, phase
        Height h and phase p in turns of each swing in each lead, (b c w).
    hz
        Frequency f of each swing in turns for each sample, the same in all leads, (b w).

    Returns
    -------
    Tensor
        ``x + sum_w h_w sin(2 pi (f_w i + p_w))``; the given tensor. Samples with h = 0 keep their bits.
    """
    active = height.flatten(1).any(1).nonzero().flatten()
    if len(active) == 0:
        return signals
    place = torch.arange(signals.shape[2], dtype=torch.float32, device=signals.device)
    angle = 2.0 * math.pi * (hz[active][:, None, :, None] * place + phase[active][..., None])
    added = (height[active][..., None] * torch.sin(angle)).sum(2)
    return signals.index_add_(0, active, added)

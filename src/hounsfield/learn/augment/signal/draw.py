"""The random part of the augmentation of signals: parameters of each sample from that sample's own numbers."""

import math

import numpy as np
import torch
from torch import Tensor

from hounsfield.core.types import Float64Array
from hounsfield.learn.augment.draw import Numbers
from hounsfield.learn.augment.signal.params import SignalParams
from hounsfield.learn.augment.signal.spec import SignalAugmentSpec

WAVES = 3
"""Swings in the baseline of a lead, and waves in the change of speed."""
# Place of each parameter in a sample's vector of uniform numbers, fixed: what one operation draws never changes with
# another being on or off. A new operation takes new places at the end, before those of the leads.
_PLACES: dict[str, tuple[int, int]] = {
    "shift": (0, 2),
    "crop": (2, 5),
    "warp": (5, 9),
    "scale": (9, 11),
    "wander": (11, 15),
    "hum": (15, 19),
    "noise": (19, 22),
}
_FIXED = 22
_LEAD = 1 + 2 * WAVES
"""Numbers of each lead: whether it is dropped, heights and phases of its swings."""


def draw_signal(spec: SignalAugmentSpec, numbers: Numbers, *, channels: int) -> SignalParams:
    """Draw the augmentation of a batch of signals.

    Parameters
    ----------
    spec
        What is allowed and how strong.
    numbers
        ``numbers(count=m)``: uniform numbers (b m) in [0, 1), each row found by its sample's address; see
        `hounsfield.core.streams.uniforms`. Asked once.
    channels
        Channels of the signals, that of the times included.

    Returns
    -------
    SignalParams
        Parameters on the CPU; what a sample gets does not depend on the rest of the batch.
    """
    leads = channels - int(spec.times)
    uniform = numbers(count=_FIXED + leads * _LEAD)
    own = uniform[:, _FIXED:].reshape(len(uniform), leads, _LEAD)
    drawn: dict[str, Tensor | None] = {}

    def part(name: str) -> Float64Array:
        start, stop = _PLACES[name]
        return uniform[:, start:stop]

    def met(name: str, values: Float64Array, *, neutral: float) -> Tensor:
        """Return the values of the samples that meet an operation, its neutral value for the others."""
        meets = (part(name)[:, 0] < spec.chance).reshape(-1, *(1,) * (values.ndim - 1))
        return _tensor(np.where(meets, values, neutral))

    if spec.shift > 0.0:
        drawn["shift"] = met("shift", spec.shift * _signed(part("shift")[:, 1]), neutral=0.0)
    if spec.crop < 1.0:
        drawn["keep"] = met("crop", 1.0 - (1.0 - spec.crop) * part("crop")[:, 1], neutral=1.0)
        drawn["start"] = _tensor(part("crop")[:, 2])
    if spec.warp > 0.0:
        drawn["bend"] = met("warp", spec.warp * _signed(part("warp")[:, 1:]) / WAVES, neutral=0.0)
    if spec.scale != (1.0, 1.0):
        low, high = math.log(spec.scale[0]), math.log(spec.scale[1])
        drawn["scale"] = met("scale", np.exp(low + (high - low) * part("scale")[:, 1]), neutral=1.0)
    if spec.wander > 0.0:
        heights = spec.wander * own[..., 1 : 1 + WAVES] / WAVES
        low, high = math.log(spec.wander_hz[0]), math.log(spec.wander_hz[1])
        drawn["wander"] = met("wander", heights, neutral=0.0)
        drawn["wander_hz"] = _tensor(np.exp(low + (high - low) * part("wander")[:, 1:]))
        drawn["wander_phase"] = _tensor(own[..., 1 + WAVES :])
    if spec.hum > 0.0:
        drawn["hum"] = met("hum", spec.hum * part("hum")[:, 1], neutral=0.0)
        chosen = (part("hum")[:, 2] * len(spec.hum_hz)).astype(np.int64)
        drawn["hum_hz"] = _tensor(np.asarray(spec.hum_hz)[chosen])
        drawn["hum_phase"] = _tensor(part("hum")[:, 3])
    if spec.noise > 0.0:
        drawn["noise"] = met("noise", spec.noise * part("noise")[:, 1], neutral=0.0)
        drawn["noise_key"] = torch.from_numpy((part("noise")[:, 2] * 2.0**53).astype(np.int64))
    if spec.lead_drop > 0.0 and leads > 1:
        dropped = own[..., 0] < spec.lead_drop
        dropped[np.arange(len(dropped)), own[..., 0].argmax(1)] = False  # the one that was furthest from it stays
        drawn["dropped"] = torch.from_numpy(dropped)
    return SignalParams(**drawn, times=spec.times, rate_hz=spec.rate_hz or 1.0)


def _tensor(array: Float64Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def _signed(uniform: Float64Array) -> Float64Array:
    return 2.0 * uniform - 1.0

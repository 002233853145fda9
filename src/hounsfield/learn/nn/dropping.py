"""Dropout and stochastic depth whose randomness is addressed by sample, not consumed from a shared state."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from hounsfield.core.errors import PlanError

# Multipliers of the SplitMix64 finaliser (Steele, Lea & Flood 2014), as signed 64-bit numbers.
_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_FIRST = 0xBF58476D1CE4E5B9 - (1 << 64)
_SECOND = 0x94D049BB133111EB - (1 << 64)
# Spreads salts; an odd 32-bit number, so that (salt + 1) times it stays inside 64 bits.
_SALT = 0x9E3779B1


def _mix(state: Tensor) -> Tensor:
    """Apply the SplitMix64 finaliser; masks make the arithmetic shifts logical."""
    state = (state ^ ((state >> 30) & ((1 << 34) - 1))) * _FIRST
    state = (state ^ ((state >> 27) & ((1 << 37) - 1))) * _SECOND
    return state ^ ((state >> 31) & ((1 << 33) - 1))


def addressed_uniform(keys: Tensor, width: int, *, salt: int) -> Tensor:
    """Return uniform numbers that depend on the sample's key, the place and the salt alone.

    Parameters
    ----------
    keys
        One key for each sample, (b,), int64.
    width
        How many numbers for each sample.
    salt
        Tells layers apart, so that two layers do not drop alike.

    Returns
    -------
    Tensor
        (b, width), float32, in [0, 1), with 24 random bits each.

    References
    ----------
    Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    place = torch.arange(1, width + 1, dtype=torch.int64, device=keys.device)
    state = _mix(keys.to(torch.int64) + (salt + 1) * _SALT)
    bits = _mix(state[:, None] + place * _GOLDEN)
    return ((bits >> 40) & ((1 << 24) - 1)).to(torch.float32) * 2.0**-24


class _Addressed(nn.Module):
    """A layer that drops by the keys in the context; identity in evaluation or at rate 0."""

    def __init__(self, rate: float, *, salt: int = 0) -> None:
        super().__init__()
        if not 0.0 <= rate < 1.0:
            raise PlanError(
                f"The drop rate is {rate}.", expected="0 <= rate < 1", next_step="correct the rate in the plan"
            )
        self.rate = rate
        self.salt = salt

    def _kept(self, features: Tensor, width: int, context: Mapping[str, object]) -> Tensor:
        """Return the mask (b, width) divided by the share kept."""
        keys = context.get("keys")
        if not isinstance(keys, Tensor):
            raise PlanError(
                "Dropout was asked to train without random keys.",
                expected='context["keys"], one int64 for each sample',
                next_step="give the batch its keys, or set the drop rate to 0",
            )
        kept = addressed_uniform(keys, width, salt=self.salt) >= self.rate
        return kept.to(features.dtype) / (1.0 - self.rate)


class AddressedDropout(_Addressed):
    """Drop features of an embedding (b c): ``y = x m / (1 - rate)``, m ~ Bernoulli(1 - rate)."""

    def forward(self, features: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return the features with a share of them zeroed while training, unchanged else."""
        if not self.training or self.rate == 0.0:
            return features
        return features * self._kept(features, features.shape[1], context)


class SteadyDropout(_Addressed):
    """Drop features of a series (b t c), the same ones at all steps (Gal & Ghahramani, NeurIPS 2016)."""

    def forward(self, steps: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return the steps with a share of features zeroed while training, unchanged else."""
        if not self.training or self.rate == 0.0:
            return steps
        return steps * self._kept(steps, steps.shape[2], context)[:, None]


class StochasticDepth(_Addressed):
    """Drop the whole residual branch of a sample while training (Huang et al., ECCV 2016)."""

    def forward(self, branch: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return the branch (b c ...) with a share of samples zeroed while training, unchanged else."""
        if not self.training or self.rate == 0.0:
            return branch
        return branch * self._kept(branch, 1, context).reshape(-1, *[1] * (branch.ndim - 1))

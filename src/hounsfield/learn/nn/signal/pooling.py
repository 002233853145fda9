"""Pooling over time that leaves padding out."""

from typing import Literal

import torch
from torch import Tensor, nn

from hounsfield.learn.nn.signal.sequence import inside

TimePoolingName = Literal["last", "mean", "max", "mean+max", "attention"]


class TimePool(nn.Module):
    """Pool the steps of each series into one vector, in float32.

    Parameters
    ----------
    channels
        Width c of a step.
    kind
        ``last``: the state after the last step; where ``both`` directions are read, that of the second half of the
        channels is the one at the first step. ``mean``, ``max``, ``mean+max`` (side by side, 2c features).
        ``attention``: ``sum_t a_t h_t`` with ``a = softmax_t(v . tanh(A h_t))``.
    both
        Whether the second half of the channels was read from the end.

    References
    ----------
    Bahdanau, Cho, Bengio, "Neural machine translation by jointly learning to align and translate", ICLR 2015 (additive
    attention). Raffel, Ellis, "Feed-forward networks with attention can solve some long-term memory problems", 2015.
    """

    def __init__(self, channels: int, kind: TimePoolingName, *, both: bool = False) -> None:
        super().__init__()
        self.kind = kind
        self.both = both
        self.features = 2 * channels if kind == "mean+max" else channels
        if kind == "attention":
            inner = max(8, channels // 2)
            self.project = nn.Linear(channels, inner)
            self.weigh = nn.Linear(inner, 1, bias=False)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Pool.

        Parameters
        ----------
        states
            (b t c).
        lengths
            (b,), int64, 1 to t.

        Returns
        -------
        Tensor
            (b c) or (b 2c), float32.
        """
        with torch.autocast(states.device.type, enabled=False):
            states = states.float()
            within = inside(lengths, states.shape[1])[..., None]
            if self.kind == "last":
                return self._last(states, lengths)
            if self.kind == "attention":
                score = self.scores(states).masked_fill(~within, -torch.inf)
                return (states.masked_fill(~within, 0.0) * score.softmax(1)).sum(1)
            mean = states.masked_fill(~within, 0.0).sum(1) / lengths[:, None]
            if self.kind == "mean":
                return mean
            most = states.masked_fill(~within, -torch.inf).amax(1)
            return most if self.kind == "max" else torch.cat([mean, most], dim=1)

    def scores(self, states: Tensor) -> Tensor:
        """Return how much attention each step asks for, before the softmax, (b t 1)."""
        found: Tensor = self.weigh(torch.tanh(self.project(states)))
        return found

    def _last(self, states: Tensor, lengths: Tensor) -> Tensor:
        ends = (lengths - 1)[:, None, None].expand(-1, 1, states.shape[2])
        last = states.gather(1, ends)[:, 0]
        if not self.both:
            return last
        half = states.shape[2] // 2
        return torch.cat([last[:, :half], states[:, 0, half:]], dim=1)

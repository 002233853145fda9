"""GRU-D: a GRU for irregular series, whose inputs and state decay while nothing is observed."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from hounsfield.learn.nn.signal.cells import Layer, State

PARTS = 4
"""Parts of a step: value, observed (0 / 1), value last seen, gap."""


class DecayLayer(Layer):
    """A GRU with trainable decays (GRU-D).

    Parameters
    ----------
    channels
        Observed channels c; a step holds ``PARTS`` times as many: values x, masks m, values last seen x', gaps d.
    width
        Width h of the state.

    Notes
    -----
    With standardised channels, whose mean is 0::

        g_x = exp(-max(0, w_x * d + b_x))       each channel with its own w_x
        g_h = exp(-max(0, W_h d + b_h))
        x^  = m x + (1 - m) g_x x'              the last value decays towards the mean
        h'  = g_h * h_(t-1)
        r, z = sigmoid(W [x^, m] + U h' + b)
        n   = tanh(W_n [x^, m] + U_n (r * h') + b_n)
        h_t = (1 - z) * h' + z * n

    Decays start near 1 (weights small, biases 0): a fresh layer forgets slowly. All products that do not depend on the
    state are made for all steps at once.

    References
    ----------
    Che et al., "Recurrent neural networks for multivariate time series with missing values", Sci Rep 2018;8:6085,
    equations 3 to 6 and figure 2.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        bound = width**-0.5
        self.width = width
        self.value_decay = nn.Parameter(torch.empty(channels).uniform_(0.0, 0.1))
        self.value_bias = nn.Parameter(torch.zeros(channels))
        self.state_decay = nn.Linear(channels, width)
        nn.init.uniform_(self.state_decay.weight, 0.0, 0.1 / channels)
        nn.init.zeros_(self.state_decay.bias)
        # Rows in the order r, z, n.
        self.drive = nn.Linear(2 * channels, 3 * width)
        self.gates = nn.Parameter(torch.empty(2 * width, width).uniform_(-bound, bound))
        self.candidate = nn.Parameter(torch.empty(width, width).uniform_(-bound, bound))
        nn.init.uniform_(self.drive.weight, -bound, bound)
        nn.init.zeros_(self.drive.bias)

    def forward(self, steps: Tensor, lengths: Tensor | None, state: State | None = None) -> tuple[Tensor, State]:
        """Run step by step over (b t 4c)."""
        del lengths  # what follows the end of a series reaches no state before it
        values, observed, seen, gap = steps.chunk(PARTS, dim=2)
        faded = torch.exp(-functional.relu(self.value_decay * gap + self.value_bias))
        filled = observed * values + (1.0 - observed) * faded * seen
        keeps = torch.exp(-functional.relu(self.state_decay(gap)))
        drive = self.drive(torch.cat([filled, observed], dim=2))
        hidden = drive.new_zeros(len(steps), self.width) if state is None else state[0]
        states: list[Tensor] = []
        for now, keep in zip(drive.unbind(1), keeps.unbind(1), strict=True):
            hidden = keep * hidden
            gate = torch.sigmoid(now[:, : 2 * self.width] + hidden @ self.gates.T)
            reset, update = gate.chunk(2, dim=1)
            fresh = torch.tanh(now[:, 2 * self.width :] + (reset * hidden) @ self.candidate.T)
            hidden = torch.lerp(hidden, fresh, update)
            states.append(hidden)
        return torch.stack(states, dim=1), (hidden,)

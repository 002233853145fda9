"""One recurrent layer in one direction: the textbook cell written out, and PyTorch's GRU and LSTM."""

from abc import ABC, abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

CellName = Literal["gru", "lstm", "textbook"]
State = tuple[Tensor, ...]
"""What a layer remembers between steps: (b h) each."""


class Layer(nn.Module, ABC):
    """A recurrent layer that reads a series from its beginning.

    Notes
    -----
    States beyond the end of a series are of no meaning; whoever pools over time leaves them out.
    """

    @abstractmethod
    def forward(self, steps: Tensor, lengths: Tensor | None, state: State | None = None) -> tuple[Tensor, State]:
        """Run over a stretch.

        Parameters
        ----------
        steps
            (b t c), float32.
        lengths
            Steps of each series, (b,), int64; None where all have t.
        state
            What was remembered at the end of the stretch before; None at the beginning of a series.

        Returns
        -------
        states : Tensor
            h_1 to h_t, (b t h).
        state : tuple of Tensor
            What is remembered after the last step; only where ``lengths`` is None of use to the next stretch.
        """


class TextbookLayer(Layer):
    """The recurrent network of the textbooks: ``h_t = f(W x_t + U h_(t-1) + b)`` with h_0 = 0.

    Parameters
    ----------
    channels
        Width c of x.
    width
        Width h of the state.
    activation
        f: ``tanh`` or ``relu``.

    Notes
    -----
    Written out step by step; W x + b is one product for all steps, which does not depend on the state. Weights start
    uniform within 1 / sqrt(h), as PyTorch's. Gradients through many steps vanish or explode: that is what the gates of
    GRU and LSTM are for, and why this cell is here to compare with.

    References
    ----------
    Elman, "Finding structure in time", Cognitive Science 1990;14:179-211. Bengio, Simard, Frasconi, "Learning long-term
    dependencies with gradient descent is difficult", IEEE Trans Neural Networks 1994;5:157-166.
    """

    def __init__(self, channels: int, width: int, *, activation: Literal["tanh", "relu"] = "tanh") -> None:
        super().__init__()
        bound = width**-0.5
        self.activation = torch.tanh if activation == "tanh" else functional.relu
        self.input_weight = nn.Parameter(torch.empty(width, channels).uniform_(-bound, bound))
        self.state_weight = nn.Parameter(torch.empty(width, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(width).uniform_(-bound, bound))

    def forward(self, steps: Tensor, lengths: Tensor | None, state: State | None = None) -> tuple[Tensor, State]:
        """Run step by step."""
        del lengths  # what follows the end of a series reaches no state before it
        drive = functional.linear(steps, self.input_weight, self.bias)
        hidden = drive.new_zeros(len(steps), drive.shape[2]) if state is None else state[0]
        states: list[Tensor] = []
        for now in drive.unbind(1):
            hidden = self.activation(now + hidden @ self.state_weight.T)
            states.append(hidden)
        return torch.stack(states, dim=1), (hidden,)


class GatedLayer(Layer):
    """A GRU or an LSTM; shorter series are packed, so that no step is computed beyond their end.

    Parameters
    ----------
    channels
        Width c of x.
    width
        Width h of the state.
    kind
        ``gru`` or ``lstm``.

    Notes
    -----
    The forget gate of an LSTM starts with a bias of 1: a fresh cell remembers.

    References
    ----------
    Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014. Hochreiter, Schmidhuber, "Long
    short-term memory", Neural Computation 1997;9:1735-1780. Jozefowicz, Zaremba, Sutskever, "An empirical exploration
    of recurrent network architectures", ICML 2015 (the bias).
    """

    def __init__(self, channels: int, width: int, *, kind: Literal["gru", "lstm"]) -> None:
        super().__init__()
        self.cell: nn.GRU | nn.LSTM
        if kind == "gru":
            self.cell = nn.GRU(channels, width, batch_first=True)
        else:
            self.cell = nn.LSTM(channels, width, batch_first=True)
            with torch.no_grad():
                for name, bias in self.cell.named_parameters():
                    if name.startswith("bias"):
                        bias[width : 2 * width].fill_(0.5)  # two biases are added

    def forward(self, steps: Tensor, lengths: Tensor | None, state: State | None = None) -> tuple[Tensor, State]:
        """Run with PyTorch's kernels."""
        parts = None if state is None else tuple(part[None] for part in state)
        given = parts[0] if parts is not None and len(parts) == 1 else parts
        if lengths is None:
            states, kept = self.cell(steps, given)
        else:
            packed = pack_padded_sequence(steps, lengths.cpu(), batch_first=True, enforce_sorted=False)
            found, kept = self.cell(packed, given)
            states, _ = pad_packed_sequence(found, batch_first=True, total_length=steps.shape[1])
        return states, tuple(part[0] for part in (kept if isinstance(kept, tuple) else (kept,)))


def layer(kind: CellName, channels: int, width: int) -> Layer:
    """Return a fresh layer of a kind, c channels in, h out."""
    return TextbookLayer(channels, width) if kind == "textbook" else GatedLayer(channels, width, kind=kind)

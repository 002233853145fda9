"""Recurrent layers on top of one another, in one direction or both."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from hounsfield.learn.nn.dropping import SteadyDropout
from hounsfield.learn.nn.signal.cells import CellName, Layer, State, layer
from hounsfield.learn.nn.signal.decay import DecayLayer
from hounsfield.learn.nn.signal.sequence import ragged, reverse, tracing


class Recurrence(nn.Module):
    """A stack of recurrent layers.

    Parameters
    ----------
    channels
        Width of a step; of a first layer with decay the observed channels.
    cell
        Kind of all layers, but of the first where it decays.
    width
        Width h of the state of each direction.
    layers
        How many layers.
    both
        Whether each layer also reads every series from its end; the two states are side by side, (b t 2h).
    decay
        Whether the first layer is a :class:`~hounsfield.learn.nn.signal.decay.DecayLayer`.

    References
    ----------
    Schuster, Paliwal, "Bidirectional recurrent neural networks", IEEE Trans Signal Processing 1997;45:2673-2681.
    """

    def __init__(
        self, channels: int, *, cell: CellName, width: int, layers: int, both: bool, decay: bool = False
    ) -> None:
        super().__init__()
        self.features = 2 * width if both else width

        def made(place: int) -> Layer:
            if place == 0:
                return DecayLayer(channels, width) if decay else layer(cell, channels, width)
            return layer(cell, self.features, width)

        self.onward = nn.ModuleList(made(place) for place in range(layers))
        self.backward_layers = nn.ModuleList(made(place) for place in range(layers if both else 0))
        self.drops = nn.ModuleList()

    def drop_between(self, rate: float, *, salt: int) -> None:
        """Drop a share of features between layers while training, told apart from other layers by a salt."""
        self.drops = nn.ModuleList(SteadyDropout(rate, salt=salt + place) for place in range(len(self.onward) - 1))

    def forward(
        self, steps: Tensor, lengths: Tensor, context: Mapping[str, object], *, turned: Tensor | None = None
    ) -> Tensor:
        """Run over whole series.

        Parameters
        ----------
        steps
            (b t c), float32.
        lengths
            (b,), int64.
        context
            ``"keys"`` address dropout while training.
        turned
            The steps as read from the end, (b t c), where they are not the same turned around (gaps are not).

        Returns
        -------
        Tensor
            States of the last layer, (b t h) or (b t 2h); of no meaning beyond the end of a series.
        """
        # A graph holds no packed series; what follows the end of one reaches no state before it either way.
        short = lengths if ragged(lengths, steps.shape[1]) and not tracing() else None
        for place, onward in enumerate(self.onward):
            if place and self.drops:
                steps = self.drops[place - 1](steps, context)
            states, _ = onward(steps, short)
            if self.backward_layers:
                back = reverse(steps, lengths) if turned is None or place else turned
                other, _ = self.backward_layers[place](back, short)
                states = torch.cat([states, reverse(other, lengths)], dim=2)
            steps = states
        return steps

    def advance(self, steps: Tensor, memory: tuple[State, ...] | None) -> tuple[Tensor, tuple[State, ...]]:
        """Read on in series that have not ended, in one direction.

        Parameters
        ----------
        steps
            (b t c), the next stretch.
        memory
            What the layers remember; None at the beginning.

        Returns
        -------
        states : Tensor
            (b t h) of the last layer.
        memory : tuple
            As large as before, however long the series.
        """
        kept: list[State] = []
        for place, onward in enumerate(self.onward):
            steps, state = onward(steps, None, None if memory is None else memory[place])
            kept.append(state)
        return steps, tuple(kept)

"""The stacked network for signals: convolutions that shorten, then a recurrence over what they found."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from pydantic import BaseModel, Field
from torch import Tensor

from hounsfield.learn.nn.kinds import MixedNetwork
from hounsfield.learn.nn.signal.cells import CellName
from hounsfield.learn.nn.signal.convolutional import TrunkOptions, TrunkReader
from hounsfield.learn.nn.signal.pooling import TimePool
from hounsfield.learn.nn.signal.recurrence import Recurrence
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, read_options


class StackedOptions(TrunkOptions):
    """Options of the stacked network: those of its convolutions, and of the recurrence on top of them.

    Parameters
    ----------
    cell
        ``gru``, ``lstm`` or ``textbook``.
    state
        Numbers in the state of each direction.
    layers
        Recurrent layers on top of one another.
    bidirectional
        Whether the features are also read from their end.
    pooling
        ``last``, ``mean`` or ``attention`` over time.
    between
        Share of features dropped between recurrent layers.
    """

    cell: CellName = "gru"
    state: int = Field(default=64, ge=1, le=2048)
    layers: int = Field(default=1, ge=1, le=8)
    bidirectional: bool = True
    pooling: Literal["last", "mean", "attention"] = "attention"
    between: float = Field(default=0.0, ge=0.0, lt=1.0)


class StackedEncoder(TrunkReader):
    """The trunk of the convolutional family, recurrent layers over its steps, pooling over time.

    Parameters
    ----------
    shape
        Shape of the input, one axis.
    options
        Options of the family.

    Notes
    -----
    Convolutions see what is near and halve the steps; the recurrence carries over what is far. Convolutions run under
    autocast, the recurrence in float32.
    """

    def __init__(self, shape: InputShape, options: StackedOptions) -> None:
        super().__init__(shape, options, family="convolutional-recurrent")
        self.recurrence = Recurrence(
            self.trunk.features,
            cell=options.cell,
            width=options.state,
            layers=options.layers,
            both=options.bidirectional,
        )
        self.recurrence.drop_between(options.between, salt=101)
        self.pool = TimePool(self.recurrence.features, options.pooling, both=options.bidirectional)
        self.features = self.pool.features

    def forward(self, image: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return the embedding (b c), float32, of signals (b c t)."""
        states, lengths = self.states(image, context)
        with torch.autocast(image.device.type, enabled=False):
            embedding: Tensor = self.pool(self.recurrence(states, lengths, context), lengths)
        return embedding


class StackedNetwork(MixedNetwork):
    """Convolutions and a recurrence for each signal; inputs of another kind have that kind's usual encoder beside it.

    Parameters
    ----------
    spec
        The spec; ``options`` are :class:`StackedOptions`.

    Raises
    ------
    PlanError
        If an option is unknown or out of range, or no input is a signal.
    """

    Options: ClassVar[type[BaseModel]] = StackedOptions

    def __init__(self, spec: NetworkSpec) -> None:
        options = read_options(spec, StackedOptions)
        super().__init__(spec, lambda shape: StackedEncoder(shape, options), axes=(1,), dropout=options.dropout)

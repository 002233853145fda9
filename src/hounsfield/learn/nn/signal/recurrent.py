"""The recurrent network for signals."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from hounsfield.learn.nn.kinds import MixedNetwork, needs_signal
from hounsfield.learn.nn.network import Encoder
from hounsfield.learn.nn.signal.cells import CellName
from hounsfield.learn.nn.signal.laying import MissingName, lay
from hounsfield.learn.nn.signal.laying import width as laid_width
from hounsfield.learn.nn.signal.pooling import TimePool
from hounsfield.learn.nn.signal.recurrence import Recurrence
from hounsfield.learn.nn.signal.sequence import framed, read
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, read_options


class RecurrentOptions(BaseModel):
    """Options of the recurrent network.

    Parameters
    ----------
    cell
        ``gru``, ``lstm``, or ``textbook``: ``h_t = tanh(W x_t + U h_(t-1) + b)``, to compare with.
    width
        Numbers in the state of each direction.
    layers
        Layers on top of one another.
    bidirectional
        Whether a series is also read from its end. Off, the answer at a step depends on no later step: such a network
        can follow a live series; see :mod:`hounsfield.learn.nn.signal.streaming`.
    pooling
        ``last`` (state at the end), ``mean`` or ``attention`` over time.
    frame
        Consecutive samples that are one step: ten times fewer steps cost about ten times less and are easier to learn
        from. 1 with ``times``.
    missing
        What a missing value inside a series is: ``mean``; ``flags``, a channel says so; ``decay``, the value last seen
        fades towards the mean and the state fades too (GRU-D; the first layer is then a GRU with decay).
    times
        Whether channel 0 is the time of each step in hours.
    between
        Share of features dropped between layers, the same at all steps.
    dropout
        Share of embedding features dropped before the heads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cell: CellName = "gru"
    width: int = Field(default=64, ge=1, le=2048)
    layers: int = Field(default=1, ge=1, le=8)
    bidirectional: bool = False
    pooling: Literal["last", "mean", "attention"] = "attention"
    frame: int = Field(default=1, ge=1, le=1024)
    missing: MissingName = "mean"
    times: bool = False
    between: float = Field(default=0.0, ge=0.0, lt=1.0)
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)

    @model_validator(mode="after")
    def _fits_together(self) -> "RecurrentOptions":
        if self.times and self.frame > 1:
            raise ValueError("a series with times has steps of its own: frame must be 1")
        if self.missing == "decay" and self.cell != "gru":
            raise ValueError('decay is defined for a GRU: cell must be "gru"')
        return self


class RecurrentEncoder(Encoder):
    """Recurrent layers over the steps of a signal, pooled over time.

    Parameters
    ----------
    shape
        Shape of the input, one axis.
    options
        Options of the family.

    Notes
    -----
    Runs in float32 also under autocast: rounding to 8 bits adds up over the steps. A GRU, many small products each of
    which would be cast, is a quarter slower in bfloat16 on a processor that has it; an LSTM would be faster.

    Raises
    ------
    PlanError
        If the input is no signal, or carries times and nothing else.
    """

    def __init__(self, shape: InputShape, options: RecurrentOptions) -> None:
        super().__init__()
        channels = needs_signal(shape, "recurrent", times=options.times) * options.frame
        self.options = options
        self.recurrence = Recurrence(
            laid_width(channels, missing=options.missing, times=options.times),
            cell=options.cell,
            width=options.width,
            layers=options.layers,
            both=options.bidirectional,
            decay=options.missing == "decay",
        )
        self.recurrence.drop_between(options.between, salt=101)
        self.pool = TimePool(self.recurrence.features, options.pooling, both=options.bidirectional)
        self.features = self.pool.features

    def forward(self, image: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return the embedding (b c), float32, of signals (b c t)."""
        options = self.options
        with torch.autocast(image.device.type, enabled=False):
            sequence = framed(read(image.float(), times=options.times), options.frame)
            steps, _ = lay(sequence, missing=options.missing, times=options.times)
            turned = None
            if options.bidirectional and (options.missing == "decay" or options.times):
                turned, _ = lay(sequence.reversed(), missing=options.missing, times=options.times)
            states = self.recurrence(steps, sequence.lengths, context, turned=turned)
            embedding: Tensor = self.pool(states, sequence.lengths)
        return embedding


class RecurrentNetwork(MixedNetwork):
    """A recurrent encoder for each signal; inputs of another kind have that kind's usual encoder beside it.

    Parameters
    ----------
    spec
        The spec; ``options`` are :class:`RecurrentOptions`.

    Raises
    ------
    PlanError
        If an option is unknown or out of range, or no input is a signal.
    """

    Options: ClassVar[type[BaseModel]] = RecurrentOptions

    def __init__(self, spec: NetworkSpec) -> None:
        options = read_options(spec, RecurrentOptions)
        super().__init__(spec, lambda shape: RecurrentEncoder(shape, options), axes=(1,), dropout=options.dropout)

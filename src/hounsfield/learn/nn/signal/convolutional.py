"""The convolutional network for signals."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor

from hounsfield.learn.nn.blocks import NormName
from hounsfield.learn.nn.kinds import MixedNetwork, needs_signal
from hounsfield.learn.nn.network import Encoder
from hounsfield.learn.nn.signal.convolving import Trunk
from hounsfield.learn.nn.signal.laying import lay
from hounsfield.learn.nn.signal.laying import width as laid_width
from hounsfield.learn.nn.signal.pooling import TimePool
from hounsfield.learn.nn.signal.sequence import inside, ragged, read
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, read_options


class TrunkOptions(BaseModel):
    """Options of convolutions along time.

    Parameters
    ----------
    width
        Channels of the first stage; each later stage has twice as many, up to ``max_width``.
    depths
        Blocks in each stage; every stage after the first halves the steps.
    max_width
        Upper bound on channels.
    kernels
        Odd lengths of the kernels, steps. Several see several scales at once (InceptionTime: 9, 19, 39); channels are
        divided among them.
    shorten
        Anti-aliased halvings right after the first convolution.
    norm
        ``batch``; or ``group``, which does not depend on the other samples.
    group_size
        Channels in each group of the group norm.
    squeeze
        Whether each block re-weights its channels by squeeze and excitation.
    stochastic_depth
        Drop rate of the last block; earlier blocks rise to it linearly from 0.
    missing
        What a missing value inside a series is: ``mean``; or ``flags``, a channel says so.
    times
        Whether channel 0 is the time of each step in hours; the convolution then reads the time since the step before.
    dropout
        Share of embedding features dropped before the heads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=32, ge=4)
    depths: list[int] = Field(default=[1, 1, 1], min_length=1, max_length=8)
    max_width: int = Field(default=256, ge=4)
    kernels: list[int] = Field(default=[7], min_length=1, max_length=4)
    shorten: int = Field(default=0, ge=0, le=4)
    norm: NormName = "batch"
    group_size: int = Field(default=8, ge=1)
    squeeze: bool = False
    stochastic_depth: float = Field(default=0.0, ge=0.0, lt=1.0)
    missing: Literal["mean", "flags"] = "mean"
    times: bool = False
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)

    @field_validator("depths")
    @classmethod
    def _at_least_one_block(cls, depths: list[int]) -> list[int]:
        if min(depths) < 1:
            raise ValueError("every stage needs at least one block")
        return depths

    @field_validator("kernels")
    @classmethod
    def _odd(cls, kernels: list[int]) -> list[int]:
        if min(kernels) < 1 or any(kernel % 2 == 0 for kernel in kernels):
            raise ValueError("kernels must be odd and positive: a step has as many before it as after it")
        return kernels

    def trunk(self, channels: int) -> Trunk:
        """Return the trunk for signals of so many channels."""
        return Trunk(
            channels,
            widths=[min(self.width * 2**stage, self.max_width) for stage in range(len(self.depths))],
            depths=self.depths,
            kernels=self.kernels,
            shorten=self.shorten,
            kind=(self.norm, self.group_size),
            extras=(self.squeeze, self.stochastic_depth),
        )


class ConvolutionalOptions(TrunkOptions):
    """Options of the convolutional network: those of its trunk, and how time is pooled.

    Parameters
    ----------
    pooling
        ``mean``, ``max``, ``mean+max`` or ``attention`` over time.
    """

    pooling: Literal["mean", "max", "mean+max", "attention"] = "mean"


class TrunkReader(Encoder):
    """The part that reads a signal and runs the trunk over it.

    Parameters
    ----------
    shape
        Shape of the input, one axis.
    options
        Options of the trunk.
    family
        Who asks, for messages.

    Raises
    ------
    PlanError
        If the input is no signal, or carries times and nothing else.
    """

    def __init__(self, shape: InputShape, options: TrunkOptions, *, family: str) -> None:
        super().__init__()
        channels = needs_signal(shape, family, times=options.times)
        self.missing, self.times = options.missing, options.times
        self.trunk = options.trunk(laid_width(channels, missing=options.missing, times=options.times))

    def states(self, signal: Tensor, context: Mapping[str, object]) -> tuple[Tensor, Tensor]:
        """Return the trunk's features (b t c), float32, and how many steps each series has of them, (b,)."""
        sequence = read(signal.float(), times=self.times)
        steps, _ = lay(sequence, missing=self.missing, times=self.times)
        lengths = sequence.lengths
        mask = None
        if ragged(lengths, steps.shape[1]):
            mask = inside(lengths, steps.shape[1])[:, None, None].to(steps.dtype)
            steps = steps * mask[:, 0, 0, :, None]
        features = self.trunk(steps.transpose(1, 2), mask, context)
        for _ in range(self.trunk.halvings):
            lengths = (lengths + 1) // 2
        return features[:, :, 0].transpose(1, 2).float(), lengths


class ConvolutionalEncoder(TrunkReader):
    """Stem, stages of residual blocks along time, pooling over time.

    Parameters
    ----------
    shape
        Shape of the input, one axis.
    options
        Options of the family.
    """

    def __init__(self, shape: InputShape, options: ConvolutionalOptions) -> None:
        super().__init__(shape, options, family="convolutional")
        self.pool = TimePool(self.trunk.features, options.pooling)
        self.features = self.pool.features

    def forward(self, image: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return the embedding (b c), float32, of signals (b c t)."""
        states, lengths = self.states(image, context)
        embedding: Tensor = self.pool(states, lengths)
        return embedding


class ConvolutionalNetwork(MixedNetwork):
    """A residual network along time for each signal; inputs of another kind have that kind's usual encoder beside it.

    Parameters
    ----------
    spec
        The spec; ``options`` are :class:`ConvolutionalOptions`.

    Raises
    ------
    PlanError
        If an option is unknown or out of range, or no input is a signal.

    References
    ----------
    Wang, Yan, Oates, "Time series classification from scratch with deep neural networks", IJCNN 2017. Hannun et al.,
    "Cardiologist-level arrhythmia detection ... using a deep neural network", Nat Med 2019;25:65-69.
    """

    Options: ClassVar[type[BaseModel]] = ConvolutionalOptions

    def __init__(self, spec: NetworkSpec) -> None:
        options = read_options(spec, ConvolutionalOptions)
        super().__init__(spec, lambda shape: ConvolutionalEncoder(shape, options), axes=(1,), dropout=options.dropout)

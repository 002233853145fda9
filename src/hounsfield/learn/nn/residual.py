"""The residual network for 2D images and 3D volumes."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor, nn

from hounsfield.learn.nn.blocks import ResidualBlock, convolution, normalisation
from hounsfield.learn.nn.network import Encoder, EncoderNetwork
from hounsfield.learn.nn.pooling import BlurPool, GlobalPool, PoolingName
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, read_options
from hounsfield.learn.nn.wavelets import WaveletStem


class ResidualOptions(BaseModel):
    """Options of the residual network.

    Parameters
    ----------
    width
        Channels of the first stage; each later stage has twice as many, up to ``max_width``.
    depths
        Blocks in each stage; every stage after the first halves the size.
    max_width
        Upper bound on channels.
    stem
        ``small``: 3x3 at full size, for images up to 64 pixels; ``medium``: 5x5 with stride 2, the first stage works
        at half the size; ``large``: the same, then anti-aliased halving, the first stage works at a quarter;
        ``wavelet``: fixed oriented wavelets of several scales (2D), the first stage works at ``1 / 2^(scales - 1)``.
    scales
        Octaves of the wavelet stem.
    norm
        ``batch``; or ``group``, which does not depend on the other samples: for small batches and several processes.
    group_size
        Channels in each group of the group norm.
    downsample
        Where a stage halves its size: ``early``, before the first convolution of its first block (four times cheaper);
        ``late``, after it (keeps finer detail).
    squeeze
        Whether each block re-weights its channels by squeeze and excitation.
    pooling
        Global pooling: ``mean``, ``mean+max`` or ``gem``.
    stochastic_depth
        Drop rate of the last block; earlier blocks rise to it linearly from 0.
    dropout
        Share of embedding features dropped before the heads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=24, ge=4)
    depths: list[int] = Field(default=[1, 1, 1, 1], min_length=1, max_length=6)
    max_width: int = Field(default=512, ge=4)
    stem: Literal["small", "medium", "large", "wavelet"] = "large"
    scales: int = Field(default=3, ge=1, le=4)
    norm: Literal["batch", "group"] = "batch"
    group_size: int = Field(default=8, ge=1)
    downsample: Literal["early", "late"] = "early"
    squeeze: bool = False
    pooling: PoolingName = "mean"
    stochastic_depth: float = Field(default=0.0, ge=0.0, lt=1.0)
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)

    @field_validator("depths")
    @classmethod
    def _at_least_one_block(cls, depths: list[int]) -> list[int]:
        if min(depths) < 1:
            raise ValueError("every stage needs at least one block")
        return depths

    def widths(self) -> tuple[int, ...]:
        """Return the channels of each stage."""
        return tuple(min(self.width * 2**stage, self.max_width) for stage in range(len(self.depths)))


class ResidualEncoder(Encoder):
    """Stem, stages of residual blocks, global pooling.

    Parameters
    ----------
    shape
        Shape of the input.
    options
        Options of the family.
    """

    def __init__(self, shape: InputShape, options: ResidualOptions) -> None:
        super().__init__()
        ndim, widths = shape.ndim, options.widths()
        self.memory_format = torch.channels_last if ndim == 2 else torch.channels_last_3d
        strided = options.stem in ("medium", "large")
        channels, kernel, stem = shape.channels, 5 if strided else 3, list[nn.Module]()
        if options.stem == "wavelet":
            fixed = WaveletStem(channels, ndim=ndim, scales=options.scales)
            channels = fixed.channels
            stem += [fixed, normalisation(channels, ndim=ndim, kind=options.norm, group_size=options.group_size)]
        stem += [
            convolution(channels, widths[0], ndim=ndim, kernel=kernel, stride=2 if strided else 1),
            normalisation(widths[0], ndim=ndim, kind=options.norm, group_size=options.group_size),
            nn.ReLU(inplace=True),
        ]
        if options.stem == "large":
            stem.append(BlurPool(widths[0], ndim=ndim))
        self.stem = nn.Sequential(*stem)
        total = sum(options.depths)
        blocks: list[ResidualBlock] = []
        channels = widths[0]
        for stage, (width, depth) in enumerate(zip(widths, options.depths, strict=True)):
            for place in range(depth):
                blocks.append(
                    ResidualBlock(
                        channels,
                        width,
                        ndim=ndim,
                        halve=options.downsample if stage > 0 and place == 0 else "never",
                        norm=(options.norm, options.group_size),
                        squeeze=options.squeeze,
                        drop=(options.stochastic_depth * len(blocks) / max(total - 1, 1), len(blocks) + 1),
                    )
                )
                channels = width
        self.blocks = nn.ModuleList(blocks)
        self.pool = GlobalPool(channels, options.pooling)
        self.features = self.pool.features

    def forward(self, image: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return the embedding (b c), float32, of images (b c y x) or (b c z y x)."""
        features: Tensor = self.stem(image.contiguous(memory_format=self.memory_format))
        for block in self.blocks:
            features = block(features, context)
        embedding: Tensor = self.pool(features)
        return embedding


class ResidualNetwork(EncoderNetwork):
    """The work horse: a residual encoder for each input, embeddings side by side, linear heads.

    Parameters
    ----------
    spec
        The spec; ``options`` are :class:`ResidualOptions`.

    Raises
    ------
    PlanError
        If an option is unknown or out of range.

    References
    ----------
    He et al., "Deep residual learning", CVPR 2016; "Bag of tricks for image classification", CVPR 2019 (variant D).
    """

    Options: ClassVar[type[BaseModel]] = ResidualOptions

    def __init__(self, spec: NetworkSpec) -> None:
        options = read_options(spec, ResidualOptions)
        encoders: list[Encoder] = [ResidualEncoder(shape, options) for shape in spec.inputs.values()]
        super().__init__(spec, encoders, dropout=options.dropout)

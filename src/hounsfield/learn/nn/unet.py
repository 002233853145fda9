"""A U-Net with a residual encoder, for planes and volumes: an output for every pixel."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.blocks import NormName, normalisation
from hounsfield.learn.nn.network import Network
from hounsfield.learn.nn.pointwise import PointwiseConv2d, PointwiseConv3d
from hounsfield.learn.nn.spec import NetworkSpec, read_options

DEEP = "deep"
"""Coarser outputs of a target are named ``deep/1/<target>``, ``deep/2/<target>``, ...; while training only."""


_OUTPUTS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class UNetOptions(BaseModel):
    """Options of the U-Net.

    Parameters
    ----------
    width
        Channels of the first stage; each later stage has twice as many, up to ``max_width``.
    max_width
        Upper bound on channels.
    depths
        Residual blocks in each stage of the encoder.
    strides
        How much each stage shrinks each axis, stage by stage, axes in array order: ``d`` numbers for each stage. Where
        the first one shrinks, the finest output is a learned enlargement: a quarter of the cost in planes.
    kernels
        Edge of the kernels of each stage along each axis, in the same order; 3 everywhere if empty. 1 along the slices
        of a volume whose slices lie far apart.
    decoder
        Convolutions in each stage of the decoder.
    norm
        ``batch`` or ``group``.
    deep
        Coarser outputs that training sees.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    width: int = Field(default=16, ge=4)
    max_width: int = Field(default=256, ge=4)
    depths: list[int] = Field(default=[1, 1, 1, 1], min_length=1, max_length=8)
    strides: list[int] = []
    kernels: list[int] = []
    decoder: int = Field(default=1, ge=1, le=4)
    norm: NormName = "batch"
    deep: int = Field(default=2, ge=0, le=5)

    def stages(self, ndim: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Return strides and kernels of each stage.

        Raises
        ------
        PlanError
            If there are not as many as stages and axes.
        """
        count = len(self.depths)
        strides = self.strides or [1] * ndim + [2] * ndim * (count - 1)
        kernels = self.kernels or [3] * ndim * count
        if len(strides) != ndim * count or len(kernels) != ndim * count or not {*strides} <= {1, 2}:
            raise PlanError(
                f"The U-Net has {len(strides)} strides and {len(kernels)} kernels for {count} stages of {ndim} axes.",
                expected=f"{ndim * count} of each, strides of 1 or 2",
                next_step='correct "strides" and "kernels" in the network section of the plan',
            )
        return [
            (tuple(strides[ndim * n : ndim * (n + 1)]), tuple(kernels[ndim * n : ndim * (n + 1)])) for n in range(count)
        ]


def _convolution(
    before: int, after: int, *, kernel: tuple[int, ...], stride: tuple[int, ...] | None = None
) -> nn.Module:
    whole = (nn.Conv2d, nn.Conv3d)
    kind = ((PointwiseConv2d, PointwiseConv3d) if max(kernel) == 1 else whole)[len(kernel) - 2]
    padding = tuple(k // 2 for k in kernel)
    steps = stride or (1,) * len(kernel)
    layer = kind(before, after, kernel, stride=steps, padding=padding, bias=False)  # type: ignore[arg-type]  # 2 or 3
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer


class _Plain(nn.Module):
    """Convolution, norm, ReLU."""

    def __init__(self, before: int, after: int, kernel: tuple[int, ...], norm: NormName) -> None:
        super().__init__()
        self.convolution = _convolution(before, after, kernel=kernel)
        self.norm = normalisation(after, ndim=len(kernel), kind=norm)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features after it."""
        return functional.relu(self.norm(self.convolution(features)), inplace=True)


class _Residual(nn.Module):
    """Two convolutions beside a shortcut; a stride is taken by the first one and by the shortcut."""

    def __init__(
        self, before: int, after: int, *, kernel: tuple[int, ...], stride: tuple[int, ...], norm: NormName
    ) -> None:
        super().__init__()
        ndim = len(kernel)
        self.first = _convolution(before, after, kernel=kernel, stride=stride)
        self.first_norm = normalisation(after, ndim=ndim, kind=norm)
        self.second = _convolution(after, after, kernel=kernel)
        self.second_norm = normalisation(after, ndim=ndim, kind=norm)
        shortcut: list[nn.Module] = []
        if before != after or max(stride) > 1:
            shortcut += [
                _convolution(before, after, kernel=(1,) * ndim, stride=stride),
                normalisation(after, ndim=ndim, kind=norm),
            ]
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features after the block."""
        branch = functional.relu(self.first_norm(self.first(features)), inplace=True)
        return functional.relu(self.second_norm(self.second(branch)) + self.shortcut(features), inplace=True)


class UNet(Network):
    """Encoder of residual stages, decoder of plain ones, an output for every voxel and target.

    Parameters
    ----------
    spec
        One input; ``options`` are :class:`UNetOptions`; the size of the input is that of a patch, of which each edge
        must be divisible by the product of its strides.

    Raises
    ------
    PlanError
        If options, input or size do not fit.

    Notes
    -----
    The output of a target is ``b w y x`` or ``b w z y x``, float32, of the input's size.

    References
    ----------
    Ronneberger, Fischer, Brox, "U-Net", MICCAI 2015. Isensee et al., "nnU-Net revisited", MICCAI 2024 (residual
    encoders). Lee et al., "Deeply-supervised nets", AISTATS 2015.
    """

    Options: ClassVar[type[BaseModel]] = UNetOptions

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        options = read_options(spec, UNetOptions)
        (self.input, shape), *others = spec.inputs.items()
        if others:
            raise PlanError("A U-Net has one input.", expected="the channels of all images of a case as one input")
        ndim, stages = shape.ndim, options.stages(shape.ndim)
        self.memory_format = torch.channels_last if ndim == 2 else torch.channels_last_3d
        self.names = tuple(spec.heads)
        _check_size(shape.size, [s for s, _ in stages])
        widths = [min(options.width * 2**stage, options.max_width) for stage in range(len(stages))]
        encoder: list[nn.Module] = []
        before = shape.channels
        for (stride, kernel), width, depth in zip(stages, widths, options.depths, strict=True):
            blocks: list[nn.Module] = []
            for place in range(depth):
                step = stride if place == 0 else (1,) * ndim
                blocks.append(_Residual(before, width, kernel=kernel, stride=step, norm=options.norm))
                before = width
            encoder.append(nn.Sequential(*blocks))
        self.encoder = nn.ModuleList(encoder)
        ups: list[nn.Module] = []
        decoder: list[nn.Module] = []
        for stage in range(len(stages) - 2, -1, -1):
            stride, kernel, width = stages[stage + 1][0], stages[stage][1], widths[stage]
            kind = nn.ConvTranspose2d if ndim == 2 else nn.ConvTranspose3d
            ups.append(kind(widths[stage + 1], width, stride, stride=stride, bias=False))  # type: ignore[arg-type]  # 2 or 3
            steps = [
                _Plain(2 * width if n == 0 else width, width, kernel, options.norm) for n in range(options.decoder)
            ]
            decoder.append(nn.Sequential(*steps))
        self.ups = nn.ModuleList(ups)
        self.decoder = nn.ModuleList(decoder)
        total = sum(spec.heads.values())
        self.widths = tuple(spec.heads.values())
        deep = min(options.deep, len(decoder) - 1) if decoder else 0
        last = nn.Conv2d if ndim == 2 else PointwiseConv3d
        # by how coarse they are: the finest first
        outputs: list[nn.Module] = [last(widths[stage], total, 1) for stage in range(deep + 1)]
        if max(stages[0][0]) > 1:
            kind = nn.ConvTranspose2d if ndim == 2 else nn.ConvTranspose3d
            outputs[0] = kind(widths[0], total, stages[0][0], stride=stages[0][0])  # type: ignore[arg-type]  # 2 or 3
        self.outputs = nn.ModuleList(outputs)
        for layer in self.outputs:
            if isinstance(layer, _OUTPUTS) and layer.bias is not None:
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.zeros_(layer.bias)

    def set_bias(self, values: Tensor) -> None:
        """Set the bias of all outputs, (w,) over all targets: the first steps need not learn how rare things are."""
        with torch.no_grad():
            for layer in self.outputs:
                if isinstance(layer, _OUTPUTS) and layer.bias is not None:
                    layer.bias.copy_(values)

    def forward(self, inputs: Mapping[str, Tensor], context: Mapping[str, object]) -> dict[str, Tensor]:
        """Return raw outputs of each target, ``b w ...`` float32, and the ``embedding``, ``b c``."""
        del context
        features = inputs[self.input].contiguous(memory_format=self.memory_format)
        kept: list[Tensor] = []
        for stage in self.encoder:
            features = stage(features)
            kept.append(features)
        embedding = features.flatten(2).mean(2).float()
        coarse: list[Tensor] = [features]
        for place, (up, decode) in enumerate(zip(self.ups, self.decoder, strict=True)):
            features = decode(torch.cat([up(features), kept[-2 - place]], dim=1))
            coarse.append(features)
        found = {"embedding": embedding}
        for level, layer in enumerate(self.outputs):
            if level and not self.training:
                break
            raw = layer(coarse[-1 - level]).float()
            for name, part in zip(self.names, raw.split(self.widths, dim=1), strict=True):
                found[name if level == 0 else f"{DEEP}/{level}/{name}"] = part
        return found


def _check_size(size: tuple[int, ...], strides: list[tuple[int, ...]]) -> None:
    for axis, edge in enumerate(size):
        product = 1
        for stride in strides:
            product *= stride[axis]
        if edge % product:
            raise PlanError(
                f"A patch has an edge of {edge} voxels, which {product} does not divide.",
                expected=f"a multiple of {product} along this axis",
                next_step='correct "size" in the patch section of the plan, or "strides" of the network',
            )

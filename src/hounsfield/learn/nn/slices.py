"""The 2.5D network: one planar encoder shared by the slabs of a volume."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from pydantic import BaseModel, Field
from torch import Tensor
from torch.nn import functional

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.network import Encoder, EncoderNetwork
from hounsfield.learn.nn.residual import ResidualEncoder, ResidualOptions
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, read_options


class SlicesOptions(ResidualOptions):
    """Options of the 2.5D network: those of the residual network, and how a volume is cut.

    Parameters
    ----------
    thickness
        Neighbouring slices that enter the encoder together, as its channels.
    planes
        ``z``: slabs along the first axis alone, for thick slices; ``zyx``: along all three axes, which share the
        encoder; ``auto``: all three where no axis is more than half again as long as another, else the first.
    """

    thickness: int = Field(default=3, ge=1, le=15)
    planes: Literal["auto", "z", "zyx"] = "auto"


class SlicesEncoder(Encoder):
    """Cut a volume into slabs, encode each in two dimensions, pool over the slabs.

    Parameters
    ----------
    shape
        Shape of the input: 3D.
    options
        Options of the family.

    Notes
    -----
    The embedding is the mean of the slabs' embeddings beside their maximum, averaged over the directions. A slab that
    reaches beyond the volume is filled with the last slice.

    Raises
    ------
    PlanError
        If the input is not 3D.
    """

    def __init__(self, shape: InputShape, options: SlicesOptions) -> None:
        super().__init__()
        if shape.ndim != 3:
            raise PlanError(
                f"The 2.5D network was given an input with {shape.ndim} spatial axes.",
                expected="volumes, with 3 spatial axes",
                next_step='choose "--network residual"',
            )
        self.thickness = options.thickness
        cube = 2 * max(shape.size) <= 3 * min(shape.size)
        self.axes = (2, 3, 4) if options.planes == "zyx" or (options.planes == "auto" and cube) else (2,)
        plane = InputShape(channels=shape.channels * options.thickness, ndim=2, size=shape.size[1:])
        self.encoder = ResidualEncoder(plane, options)
        self.features = 2 * self.encoder.features

    def forward(self, image: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return the embedding (b c), float32, of volumes (b c z y x)."""
        joined = [self._along(image, axis, context) for axis in self.axes]
        return torch.stack(joined).mean(0)

    def _along(self, image: Tensor, axis: int, context: Mapping[str, object]) -> Tensor:
        slabs = slabs_of(image, axis, thickness=self.thickness)
        count = slabs.shape[1]
        keys = context.get("keys")
        inner = {"keys": keys.repeat_interleave(count)} if isinstance(keys, Tensor) else {}
        found: Tensor = self.encoder(slabs.flatten(0, 1), inner)
        found = found.reshape(len(image), count, -1)
        return torch.cat([found.mean(1), found.amax(1)], dim=1)


def slabs_of(image: Tensor, axis: int, *, thickness: int) -> Tensor:
    """Cut volumes into slabs along one axis.

    Parameters
    ----------
    image
        (b c z y x).
    axis
        Axis to cut, 2 to 4.
    thickness
        Slices in a slab; the last slab is filled with copies of the last slice.

    Returns
    -------
    Tensor
        (b s k y x) with s slabs and k = c thickness channels: all slices of the first channel, then of the next.
    """
    moved = image.movedim(axis, 2)
    short = -moved.shape[2] % thickness
    if short:
        moved = functional.pad(moved, (0, 0, 0, 0, 0, short), mode="replicate")
    batch, channels, depth, rows, columns = moved.shape
    parts = moved.reshape(batch, channels, depth // thickness, thickness, rows, columns).movedim(2, 1)
    return parts.flatten(2, 3)


class SlicesNetwork(EncoderNetwork):
    """The 2.5D network: for volumes whose slices are thick, or where a 3D network costs too much.

    Parameters
    ----------
    spec
        The spec; ``options`` are :class:`SlicesOptions`.

    Raises
    ------
    PlanError
        If an option is unknown or out of range, or an input is not 3D.
    """

    Options: ClassVar[type[BaseModel]] = SlicesOptions

    def __init__(self, spec: NetworkSpec) -> None:
        options = read_options(spec, SlicesOptions)
        encoders: list[Encoder] = [SlicesEncoder(shape, options) for shape in spec.inputs.values()]
        super().__init__(spec, encoders, dropout=options.dropout)

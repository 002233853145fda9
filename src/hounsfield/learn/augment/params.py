"""What was drawn for a batch: the deterministic part needs nothing else."""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class AugmentParams:
    """Parameters of one batch; None where an operation is off for all samples.

    Parameters
    ----------
    flip
        Which axes are mirrored, (b d), bool, d spatial axes in array order.
    moved
        Which samples are warped, (b,), bool.
    matrix
        Where each output point is read, in units of a pixel along the last axis, from the centre, axes in array order,
        (b d d), float32.
    shift
        Where the centre is read, as a share of each axis' size, (b d), float32.
    bend
        Displacement at the control points as a share of each axis' size, (b d n ... n), float32.
    contrast, brightness, gamma, blur, noise
        Factor, shift, power, deviation in pixels, deviation; (b,), float32; where a sample does not meet the operation
        1, 0, 1, 0 and 0.
    bias_field
        Cosine coefficients of the logarithm of the field, (b 3 ... 3), float32.
    noise_key
        Where in the table of normal numbers a sample's noise begins, (b,), int64.
    box
        Lower and upper corner of the erased box as shares of each axis' size, (b 2 d), float32; empty where lower =
        upper.
    spacing
        Relative size of a pixel along each axis, array order.
    padding
        What is seen outside the image.
    """

    flip: Tensor | None = None
    moved: Tensor | None = None
    matrix: Tensor | None = None
    shift: Tensor | None = None
    bend: Tensor | None = None
    contrast: Tensor | None = None
    brightness: Tensor | None = None
    gamma: Tensor | None = None
    bias_field: Tensor | None = None
    blur: Tensor | None = None
    noise: Tensor | None = None
    noise_key: Tensor | None = None
    box: Tensor | None = None
    spacing: tuple[float, ...] = ()
    padding: str = "border"

    @property
    def off(self) -> bool:
        """Whether nothing at all is to be done."""
        return all(not isinstance(getattr(self, field.name), Tensor) for field in fields(self))

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> "AugmentParams":
        """Return the parameters on a device."""
        moved: dict[str, Tensor] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                moved[field.name] = value.to(device, non_blocking=non_blocking)
        return replace(self, **moved)  # type: ignore[arg-type]  # tensors by name, only into fields that held one

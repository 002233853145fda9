"""The random part of augmentation: parameters of each sample from that sample's own generator."""

import math
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from hounsfield.core.errors import PlanError
from hounsfield.core.types import Float64Array
from hounsfield.learn.augment.params import AugmentParams
from hounsfield.learn.augment.spec import AugmentSpec

# Place of each parameter in a sample's vector of uniform numbers. Fixed places: what one operation draws never
# changes with another being on or off. A new operation takes new places at the end, before the elastic displacements.
_PLACES: dict[str, tuple[int, int]] = {
    "flip": (0, 3),
    "moved": (3, 4),
    "rotation": (4, 5),
    "tilt": (5, 7),
    "scale": (7, 8),
    "shear": (8, 9),
    "shift": (9, 12),
    "contrast": (12, 14),
    "brightness": (14, 16),
    "gamma": (16, 18),
    "blur": (18, 20),
    "noise": (20, 23),
    "bias_on": (23, 24),
    "bias_field": (24, 51),
    "box_on": (51, 52),
    "box_edge": (52, 55),
    "box_place": (55, 58),
}
_FIXED = 58
_AXES = ("z", "y", "x")


class Numbers(Protocol):
    """Gives as many uniform numbers for each sample as are asked for."""

    def __call__(self, *, count: int) -> Float64Array:
        """Return numbers (b count) in [0, 1), float64."""


def draw(spec: AugmentSpec, numbers: Numbers, *, ndim: int) -> AugmentParams:
    """Draw the augmentation of a batch.

    Parameters
    ----------
    spec
        What is allowed and how strong.
    numbers
        ``numbers(count=m)``: uniform numbers (b m) in [0, 1), each row found by its sample's address: seed, purpose,
        epoch, sample; see `hounsfield.core.streams.uniforms`. Asked once.
    ndim
        Spatial axes of the images, 2 or 3.

    Returns
    -------
    AugmentParams
        Parameters on the CPU; what a sample gets does not depend on the rest of the batch.

    Raises
    ------
    PlanError
        If the spec names an axis or spacing that images of this kind do not have.
    """
    if (spec.spacing and len(spec.spacing) != ndim) or (ndim == 2 and ("z" in spec.flips or spec.tilt_deg > 0.0)):
        raise PlanError(
            f"The augmentation has spacing {spec.spacing}, flips {spec.flips} and tilt {spec.tilt_deg} degrees.",
            expected=f"one that fits images with {ndim} spatial axes",
            next_step="correct spacing, flips and tilt_deg in the augmentation section of the plan",
        )
    count = _FIXED + (ndim * spec.elastic_cells**ndim if spec.elastic > 0.0 and spec.warps else 0)
    uniform = numbers(count=count)
    drawn: dict[str, Tensor | None] = {}
    if spec.flips:
        allowed = np.array([axis in spec.flips for axis in _AXES[3 - ndim :]])
        drawn["flip"] = torch.from_numpy((_part(uniform, "flip")[:, 3 - ndim :] < 0.5) & allowed)
    if spec.warps:
        drawn |= _draw_warp(spec, uniform, ndim=ndim)
        drawn |= _mirrored(drawn)
    drawn |= _draw_intensity(spec, uniform, ndim=ndim)
    if spec.cutout > 0.0 and spec.cutout_chance > 0.0:
        edge = spec.cutout * _part(uniform, "box_edge")[:, 3 - ndim :]
        edge *= (_part(uniform, "box_on")[:, 0] < spec.cutout_chance)[:, None]
        lower = _part(uniform, "box_place")[:, 3 - ndim :] * (1.0 - edge)
        drawn["box"] = _tensor(np.stack([lower, lower + edge], axis=1))
    return AugmentParams(**drawn, spacing=spec.spacing, padding=spec.padding)


def _part(uniform: Float64Array, name: str) -> Float64Array:
    """Return the numbers (b m) that belong to one parameter."""
    start, stop = _PLACES[name]
    return uniform[:, start:stop]


def _tensor(array: Float64Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def _signed(uniform: Float64Array) -> Float64Array:
    return 2.0 * uniform - 1.0


def _log_range(uniform: Float64Array, bounds: tuple[float, float]) -> Float64Array:
    low, high = math.log(bounds[0]), math.log(bounds[1])
    return np.asarray(np.exp(low + (high - low) * uniform))


def _draw_warp(spec: AugmentSpec, uniform: Float64Array, *, ndim: int) -> dict[str, Tensor | None]:
    """Compose rotation, tilt, shear and zoom into one matrix; draw the shift and the bend."""
    rotation = np.deg2rad(spec.rotation_deg) * _signed(_part(uniform, "rotation")[:, 0])
    shear = np.tan(np.deg2rad(spec.shear_deg) * _signed(_part(uniform, "shear")[:, 0]))
    matrix = _plane(rotation, ndim, ndim - 2, ndim - 1)
    sheared = np.tile(np.eye(ndim), (len(uniform), 1, 1))
    sheared[:, ndim - 1, ndim - 2] = shear
    matrix = matrix @ sheared
    if ndim == 3:
        tilt = np.deg2rad(spec.tilt_deg) * _signed(_part(uniform, "tilt"))
        matrix = matrix @ _plane(tilt[:, 0], 3, 0, 1) @ _plane(tilt[:, 1], 3, 0, 2)
    # The matrix says where an output point is read: enlarging reads from a smaller part.
    matrix /= _log_range(_part(uniform, "scale")[:, 0], spec.scale)[:, None, None]
    bend = None
    if spec.elastic > 0.0:
        # A uniform number scaled to unit deviation is enough here: the smooth basis averages neighbours.
        cells = (ndim,) + (spec.elastic_cells,) * ndim
        bend = _tensor(spec.elastic * math.sqrt(3.0) * _signed(uniform[:, _FIXED:]).reshape(-1, *cells))
    return {
        "moved": torch.from_numpy(_part(uniform, "moved")[:, 0] < spec.geometry_chance),
        "matrix": _tensor(matrix),
        "shift": _tensor(spec.translation * _signed(_part(uniform, "shift")[:, 3 - ndim :])),
        "bend": bend,
    }


def _mirrored(drawn: dict[str, Tensor | None]) -> dict[str, Tensor | None]:
    """Let the warp mirror the samples that it moves anyway: it reads them from the other side."""
    flip, moved, matrix, shift, bend = (drawn.get(name) for name in ("flip", "moved", "matrix", "shift", "bend"))
    if flip is None or moved is None or matrix is None or shift is None:
        return {}
    sign = 1.0 - 2.0 * (flip & moved[:, None]).to(torch.float32)
    return {
        "flip": flip & ~moved[:, None],
        "matrix": matrix * sign[:, :, None],
        "shift": shift * sign,
        "bend": None if bend is None else bend * sign.reshape(*sign.shape, *[1] * sign.shape[1]),
    }


def _plane(angle: Float64Array, ndim: int, first: int, second: int) -> Float64Array:
    """Return rotations (b d d) by an angle in the plane of two axes."""
    matrix = np.tile(np.eye(ndim), (len(angle), 1, 1))
    matrix[:, first, first] = matrix[:, second, second] = np.cos(angle)
    matrix[:, first, second] = np.sin(angle)
    matrix[:, second, first] = -np.sin(angle)
    return matrix


def _draw_intensity(spec: AugmentSpec, uniform: Float64Array, *, ndim: int) -> dict[str, Tensor | None]:
    """Draw contrast, brightness, gamma, blur, noise and bias field, each with its own chance."""
    chance = spec.intensity_chance
    drawn: dict[str, Tensor | None] = {}
    if chance == 0.0:
        return drawn

    def met(name: str, values: Float64Array, *, neutral: float) -> Tensor:
        return _tensor(np.where(_part(uniform, name)[:, 0] < chance, values, neutral))

    if spec.contrast != (1.0, 1.0):
        factor = _log_range(_part(uniform, "contrast")[:, 1], spec.contrast)
        drawn["contrast"] = met("contrast", factor, neutral=1.0)
    if spec.brightness > 0.0:
        shift = spec.brightness * _signed(_part(uniform, "brightness")[:, 1])
        drawn["brightness"] = met("brightness", shift, neutral=0.0)
    if spec.gamma != (1.0, 1.0):
        drawn["gamma"] = met("gamma", _log_range(_part(uniform, "gamma")[:, 1], spec.gamma), neutral=1.0)
    if spec.blur > 0.0:
        drawn["blur"] = met("blur", spec.blur * _part(uniform, "blur")[:, 1], neutral=0.0)
    if spec.noise > 0.0:
        drawn["noise"] = met("noise", spec.noise * _part(uniform, "noise")[:, 1], neutral=0.0)
        drawn["noise_key"] = torch.from_numpy((_part(uniform, "noise")[:, 2] * 2.0**53).astype(np.int64))
    if spec.bias_field > 0.0:
        waves = _signed(_part(uniform, "bias_field")[:, : 3**ndim]).reshape(-1, *(3,) * ndim)
        waves.reshape(len(waves), -1)[:, 0] = 0.0  # the constant wave is a brightness, not a field
        waves *= spec.bias_field * math.sqrt(3.0 / (3**ndim - 1)) * 2.0 ** (0.5 * (ndim - 1))
        waves *= (_part(uniform, "bias_on")[:, 0] < chance).reshape(-1, *(1,) * ndim)
        drawn["bias_field"] = _tensor(waves)
    return drawn

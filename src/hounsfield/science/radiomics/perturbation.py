"""The same region as it might have been imaged and drawn another time: turned, shifted, noisier, wider or closer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, BoolArray, Float64Array, FloatArray

Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class Extent:
    """How far images and contours are changed at most.

    Parameters
    ----------
    rotation_deg : float
        Turn about the z axis through the region's centre, up to so many degrees to either side.
    shift_voxels : float
        Shift along each axis, up to so many voxels to either side; what matters is the part of a voxel.
    noise : float
        Standard deviation of noise added, in the image's own units; the same for all.
    growth_mm : float
        The contour moves outwards or inwards as a whole by up to so much.
    roughness_mm : float
        Standard deviation of what the contour moves by in places, beyond that; the same for all.
    roughness_scale_mm : float
        Over what distance such places extend.

    Raises
    ------
    InputError
        If one is negative or not finite, or the scale is 0.
    """

    rotation_deg: float = 5.0
    shift_voxels: float = 0.5
    noise: float = 0.0
    growth_mm: float = 1.0
    roughness_mm: float = 0.5
    roughness_scale_mm: float = 5.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (np.isfinite(value) and value >= 0) or (name == "roughness_scale_mm" and value == 0):
                raise InputError(
                    f"A perturbation with {name}={value} was asked for.",
                    expected="finite numbers of 0 or more, the scale above 0",
                    next_step=f"Give {name} in the unit of its name.",
                )


@dataclass(frozen=True)
class Perturbation:
    """One change, all of it said: applied twice, it gives the same.

    Parameters
    ----------
    rotation_deg, noise, growth_mm, roughness_mm, roughness_scale_mm : float
        As for :class:`Extent`, now with a sign and exact.
    shift_voxels : tuple of float
        ``z y x``.
    seed : int
        Of the noise and of where the contour moves.
    """

    rotation_deg: float = 0.0
    shift_voxels: tuple[float, float, float] = (0.0, 0.0, 0.0)
    noise: float = 0.0
    growth_mm: float = 0.0
    roughness_mm: float = 0.0
    roughness_scale_mm: float = 5.0
    seed: int = 0


def draw(extent: Extent, count: int, generator: np.random.Generator) -> tuple[Perturbation, ...]:
    """Draw changes up to an extent.

    Parameters
    ----------
    extent : Extent
    count : int
    generator : numpy.random.Generator

    Returns
    -------
    tuple of Perturbation
    """
    made = []
    for _ in range(count):
        turn, *shift, growth = generator.uniform(-1, 1, 5)
        made.append(
            Perturbation(
                rotation_deg=float(turn * extent.rotation_deg),
                shift_voxels=(
                    float(shift[0] * extent.shift_voxels),
                    float(shift[1] * extent.shift_voxels),
                    float(shift[2] * extent.shift_voxels),
                ),
                noise=extent.noise,
                growth_mm=float(growth * extent.growth_mm),
                roughness_mm=extent.roughness_mm,
                roughness_scale_mm=extent.roughness_scale_mm,
                seed=int(generator.integers(2**31)),
            )
        )
    return tuple(made)


def perturb(image: AnyArray, mask: AnyArray, spacing_mm: Spacing, *, by: Perturbation) -> tuple[FloatArray, BoolArray]:
    """Return an image and a region of it as they might have been another time.

    Parameters
    ----------
    image : numpy.ndarray
        ``z y x``.
    mask : numpy.ndarray
        ``z y x``, of the same size; the region is where it is not 0.
    spacing_mm : tuple of float
        ``z y x``.
    by : Perturbation

    Returns
    -------
    image : numpy.ndarray
        ``z y x``, float32 if the image is float32, float64 otherwise.
    mask : numpy.ndarray
        ``z y x`` bool. It may be empty where a small region was drawn closer.

    Raises
    ------
    InputError
        If sizes differ, there are not three axes, or the region is empty.

    Notes
    -----
    First image and region are turned about the z axis through the region's centre of gravity, in mm, and shifted,
    together and on the grid that they have: the image by linear interpolation, with the nearest value beyond the edge,
    the region by linear interpolation cut at 1/2. Then the contour is moved: the signed distance to it, in mm, is
    compared with the growth plus a smooth Gaussian random field, so no supervoxels are needed and the result does not
    depend on intensities. The distance is known to about half of a voxel's longest side. Last, white Gaussian noise is
    added. Linear interpolation smooths a little, as resampling to another grid does.

    References
    ----------
    The kinds of change are those of Zwanenburg, A. et al., Sci Rep 2019;9:614, which moves contours by supervoxels.
    """
    if image.ndim != 3 or image.shape != mask.shape:
        raise InputError(
            f"An image of shape {image.shape} and a region of shape {mask.shape} were to be perturbed.",
            expected="both z y x, of one size",
            next_step="Resample the region to the image's grid first.",
        )
    region = mask != 0
    if not region.any():
        raise InputError("An empty region was to be perturbed.", expected="a voxel at least", next_step="Leave it out.")
    kind: npt.DTypeLike = np.float32 if image.dtype == np.float32 else np.float64
    values: FloatArray = np.array(image, dtype=kind)
    if by.rotation_deg or any(by.shift_voxels):
        values, region = _moved(values, region, spacing_mm, by)
    if by.growth_mm or by.roughness_mm:
        region = _redrawn(region, spacing_mm, by)
    if by.noise:
        noise = stream(by.seed, "perturbation noise").normal(0.0, by.noise, values.shape)
        values = values + noise.astype(values.dtype)
    return values, region


def _moved(
    values: FloatArray, region: BoolArray, spacing_mm: Sequence[float], by: Perturbation
) -> tuple[FloatArray, BoolArray]:
    from scipy import ndimage

    centre = np.array([np.mean(places) for places in np.nonzero(region)])
    angle = np.deg2rad(by.rotation_deg)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    sides = np.diag(np.asarray(spacing_mm, dtype=np.float64))
    # where each voxel of the result comes from: turned in mm about the centre, then shifted
    matrix = np.linalg.inv(sides) @ turn @ sides
    offset = centre - matrix @ (centre + np.asarray(by.shift_voxels))
    image = ndimage.affine_transform(values, matrix, offset, order=1, mode="nearest")
    share = ndimage.affine_transform(region.astype(np.float32), matrix, offset, order=1, mode="constant")
    return image, share >= 0.5


def _redrawn(region: BoolArray, spacing_mm: Spacing, by: Perturbation) -> BoolArray:
    from scipy import ndimage

    if not region.any():
        return region
    # no contour moves by more than this, so that the distance is needed in a box only
    most = abs(by.growth_mm) + 5 * by.roughness_mm
    box = []
    for axis, side in enumerate(spacing_mm):
        used = np.flatnonzero(region.any(axis=tuple(a for a in range(3) if a != axis)))
        margin = int(np.ceil(most / side)) + 2
        box.append(slice(max(0, int(used[0]) - margin), int(used[-1]) + 1 + margin))
    part = tuple(box)
    inside = np.pad(region[part], 1)
    outwards = ndimage.distance_transform_edt(~inside, sampling=spacing_mm)
    inwards = ndimage.distance_transform_edt(inside, sampling=spacing_mm)
    # the nearest voxel of the other side lies beyond the contour: half a side on a face, hardly at all on a slope
    beyond = 0.25 * min(spacing_mm)
    signed = np.where(inside, beyond - inwards, outwards - beyond)
    moved_mm: Float64Array | float = by.growth_mm
    if by.roughness_mm:
        moved_mm = by.growth_mm + by.roughness_mm * _field(inside.shape, spacing_mm, by)
    made = np.zeros_like(region)
    made[part] = (signed < moved_mm)[1:-1, 1:-1, 1:-1]
    return made


def _field(shape: tuple[int, ...], spacing_mm: Spacing, by: Perturbation) -> Float64Array:
    """Return a smooth random field of mean 0 and standard deviation 1 over many draws."""
    from scipy import ndimage

    white = stream(by.seed, "perturbation contour").normal(size=shape)
    sigma = [by.roughness_scale_mm / side for side in spacing_mm]
    smooth = ndimage.gaussian_filter(white, sigma, mode="wrap")
    # what is left of the variance of white noise: the sum of the kernel's squares along each axis, around the edge
    kept = 1.0
    for size, one in zip(shape, sigma, strict=True):
        impulse = np.zeros(size)
        impulse[0] = 1.0
        kept *= float(np.sum(ndimage.gaussian_filter1d(impulse, one, mode="wrap") ** 2))
    field: Float64Array = np.clip(smooth / np.sqrt(kept), -5.0, 5.0)
    return field

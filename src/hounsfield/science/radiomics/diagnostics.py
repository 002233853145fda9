"""Diagnostics: sizes and intensities of image and masks before and after each step, as IBSI-1 tabulates them."""

from collections.abc import Mapping

import numpy as np

from hounsfield.core.types import AnyArray, BoolArray, FloatArray
from hounsfield.science.radiomics.region import (
    Outline,
    Region,
    Scene,
    bounds,
    grid_axes,
    intensities_on,
    scene_spacing,
)
from hounsfield.science.radiomics.settings import Settings


def image_diagnostics(scene: Scene, settings: Settings) -> dict[str, float]:
    """Return size, spacing and intensities of an image, as it came and as it is interpolated, by tag.

    Notes
    -----
    The whole image is interpolated for this and for nothing else.
    """
    found = _image(scene.array, scene.spacing_mm, "init_img")
    if settings.interpolation is None:
        return {**found, **_image(scene.array, scene.spacing_mm, "interp_img")}
    axes = grid_axes(scene, settings)
    return {**found, **_image(intensities_on(scene, settings, axes), scene_spacing(axes), "interp_img")}


def region_diagnostics(scene: Scene, outline: Outline, region: Region) -> Mapping[str, float]:
    """Return sizes and intensities of a region, before and after interpolation and after re-segmentation, by tag."""
    first = outline.within(outline.box)
    image = scene.array[outline.box].astype(np.float64)
    found = _mask(first, first, image, ("init_roi", scene.array.shape))
    found |= _mask(region.whole, region.whole, region.image, ("interp_roi", region.grid))
    return found | _mask(region.whole, region.kept, region.image, ("reseg_roi", region.grid))


def _image(array: AnyArray, spacing_mm: tuple[float, float, float], when: str) -> dict[str, float]:
    z, y, x = array.shape
    dz, dy, dx = spacing_mm
    values = (x, y, z, dx, dy, dz, array.mean(dtype=np.float64), array.min(), array.max())
    names = ("img_dim_x", "img_dim_y", "img_dim_z", "vox_dim_x", "vox_dim_y", "vox_dim_z")
    tags = (*names, "mean_int", "min_int", "max_int")
    return {f"{tag}_{when}": float(v) for tag, v in zip(tags, values, strict=True)}


def _mask(whole: BoolArray, kept: BoolArray, image: FloatArray, where: tuple[str, tuple[int, ...]]) -> dict[str, float]:
    when, grid = where
    found: dict[str, float] = {}
    for name, length in zip("xyz", grid[::-1], strict=True):
        found[f"int_mask_dim_{name}_{when}"] = float(length)
    for kind, mask in (("int", kept), ("morph", whole)):
        box = bounds(mask) if mask.any() else (slice(0, 0),) * 3
        for name, cut in zip("xyz", box[::-1], strict=True):
            found[f"{kind}_mask_bb_dim_{name}_{when}"] = float(cut.stop - cut.start)
        found[f"{kind}_mask_vox_count_{when}"] = float(np.count_nonzero(mask))
    held = image[kept].astype(np.float64)
    for name, value in (("mean", np.mean), ("min", np.min), ("max", np.max)):
        found[f"int_mask_{name}_int_{when}"] = float(value(held)) if len(held) else float("nan")
    return found

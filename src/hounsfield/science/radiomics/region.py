"""Region: one region of an image, processed until features can be computed of it (IBSI manual, section 2)."""

import math
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array, FloatArray
from hounsfield.science.radiomics.interpolation import Axis, axes_of, interpolate, interpolate_mask, touched
from hounsfield.science.radiomics.local_intensity import margin
from hounsfield.science.radiomics.settings import Resegmentation, Settings

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Scene:
    """An image and where its voxels lie.

    Parameters
    ----------
    array : numpy.ndarray
        ``z y x``; a plane has one slice.
    spacing_mm : tuple of float
        Along z, y, x.
    planar : bool
        Whether the image is a plane: nothing is interpolated across it, and it has no shape in three dimensions.
    """

    array: AnyArray = field(repr=False)
    spacing_mm: tuple[float, float, float]
    planar: bool = False


@dataclass(frozen=True)
class Outline:
    """Where one region is marked in an image.

    Parameters
    ----------
    labels : numpy.ndarray
        ``z y x``, of the image's shape: a label map.
    label : int
        Which of its labels.
    box : tuple of slice
        ``z y x``: the region's bounding box.
    """

    labels: AnyArray = field(repr=False)
    label: int
    box: Box

    def within(self, box: Box) -> BoolArray:
        """Return the region within a box."""
        return np.asarray(self.labels[box] == self.label)


@dataclass(frozen=True)
class Region:
    """A region on the grid on which its features are computed.

    Parameters
    ----------
    whole : numpy.ndarray
        ``z y x``, bool, the region's bounding box: its shape.
    kept : numpy.ndarray
        ``z y x``, bool: without intensities that re-segmentation leaves out; may be empty.
    around : numpy.ndarray
        ``z y x``, float32 (float64 where the image needs it): the box with what a sphere of 1 cm³ reaches beyond it.
    inner : tuple of slice
        Where the box lies in `around`.
    spacing_mm : tuple of float
        Along z, y, x.
    planar : bool
    grid : tuple of int
        ``z y x``: length of the whole image's axes on this grid.
    box : tuple of slice
        ``z y x``: where the bounding box lies on this grid.
    """

    whole: BoolArray = field(repr=False)
    kept: BoolArray = field(repr=False)
    around: FloatArray = field(repr=False)
    inner: Box
    spacing_mm: tuple[float, float, float]
    planar: bool
    grid: tuple[int, ...]
    box: Box

    @property
    def image(self) -> FloatArray:
        """Intensities in the region's bounding box, a view of `around`."""
        return self.around[self.inner]

    @property
    def intensities(self) -> Float64Array:
        """Intensities that count, ``n``, float64, in the order z y x."""
        return self.image[self.kept].astype(np.float64)


def process(scene: Scene, outline: Outline, settings: Settings) -> Region:
    """Bring a region to the grid wanted, and exclude intensities.

    Parameters
    ----------
    scene : Scene
    outline : Outline
    settings : Settings

    Raises
    ------
    ReadError
        If the region is empty, also after interpolation, or an intensity in it is not a finite number.
    """
    axes = grid_axes(scene, settings)
    whole, box = _mask(scene, outline, settings, axes)
    reach = margin(scene_spacing(axes)) if "loc" in settings.computed else (0, 0, 0)
    reach = (0, *reach[1:]) if scene.planar else reach
    wide = tuple(
        slice(max(0, b.start - r), min(len(a.places), b.stop + r)) for a, b, r in zip(axes, box, reach, strict=True)
    )
    if math.prod(w.stop - w.start for w in wide) >= 1 << 31:
        raise ReadError(
            "The region has more than two thousand million voxels on the grid to which it is interpolated.",
            expected="a grid that fits into memory",
            next_step="choose a larger spacing",
        )
    around = intensities_on(scene, settings, [Axis(a.places[w], a.spacing_mm) for a, w in zip(axes, wide, strict=True)])
    z, y, x = (slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, wide, strict=True))
    image = around[z, y, x]
    if not np.isfinite(image[whole]).all():
        raise ReadError(
            "The region holds intensities that are not finite numbers.",
            expected="a number in every voxel of the region",
            next_step="leave those voxels out of the mask",
        )
    return Region(
        whole=whole,
        kept=whole & resegmented(image, whole, settings.resegmentation),
        around=around,
        inner=(z, y, x),
        spacing_mm=scene_spacing(axes),
        planar=scene.planar,
        grid=tuple(len(a.places) for a in axes),
        box=box,
    )


def grid_axes(scene: Scene, settings: Settings) -> list[Axis]:
    """Return the grid on which features of an image are computed, along z, y, x."""
    how = settings.interpolation
    if how is None:
        return [
            Axis(np.arange(n, dtype=np.float64), s) for n, s in zip(scene.array.shape, scene.spacing_mm, strict=True)
        ]
    if scene.planar:
        how = how.model_copy(update={"spacing_mm": (*how.spacing_mm[:2], None)})
    return axes_of(scene.array.shape, scene.spacing_mm, how)


def scene_spacing(axes: list[Axis]) -> tuple[float, float, float]:
    """Return the spacing of a grid along z, y, x."""
    z, y, x = (a.spacing_mm for a in axes)
    return z, y, x


def intensities_on(scene: Scene, settings: Settings, axes: list[Axis]) -> FloatArray:
    """Return an image's intensities on a grid, rounded where the settings say so.

    Returns
    -------
    numpy.ndarray
        ``z y x``, float32, which holds 16-bit integers exactly; float64 where the image's own numbers are finer.
    """
    how, fine = settings.interpolation, scene.array.dtype.itemsize > (4 if scene.array.dtype.kind == "f" else 2)
    if how is None:
        cut = tuple(slice(int(a.places[0]), int(a.places[-1]) + 1) for a in axes)
        found: AnyArray = scene.array[cut]
    else:
        values = interpolate(scene.array, axes, order=how.order)
        found = np.rint(values, out=values) if how.round_intensities else values
    return found.astype(np.float64) if fine else found.astype(np.float32)


def resegmented(image: FloatArray, whole: BoolArray, how: Resegmentation) -> BoolArray:
    """Return where intensities lie within the range and are no outliers of the region (section 2.5).

    Notes
    -----
    Mean and standard deviation are those of the whole region: the two conditions do not depend on one another.
    """
    kept = np.ones(image.shape, dtype=np.bool_)
    low, high = how.lowest, how.highest
    if low is not None:
        kept &= image >= low
    if high is not None:
        kept &= image <= high
    if how.outlier_sigma is not None:
        held = image[whole].astype(np.float64)
        mean, away = float(held.mean()), how.outlier_sigma * float(held.std())
        kept &= (image >= mean - away) & (image <= mean + away)
    return kept


def _mask(scene: Scene, outline: Outline, settings: Settings, axes: list[Axis]) -> tuple[BoolArray, Box]:
    """Return the region on the new grid, cut to its bounding box, and that box."""
    how = settings.interpolation
    if how is None:
        return outline.within(outline.box), outline.box
    near = [touched(a, b.start, b.stop - 1) for a, b in zip(axes, outline.box, strict=True)]
    wide = [slice(max(0, b.start - 2), min(n, b.stop + 2)) for b, n in zip(outline.box, scene.array.shape, strict=True)]
    cut = outline.within((wide[0], wide[1], wide[2]))
    moved = [Axis(a.places[n] - w.start, a.spacing_mm) for a, n, w in zip(axes, near, wide, strict=True)]
    found = (
        interpolate_mask(cut, moved, how.mask_threshold)
        if all(len(m.places) for m in moved)
        else np.zeros((1, 1, 1), dtype=np.bool_)
    )
    if not found.any():
        raise ReadError(
            "No voxel of the region is left on the grid to which it is interpolated.",
            expected="a region larger than a voxel of that grid",
            next_step="choose a smaller spacing, or none",
        )
    inner = bounds(found)
    z, y, x = (slice(n.start + i.start, n.start + i.stop) for n, i in zip(near, inner, strict=True))
    return np.ascontiguousarray(found[inner]), (z, y, x)


def bounds(mask: BoolArray) -> Box:
    """Return the bounding box of a mask that is not empty."""
    cuts = []
    for n in range(3):
        held = np.flatnonzero(mask.any(axis=tuple(k for k in range(3) if k != n)))
        cuts.append(slice(int(held[0]), int(held[-1]) + 1))
    return cuts[0], cuts[1], cuts[2]

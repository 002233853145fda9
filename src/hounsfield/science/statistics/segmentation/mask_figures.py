"""All figures of one structure of one case."""

import math
from collections.abc import Sequence

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.geometry.surfaces import surface_distances
from hounsfield.science.statistics.segmentation.lesions import count_lesions
from hounsfield.science.statistics.segmentation.overlap import (
    Counts,
    count,
    dice,
    iou,
    precision,
    sensitivity,
    specificity,
)

PERCENTILE = 95.0
_ML = 1000.0


def mask_figures(
    predicted: AnyArray,
    truth: AnyArray,
    spacing_mm: Sequence[float],
    *,
    tolerance_mm: float,
    region: AnyArray | None = None,
    lesion_iou: float = 0.0,
    voxel_mm3: float | None = None,
) -> dict[str, float]:
    """Judge one mask against the true one.

    Parameters
    ----------
    predicted, truth : numpy.ndarray
        ``y x`` or ``z y x``, bool (any other number counts as marked where it is not 0), of one shape.
    spacing_mm : sequence of float
        Distance between neighbours along each axis of the masks, in their order: ``y x`` or ``z y x``. Ones for a
        picture of unknown scale: distances are then in pixels.
    tolerance_mm : float
        How far a surface may lie from the true one and still be right, for ``nsd``.
    region : numpy.ndarray or None
        Bool: what lies outside it counts nowhere, in neither mask.
    lesion_iou : float
        When a lesion counts as found; see `lesions.count_lesions`.
    voxel_mm3 : float or None
        Volume of a voxel, where its edges are not at right angles (a tilted gantry); None takes the product of the
        spacing. NaN where the scale is unknown.

    Returns
    -------
    dict of str to float
        ``dice iou sensitivity precision specificity``; ``hd95_mm assd_mm nsd``; ``volume_error`` (the
        difference of the volumes over the true one), ``volume_bias`` (predicted less true, with its sign),
        ``volume_error_ml``, ``true_ml``, ``predicted_ml`` (NaN in 2D, and where the scale is unknown);
        ``lesion_sensitivity lesion_precision lesion_f1`` and their counts ``lesions_true lesions_found lesions_said
        lesions_right``; ``tp fp fn tn`` in voxels. NaN where undefined.

    Raises
    ------
    InputError
        If shapes, spacing or tolerance do not fit.

    Notes
    -----
    Higher is better but for distances and volume errors. Where the structure is in neither mask, Dice, IoU, NSD and
    lesion F1 are 1: the answer is right, and a measure that leaves such cases out would depend on what is predicted
    (a false mark would add a 0 to the mean, and its absence nothing). Where it is in one only they are 0, and
    distances are NaN, for there is no surface to measure to; `over_cases` counts those cases, so no mean hides them.

    ``hd95_mm`` is the larger of the two directed 95th percentiles, ``assd_mm`` the mean over the surface voxels of
    both, ``nsd`` the share of them within the tolerance. Surfaces are those of `geometry.surfaces`; the edge of the
    region is a surface where it cuts a structure.

    References
    ----------
    Maier-Hein L, Reinke A et al. Metrics reloaded. Nat Methods 2024;21:195-212. Nikolov S et al. Clinically
    applicable segmentation of head and neck anatomy. J Med Internet Res 2021;23:e26151 (surface Dice).
    """
    said, true = np.asarray(predicted) != 0, np.asarray(truth) != 0
    _check(said, true, spacing_mm, tolerance_mm, region)
    if region is not None:
        inside = np.asarray(region) != 0
        said, true = said & inside, true & inside
    counts = count(said, true, region=None if region is None else inside)
    lesions = count_lesions(said, true, least_iou=lesion_iou)
    return {
        "dice": dice(counts),
        "iou": iou(counts),
        "sensitivity": sensitivity(counts),
        "precision": precision(counts),
        "specificity": specificity(counts),
        **_distances(*surface_distances(said, true, spacing_mm), tolerance_mm),
        **_volumes(counts, math.prod(float(s) for s in spacing_mm) if voxel_mm3 is None else voxel_mm3, said.ndim),
        "lesion_sensitivity": lesions.sensitivity,
        "lesion_precision": lesions.precision,
        "lesion_f1": lesions.f1,
        "lesions_true": float(lesions.true),
        "lesions_found": float(lesions.found),
        "lesions_said": float(lesions.said),
        "lesions_right": float(lesions.right),
        "tp": float(counts.tp),
        "fp": float(counts.fp),
        "fn": float(counts.fn),
        "tn": float(counts.tn),
    }


def _distances(there: Float64Array, back: Float64Array, tolerance_mm: float) -> dict[str, float]:
    """Return the figures of two surfaces from the distances both ways, mm."""
    both = np.concatenate([there, back])
    if not len(there) or not len(back):
        return {"hd95_mm": math.nan, "assd_mm": math.nan, "nsd": 0.0 if len(both) else 1.0}
    return {
        "hd95_mm": float(max(np.percentile(there, PERCENTILE), np.percentile(back, PERCENTILE))),
        "assd_mm": float(both.mean()),
        # a distance that equals the tolerance is within it, also after rounding in the products of the spacing
        "nsd": float((both <= tolerance_mm * (1 + 1e-9)).mean()),
    }


def _volumes(counts: Counts, voxel_mm3: float, ndim: int) -> dict[str, float]:
    true, said = counts.tp + counts.fn, counts.tp + counts.fp
    bias = (said - true) / true if true else math.nan
    ml = voxel_mm3 / _ML if ndim == 3 else math.nan
    return {
        "volume_error": abs(bias),
        "volume_bias": bias,
        "volume_error_ml": abs(said - true) * ml,
        "true_ml": true * ml,
        "predicted_ml": said * ml,
    }


def _check(
    said: AnyArray, true: AnyArray, spacing_mm: Sequence[float], tolerance_mm: float, region: AnyArray | None
) -> None:
    shapes = {said.shape, true.shape} | (set() if region is None else {np.shape(region)})
    if len(shapes) > 1 or said.ndim not in (2, 3) or not said.size:
        raise InputError(
            f"Masks of the shapes {', '.join(str(s) for s in sorted(shapes))} are to be compared.",
            expected="one shape, y x or z y x",
            next_step="bring the prediction to the grid of the truth",
        )
    steps = np.asarray(spacing_mm, dtype=np.float64)
    if steps.shape != (said.ndim,) or not np.isfinite(steps).all() or (steps <= 0).any():
        raise InputError(
            f"The spacing of a mask with {said.ndim} axes is {tuple(spacing_mm)}.",
            expected="one length in mm above 0 for each axis",
            next_step="give the spacing of the image",
        )
    if not math.isfinite(tolerance_mm) or tolerance_mm < 0:
        raise InputError(f"The tolerance of the surface Dice is {tolerance_mm} mm.", expected="0 or more")

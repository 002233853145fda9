"""Discretisation: intensities of a region to grey levels 1, 2, 3 ... (IBSI manual, section 2.7)."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hounsfield.core.errors import ReadError
from hounsfield.core.types import Float64Array
from hounsfield.science.radiomics.settings import Discretisation

Int32Array: TypeAlias = npt.NDArray[np.int32]

MOST_LEVELS = 1 << 22
"""More grey levels than any region has use for; histograms are as long as this."""


@dataclass(frozen=True)
class Levels:
    """The grey level of each voxel of a region.

    Parameters
    ----------
    values : numpy.ndarray
        ``n``, int32, from 1.
    number : int
        How many levels there are, those that do not occur included.
    width : float
        Of one level, in units of the intensities; NaN where levels are not evenly wide.
    lowest : float
        Intensity at which level 1 begins.
    """

    values: Int32Array
    number: int
    width: float
    lowest: float


def discretise(intensities: Float64Array, how: Discretisation, *, lowest: float | None = None) -> Levels:
    """Return the grey levels of a region.

    Parameters
    ----------
    intensities : numpy.ndarray
        ``n``, float64, finite, at least one.
    how : Discretisation
    lowest : float or None
        Lower end of the range to which the region was re-segmented: there the first bin of a fixed width begins; None
        begins at the region's minimum.

    Raises
    ------
    ReadError
        If there would be more levels than `MOST_LEVELS`, or levels are taken as they are and are no whole numbers
        from 1.

    Notes
    -----
    ``number``: ``floor(n (x - min) / (max - min)) + 1``, the maximum in the last level. ``width``:
    ``floor((x - lowest) / w) + 1``. ``equal``: levels that hold as nearly as possible the same number of voxels;
    equal intensities share a level. ``none``: the intensities are levels already.
    """
    if how.method == "number":
        return _by_number(intensities, int(how.bins))
    if how.method == "width":
        return _by_width(intensities, float(how.width), float(intensities.min()) if lowest is None else lowest)
    if how.method == "equal":
        ordered = np.sort(intensities)
        below = np.searchsorted(ordered, intensities, side="left")
        return Levels(
            (below * int(how.bins) // len(ordered) + 1).astype(np.int32), int(how.bins), float("nan"), float(ordered[0])
        )
    return _as_they_are(intensities)


def _by_number(intensities: Float64Array, bins: int) -> Levels:
    low, high = float(intensities.min()), float(intensities.max())
    if high <= low:
        return Levels(np.ones(len(intensities), dtype=np.int32), 1, float("nan"), low)
    values = np.floor(bins * (intensities - low) / (high - low)).astype(np.int32) + 1
    return Levels(np.minimum(values, bins), bins, (high - low) / bins, low)


def _by_width(intensities: Float64Array, width: float, lowest: float) -> Levels:
    most = (float(intensities.max()) - lowest) / width
    if not most < MOST_LEVELS:
        raise ReadError(
            f"Bins of width {width:g} give {most:.3g} grey levels in a region.",
            expected=f"at most {MOST_LEVELS} levels",
            next_step="choose wider bins, or a fixed number of them",
        )
    values = np.floor((intensities - lowest) / width).astype(np.int32) + 1
    return Levels(values, int(values.max()), width, lowest)


def _as_they_are(intensities: Float64Array) -> Levels:
    values = np.rint(intensities)
    if values.min() < 1 or values.max() > MOST_LEVELS or not np.array_equal(values, intensities):
        raise ReadError(
            "Intensities are to be taken as grey levels and are not.",
            expected=f"whole numbers from 1 to {MOST_LEVELS} in the region",
            next_step="choose bins: a fixed number, a fixed width or equal probability",
        )
    levels = values.astype(np.int32)
    return Levels(levels, int(levels.max()), 1.0, 0.5)

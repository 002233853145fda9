"""Lung lesions: what they look like, where they grow, how far they reach."""

from dataclasses import dataclass
from math import cos, pi, sin
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from hounsfield.science.physics.raster import Blob, Capsule, FineGrid, paint

LesionType = Literal["consolidation", "ground-glass", "nodule"]

LESION_TYPES: tuple[LesionType, ...] = get_args(LesionType)
"""Kinds of lesion, in alphabetical order."""

GRADE_LIMITS = (0.0, 0.025, 0.06)
"""Involved share of the lungs above which a slice is of grade 1, 2 and 3."""

DIAMETER_RANGE_MM: dict[LesionType, tuple[float, float]] = {
    "consolidation": (25.0, 47.0),
    "ground-glass": (25.0, 47.0),
    "nodule": (11.0, 23.0),
}
"""Intended long diameters, before the edge of the lung cuts a lesion."""

_TRIES = 40
_LEAST_LEFT = 0.7
_DIRECTIONS = 36


@dataclass(frozen=True)
class Lesion:
    """A lesion to draw: its kind, outline, density and inner structure.

    Parameters
    ----------
    kind : {"consolidation", "ground-glass", "nodule"}
    outline : Blob
        Shape in mm.
    hu : float
        Density of a nodule or consolidation; for ground glass, what it adds to the lung.
    details : tuple of Capsule
        Spicules of a nodule (dense), air bronchograms of a consolidation (air).
    """

    kind: LesionType
    outline: Blob
    hu: float
    details: tuple[Capsule, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A lesion as drawn.

    Parameters
    ----------
    kind : {"consolidation", "ground-glass", "nodule"}
    diameter_mm : float
        Largest distance between two parallel lines that touch the visible lesion (Feret), over 36 directions.
    area_mm2 : float
        Visible area inside the lungs.
    """

    kind: LesionType
    diameter_mm: float
    area_mm2: float


def grade_extent(involved: float) -> int:
    """Grade the share of the lungs that lesions involve.

    Parameters
    ----------
    involved : float
        Lesion area over lung area of the slice, 0 to 1.

    Returns
    -------
    int
        0 none, 1 up to 2.5%, 2 up to 6%, 3 more.

    Notes
    -----
    A slice-wise, finer variant of the extent scores of chest CT, which grade lobes by involved share, 5% being their
    first limit (Pan et al., Radiology 295, 2020: 0 none, 1 under 5%, 2 to 25%, ...).
    """
    return sum(involved > limit for limit in GRADE_LIMITS)


def sample_lesion(
    kind: LesionType, *, y_mm: float, x_mm: float, diameter_mm: float, rng: np.random.Generator
) -> Lesion:
    """Draw the outline, density and inner structure of one lesion at a place.

    Parameters
    ----------
    kind : {"consolidation", "ground-glass", "nodule"}
    y_mm, x_mm : float
        Centre, from the centre of the field.
    diameter_mm : float
        Intended long diameter.
    rng : numpy.random.Generator

    Returns
    -------
    Lesion
    """
    most_aspect, wave, edge = {
        "consolidation": (1.25, 0.05, 2.0),
        "ground-glass": (1.25, 0.05, 6.0),
        "nodule": (1.2, 0.04, 1.2),
    }[kind]
    aspect = float(rng.uniform(1.0, most_aspect))
    waves = tuple((float(rng.normal(0.0, wave / lobes)), float(rng.uniform(0.0, 2.0 * pi))) for lobes in range(1, 6))
    radius = diameter_mm / 2.0 / aspect**0.5
    outline = Blob(y_mm, x_mm, radius, aspect, float(rng.uniform(0.0, pi)), edge, waves)
    if kind == "ground-glass":
        return Lesion(kind, outline, float(rng.uniform(400.0, 540.0)))
    details = []
    if kind == "nodule" and rng.random() < 0.4:
        for angle in np.arange(6) * (pi / 3) + rng.uniform(0.0, 1.0, size=6):
            tip = diameter_mm / 2.0 + float(rng.uniform(1.0, 4.0))
            details.append(Capsule(y_mm, x_mm, y_mm + tip * sin(angle), x_mm + tip * cos(angle), 0.8))
    if kind == "consolidation":
        for angle in rng.uniform(0.0, 2.0 * pi, size=2):
            tip = 0.36 * diameter_mm * float(rng.uniform(0.6, 1.0))
            details.append(
                Capsule(
                    y_mm - 0.3 * tip * sin(angle),
                    x_mm - 0.3 * tip * cos(angle),
                    y_mm + tip * sin(angle),
                    x_mm + tip * cos(angle),
                    float(rng.uniform(0.7, 1.1)),
                )
            )
    return Lesion(kind, outline, float(rng.uniform(10.0, 60.0)), tuple(details))


def place_lesion(
    kind: LesionType,
    diameter_mm: float,
    *,
    depth_mm: npt.NDArray[np.float32],
    taken: list[Lesion],
    pixel_mm: float,
    rng: np.random.Generator,
) -> Lesion | None:
    """Find a place for a lesion that suits its kind and touches no other, and draw it there.

    Parameters
    ----------
    kind : {"consolidation", "ground-glass", "nodule"}
    diameter_mm : float
        Intended long diameter.
    depth_mm : ndarray of float32, shape (y, x)
        Distance from the edge of the lung on pixels, 0 outside.
    taken : list of Lesion
        Lesions already there.
    pixel_mm : float
        Edge of a pixel.
    rng : numpy.random.Generator

    Returns
    -------
    Lesion or None
        None where no place was found.

    Notes
    -----
    Nodules lie wholly inside the lung, ground glass mostly, consolidations against the pleura and away from the
    mediastinum.
    """
    half = diameter_mm / 2.0
    low, high = {
        "nodule": (half + 2.0, np.inf),
        "ground-glass": (0.55 * half, np.inf),
        "consolidation": (0.65 * half, 0.95 * half),
    }[kind]
    suits = (depth_mm > low) & (depth_mm < high)
    middle = (depth_mm.shape[0] - 1) / 2.0
    if kind == "consolidation":
        suits &= np.abs(np.arange(depth_mm.shape[1]) - middle)[None, :] * pixel_mm > 45.0
    candidates = np.argwhere(suits)
    if not len(candidates):
        return None
    for row, column in candidates[rng.integers(len(candidates), size=_TRIES)]:
        y = (row - middle + float(rng.uniform(-0.5, 0.5))) * pixel_mm
        x = (column - middle + float(rng.uniform(-0.5, 0.5))) * pixel_mm
        clear = all(
            np.hypot(y - other.outline.y_mm, x - other.outline.x_mm)
            > half + other.outline.radius_mm * other.outline.aspect**0.5 + 5.0
            for other in taken
        )
        if clear:
            return sample_lesion(kind, y_mm=y, x_mm=x, diameter_mm=diameter_mm, rng=rng)
    return None


def distance_inside_mm(lung: npt.NDArray[np.float32], pixel_mm: float) -> npt.NDArray[np.float32]:
    """Return how deep each pixel lies in the lung, in mm; `lung` is the covered share, shape (y, x)."""
    return np.asarray(ndimage.distance_transform_edt(lung > 0.5, sampling=pixel_mm), dtype=np.float32)


def draw_lesion(
    hu: npt.NDArray[np.float32],
    lesion: Lesion,
    *,
    grid: FineGrid,
    lung: npt.NDArray[np.bool_],
    mask: npt.NDArray[np.bool_],
) -> Finding | None:
    """Draw a lesion inside the lungs and measure what is seen of it.

    Parameters
    ----------
    hu : ndarray of float32, shape (y, x) of the fine grid
        CT numbers; changed.
    lesion : Lesion
    grid : FineGrid
    lung : ndarray of bool, shape (y, x) of the fine grid
        Where lesions can be.
    mask : ndarray of bool, shape (y, x) of the fine grid
        Cells of lesions; changed.

    Returns
    -------
    Finding or None
        None, and nothing drawn, where the edge of the lung would leave less than 70% of the lesion.
    """
    rows, columns, cover = lesion.outline.patch(grid)
    inside = lung[rows, columns]
    whole = cover >= 0.5
    seen = whole & inside
    if seen.sum() < _LEAST_LEFT * max(int(whole.sum()), 1):
        return None
    target = hu[rows, columns]
    if lesion.kind == "ground-glass":
        target[...] = np.where(
            inside, np.maximum(target, np.minimum(target + cover * np.float32(lesion.hu), 20.0)), target
        )
    else:
        target += cover * inside * (np.float32(lesion.hu) - target)
        value = lesion.hu if lesion.kind == "nodule" else -820.0
        for detail in lesion.details:
            paint(hu, grid, detail, value=value, opacity=0.5, within=lung)
    mask[rows, columns] |= seen
    return Finding(lesion.kind, _feret_mm(seen, grid.step_mm), float(seen.sum()) * grid.step_mm**2)


def _feret_mm(region: npt.NDArray[np.bool_], step_mm: float) -> float:
    """Return the largest width of a region over directions, counting whole cells."""
    points = np.argwhere(region)
    angles = np.arange(_DIRECTIONS) * (pi / _DIRECTIONS)
    spread = np.ptp(points @ np.stack([np.sin(angles), np.cos(angles)]), axis=0)
    return float((spread.max() + 1.0) * step_mm)

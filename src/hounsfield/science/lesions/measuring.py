"""What a lesion measures: volume, and long and short axis in an axial slice."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.geometry import affines


@dataclass(frozen=True)
class Lesion:
    """A lesion at one visit.

    Parameters
    ----------
    label : int
        Its number in the label map.
    voxels : int
    volume_mm3 : float
    centroid_mm : tuple of float
        Centre of gravity, RAS x y z.
    long_mm : float
        Longest diameter in any axial slice.
    short_mm : float
        Longest diameter at a right angle to it in the same slice.
    slice_index : int
        That slice, along z of the array.
    """

    label: int
    voxels: int
    volume_mm3: float
    centroid_mm: tuple[float, float, float]
    long_mm: float
    short_mm: float
    slice_index: int


def measured(labels: AnyArray, affine_ras: Float64Array) -> tuple[Lesion, ...]:
    """Measure every lesion of a label map.

    Parameters
    ----------
    labels : numpy.ndarray
        ``z y x`` of whole numbers: 0 for none, one number for each lesion. Slices along z are the axial ones.
    affine_ras : numpy.ndarray
        4 x 4, from indices x y z to RAS mm.

    Returns
    -------
    tuple of Lesion
        By label.

    Raises
    ------
    InputError
        If there are not three axes or numbers are not whole.

    Notes
    -----
    Diameters are of the convex outline through the middles of the outermost pixels' sides. The longest of all
    directions lies up to a pixel above the true one, since it picks the direction in which pixels reach out furthest. A
    lesion of one pixel measures that pixel's sides.

    References
    ----------
    Eisenhauer, E. A. et al., Eur J Cancer 2009;45:228 (RECIST 1.1), section 3.
    """
    from scipy import ndimage

    whole = checked(labels)
    affine = np.asarray(affine_ras, dtype=np.float64)
    voxel = abs(float(np.linalg.det(affine[:3, :3])))
    found = []
    for label, box in enumerate(ndimage.find_objects(whole), start=1):
        if box is None:
            continue
        inside = whole[box] == label
        first = [part.start for part in box]
        z, y, x = (np.nonzero(inside)[axis].mean() + first[axis] for axis in range(3))
        centre = affines.apply(affine, np.array([[x, y, z]]))[0]
        lengths = [_axis(_outline(one, affine))[0] if one.any() else 0.0 for one in inside]
        best = int(np.argmax(lengths))
        long, short = diameters(inside[best], affine)
        found.append(
            Lesion(
                label=label,
                voxels=int(inside.sum()),
                volume_mm3=float(inside.sum() * voxel),
                centroid_mm=(float(centre[0]), float(centre[1]), float(centre[2])),
                long_mm=long,
                short_mm=short,
                slice_index=int(first[0] + best),
            )
        )
    return tuple(found)


def diameters(region: AnyArray, affine_ras: Float64Array) -> tuple[float, float]:
    """Return the longest diameter of a region of a slice, and the longest at a right angle to it.

    Parameters
    ----------
    region : numpy.ndarray
        ``y x`` bool, not empty.
    affine_ras : numpy.ndarray
        4 x 4; its first two columns say where x and y lead.

    Returns
    -------
    tuple of float
        Both in mm.

    Notes
    -----
    The second one is the longest chord of the convex hull that crosses the first direction at a right angle, wherever.
    """
    hull = _outline(region, affine_ras)
    long, along = _axis(hull)
    place, height = hull @ along, hull @ np.array([-along[1], along[0]])
    return long, max(_chord(place, height, at) for at in place)


def _outline(region: AnyArray, affine_ras: Float64Array) -> Float64Array:
    """Return the corners of the convex outline in mm, in a frame of the slice."""
    from scipy.spatial import ConvexHull

    # of each line of pixels along x the first and the last one are enough
    rows = np.flatnonzero(region.any(axis=1))
    first = region[rows].argmax(axis=1)
    last = region.shape[1] - 1 - region[rows, ::-1].argmax(axis=1)
    ends = np.concatenate([np.stack([first, rows], axis=1), np.stack([last, rows], axis=1)])
    sides = np.array([[0.5, 0.0], [-0.5, 0.0], [0.0, 0.5], [0.0, -0.5]])
    # an orthonormal frame, so that a tilt does not matter
    _, steps = np.linalg.qr(np.asarray(affine_ras, dtype=np.float64)[:3, :2])
    points: Float64Array = (ends[:, None] + sides).reshape(-1, 2) @ steps.T
    corners: Float64Array = points[ConvexHull(points).vertices]
    return corners


def _axis(hull: Float64Array) -> tuple[float, Float64Array]:
    """Return the longest diameter of an outline and its direction."""
    apart = np.linalg.norm(hull[:, None] - hull, axis=2)
    one, other = np.unravel_index(int(apart.argmax()), apart.shape)
    long = float(apart[one, other])
    return long, (hull[other] - hull[one]) / long


def _chord(place: Float64Array, height: Float64Array, at: float) -> float:
    """Return the length of a convex polygon's chord across at a place along its long axis."""
    crossed: list[float] = []
    for n in range(place.size):
        (a, b), (low, high) = (place[n - 1], place[n]), (height[n - 1], height[n])
        if min(a, b) <= at <= max(a, b):
            crossed += [float(low), float(high)] if a == b else [float(low + (high - low) * (at - a) / (b - a))]
    return max(crossed) - min(crossed)


def checked(labels: AnyArray) -> npt.NDArray[np.integer]:
    """Return a label map as whole numbers, not copied where it has them, or raise InputError."""
    whole: npt.NDArray[np.integer]
    if labels.dtype.kind in "iu" and labels.ndim == 3:
        whole = labels  # type: ignore[assignment]  # whole numbers, by their kind
    elif labels.ndim == 3 and labels.dtype.kind in "bf" and np.all(np.isfinite(labels)):
        whole = labels.astype(np.int32)
    else:
        raise InputError(
            f"A label map of shape {labels.shape} and type {labels.dtype} was given.",
            expected="three axes, z y x, and finite real numbers",
            next_step="Give a slice as labels[None].",
        )
    if (whole is not labels and np.any(whole != labels)) or whole.min(initial=0) < 0:
        raise InputError(
            "A label map has numbers that are negative or not whole.",
            expected="0 for background and 1, 2, ... for lesions",
            next_step="Number connected parts first, with scipy.ndimage.label.",
        )
    return whole

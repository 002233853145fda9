"""Affines: from voxel indices to millimetres in the patient, and which way the axes of an array run.

An affine takes indices in the order x y z (as `hounsfield.core.image.Grid` and NIfTI have it); the last three axes of
an array are in the order z y x. Only this room turns the one into the other.
"""

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array

AXIS_LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))
"""Letters for the negative and the positive direction along the right, anterior and superior axis."""
_FLIP_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def lps_to_ras(affine: Float64Array) -> Float64Array:
    """Return an affine to left, posterior, superior (DICOM, ITK) as one to right, anterior, superior (NIfTI).

    Parameters
    ----------
    affine : numpy.ndarray
        4 x 4. The change is its own inverse: the same function leads from RAS to LPS.
    """
    return np.asarray(_FLIP_LPS @ np.asarray(affine, dtype=np.float64), dtype=np.float64)


def apply(affine: Float64Array, points: Float64Array) -> Float64Array:
    """Return where points go.

    Parameters
    ----------
    affine : numpy.ndarray
        4 x 4.
    points : numpy.ndarray
        ``n 3``, in the order x y z.

    Returns
    -------
    numpy.ndarray
        ``n 3``, float64.
    """
    return np.asarray(points, dtype=np.float64) @ affine[:3, :3].T + affine[:3, 3]


def inverse(affine: Float64Array) -> Float64Array:
    """Return the affine from millimetres to indices.

    Raises
    ------
    ValueError
        If the affine is flat or not finite, so that it has none.
    """
    directions = np.asarray(affine, dtype=np.float64)
    if not np.isfinite(directions).all() or abs(np.linalg.det(directions[:3, :3])) < 1e-12:
        raise ValueError("the affine is flat or not finite")
    return np.asarray(np.linalg.inv(directions), dtype=np.float64)


def spacing_mm(affine: Float64Array) -> tuple[float, float, float]:
    """Return the distance between neighbouring voxels along x, y, z in mm."""
    x, y, z = (float(v) for v in np.linalg.norm(np.asarray(affine)[:3, :3], axis=0))
    return x, y, z


def shear_deg(affine: Float64Array) -> float:
    """Return by how many degrees the axes are from being at right angles: 0 for most, the tilt of a tilted gantry.

    Returns
    -------
    float
        The largest over the three pairs of axes, 0 to 90.
    """
    directions = np.asarray(affine, dtype=np.float64)[:3, :3]
    unit = directions / np.maximum(np.linalg.norm(directions, axis=0), 1e-300)
    cosines = [abs(float(unit[:, a] @ unit[:, b])) for a, b in ((0, 1), (0, 2), (1, 2))]
    return float(np.degrees(np.arcsin(min(1.0, max(cosines)))))


def closest_axes(affine: Float64Array) -> tuple[tuple[int, int], ...]:
    """Return for the index axes x, y, z which patient axis each is nearest to, and the sign.

    Returns
    -------
    tuple of (int, int)
        Patient axis (0 right, 1 anterior, 2 superior) and +1 or -1. No patient axis is taken twice: the
        assignment with the largest sum of cosines wins, so that a strongly oblique volume still gets three different
        ones.
    """
    directions = np.asarray(affine, dtype=np.float64)[:3, :3]
    unit = directions / np.maximum(np.linalg.norm(directions, axis=0), 1e-300)
    orders = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    # rounded, so that noise in the last digit of a header never decides between two equally good answers
    best = max(orders, key=lambda order: round(sum(abs(float(unit[row, n])) for n, row in enumerate(order)), 6))
    return tuple((row, -1 if unit[row, n] < 0 else 1) for n, row in enumerate(best))


def orientation(affine: Float64Array) -> str:
    """Return which way x, y, z run, as three letters: ``LPS``, ``RAS``, ``PSR`` ...

    Notes
    -----
    The letters say where an index grows *to*, as nibabel's ``aff2axcodes`` does.
    """
    return "".join(AXIS_LETTERS[axis][sign > 0] for axis, sign in closest_axes(affine))


def reorient(array: AnyArray, affine: Float64Array, to: str = "RAS") -> tuple[AnyArray, Float64Array]:
    """Turn and flip an array so that its axes run the way three letters say; no value is changed.

    Parameters
    ----------
    array : numpy.ndarray
        ``... z y x``; axes before the last three stay.
    affine : numpy.ndarray
        4 x 4 RAS.
    to : str
        Three letters as `orientation` gives them, for x, y, z.

    Returns
    -------
    tuple of numpy.ndarray
        A view of the array, and the affine of the new indices: every voxel stays where it was in the patient.

    Raises
    ------
    ValueError
        If `to` does not name three different axes, or the array has fewer than three.

    Examples
    --------
    >>> import numpy as np
    >>> turned, affine = reorient(np.arange(6).reshape(1, 2, 3), np.diag([-1.0, 1.0, 1.0, 1.0]))
    >>> turned[0, 0].tolist(), affine[0, :].tolist()
    ([2, 1, 0], [1.0, 0.0, 0.0, -2.0])
    """
    if array.ndim < 3:
        raise ValueError("an array without three space axes has no orientation")
    wanted = [
        next(((n, 1 if p.index(c) else -1) for n, p in enumerate(AXIS_LETTERS) if c in p), None) for c in to.upper()
    ]
    if len(wanted) != 3 or None in wanted or len({w[0] for w in wanted if w}) != 3:
        raise ValueError(f"{to!r} does not name three different axes, as RAS does")
    held = closest_axes(affine)
    sizes = [int(n) for n in array.shape[:-4:-1]]  # x y z
    change = np.zeros((4, 4))
    change[3, 3] = 1.0
    order, flips = [], []
    for new, pair in enumerate(w for w in wanted if w):
        old = next(n for n, (axis, _) in enumerate(held) if axis == pair[0])
        flip = held[old][1] != pair[1]
        change[old, new] = -1.0 if flip else 1.0
        change[old, 3] = sizes[old] - 1 if flip else 0.0
        order.append(old)
        flips.append(flip)
    lead = array.ndim - 3
    # index axis n (x y z) is array axis -1-n
    axes = [*range(lead), *(lead + 2 - order[n] for n in (2, 1, 0))]
    turned = np.transpose(array, axes)
    cut = [slice(None)] * lead + [slice(None, None, -1) if flips[n] else slice(None) for n in (2, 1, 0)]
    return turned[tuple(cut)], np.asarray(affine, dtype=np.float64) @ change

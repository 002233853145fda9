"""Arrays turned so that their axes run as nearly as possible to the right, to the front and up (RAS)."""

import numpy as np

from hounsfield.core.image import Grid, Image
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.geometry.affines import closest_axes, orientation, reorient


def canonical_shape(image: Image) -> tuple[tuple[int, ...], tuple[float, float, float] | None]:
    """Return the size that `canonical` gives, ``z y x``, and the spacing of its axes in mm, without turning anything.

    Parameters
    ----------
    image : Image
        Of planes, and of volumes without a grid, the size is the image's own and the spacing None.
    """
    if image.ndim != 3 or image.grid is None:
        return image.size, None
    axes = [axis for axis, _ in closest_axes(image.grid.affine_ras)]  # of x y z: the patient axis that each runs along
    held = [axes.index(world) for world in (2, 1, 0)]
    z, y, x = (image.grid.spacing_mm[axis] for axis in held)
    return tuple(image.size[2 - axis] for axis in held), (z, y, x)


def canonical(image: Image) -> Image:
    """Return a volume whose axes run to the right, to the front and up, as nearly as whole turns allow.

    Parameters
    ----------
    image : Image
        ``c z y x``. Planes, and volumes without a grid, are returned as they are.

    Returns
    -------
    Image
        The same voxels; the grid says where each of them lies, as before.
    """
    if image.ndim != 3 or image.grid is None:
        return image
    affine = image.grid.affine_ras
    if orientation(affine) == "RAS":
        return image
    array, turned = reorient(image.array, affine)
    return Image(np.ascontiguousarray(array), Grid(turned), image.modality, image.units)


def turned_back(array: AnyArray, affine_ras: Float64Array) -> AnyArray:
    """Return an array that lies as `canonical` turns a volume, as the volume itself lies.

    Parameters
    ----------
    array : numpy.ndarray
        ``c z y x`` on the canonical grid.
    affine_ras : float64 array 4 x 4
        Of the volume as it was before.

    Returns
    -------
    numpy.ndarray
        ``c z y x`` on the volume's own grid; a view where that is possible.
    """
    _, turned = reorient(np.zeros((1, 1, 1), dtype=np.uint8), affine_ras)
    return reorient(array, turned, orientation(affine_ras))[0]

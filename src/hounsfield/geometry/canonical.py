"""Arrays turned so that their axes run as nearly as possible to the right, to the front and up (RAS)."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.image import Grid, Image
from hounsfield.core.types import Float64Array

_LETTERS = ("LR", "PA", "IS")


@dataclass(frozen=True)
class Turn:
    """How the axes of an array are exchanged and mirrored.

    Parameters
    ----------
    order : tuple of int
        For each world axis (right, anterior, superior) the array axis (0 x, 1 y, 2 z) that runs along it.
    mirrored : tuple of bool
        For each world axis, whether that array axis runs against it.
    """

    order: tuple[int, int, int]
    mirrored: tuple[bool, bool, bool]

    @property
    def code(self) -> str:
        """Towards what the axes x, y, z run, such as ``LPS``."""
        letters = [""] * 3
        for world, (axis, back) in enumerate(zip(self.order, self.mirrored, strict=True)):
            letters[axis] = _LETTERS[world][0 if back else 1]
        return "".join(letters)


def turn_to_ras(affine_ras: Float64Array) -> Turn:
    """Return how axes have to be exchanged and mirrored to run along right, anterior, superior.

    Parameters
    ----------
    affine_ras : float64 array 4 x 4
        Voxel indices x, y, z to millimetres.

    Notes
    -----
    Of the six ways to assign array axes to world axes the one with the largest product of cosines is taken, so that
    each world axis has exactly one array axis however oblique the volume lies.
    """
    cosines = affine_ras[:3, :3] / np.linalg.norm(affine_ras[:3, :3], axis=0)
    orders = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    fits = [float(np.prod([abs(cosines[world, axis]) for world, axis in enumerate(order)])) for order in orders]
    order = orders[int(np.argmax(fits))]
    mirrored = tuple(bool(cosines[world, axis] < 0) for world, axis in enumerate(order))
    return Turn(order, (mirrored[0], mirrored[1], mirrored[2]))


def canonical_shape(image: Image) -> tuple[tuple[int, ...], tuple[float, float, float] | None]:
    """Return the size that `canonical` gives, ``z y x``, and the spacing of its axes in mm, without turning anything.

    Parameters
    ----------
    image : Image
        Of planes, and of volumes without a grid, the size is the image's own and the spacing None.
    """
    if image.ndim != 3 or image.grid is None:
        return image.size, None
    order = turn_to_ras(image.grid.affine_ras).order
    spacing = image.grid.spacing_mm
    z, y, x = (spacing[order[world]] for world in (2, 1, 0))
    return tuple(image.size[2 - order[world]] for world in (2, 1, 0)), (z, y, x)


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
    turn = turn_to_ras(affine)
    if turn == Turn((0, 1, 2), (False, False, False)):
        return image
    # array axes are c z y x: world axis w comes from array axis order[w], which lies at place 3 - order[w]
    array = image.array.transpose(0, *(3 - turn.order[world] for world in (2, 1, 0)))
    matrix = np.eye(4)
    for world, (axis, back) in enumerate(zip(turn.order, turn.mirrored, strict=True)):
        column = affine[:, axis]
        length = array.shape[3 - world]
        matrix[:, world] = -column if back else column
        matrix[:3, 3] += column[:3] * (length - 1) if back else 0.0
    matrix[:3, 3] += affine[:3, 3]
    flips = tuple(3 - world for world in range(3) if turn.mirrored[world])
    return Image(np.ascontiguousarray(np.flip(array, flips)), Grid(matrix), image.modality, image.units)

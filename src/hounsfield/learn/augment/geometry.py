"""Moving pixels: mirroring, and one warp for rotation, zoom, shear, shift and bend together."""

from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from hounsfield.learn.augment.params import AugmentParams


def flip_(images: Tensor, axes: Tensor) -> Tensor:
    """Mirror samples along axes, exactly.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x); changed in place.
    axes
        Which axes of which sample, (b d), bool, array order.

    Returns
    -------
    Tensor
        The given tensor.
    """
    for axis in range(axes.shape[1]):
        chosen = axes[:, axis].nonzero().flatten()
        if len(chosen):
            images.index_copy_(0, chosen, images[chosen].flip(axis + 2))
    return images


def warp_(images: Tensor, params: AugmentParams, *, mode: Literal["bilinear", "nearest"] = "bilinear") -> Tensor:
    """Move the pixels of samples by matrix, shift and bend, in one interpolation.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32; changed in place.
    params
        Parameters on the same device; samples that are not ``moved`` keep their bits.
    mode
        Linear interpolation, or the nearest pixel for masks.

    Returns
    -------
    Tensor
        The given tensor.

    Notes
    -----
    An output point at p pixels from the centre is read at ``A p + size * (shift + bend(p))``. Rotation is in equal
    lengths along all axes (pixel times spacing), so that nothing is distorted in images that are not square.
    """
    if params.moved is None or params.matrix is None or params.shift is None:
        return images
    chosen = params.moved.nonzero().flatten()
    if len(chosen) == 0:
        return images
    size = images.shape[2:]
    spacing = torch.tensor(params.spacing or (1.0,) * len(size), dtype=torch.float32, device=images.device)
    # grid_sample's own unit is half of an axis.
    half = 0.5 * spacing * torch.tensor(size, dtype=torch.float32, device=images.device)
    matrix = params.matrix[chosen] * half[None, None, :] / half[None, :, None]
    bend = None if params.bend is None else params.bend[chosen]
    grid = read_places(matrix, 2.0 * params.shift[chosen], bend=bend, size=tuple(size))
    part = images if len(chosen) == len(images) else images[chosen]
    warped = functional.grid_sample(part, grid, mode=mode, padding_mode=params.padding, align_corners=False)
    return images.copy_(warped) if part is images else images.index_copy_(0, chosen, warped)


def read_places(matrix: Tensor, shift: Tensor, *, bend: Tensor | None, size: tuple[int, ...]) -> Tensor:
    """Return where each output pixel is read, as ``grid_sample`` wants it.

    Parameters
    ----------
    matrix
        (b d d), axes in array order, in units of half of an axis.
    shift
        (b d), array order, in units of half of an axis.
    bend
        Displacement at control points as a share of each axis, (b d n ... n), or None.
    size
        Pixels along each axis.

    Returns
    -------
    Tensor
        (b y x 2) or (b z y x 3), float32, last axis in the order x y z, -1 and 1 the outer edges of the image.

    Notes
    -----
    The same numbers as ``affine_grid``, built from one vector for each axis: ten times faster on a CPU.
    """
    count, ndim = shift.shape
    grid = torch.empty(count, *size, ndim, dtype=torch.float32, device=matrix.device)
    field = None if bend is None else smooth_field(bend, size)
    units = [(2.0 * torch.arange(edge, dtype=torch.float32, device=matrix.device) + 1.0) / edge - 1.0 for edge in size]
    terms = [
        [(matrix[:, axis, source, None] * unit).reshape(-1, *_along(source, len(unit), ndim)) for axis in range(ndim)]
        for source, unit in enumerate(units)
    ]
    start = [shift[:, axis].reshape(-1, *[1] * ndim) for axis in range(ndim)]
    if ndim == 2 and field is None:
        # x and y as one complex number: one sum writes both where they belong, in a sixth of the time.
        rows, columns = (torch.complex(x, y) for y, x in terms)
        torch.add(rows + torch.complex(start[1], start[0]), columns, out=torch.view_as_complex(grid))
        return grid
    for axis in range(ndim):
        place = start[axis]
        for term in terms:
            place = place + term[axis]
        if field is not None:
            place = torch.add(place, field[:, axis], alpha=2.0)
        grid[..., ndim - 1 - axis] = place
    return grid


def _along(axis: int, length: int, ndim: int) -> list[int]:
    return [length if place == axis else 1 for place in range(ndim)]


def smooth_field(points: Tensor, size: tuple[int, ...]) -> Tensor:
    """Spread values at control points over all pixels by cubic B-splines.

    Parameters
    ----------
    points
        Values at the control points, (b f n ... n).
    size
        Pixels along each axis.

    Returns
    -------
    Tensor
        (b f y x) or (b f z y x), float32: ``sum_ij B(v y - i) B(v x - j) points_ij`` and so on.
    """
    field = points
    for axis, edge in enumerate(size):
        basis = spline_basis(points.shape[axis + 2], edge).to(field)
        field = (field.movedim(axis + 2, -1) @ basis).movedim(-1, axis + 2)
    return field


@lru_cache(maxsize=64)
def spline_basis(count: int, size: int) -> Tensor:
    """Return the uniform cubic B-spline basis (n, pixels) whose n control points reach one cell beyond either end."""
    place = (torch.arange(size, dtype=torch.float64) + 0.5) / size * (count - 3) + 1.0
    distance = (place[None, :] - torch.arange(count, dtype=torch.float64)[:, None]).abs()
    near = 2.0 / 3.0 - distance**2 + 0.5 * distance**3
    far = (2.0 - distance).clamp_min(0.0) ** 3 / 6.0
    return torch.where(distance < 1.0, near, far).to(torch.float32)

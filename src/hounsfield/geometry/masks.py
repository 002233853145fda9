"""Whether a mask lies on its image, and how it is brought there where the affines say how."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.geometry.grids import corners, farthest_mm

Match: TypeAlias = Literal["same", "assumed", "moved", "refused"]
"""``same`` grid; ``assumed`` the same, for one of the two does not say; ``moved`` by the affines; ``refused``."""

CLOSE = 0.05
"""Voxels of the image by which two grids may differ anywhere and still be the same."""
LOST = 0.05
"""Largest share of the outlined voxels that may lie outside the image."""
CHANGED = 0.2
"""Largest share by which the marked volume may change on the way to another grid."""
BLANK = (np.eye(4), np.diag([-1.0, -1.0, 1.0, 1.0]))
"""Affines of a file that was written from a bare array: nibabel's, and ITK's as RAS. No scanner's is exactly one."""


@dataclass(frozen=True)
class Frame:
    """Where an array lies.

    Parameters
    ----------
    size : tuple of int
        ``z y x``, or ``y x`` of a plane.
    affine_ras : float64 array 4 x 4, or None
    """

    size: tuple[int, ...]
    affine_ras: Float64Array | None

    @property
    def shape(self) -> tuple[int, int, int]:
        """``x y z``, as the affine counts."""
        z, y, x = (1, *self.size)[-3:]
        return x, y, z


@dataclass(frozen=True)
class Relation:
    """How a mask lies to its image.

    Parameters
    ----------
    match : str
    reason : str
        What differs, one clause; ``""`` where nothing does.
    """

    match: Match
    reason: str = ""


def relation(image: Frame, mask: Frame) -> Relation:
    """Compare a mask's frame with its image's, without looking at voxels.

    Parameters
    ----------
    image, mask : Frame

    Notes
    -----
    Equal shapes are not enough: a mask of the same shape whose affine mirrors it outlines the other side of the
    patient. Where both say how they lie, the affines decide; where one does not, equal shapes are taken for one grid.
    A blank affine beside another one of the same shape is a header that was lost: it would shrink or shift the mask
    to a place that nobody outlined, and is refused.
    """
    if image.affine_ras is None or mask.affine_ras is None:
        if image.shape != mask.shape:
            return Relation(
                "refused", f"the mask is {_by(mask)}, the image {_by(image)}, and no affine says how they lie"
            )
        if image.affine_ras is None and mask.affine_ras is None:
            return Relation("same")
        return Relation("assumed", "image or mask does not say how it lies; their shapes agree")
    near = float(np.linalg.norm(image.affine_ras[:3, :3], axis=0).min())
    if image.shape == mask.shape and farthest_mm(image.affine_ras, mask.affine_ras, _zyx(image)) <= CLOSE * near:
        return Relation("same")
    blank = [name for name, frame in (("the mask", mask), ("the image", image)) if _is_blank(frame.affine_ras)]
    if image.shape == mask.shape and blank:
        whole = f"the affine of {' and '.join(blank)} is that of a bare array, though their shapes agree"
        return Relation("refused", f"{whole}: a header was lost; copy the other's affine if both lie on one grid")
    low, high = _box(np.linalg.inv(image.affine_ras) @ mask.affine_ras, _zyx(mask))
    ends = np.array(image.shape, dtype=np.float64) - 0.5
    if (high < -0.5).any() or (low > ends).any():
        return Relation("refused", "by their affines, mask and image do not overlap in the patient")
    return Relation("moved", "the mask lies on another grid than the image")


def onto(mask: AnyArray, frame: Frame, image: Frame) -> AnyArray:
    """Bring a mask to the image's grid, each voxel of the image taking the nearest of the mask.

    Parameters
    ----------
    mask : numpy.ndarray
        ``z y x``, or ``y x`` of a plane; labels.
    frame, image : Frame
        Where mask and image lie; both with affines.

    Returns
    -------
    numpy.ndarray
        Of the image's size and the mask's dtype; 0 where the mask does not reach.
    """
    from scipy.ndimage import affine_transform

    if frame.affine_ras is None or image.affine_ras is None:
        return mask
    to_mask = np.linalg.inv(frame.affine_ras) @ image.affine_ras
    # rounding must not push a voxel on the rim out of the mask, nor decide a tie by accident
    to_mask = np.where(np.abs(to_mask - np.rint(to_mask)) < 1e-6, np.rint(to_mask), to_mask)
    turned = to_mask[:3, :3][::-1, ::-1]
    volume = mask.reshape((1, *mask.shape)[-3:])
    moved: AnyArray = affine_transform(
        volume,
        turned,
        offset=to_mask[:3, 3][::-1],
        output_shape=image.shape[::-1],
        output=volume.dtype,
        order=0,
        mode="grid-constant",
    )
    return moved.reshape(image.size)


def lost_share(mask: AnyArray, frame: Frame, image: Frame) -> float:
    """Return which share of the outlined voxels lies outside the image, 0 to 1.

    Parameters
    ----------
    mask : numpy.ndarray
        ``z y x``, or ``y x`` of a plane; 0 is not outlined.
    frame, image : Frame
    """
    if frame.affine_ras is None or image.affine_ras is None:
        return 0.0
    places = np.argwhere(mask.reshape((1, *mask.shape)[-3:]) != 0)[:, ::-1]
    if not len(places):
        return 0.0
    to_image = np.linalg.inv(image.affine_ras) @ frame.affine_ras
    there = places @ to_image[:3, :3].T + to_image[:3, 3]
    inside = ((there > -0.5 - CLOSE) & (there < np.array(image.shape) - 0.5 + CLOSE)).all(axis=1)
    return float(1.0 - inside.mean())


def changed_share(mask: AnyArray, moved: AnyArray, *, frame: Frame, image: Frame) -> float:
    """Return by which share the marked volume changed on the way to the image's grid.

    Parameters
    ----------
    mask, moved : numpy.ndarray
        ``z y x`` before and after `onto`; 0 is not marked.
    frame, image : Frame
        Where they lie; both with affines.

    Returns
    -------
    float
        0 where what sampling by the nearest voxel does by chance explains the change, twice the root of the number of
        voxels; 1 where nothing is left. Planes have no volume, and of what reaches beyond the image some is cut off:
        both give 0, unless nothing is left.
    """
    if frame.affine_ras is None or image.affine_ras is None:
        return 0.0
    places = np.argwhere(mask.reshape((1, *mask.shape)[-3:]) != 0)[:, ::-1]
    after = int(np.count_nonzero(moved))
    if not len(places):
        return 0.0
    if not after:
        return 1.0
    to_image = np.linalg.inv(image.affine_ras) @ frame.affine_ras
    there = places @ to_image[:3, :3].T + to_image[:3, 3]
    reach = np.abs(to_image[:3, :3]).sum(axis=1) / 2
    cut = (there - reach < -0.5 - CLOSE).any() or (there + reach > np.array(image.shape) - 0.5 + CLOSE).any()
    if cut or 1 in image.shape or 1 in frame.shape:
        return 0.0
    before = len(places) * float(abs(np.linalg.det(to_image[:3, :3])))
    change = abs(after - before)
    return 0.0 if change <= 2.0 * max(before, after) ** 0.5 else change / before


def _is_blank(affine: Float64Array | None) -> bool:
    return affine is not None and any(np.allclose(affine, blank, rtol=0, atol=1e-6) for blank in BLANK)


def _box(matrix: Float64Array, size: tuple[int, ...]) -> tuple[Float64Array, Float64Array]:
    found = corners(matrix, size)
    return found.min(axis=0), found.max(axis=0)


def _zyx(frame: Frame) -> tuple[int, ...]:
    return frame.shape[::-1]


def _by(frame: Frame) -> str:
    return " x ".join(str(n) for n in frame.size)

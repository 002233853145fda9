"""Images and where they lie in space."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray, Float64Array


@dataclass(frozen=True)
class Grid:
    """Where the voxels of an array lie in the patient.

    Parameters
    ----------
    affine_ras : numpy.ndarray
        4 x 4, float64: voxel indices (x, y, z, 1) to millimetres, right, anterior, superior, as NIfTI has it.
    """

    affine_ras: Float64Array

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Spacing along x, y, z in mm."""
        x, y, z = (float(v) for v in np.linalg.norm(self.affine_ras[:3, :3], axis=0))
        return x, y, z


@dataclass(frozen=True)
class Image:
    """A 2D or 3D image with its channels first.

    Parameters
    ----------
    array : numpy.ndarray
        ``c y x`` or ``c z y x``; the stored dtype (uint8, uint16, int16, float32, ...).
    grid : Grid or None
        Place in space where the format tells it.
    modality : str
        DICOM modality code (``CT``, ``MR``, ``US``, ``DX``, ...), or ``""`` where unknown.
    units : str
        ``"HU"``, of PET ``"g/ml"`` (SUV by body weight), ``"Bq/ml"`` or ``"counts"``; else ``"a.u."``.

    Raises
    ------
    ReadError
        If the array has neither three nor four axes, or an axis of length 0.
    """

    array: AnyArray
    grid: Grid | None = None
    modality: str = ""
    units: str = "a.u."

    def __post_init__(self) -> None:
        if self.array.ndim not in (3, 4) or 0 in self.array.shape:
            raise ReadError(
                f"An image has the shape {self.array.shape}.",
                expected="channels first, then y x or z y x, none of length 0",
                next_step="correct the array or leave the case out",
            )

    @property
    def ndim(self) -> int:
        """Number of space axes: 2 or 3."""
        return self.array.ndim - 1

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.array.shape[0])

    @property
    def size(self) -> tuple[int, ...]:
        """Length of the space axes, ``y x`` or ``z y x``."""
        return tuple(int(n) for n in self.array.shape[1:])


@dataclass(frozen=True)
class Header:
    """What a reader can say of an image without handing out its pixels.

    Parameters
    ----------
    size : tuple of int
        ``y x`` or ``z y x`` after orientation has been applied.
    channels : int
        1 grey, 3 colour, 4 colour with alpha, or the array's own number.
    bits : int
        Bits per channel as stored.
    file_format : str
        ``"PNG"``, ``"JPEG"``, ``"NPZ"``, ...
    bytes : int
        Size of the file, or of the array element inside a container.
    """

    size: tuple[int, ...]
    channels: int
    bits: int
    file_format: str
    bytes: int

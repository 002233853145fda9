"""What every image filter offers, and what it asks of a volume."""

from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, FloatArray
from hounsfield.science.radiomics.filters.boundaries import Boundary

Spacing = tuple[float, float, float]
"""Distance of voxel centres in mm, in the order ``z y x``."""


FARTHEST = 4096
"""Voxels that a kernel may reach."""


class ImageFilter(Protocol):
    """An image filter with all its parameters: a frozen dataclass."""

    @property
    def boundary(self) -> Boundary:
        """What is taken to lie outside the volume."""

    @property
    def ndim(self) -> int:
        """2 where every slice is filtered by itself, 3 where the volume is."""

    def apply(self, volume: AnyArray, spacing_mm: Spacing) -> FloatArray:
        """Return the response map.

        Parameters
        ----------
        volume : numpy.ndarray
            ``z y x``, finite. Arithmetic is in float32 if it is float32, in float64 otherwise.
        spacing_mm : tuple of float
            ``z y x``, above 0.

        Returns
        -------
        numpy.ndarray
            ``z y x`` of the same size, float32 or float64.

        Raises
        ------
        InputError
            If the volume has not three axes, is empty or not finite, a spacing is not above 0, or the kernel is larger
            than any image.
        """

    def reach(self, spacing_mm: Spacing) -> tuple[int, int, int] | None:
        """Return how many voxels away the response still depends on the volume, ``z y x``.

        Notes
        -----
        A region with a margin of so many voxels gives the same response inside the region as the whole volume does.
        None where every voxel counts: filters that are defined by their Fourier transform.
        """


def checked(volume: AnyArray, spacing_mm: Spacing) -> FloatArray:
    """Return the volume as contiguous floating point, or say what is wrong with it.

    Raises
    ------
    InputError
        As :meth:`ImageFilter.apply` says.

    Notes
    -----
    One value that is not finite would spoil whole lines of the response, or all of it: it is refused, wherever it lies.
    """
    if volume.ndim != 3 or volume.size == 0:
        raise InputError(
            f"An array of shape {volume.shape} was to be filtered.",
            expected="a volume of three axes, z y x, with at least one voxel",
            next_step="Give a slice as volume[None].",
        )
    if not (np.shape(spacing_mm) == (3,) and all(np.isfinite(s) and s > 0 for s in spacing_mm)):
        raise InputError(
            f"A spacing of {tuple(spacing_mm)} mm was given for filtering.",
            expected="three distances above 0, z y x",
            next_step="Read the spacing from the image's own grid.",
        )
    if np.iscomplexobj(volume):
        raise InputError("A complex volume was to be filtered.", expected="real values", next_step="Take its modulus.")
    kind: npt.DTypeLike = np.float32 if volume.dtype == np.float32 else np.float64
    values: FloatArray = np.ascontiguousarray(volume, dtype=kind)
    wrong = int(values.size - np.count_nonzero(np.isfinite(values)))
    if wrong:
        raise InputError(
            f"{wrong} of {values.size} voxels to be filtered are not finite.",
            expected="finite values in the whole volume: a filter looks outside the region too",
            next_step="Replace them first, for CT with -1000 HU where there is air.",
        )
    return values


def checked_reach(reach: tuple[int, int, int], *, most: int = FARTHEST) -> None:
    """Raise InputError for a kernel that reaches further than any image is large: a unit was mistaken."""
    if max(reach) > most:
        raise InputError(
            f"A filter that reaches {max(reach)} voxels far was to be applied.",
            expected=f"a kernel that reaches {most} voxels at most",
            next_step="Compare the filter's parameters, in mm, with the spacing, in mm too.",
        )


def checked_ndim(ndim: int) -> None:
    """Raise InputError unless slices (2) or the volume (3) are to be filtered."""
    if ndim not in (2, 3):
        raise InputError(
            f"A filter of {ndim} dimensions was asked for.",
            expected="2, every slice by itself, or 3",
            next_step="Take ndim=3 where voxels have nearly equal sides, 2 where slices are thick.",
        )


def checked_positive(**values: float) -> None:
    """Raise InputError for a parameter that is not a finite number above 0."""
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0):
            raise InputError(
                f"A filter with {name}={value} was asked for.",
                expected="a finite number above 0",
                next_step=f"Give {name} in the unit that its name or the filter's description says.",
            )


def checked_choice(name: str, value: str, kind: type[StrEnum]) -> None:
    """Raise InputError for a word that is none of an enumeration's."""
    if value not in {str(member) for member in kind}:
        raise InputError(
            f"A filter with {name}={str(value)!r} was asked for.",
            expected=f"one of {', '.join(kind)}",
            next_step=f"Take {kind.__name__}.{next(iter(kind)).name} or another one of {kind.__name__}.",
        )

"""Separable wavelets, not decimated."""

import re
from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array, FloatArray
from hounsfield.science.radiomics.filters.boundaries import Boundary, matrix
from hounsfield.science.radiomics.filters.protocol import Spacing, checked, checked_choice, checked_reach
from hounsfield.science.radiomics.filters.rotations import Pooling, pooled
from hounsfield.science.radiomics.filters.separable import Key


@dataclass(frozen=True)
class Wavelet:
    """One response of the stationary (undecimated) separable wavelet transform.

    At level j the low- and high-pass filters have ``2^(j-1) - 1`` zeros behind each coefficient. A level's input is the
    low-pass response of the level before along all axes: along one axis, the response L is ``l_j * ... * l_1 * f``,
    the response H is ``h_j * l_(j-1) * ... * l_1 * f``; what lies beyond the edge is filled in anew for each of them.

    Parameters
    ----------
    family : str
        ``"haar"``, ``"db1"`` to ``"db38"`` (Daubechies, by vanishing moments), ``"coif1"`` to ``"coif17"`` (coiflets).
    response : str
        L or H along x, y and, for a volume, z: ``"LHL"``; two of them filter every slice by itself.
    level : int
        j, from 1.
    pooling : Pooling
        Over the right-angle rotations: 24 of the volume, 4 of a slice.
    boundary : Boundary

    Raises
    ------
    InputError
        If the family, the response or the level is none of these.

    Notes
    -----
    The middle of a filter of even length n is its coefficient ``n / 2``, counted from 0. The coefficients are those of
    decomposition that PyWavelets has, of length 1.

    References
    ----------
    IBSI 2 (arXiv:2006.05470), section "Separable wavelets", identifier 25BO.
    """

    family: str = "haar"
    response: str = "LLH"
    level: int = 1
    pooling: Pooling = Pooling.NONE
    boundary: Boundary = Boundary.MIRROR

    def __post_init__(self) -> None:
        checked_choice("boundary", self.boundary, Boundary)
        checked_choice("pooling", self.pooling, Pooling)
        coefficients(self.family)
        if not re.fullmatch("[LH]{2,3}", self.response):
            raise InputError(
                f"The wavelet response {self.response!r} was asked for.",
                expected="L or H along x, y and, for volumes, z",
                next_step='Write for example "LH" for slices or "LLH" for volumes.',
            )
        if not 1 <= self.level <= 16:
            raise InputError(
                f"Level {self.level} of a wavelet transform was asked for.",
                expected="a level from 1, the finest, to 16",
                next_step="Take level=1.",
            )

    @property
    def ndim(self) -> int:
        """2 for two letters, 3 for three."""
        return len(self.response)

    def apply(self, volume: AnyArray, spacing_mm: Spacing) -> FloatArray:
        """Return the response map; see :meth:`~hounsfield.science.radiomics.filters.protocol.ImageFilter.apply`."""
        values = checked(volume, spacing_mm)
        checked_reach(self.reach(spacing_mm))
        z, y, x = (self._matrices(n) for n in values.shape)
        letters = tuple(self.response)[::-1]
        return pooled(values, (z if self.ndim == 3 else {}, y, x), letters, self.pooling)

    def reach(self, spacing_mm: Spacing) -> tuple[int, int, int]:
        """Return how many voxels away the response depends on the volume."""
        del spacing_mm
        half = (2**self.level - 1) * coefficients(self.family)[0].size // 2
        return (half if self.ndim == 3 else 0, half, half)

    def _matrices(self, size: int) -> dict[Key, Float64Array]:
        low, high = coefficients(self.family)
        before = np.eye(size)
        for level in range(1, self.level):
            before = matrix(spread(low, level), size, self.boundary) @ before
        return {
            "L": matrix(spread(low, self.level), size, self.boundary) @ before,
            "H": matrix(spread(high, self.level), size, self.boundary) @ before,
        }


def coefficients(family: str) -> tuple[Float64Array, Float64Array]:
    """Return the low- and the high-pass filter of an orthogonal wavelet.

    Raises
    ------
    InputError
        If the family is not known.
    """
    import pywt

    known = [name for part in ("haar", "db", "coif") for name in pywt.wavelist(part)]
    if family not in known:
        raise InputError(
            f"The wavelet {family!r} was asked for.",
            expected="haar, db1 to db38 or coif1 to coif17",
            next_step='Write for example "db3".',
        )
    found = pywt.Wavelet(family)
    return np.asarray(found.dec_lo, dtype=np.float64), np.asarray(found.dec_hi, dtype=np.float64)


def spread(taps: Float64Array, level: int) -> Float64Array:
    """Return a filter of even length with the zeros of its level, and one more to give it a middle."""
    step = 2 ** (level - 1)
    made = np.zeros(taps.size * step + 1)
    made[: taps.size * step : step] = taps
    return made

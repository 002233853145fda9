"""Stored values to what a network sees: the channels wanted, about zero mean and unit deviation."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.learn.prepare.image import LUMA

WINDOWED = 2.0
"""Ends of the scale that a window is brought to: about unit deviation for values spread evenly over it."""
FARTHEST = 8.0
"""Deviations from the mean beyond which a value says nothing more."""


@dataclass(frozen=True)
class Scale:
    """How the values of one image are brought to about zero mean and unit deviation.

    Parameters
    ----------
    channels : int
        1 or 3.
    window : tuple of float or None
        The two stored values that become -2 and 2; what lies beyond is cut off.
    mean, std : numpy.ndarray
        ``c``, float64: where there is no window, what is taken off and divided by.
    """

    channels: int
    window: tuple[float, float] | None = None
    mean: Float64Array = field(default_factory=lambda: np.zeros(1), repr=False)
    std: Float64Array = field(default_factory=lambda: np.ones(1), repr=False)

    def of(self, stored: AnyArray) -> Float32Array:
        """Return stored values, ``c ...``, as the network sees them: float32, each voxel by itself."""
        values = known(stored, self.channels)
        if self.window is not None:
            low, high = self.window
            unit = (np.clip(values, low, high) - np.float32(low)) / np.float32(high - low)
            shown: Float32Array = (unit * np.float32(2 * WINDOWED) - np.float32(WINDOWED)).astype(np.float32)
            return shown
        aside = (-1, *[1] * (values.ndim - 1))
        scaled = values - self.mean.reshape(aside)
        scaled /= np.maximum(self.std, 1e-6).reshape(aside)
        kept: Float32Array = np.clip(scaled, -FARTHEST, FARTHEST, out=scaled).astype(np.float32)
        return kept


def scale_of(slabs: Iterable[AnyArray], channels: int) -> Scale:
    """Return the scale of an image without a window, by its own mean and deviation.

    Parameters
    ----------
    slabs : iterable of numpy.ndarray
        Stored values, ``c ...``: parts of the image that together hold each voxel once.
    channels : int
        1 or 3.

    Notes
    -----
    One pass. The parts' means and variances are joined by ``var = sum n (var_i + (mean_i - mean)^2) / N`` (Chan,
    Golub, LeVeque, The American Statistician 37(3), 1983): stable for values far from zero, and of an image that
    comes in one part nothing but its own mean and deviation.
    """
    counts: list[int] = []
    means: list[Float64Array] = []
    variances: list[Float64Array] = []
    for stored in slabs:
        values = known(stored, channels)
        axes = tuple(range(1, values.ndim))
        counts.append(values[0].size)
        means.append(values.mean(axis=axes, dtype=np.float64))
        variances.append(values.var(axis=axes, dtype=np.float64))
    if len(counts) == 1:
        return Scale(channels, None, means[0], np.sqrt(variances[0]))
    share = np.array(counts)[:, None] / sum(counts)
    mean = (share * np.stack(means)).sum(axis=0)
    variance = (share * (np.stack(variances) + (np.stack(means) - mean) ** 2)).sum(axis=0)
    return Scale(channels, None, mean, np.sqrt(variance))


def known(stored: AnyArray, channels: int) -> Float32Array:
    """Return stored values, ``c ...``, as so many channels, float32; what is not known is 0. Never a view of them."""
    values = _channels(stored, channels)
    return np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _channels(array: AnyArray, wanted: int) -> Float32Array:
    values: Float32Array = np.array(array, dtype=np.float32, order="C")
    have = values.shape[0]
    if have == wanted:
        return values
    if have == 4:
        return _channels(values[:3], wanted)
    if have == 2:
        return _channels(values[:1], wanted)  # the second channel of a picture is its opacity
    if wanted == 3 and have == 1:
        return np.repeat(values, 3, axis=0)
    if wanted == 1 and have == 3:
        return np.tensordot(LUMA, values, axes=(0, 0))[None].astype(np.float32)
    mean: Float32Array = values.mean(axis=0, keepdims=True)
    return mean if wanted == 1 else np.repeat(values[:1], wanted, axis=0)

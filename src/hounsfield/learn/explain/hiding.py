"""What an input without content is, and how places of it are hidden, by the kind of input."""

from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np

from hounsfield.core.errors import BundleError
from hounsfield.core.kinds import input_kind
from hounsfield.core.types import BoolArray, Float32Array
from hounsfield.learn.explain import HIDING
from hounsfield.learn.prepare.image import ImagePreparation
from hounsfield.learn.prepare.protocol import Preparation
from hounsfield.learn.prepare.signal import SignalPreparation

BLUR = 1.0 / 8.0
"""Standard deviation of the blur that stands for "nothing to see", as a share of each edge."""
RAMP = 0.25
"""Share of a hidden stretch of a series over which it is faded in, and out again: an edge is a wave of its own."""
Place = tuple[slice, ...]


class Hiding(Protocol):
    """How places of one kind of input are hidden. Every array is one prepared input ``c ...``, float32."""

    @classmethod
    def of(cls, spec: Preparation) -> "Hiding":
        """Return that of a preparation of its kind."""
        ...

    def size(self, values: Float32Array) -> tuple[int, ...]:
        """Return the axes of a map of an input: its places."""
        ...

    def hidden(self, values: Float32Array) -> Float32Array:
        """Return the input with every place hidden."""
        ...

    def contentless(self, values: Float32Array) -> list[Float32Array]:
        """Return inputs without content that the way to an input may begin at."""
        ...

    def mixed(self, values: Float32Array, hidden: Float32Array, first: BoolArray) -> Float32Array:
        """Return a copy that is `hidden` at the places `first`, of a map's size."""
        ...

    def covered(self, values: Float32Array, hidden: Float32Array, place: Place) -> Float32Array:
        """Return a copy of which one stretch of places is hidden."""
        ...

    def grain(self) -> float | None:
        """Return how coarse a map of single places is made, as a share of its axis; None: by the network's stride."""
        ...


def hiding_of(spec: Preparation) -> Hiding:
    """Return how places of a prepared input are hidden.

    Parameters
    ----------
    spec : Preparation

    Raises
    ------
    BundleError
        If the kind of input has no places that a map could mark.
    """
    kind = input_kind(spec.kind_name)
    if kind.name not in HIDING:
        reason = kind.lacks.get("explain", "not in this version")
        raise BundleError(
            f"The input is a {kind.name}, and there are no maps of it: {reason}.",
            expected=f"an input among {', '.join(HIDING.names())}",
            next_step="use hu predict or hu evaluate, which take every kind",
        )
    return cast("type[Hiding]", HIDING.resolve(kind.name)).of(spec)


@dataclass(frozen=True)
class ImageHiding:
    """An image is hidden by a strong blur: grey like its surroundings, without detail.

    Parameters
    ----------
    mean : float
        Mean grey of the training part, 0 to 1.
    """

    mean: float

    @classmethod
    def of(cls, spec: Preparation) -> "ImageHiding":
        """Return that of a preparation of images."""
        return cls(spec.mean if isinstance(spec, ImagePreparation) else 0.0)

    def size(self, values: Float32Array) -> tuple[int, ...]:
        """Return the space axes."""
        return tuple(int(n) for n in values.shape[1:])

    def hidden(self, values: Float32Array) -> Float32Array:
        """Return the blurred image."""
        return blurred(values)

    def contentless(self, values: Float32Array) -> list[Float32Array]:
        """Return the mean grey of training, and the blurred image."""
        return [np.full_like(values, self.mean), blurred(values)]

    def mixed(self, values: Float32Array, hidden: Float32Array, first: BoolArray) -> Float32Array:
        """See `Hiding`."""
        found: Float32Array = np.where(first, hidden, values)
        return found

    def covered(self, values: Float32Array, hidden: Float32Array, place: Place) -> Float32Array:
        """See `Hiding`."""
        copy = values.copy()
        copy[(slice(None), *place)] = hidden[(slice(None), *place)]
        return copy

    def grain(self) -> float | None:
        """None: the network's stride."""
        return None


@dataclass(frozen=True)
class SeriesHiding:
    """A series at one rate is hidden by its mean, one at irregular times by what was not measured.

    Parameters
    ----------
    times : bool
        Whether channel 0 is the time of each step: it stays as it is.

    Notes
    -----
    What is prepared is standardised, so that 0 is the mean: of the training part where level means something, else of
    the series itself. Missing values stay missing, and places are the steps up to the last one of which anything is
    known: what follows is filling.
    """

    times: bool

    @classmethod
    def of(cls, spec: Preparation) -> "SeriesHiding":
        """Return that of a preparation of signals."""
        return cls(isinstance(spec, SignalPreparation) and spec.times)

    def size(self, values: Float32Array) -> tuple[int, ...]:
        """Return how many steps there are."""
        known = np.isfinite(values[int(self.times) :]).any(axis=0)
        return (int(np.flatnonzero(known)[-1]) + 1 if known.any() else 1,)

    def hidden(self, values: Float32Array) -> Float32Array:
        """Return the mean where anything is known; of an irregular series nothing but its times."""
        copy = values.copy()
        inside = copy[int(self.times) :]
        inside[np.isfinite(inside)] = np.float32(np.nan) if self.times else np.float32(0.0)
        return copy

    def contentless(self, values: Float32Array) -> list[Float32Array]:
        """Return the mean where anything is known, and the strongly smoothed series where it has one rate.

        Notes
        -----
        Each alone is blind where the series happens to equal it.
        """
        mean = values.copy()
        inside = mean[int(self.times) :]
        inside[np.isfinite(inside)] = 0.0
        return [mean] if self.times else [mean, smoothed(values, self.size(values)[0])]

    def mixed(self, values: Float32Array, hidden: Float32Array, first: BoolArray) -> Float32Array:
        """See `Hiding`; steps beyond the last that is known stay as they are."""
        steps = np.zeros(values.shape[1], dtype=bool)
        steps[: first.size] = first.reshape(-1)
        found: Float32Array = np.where(steps, hidden, values)
        return found

    def covered(self, values: Float32Array, hidden: Float32Array, place: Place) -> Float32Array:
        """See `Hiding`; faded in and out where values can be between both."""
        (stretch,) = place
        copy = values.copy()
        if self.times:
            copy[:, stretch] = hidden[:, stretch]
            return copy
        share = faded(stretch.stop - stretch.start)
        copy[:, stretch] = (1.0 - share) * values[:, stretch] + share * hidden[:, stretch]
        return copy

    def grain(self) -> float | None:
        """Return half a stretch that occlusion hides."""
        from hounsfield.learn.explain.occlusion import PATCHES

        return 0.5 / PATCHES[1]


def faded(steps: int) -> Float32Array:
    """Return how much of each step of a stretch is hidden: raised cosines at both ends, 1 between."""
    wide = max(1, round(RAMP * steps))
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(wide) + 1) / (wide + 1))
    share = np.ones(steps, dtype=np.float32)
    share[:wide] = np.minimum(share[:wide], rise)
    share[steps - wide :] = np.minimum(share[steps - wide :], rise[::-1])
    return share


def blurred(image: Float32Array, *, share: float = BLUR) -> Float32Array:
    """Return an image in which no detail is left to see.

    Parameters
    ----------
    image : numpy.ndarray
        ``c ...``, float32.
    share : float
        Standard deviation of the Gaussian as a share of each edge.
    """
    from scipy.ndimage import gaussian_filter

    found: Float32Array = gaussian_filter(image, [0.0, *(share * n for n in image.shape[1:])], mode="nearest")
    return found


def smoothed(series: Float32Array, steps: int, *, share: float = BLUR) -> Float32Array:
    """Return a series in which no wave is left, missing where it is missing.

    Parameters
    ----------
    series : numpy.ndarray
        ``c t``, float32, NaN where nothing was recorded.
    steps : int
        Steps that are known at all.
    share : float
        Standard deviation of the Gaussian as a share of them.

    Notes
    -----
    Normalised convolution: the weighted mean of the values that are known.
    """
    from scipy.ndimage import gaussian_filter1d

    known = np.isfinite(series)
    sums, weights = (
        gaussian_filter1d(x.astype(np.float64), share * steps, axis=1, mode="constant")
        for x in (np.where(known, series, 0.0), known)
    )
    return np.where(known, sums / np.maximum(weights, 1e-12), np.nan).astype(np.float32)

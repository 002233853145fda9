"""How unsure a model is at every voxel, and of a case as a whole."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array

PROBABLE = 0.05
"""Probability of anything from which a voxel is in question."""
AT_ONCE = 1 << 22
"""Voxels and classes that are worked on at once."""


@dataclass(frozen=True)
class Uncertainty:
    """How unsure a model is of one case.

    Parameters
    ----------
    mean : float
        Mean entropy of the voxels in question, those that may hold something with a probability of `PROBABLE` at
        least: 0 (sure) to 1 (knows nothing); 0 where none is. It does not grow with the empty part of an image.
    values : numpy.ndarray or None
        ``y x`` or ``z y x``, float16, 0 to 1, where it was asked for.
    """

    mean: float
    values: AnyArray | None = field(default=None, repr=False)


def uncertainty(probabilities: AnyArray, *, exclusive: bool, keep: bool = False) -> Uncertainty:
    """Return the entropy of what is said of every voxel.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``k y x`` or ``k z y x``, 0 to 1, without the background; the mean over members and mirrored views.
    exclusive : bool
        Whether a voxel is one class or none: entropy of the ``k + 1`` shares over its largest value ``log (k + 1)``.
        Else the largest entropy, in bits, of the yes-or-no questions of the classes.
    keep : bool
        Whether the map is wanted besides its mean.

    Returns
    -------
    Uncertainty

    Notes
    -----
    Worked slab by slab along the first axis of space: beside the map itself, memory does not grow with the volume.
    The entropy of the mean holds both what the image leaves open and what members and views disagree on.
    """
    shape = probabilities.shape[1:]
    values = np.empty(shape, dtype=np.float16) if keep else None
    total, count = 0.0, 0
    for rows in _slabs(probabilities.shape):
        part = np.clip(probabilities[:, rows].astype(np.float32), 0.0, 1.0)
        found = _entropy(part, exclusive=exclusive)
        asked = (part.sum(axis=0) if exclusive else part.max(axis=0)) >= PROBABLE
        total += float(found[asked].sum(dtype=np.float64))
        count += int(np.count_nonzero(asked))
        if values is not None:
            values[rows] = found
    return Uncertainty(total / count if count else 0.0, values)


def _slabs(shape: tuple[int, ...]) -> Iterator[slice]:
    thick = max(1, AT_ONCE // max(1, int(np.prod(shape)) // max(1, shape[1])))
    for first in range(0, shape[1], thick):
        yield slice(first, min(first + thick, shape[1]))


def _entropy(part: Float32Array, *, exclusive: bool) -> Float32Array:
    if not exclusive:
        bits = (_nats(part) + _nats(np.float32(1.0) - part)) / np.float32(np.log(2.0))
        most: Float32Array = bits.max(axis=0).astype(np.float32)
        return most
    nothing = np.clip(np.float32(1.0) - part.sum(axis=0), 0.0, 1.0)
    nats = _nats(part).sum(axis=0) + _nats(nothing)
    share: Float32Array = np.clip(nats / np.float32(np.log(len(part) + 1.0)), 0.0, 1.0).astype(np.float32)
    return share


def _nats(share: Float32Array) -> Float32Array:
    found: Float32Array = (-share * np.log(np.maximum(share, np.float32(1e-12)))).astype(np.float32)
    return found

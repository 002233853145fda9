"""What is kept of one mask for the fingerprint, and what all of them say together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import ReadError
from hounsfield.core.fingerprint import MaskFacts
from hounsfield.core.image import Image
from hounsfield.core.structures import distinct, single_channel
from hounsfield.core.types import AnyArray, BoolArray, Float32Array

MOST_LABELS = 64
"""More different values than this are grey levels, not labels."""
QUANTILES = 50
_SHOWN = 8
FAR = 2.0
"""Ratio to the finest spacing beyond which slices lie far apart."""
SHADES = 16
"""More different values than this in a picture of 8 bits that reaches 255 are grey levels too."""
AT_EDGES = 0.9
"""Share of the voxels of the values between 0 and the highest that lie on a slope, from which on edges are blurred."""


@dataclass(frozen=True)
class MaskLook:
    """What one mask holds.

    Parameters
    ----------
    channels : int
        1, or one for each structure that may overlap with others.
    voxels : mapping of int to int
        Label (or place of the channel) to the number of its voxels, those that occur.
    share : float
        Marked voxels over all.
    fill : float
        Marked voxels over those of them at the border of what is marked, NaN where nothing is. Axes along which slices
        lie far apart do not count: a lesion in one thick slice is no line.
    extent : tuple of float
        Edges of the box around what is marked, as shares of the image's; empty where nothing is.
    inside : numpy.ndarray
        `QUANTILES` quantiles of the image's values where something is marked, float32; empty where nothing is.
    """

    channels: int
    voxels: dict[int, int]
    share: float
    fill: float
    extent: tuple[float, ...]
    inside: Float32Array


def mask_look(mask: Image, image: Image) -> MaskLook:
    """Look at one mask.

    Parameters
    ----------
    mask : Image
        On the image's grid.
    image : Image

    Raises
    ------
    ReadError
        If it holds no labels but grey levels, fractions or colours, or labels whose edges are blurred.
    """
    array = _labels(mask.array)
    if array.shape[0] > 1:
        voxels = {place: int(np.count_nonzero(part)) for place, part in enumerate(array)}
        marked = np.asarray(array.any(axis=0), dtype=np.bool_)
    else:
        values = distinct(array)
        _check_labels(array, values)
        counts = {v: int(np.count_nonzero(array == v)) for v in values if v}
        voxels, marked = counts, np.asarray(array[0] != 0, dtype=np.bool_)
    voxels = {v: n for v, n in voxels.items() if n}
    if not marked.any():
        return MaskLook(array.shape[0], voxels, 0.0, float("nan"), (), np.zeros(0, dtype=np.float32))
    values_inside = image.array[0][marked].astype(np.float32)
    shares = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return MaskLook(
        channels=int(array.shape[0]),
        voxels=voxels,
        share=float(marked.mean()),
        fill=float(marked.sum() / max(1, _border(marked, _near(image)))),
        extent=tuple(_span(marked, axis) for axis in range(marked.ndim)),
        inside=np.quantile(values_inside[:: max(1, len(values_inside) // 16384)], shares).astype(np.float32),
    )


def mask_facts(looks: Sequence[MaskLook]) -> MaskFacts:
    """Aggregate looks at the masks of the training part.

    Parameters
    ----------
    looks : sequence of MaskLook
    """
    holding = [v for v in looks if v.voxels]
    counts = Counter(str(value) for v in looks for value in v.voxels)
    inside = np.concatenate([v.inside for v in holding]) if holding else np.zeros(1, dtype=np.float32)
    low, high = np.percentile(inside, (0.5, 99.5))
    sizes = np.array([v.extent for v in holding]) if holding else np.ones((1, 2))
    return MaskFacts(
        channels=max((v.channels for v in looks), default=1),
        values={k: counts[k] for k in sorted(counts, key=int)},
        empty=len(looks) - len(holding),
        share=float(np.median([v.share for v in holding])) if holding else 0.0,
        fill=float(np.median([v.fill for v in holding])) if holding else 0.0,
        extent=tuple(round(float(n), 4) for n in np.percentile(sizes, 90, axis=0)),
        inside_low=float(low),
        inside_high=float(high),
        inside_mean=float(inside.mean()),
        inside_std=float(inside.std()),
    )


def _labels(array: AnyArray) -> AnyArray:
    """Return the channels of a mask; red, green and blue that agree are one."""
    if array.shape[0] in (2, 3, 4) and array.dtype == np.uint8 and array.ndim == 3:
        return single_channel(array)  # a picture's channels are colours; a volume's are structures
    return array


def _check_labels(array: AnyArray, values: Sequence[int]) -> None:
    grey = array.dtype == np.uint8 and len(values) > SHADES and values[-1] == 255
    if len(values) > MOST_LABELS or grey:
        raise ReadError(
            f"A mask holds {len(values)} different values.",
            expected="few labels, one for each class",
            next_step="write the mask again as labels: a lossy format blurs them, and a probability map is none",
        )
    if _edges_blurred(array, values):
        raise ReadError(
            f"The edges of a mask are blurred: its values between 0 and {values[-1]} lie at edges only.",
            expected="few labels, one for each class",
            next_step=f"write the mask again with what is above {values[-1] // 2} as one label and the rest as 0: "
            "it was made smaller or drawn smoothly",
        )


def label_doubts(target: str, looks: Sequence[MaskLook]) -> list[str]:
    """Return what a person should know of labels that nobody declared: several that are not counted from 1 on.

    Parameters
    ----------
    target : str
        Name of a mask target without declared classes.
    looks : sequence of MaskLook
    """
    found = sorted({v for look in looks if look.channels == 1 for v in look.voxels})
    if len(found) < 2 or found == list(range(1, len(found) + 1)):
        return []
    shown = ", ".join(str(v) for v in found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
    return [
        f"The masks of {target!r} hold the labels {shown}, which nobody declared: each is taken for a class of its "
        "own. Declare the classes in cohort.yaml, or write the masks again with one number for each class."
    ]


def _edges_blurred(array: AnyArray, values: Sequence[int]) -> bool:
    """Tell whether the values between 0 and the highest only lie on slopes, as where a mask was made smaller.

    A label has an inside: voxels all of whose neighbours are as high, or not lower, or not higher. One that is a thin
    rim everywhere keeps what it lies between apart; a blurred edge does not, where it runs along the voxels.
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    top = values[-1]
    between = [v for v in values if 0 < v < top]
    if array.dtype != np.uint8 or top <= MOST_LABELS or not between or values[0] != 0:
        return False
    plane = array[0]
    low, high = minimum_filter(plane, size=3, mode="nearest"), maximum_filter(plane, size=3, mode="nearest")
    shaded = (plane > 0) & (plane < top)
    slope = shaded & (low < plane) & (plane < high)
    if slope.sum() < AT_EDGES * shaded.sum():
        return False
    return len(between) > 1 or bool(((plane == top) & (_lowest_beside(plane) == 0)).any())


def _lowest_beside(plane: AnyArray) -> AnyArray:
    """Return the lowest value among each voxel and those that share a face with it."""
    from scipy.ndimage import generate_binary_structure, minimum_filter

    cross: AnyArray = generate_binary_structure(plane.ndim, 1)
    found: AnyArray = minimum_filter(plane, footprint=cross, mode="nearest")
    return found


def _near(image: Image) -> tuple[bool, ...]:
    """Tell along which axes neighbours lie close: slices far apart say nothing of how thin a structure is."""
    if image.grid is None:
        return (True,) * image.ndim
    steps = image.grid.spacing_mm[::-1][-image.ndim :]
    return tuple(step <= FAR * min(steps) for step in steps)


def _border(marked: BoolArray, near: tuple[bool, ...]) -> int:
    """Return the number of marked voxels that touch one that is not, along the axes whose voxels lie close."""
    inner = np.ones_like(marked)
    for axis in range(marked.ndim):
        if marked.shape[axis] < 2 or not near[axis]:
            continue
        moved = np.moveaxis(marked, axis, 0)
        close = np.moveaxis(inner, axis, 0)
        close[:-1] &= moved[1:]
        close[1:] &= moved[:-1]
    return int(np.count_nonzero(marked & ~inner))


def _span(marked: BoolArray, axis: int) -> float:
    others = tuple(n for n in range(marked.ndim) if n != axis)
    places = np.flatnonzero(marked.any(axis=others))
    length = int(places[-1]) - int(places[0]) + 1
    return length / int(marked.shape[axis])

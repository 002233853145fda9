"""What was marked in an image, on the image's own grid, and the image it was marked in."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from hounsfield.core.boxes import Box
from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import InputError
from hounsfield.core.image import Grid, Image
from hounsfield.core.types import AnyArray, BoolArray


@dataclass(frozen=True)
class Annotation:
    """Structures marked in one image.

    Parameters
    ----------
    array : numpy.ndarray
        Exclusive classes: labels, uint8 or uint16, ``y x`` or ``z y x``; 0 is nothing, n is ``classes[n - 1]``.
        Classes that may overlap: masks, bool, ``k y x`` or ``k z y x``, one for each class. The dtype tells which.
    classes : tuple of str
        What is marked, without the background; no name twice.
    grid : Grid or None
        The image's own; None of a picture without a place in space.
    probabilities : numpy.ndarray or None
        ``k y x`` or ``k z y x``, 0 to 1, one for each class (the background has none); None where they were not kept.
    uncertainty : numpy.ndarray or None
        ``y x`` or ``z y x``, 0 (sure) to 1 (knows nothing); None where it was not asked for.
    boxes : tuple of Box or None
        Where boxes were asked for, and the array is what they fill; None where it is what was outlined.

    Raises
    ------
    InputError
        If the array is neither labels nor masks of the classes, two classes share a name, or the probabilities or the
        uncertainty have another shape.
    """

    array: AnyArray = field(repr=False)
    classes: tuple[str, ...]
    grid: Grid | None = None
    probabilities: AnyArray | None = field(default=None, repr=False)
    uncertainty: AnyArray | None = field(default=None, repr=False)
    boxes: tuple[Box, ...] | None = None

    def __post_init__(self) -> None:
        array, count = self.array, len(self.classes)
        if self.overlapping:
            sound = array.ndim in (3, 4) and array.shape[0] == count
        else:
            sound = array.dtype in (np.uint8, np.uint16) and array.ndim in (2, 3)
        if not sound or not count or 0 in array.shape:
            raise InputError(
                f"An annotation of {count} classes has an array of {array.dtype} with the shape {array.shape}.",
                expected="labels (uint8 or uint16, y x or z y x), or one bool mask for each class",
                next_step="give it as one of the two",
            )
        if len(set(self.classes)) != count:
            raise InputError(
                "Two classes of an annotation have the same name.",
                expected="a name of its own for each",
                next_step="rename one",
            )
        if not self.overlapping and int(array.max()) > count:
            raise InputError(
                f"An annotation holds the label {int(array.max())} and names {count} classes.",
                expected=f"labels from 0 to {count}",
                next_step="name every class",
            )
        held = self.probabilities
        if held is not None and held.shape != (count, *self.size):
            raise InputError(
                f"The probabilities have the shape {held.shape}.",
                expected=f"one of {(count, *self.size)}",
                next_step="give one map for each class, without the background",
            )
        if self.uncertainty is not None and self.uncertainty.shape != self.size:
            raise InputError(
                f"The map of uncertainty has the shape {self.uncertainty.shape}.",
                expected=f"one of {self.size}",
                next_step="give it on the grid of the image",
            )

    @property
    def overlapping(self) -> bool:
        """Whether a voxel may belong to several classes."""
        return bool(self.array.dtype == np.bool_)

    @property
    def size(self) -> tuple[int, ...]:
        """``y x`` or ``z y x``."""
        shape = self.array.shape[1:] if self.overlapping else self.array.shape
        return tuple(int(n) for n in shape)

    @property
    def ndim(self) -> int:
        """Number of space axes: 2 or 3."""
        return len(self.size)

    def mask(self, index: int) -> BoolArray:
        """Return what is marked as ``classes[index]``: bool, ``y x`` or ``z y x``."""
        marked = self.array[index] if self.overlapping else self.array == index + 1
        return np.asarray(marked, dtype=np.bool_)

    def probability(self, index: int) -> AnyArray | None:
        """Return the probability map of ``classes[index]``, where it was kept."""
        return None if self.probabilities is None else np.asarray(self.probabilities[index])


@dataclass(frozen=True)
class Source:
    """The image that an annotation was drawn on, and where it was read from.

    Parameters
    ----------
    name : str
        The sample's id: files are named after it, and tables name the case by it.
    cohort : Cohort
        Its root is where `ref` is found.
    ref : Ref
        What was read; a DICOM writer opens the same files again.
    image : Image
        As the reader gave it: intensities are measured in it.
    made_at : datetime or None
        When the annotation was made, local time, for formats that state it; None lets them state when the image was
        taken, so that the same input gives the same bytes.
    target : str
        Which target was marked, where an image has several: what numbers mean differs between them.
    """

    name: str
    cohort: Cohort = field(repr=False)
    ref: Ref
    image: Image = field(repr=False)
    made_at: datetime | None = None
    target: str = ""

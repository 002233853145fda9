"""What a mask target outlines, and how the files of a cohort say it."""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray, BoolArray

Layout = Literal["one", "exclusive", "overlapping"]
"""One structure; structures of which a voxel belongs to one at most; structures that may overlap."""

_SHOWN = 5


class Structures(BaseModel):
    """The structures of one mask target.

    Attributes
    ----------
    classes : tuple of str
        Without the background.
    layout : str
        ``one``, ``exclusive`` or ``overlapping``.
    values : tuple of int
        Number that marks each class in a file; ``one``: empty, whatever is not 0 is marked. Overlapping classes are
        channels of the mask, ``values`` are their places.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    classes: tuple[str, ...]
    layout: Layout
    values: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> "Structures":
        if not self.classes or len(set(self.classes)) != len(self.classes):
            raise ValueError("classes must be at least one name, each once")
        if self.layout == "one" and (len(self.classes) != 1 or self.values):
            raise ValueError('layout "one" has one class and no values')
        if self.layout != "one" and (
            len(self.values) != len(self.classes) or len(set(self.values)) != len(self.values)
        ):
            raise ValueError("each class needs a value of its own")
        if self.layout == "exclusive" and 0 in self.values:
            raise ValueError("0 is the background and marks no class")
        return self

    @property
    def width(self) -> int:
        """Number of raw outputs: one per class, and one for the background where classes exclude each other."""
        return len(self.classes) + (self.layout == "exclusive")

    @property
    def planes(self) -> int:
        """Number of label arrays: one, or one for each class that may overlap with others."""
        return len(self.classes) if self.layout == "overlapping" else 1

    def labels(self, mask: AnyArray) -> AnyArray:
        """Return what a mask file says, as labels.

        Parameters
        ----------
        mask : numpy.ndarray
            ``c y x`` or ``c z y x`` as read: one channel, or for overlapping classes one for each.

        Returns
        -------
        numpy.ndarray
            uint8, ``p y x`` or ``p z y x``: 0 nothing, n the n-th class; overlapping classes are 0 and 1 in a plane
            each.

        Raises
        ------
        ReadError
            If the mask holds a label that no class has, or lacks a channel.
        """
        if self.layout == "overlapping":
            if mask.shape[0] <= max(self.values):
                raise ReadError(
                    f"A mask has {mask.shape[0]} channels.",
                    expected=f"one for each of {', '.join(self.classes)}",
                    next_step="write the mask again with all its channels",
                )
            marked = mask[list(self.values)]
            limit = 0.5 if marked.dtype.kind == "f" else 0.0  # a DICOM segmentation may state fractions
            return np.asarray(marked.astype(np.float32) > limit, dtype=np.uint8)
        flat = single_channel(mask)
        if self.layout == "one":
            return np.asarray(flat != 0, dtype=np.uint8)
        unknown = sorted(set(distinct(flat)) - {0, *self.values})
        if unknown:
            raise ReadError(
                f"A mask holds the unknown label {', '.join(str(v) for v in unknown[:_SHOWN])}.",
                expected=", ".join(f"{v} ({c})" for v, c in zip(self.values, self.classes, strict=True)),
                next_step="correct the mask, or declare the label",
            )
        table = np.zeros(max((*self.values, 0)) + 1, dtype=np.uint8)
        table[list(self.values)] = np.arange(1, len(self.values) + 1)
        return np.asarray(table[np.asarray(flat).astype(np.int64)])

    def masks(self, labels: AnyArray) -> BoolArray:
        """Return labels as one mask for each class: bool, ``k y x`` or ``k z y x``."""
        if self.layout == "exclusive":
            return np.stack([labels[0] == place for place in range(1, len(self.classes) + 1)])
        return np.asarray(labels != 0, dtype=np.bool_)


def single_channel(mask: AnyArray) -> AnyArray:
    """Return a mask's one channel, ``1 y x`` or ``1 z y x``; pictures that repeat it as red, green and blue count.

    Raises
    ------
    ReadError
        If the channels differ: colours name no classes.
    """
    if mask.shape[0] == 1:
        return mask
    colours = mask[:3] if mask.shape[0] == 4 else mask[:1] if mask.shape[0] == 2 else mask
    if not (colours == colours[:1]).all():
        raise ReadError(
            f"A mask has {mask.shape[0]} channels that differ.",
            expected="one channel of labels",
            next_step="write it again with one number for each class",
        )
    return colours[:1]


def distinct(mask: AnyArray) -> tuple[int, ...]:
    """Return the labels that a mask holds, ascending.

    Raises
    ------
    ReadError
        If it holds fractions, negative numbers or numbers that are no labels.
    """
    if mask.dtype == np.uint8:
        return tuple(int(v) for v in np.flatnonzero(np.bincount(mask.ravel(), minlength=1)))
    if mask.dtype == np.bool_:
        return tuple(int(v) for v in np.unique(mask))
    found = np.unique(mask)
    whole = np.isfinite(found).all() and bool((found == np.rint(found)).all())
    if not whole or found[0] < 0 or found[-1] > np.iinfo(np.uint16).max:
        raise ReadError(
            f"A mask holds values from {float(found[0]):g} to {float(found[-1]):g} that are no labels.",
            expected="whole numbers from 0 on, one for each class",
            next_step="write the mask again as labels",
        )
    return tuple(int(v) for v in found)

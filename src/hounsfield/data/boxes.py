"""Boxes as answers: a ref that holds them, and a reader that fills them in."""

import math
from collections.abc import Sequence

import numpy as np

from hounsfield.core.boxes import Box
from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.image import Header, Image
from hounsfield.geometry.boxes import filled

READER = "boxes"


def box_ref(image: Ref, boxes: Sequence[Box], *, classes: int, outside: bool = False) -> Ref:
    """Return a ref to the region that boxes of an image fill.

    Parameters
    ----------
    image : Ref
    boxes : sequence of Box
        None: there is nothing in the image.
    classes : int
        How many there are.
    outside : bool
        Whether the region is what they leave free: where loss and score count beside boxes that say nothing.
    """
    listed = ";".join(f"{b.cls} {b.x:g} {b.y:g} {b.width:g} {b.height:g}" for b in boxes)
    part: list[tuple[str, str | int]] = [("reader", image.reader), ("classes", classes), ("boxes", listed)]
    return Ref(READER, image.path, (*part, ("outside", 1)) if outside else tuple(part))


def boxes_of(ref: Ref) -> tuple[Box, ...]:
    """Return the boxes that a ref of `box_ref` holds.

    Raises
    ------
    ReadError
        If they are no boxes.
    """
    found = []
    for text in str(dict(ref.part).get("boxes", "")).split(";"):
        if not text:
            continue
        try:
            cls, *edges = text.split()
            x, y, width, height = (float(e) for e in edges)
            box = Box(x, y, width, height, int(cls))
        except ValueError:
            raise _no_box(ref, f"a box is written as {text!r}") from None
        if not all(math.isfinite(e) for e in (x, y, width, height)) or width <= 0 or height <= 0:
            raise _no_box(ref, f"a box is {width:g} wide and {height:g} high")
        found.append(box)
    return tuple(found)


class BoxReader:
    """Reads boxes as what they fill: bool, ``k y x``, one channel for each class."""

    def sniff(self, head: bytes, name: str) -> bool:
        """Know no file: boxes come from tables."""
        del head, name
        return False

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return the size of the image that they lie in."""
        size = _size(cohort, ref)
        return Header(size, self._classes(ref), 1, READER, 0)

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        """Return what the boxes fill, or leave free.

        Raises
        ------
        ReadError
            If a box is none, lies outside the image, or has a class that there is not.
        """
        size, classes = _size(cohort, ref), self._classes(ref)
        boxes = boxes_of(ref)
        for box in boxes:
            beyond = box.x >= size[1] or box.y >= size[0] or box.x + box.width <= 0 or box.y + box.height <= 0
            if beyond or not 0 <= box.cls < classes:
                where = f"from {box.x:g}, {box.y:g} on, {box.width:g} x {box.height:g}"
                raise _no_box(ref, f"a box {where} lies outside the image of {size[1]} x {size[0]} pixels")
        covered = filled(boxes, (size[0], size[1]), classes=classes)
        if dict(ref.part).get("outside"):
            return Image(np.asarray(~covered.any(axis=0, keepdims=True)))
        return Image(covered)

    def _classes(self, ref: Ref) -> int:
        found = dict(ref.part).get("classes", 1)
        return found if isinstance(found, int) else 1


def _size(cohort: Cohort, ref: Ref) -> tuple[int, ...]:
    from hounsfield.data.readers import header

    size = header(cohort, Ref(str(dict(ref.part).get("reader", "raster")), ref.path)).size
    if len(size) != 2:
        raise ReadError(
            f"Case {case_id(ref.path)}: boxes are given for a volume.",
            expected="boxes in pictures",
            next_step="give masks of volumes, as NIfTI files or DICOM segmentations",
        )
    return size


def _no_box(ref: Ref, found: str) -> ReadError:
    return ReadError(
        f"Case {case_id(ref.path)}: {found}.",
        expected="left, upper edge, width and height in pixels, inside the image",
        next_step="correct the table of boxes, or take the image out of it",
    )

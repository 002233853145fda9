"""Annotations of pictures as PNG: labels with a palette, which viewers show in colour."""

import io
from pathlib import Path

import numpy as np
from PIL import Image as Picture

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.types import AnyArray
from hounsfield.data.annotations.colours import colour
from hounsfield.data.annotations.files import UNCERTAINTY, misfit, refuse, stem, write_whole
from hounsfield.data.annotations.nifti import FOLDER


class PngWriter:
    """Writes label pictures: ``masks/<case>.png``, or ``masks/<case>__<class>.png`` of classes that may overlap.

    Notes
    -----
    The uncertainty, where it was asked for, is ``uncertainty/<case>.png``: grey, 0 sure and 255 knows nothing.
    """

    def accepts(self, answer: Annotation, source: Source) -> str:
        """Refuse volumes, and more classes than a byte can number."""
        if answer.ndim != 2:
            return "the annotation is a volume, and a PNG holds one picture"
        if not answer.overlapping and len(answer.classes) > 255:
            return f"there are {len(answer.classes)} classes, and a PNG with a palette holds 255"
        return misfit(answer, source)

    def write(self, answer: Annotation, source: Source, folder: Path) -> tuple[Path, ...]:
        """Write one annotation."""
        refuse(self.accepts(answer, source), source, instead="NIfTI")
        place, name = folder / FOLDER, stem(source.name)
        unsure: tuple[Path, ...] = ()
        if answer.uncertainty is not None:
            unsure = (write_whole(folder / UNCERTAINTY / f"{name}.png", _grey_png(answer.uncertainty)),)
        if not answer.overlapping:
            return (write_whole(place / f"{name}.png", labels_png(answer.array.astype(np.uint8))), *unsure)
        masks = (
            write_whole(place / f"{name}__{stem(label)}.png", labels_png(answer.mask(index).astype(np.uint8)))
            for index, label in enumerate(answer.classes)
        )
        return (*masks, *unsure)

    def finish(self, folder: Path) -> tuple[Path, ...]:
        """Join nothing: every case has its own files."""
        return ()


def _grey_png(values: AnyArray) -> bytes:
    out = io.BytesIO()
    grey = np.rint(np.clip(values.astype(np.float32), 0.0, 1.0) * 255.0).astype(np.uint8)
    Picture.fromarray(grey, mode="L").save(out, format="PNG", optimize=False)
    return out.getvalue()


def labels_png(labels: AnyArray) -> bytes:
    """Return labels, uint8 ``y x``, as a PNG with a palette: 0 black, every class in its colour."""
    picture = Picture.fromarray(np.ascontiguousarray(labels), mode="L")
    picture.putpalette([0, 0, 0, *(part for n in range(255) for part in colour(n))])
    out = io.BytesIO()
    picture.save(out, format="PNG", optimize=False)
    return out.getvalue()

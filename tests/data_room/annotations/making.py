"""Annotations for tests, on images with and without a place in space."""

import numpy as np
from scipy.ndimage import gaussian_filter

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.image import Grid, Image
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, BoolArray, Float64Array

CLASSES = ("lesion", "病灶")
OBLIQUE = np.array([[0.6, -0.3, 0.4, -10.0], [0.25, 0.7, -0.6, 20.0], [-0.1, 0.35, 2.4, 5.0], [0, 0, 0, 1]])
FLIPPED = np.diag([-0.7, -0.9, 3.0, 1.0])


def blobs(size: tuple[int, ...], seed: int = 0, share: float = 0.15) -> BoolArray:
    """Return smooth shapes of every kind, some with holes."""
    noise = gaussian_filter(
        stream(seed, "blobs").normal(size=size), [1.0 if n < 12 else max(2.5, n / 16) for n in size]
    )
    return np.asarray(noise > np.quantile(noise, 1 - share), dtype=np.bool_)


def labels(size: tuple[int, ...], seed: int = 0) -> AnyArray:
    """Return two exclusive classes."""
    found = np.zeros(size, dtype=np.uint8)
    found[blobs(size, seed)] = 1
    found[blobs(size, seed + 1) & (found == 0)] = 2
    return found


def source(
    size: tuple[int, ...], affine: Float64Array | None = None, *, name: str = "case 1", channels: int = 1
) -> Source:
    """Return an image of random values that did not come as DICOM."""
    values = stream(9, "values").integers(0, 200, size=(channels, *size)).astype(np.uint8)
    image = Image(values, Grid(affine) if affine is not None else None, modality="MR")
    return Source(name, Cohort("toy", "", (), Schema()), Ref("nifti", "a.nii.gz"), image)


def answer(where: Source, array: AnyArray, classes: tuple[str, ...] = CLASSES) -> Annotation:
    return Annotation(array, classes, where.image.grid)

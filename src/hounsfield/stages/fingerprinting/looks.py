"""What is kept of one image for the fingerprint."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hounsfield.core.image import Header, Image
from hounsfield.core.types import Float32Array
from hounsfield.geometry.canonical import canonical_shape

QUANTILES = 100
"""Quantiles kept of each image, at 0.5 %, 1.5 %, ... 99.5 %: the middles of equal shares, so that they count alike and
a single hot pixel in each image moves no pooled percentile."""


@dataclass(frozen=True, slots=True)
class Look:
    """Size, depth and intensities of one image.

    Parameters
    ----------
    size : tuple of int
        ``y x`` or ``z y x``; of a volume that says how it lies, with axes towards superior, anterior, right.
    channels, bits : int
    colour : bool
        Whether the channels differ.
    modality : str
    quantiles : numpy.ndarray
        `QUANTILES` quantiles of the stored values, float32.
    spacing_mm : tuple of float or None
        ``z y x``; None where the image does not say.
    """

    kind: ClassVar[str] = "image"
    size: tuple[int, ...]
    channels: int
    bits: int
    colour: bool
    modality: str
    quantiles: Float32Array
    spacing_mm: tuple[float, ...] | None = None


def look(image: Image, header: Header, *, modality: str = "") -> Look:
    """Keep the facts of one image.

    Parameters
    ----------
    image : Image
        ``c y x`` or ``c z y x``.
    header : Header
        Of the same file.
    modality : str
        DICOM modality code, where it is known.
    """
    flat = image.array.reshape(image.channels, -1)
    step = max(1, flat.shape[1] // 16384)
    few = flat[:, ::step].astype(np.float32)
    colour = image.channels == 3 and bool(np.abs(few - few.mean(axis=0)).max() > 0.02 * max(float(few.max()), 1.0))
    quantiles = np.quantile(few, (np.arange(QUANTILES) + 0.5) / QUANTILES).astype(np.float32)
    size, spacing = canonical_shape(image)
    return Look(size, image.channels, header.bits, colour, modality or image.modality, quantiles, spacing)

"""One look at a decoded image: a small picture and the few numbers that the audit needs of it."""

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from hounsfield.core.image import Header, Image
from hounsfield.core.types import AnyArray, Float32Array

PICTURE = 96
"""Side of the small picture in pixels."""

_TINY = 8
_TILE = PICTURE // 2


@dataclass(frozen=True, eq=False)
class Glance:
    """What the audit keeps of one image after it was decoded once.

    Parameters
    ----------
    sample : str
        Sample id.
    digest : str
        Hash of the decoded pixels and their shape: equal exactly for the same picture, however it is stored.
    picture : uint8 array (y x), 96 x 96
        The grey image averaged over areas and stretched to 0..255; of a volume its mean projections along each
        axis and its middle slice, tiled.
    size : tuple of int
        ``y x`` or ``z y x``.
    file_format : str
        As the reader's header names it.
    bits_per_pixel : float
        Stored bits over pixels.
    brightness, contrast : float
        Mean and standard deviation of the stored values.
    border, border_contrast : float
        The same of the outermost pixels.
    fault : str
        Why the image cannot be used (constant, tiny, not finite), one clause; ``""`` where it can.
    """

    sample: str
    digest: str
    picture: npt.NDArray[np.uint8] = field(repr=False)
    size: tuple[int, ...]
    file_format: str
    bits_per_pixel: float
    brightness: float
    contrast: float
    border: float
    border_contrast: float
    fault: str = ""

    def without_picture(self) -> "Glance":
        """Return the same without the picture, which is most of its size, once no repeats are looked for any more."""
        return replace(self, picture=np.zeros((0, 0), dtype=np.uint8))


def glance(sample_id: str, image: Image, header: Header) -> Glance:
    """Look at one decoded image.

    Parameters
    ----------
    sample_id : str
        Id of the sample that the image belongs to.
    image : Image
        ``c y x`` or ``c z y x``, any dtype.
    header : Header
        What the reader said of the same file.

    Returns
    -------
    Glance
        About 10 KiB, so that tens of thousands of them fit in memory.
    """
    grey = _grey(image.array)
    fault = _fault(grey)
    if fault:
        grey = np.nan_to_num(grey, nan=0.0, posinf=0.0, neginf=0.0)
    edge = _border(grey)
    pixels = max(1, int(np.prod(image.size)))
    return Glance(
        sample=sample_id,
        digest=_digest(image.array),
        picture=_stretch(_tiles(grey) if grey.ndim == 3 else shrink(grey, PICTURE)),
        size=image.size,
        file_format=header.file_format,
        bits_per_pixel=8.0 * header.bytes / pixels,
        brightness=float(grey.mean(dtype=np.float64)),
        contrast=float(grey.std(dtype=np.float64)),
        border=float(edge.mean(dtype=np.float64)),
        border_contrast=float(edge.std(dtype=np.float64)),
        fault=fault,
    )


def shrink(plane: Float32Array, side: int) -> Float32Array:
    """Resize a plane (y x) to a square, averaging over areas where it shrinks.

    Parameters
    ----------
    plane : float32 array (y x)
    side : int
        Side of the result in pixels.
    """
    filter_ = Pillow.Resampling.BOX if min(plane.shape) >= side else Pillow.Resampling.BILINEAR
    picture = Pillow.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    return np.asarray(picture.resize((side, side), filter_), dtype=np.float32)


def _grey(array: AnyArray) -> Float32Array:
    """Return the mean of the colour channels, alpha left out."""
    channels = array.shape[0]
    colour = array[:3] if channels == 4 else array[:1] if channels == 2 else array
    if len(colour) == 1:
        return np.asarray(colour[0], dtype=np.float32)
    return np.asarray(colour.mean(axis=0, dtype=np.float32), dtype=np.float32)


def _digest(array: AnyArray) -> str:
    """Hash the pixels; colour files with equal channels hash as the grey file does."""
    first = array[0]
    same = all(np.array_equal(first, other) for other in array[1:3])
    opaque = len(array) not in (2, 4) or bool(np.all(array[-1] == array[-1].flat[0]))
    kept = array[:1] if same and opaque else array
    kept = np.ascontiguousarray(kept)
    text = hashlib.blake2b(f"{kept.shape}|{kept.dtype.str}".encode(), digest_size=16)
    text.update(kept.view(np.uint8).data)
    return text.hexdigest()


def _fault(grey: Float32Array) -> str:
    height, width = grey.shape[-2:]
    if min(height, width) < _TINY:
        return f"only {height} x {width} pixels"
    if not np.isfinite(grey).all():
        return "values that are not finite numbers"
    if float(grey.min()) == float(grey.max()):
        return "the image is constant"
    return ""


def _border(grey: Float32Array) -> Float32Array:
    """Return the outermost pixels of a plane, or of a volume's slices."""
    sides = (grey[..., 0, :], grey[..., -1, :], grey[..., :, 0], grey[..., :, -1])
    return np.concatenate([side.reshape(-1) for side in sides])


def _tiles(volume: Float32Array) -> Float32Array:
    views = [volume.mean(axis=axis, dtype=np.float32) for axis in range(3)]
    views.append(volume[volume.shape[0] // 2])
    small = [_stretch(shrink(view, _TILE)).astype(np.float32) for view in views]
    return np.block([[small[0], small[1]], [small[2], small[3]]])


def _stretch(picture: Float32Array) -> npt.NDArray[np.uint8]:
    low, high = float(picture.min()), float(picture.max())
    if high <= low:
        return np.zeros(picture.shape, dtype=np.uint8)
    return np.asarray(np.rint((picture - low) * (255.0 / (high - low))), dtype=np.uint8)

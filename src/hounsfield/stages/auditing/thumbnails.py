"""One look at a decoded image: a small picture and the few numbers that the audit needs of it."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from hounsfield.bundle.spool import Spool
from hounsfield.core.image import Header, Image
from hounsfield.core.types import AnyArray, Float32Array
from hounsfield.geometry.canonical import canonical
from hounsfield.stages.auditing.volume_likeness import small_volume

PICTURE = 96
"""Side of the small picture in pixels."""

IMAGE = "image"
_TINY = 8
_TILE = PICTURE // 2


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A small picture or volume in a spool: read when NumPy asks for its values.

    Parameters
    ----------
    spool : Spool
    number : int
        Row.
    """

    spool: Spool
    number: int

    def __array__(
        self,
        dtype: npt.DTypeLike | None = None,
        copy: bool | None = None,  # noqa: FBT001  # NumPy's own signature
    ) -> AnyArray:
        """Return the values."""
        del copy  # what is read from a file is always new
        found: AnyArray = self.spool.take([self.number])[0]
        return found if dtype is None else found.astype(dtype)


Small: TypeAlias = npt.NDArray[np.uint8] | OnDisk


_GONE = np.zeros((0, 0), dtype=np.uint8)


@dataclass(frozen=True, eq=False, slots=True)
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
    volume : uint8 array (z y x) or None
        Of a volume the small one, see `hounsfield.stages.auditing.volume_likeness.small_volume`.
    doubt : str
        What is remarkable about an input that is used all the same, one clause: leads that contradict each other.
    kind : str
        Kind of the input; only an image has a picture, and numbers of one.
    """

    sample: str
    digest: str
    picture: Small = field(repr=False)
    size: tuple[int, ...]
    file_format: str
    bits_per_pixel: float
    brightness: float
    contrast: float
    border: float
    border_contrast: float
    fault: str = ""
    volume: Small | None = field(default=None, repr=False)
    doubt: str = ""
    kind: str = "image"

    def without_picture(self) -> "Glance":
        """Return the same without the picture, which is most of its size, once no repeats are looked for any more."""
        return replace(self, picture=_GONE, volume=None)


class Album:
    """Small pictures of a survey on disk, so that glances are small: 20,000 pictures would be 180 MiB."""

    def __init__(self) -> None:
        self._spools: dict[tuple[int, ...], Spool] = {}
        self._counts: dict[tuple[int, ...], int] = {}

    def put(self, seen: Glance) -> Glance:
        """Return a glance whose picture and volume lie on disk.

        Raises
        ------
        StorageError
            If the system refuses the write.
        """
        if seen.kind != IMAGE:
            return seen
        volume = None if seen.volume is None else self._kept(np.asarray(seen.volume))
        return replace(seen, picture=self._kept(np.asarray(seen.picture)), volume=volume)

    def _kept(self, values: AnyArray) -> OnDisk:
        spool = self._spools.setdefault(values.shape, Spool(values.shape, "uint8"))
        spool.extend(values[None])
        number = self._counts.get(values.shape, 0)
        self._counts[values.shape] = number + 1
        return OnDisk(spool, number)


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
        About 10 KiB, of a volume 23 KiB: see `Album` for many.

    Notes
    -----
    A volume that says how it lies in the patient is turned first, so that one volume in two orientations is one.
    """
    image = canonical(image)
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
        volume=small_volume(grey) if grey.ndim == 3 else None,
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
    kept = np.ascontiguousarray(_plain(kept) if kept.ndim == 4 else kept)
    text = hashlib.blake2b(f"{kept.shape}|{kept.dtype.str}".encode(), digest_size=16)
    text.update(kept.view(np.uint8).data)
    return text.hexdigest()


def _plain(values: AnyArray) -> AnyArray:
    """Return voxels in the smallest type that holds them: formats store one volume as integers or as floats."""
    if values.dtype.kind == "f" and (not np.isfinite(values).all() or not np.array_equal(values, np.rint(values))):
        return values.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    for kind in (np.uint8, np.int16, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values.astype(np.float32)


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

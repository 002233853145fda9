"""Images of any size to arrays that patches are cut from, and probabilities back to the image's own grid."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hounsfield.core.errors import PlanError
from hounsfield.core.image import Image
from hounsfield.core.structures import Structures
from hounsfield.core.types import AnyArray, Float32Array
from hounsfield.geometry.canonical import canonical, canonical_shape, turned_back
from hounsfield.learn.prepare.image import LUMA, resize


class DensePreparation(BaseModel):
    """The plan's section ``preparation`` of the dense road.

    Attributes
    ----------
    ndim : int
        2 or 3.
    channels : dict of str to int
        Input name to its channels, in the order in which they enter the network: of pictures 1 or 3, of volumes as
        many as the training volumes have.
    orientation : str
        ``stored``, or ``RAS``: volumes are turned so that their axes run to the right, to the front and up.
    slices : str
        Empty, or the axis (``z y x``) that volumes are cut across: each slice is judged by a network of planes, and
        prepared volumes have this axis first.
    neighbours : int
        Slices on either side of one that enter with it, as further channels (2.5D); 0: the slice alone.
    spacing_mm : list of float or None
        ``z y x`` that volumes are resampled to, None in it for an axis that stays as it comes; None: all do.
    edge : int or None
        Longest edge that a picture is resized to, its aspect kept; None: as it comes.
    window : dict of str to list of float
        Input name to the two stored values that become -2 and 2, with what lies beyond cut off. An input that is not
        named is brought to zero mean and unit deviation, each image by its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    ndim: Literal[2, 3]
    channels: dict[str, int]
    orientation: Literal["stored", "RAS"] = "stored"
    slices: Literal["", "z", "y", "x"] = ""
    neighbours: int = Field(default=0, ge=0, le=7)
    spacing_mm: list[float | None] | None = None
    edge: int | None = None
    window: dict[str, list[float]] = {}

    @model_validator(mode="after")
    def _sound(self) -> "DensePreparation":
        if not self.channels or min(self.channels.values()) < 1:
            raise ValueError("there is at least one input, and every input has a channel")
        if self.ndim == 2 and not set(self.channels.values()) <= {1, 3}:
            raise ValueError("pictures have 1 or 3 channels")
        if self.spacing_mm is not None and (
            len(self.spacing_mm) != self.ndim or any(s is not None and s <= 0 for s in self.spacing_mm)
        ):
            raise ValueError(f"spacing_mm must have {self.ndim} positive numbers")
        if self.ndim == 2 and (self.spacing_mm is not None or self.orientation != "stored" or self.slices):
            raise ValueError("spacing_mm, orientation and slices are for volumes")
        if self.neighbours and not self.slices:
            raise ValueError("neighbours are those of slices: say along which axis they lie")
        if any(len(w) != 2 or w[0] >= w[1] for w in self.window.values()):
            raise ValueError("a window is two numbers, the lower first")
        return self

    @property
    def width(self) -> int:
        """Channels of the network's input."""
        return sum(self.channels.values()) * self.depth

    @property
    def depth(self) -> int:
        """Slices that enter the network together as channels, 1 where volumes are not cut."""
        return 1 + 2 * self.neighbours

    @property
    def axes(self) -> int:
        """Space axes that the network looks along, 2 or 3."""
        return 2 if self.slices else self.ndim

    @property
    def first(self) -> int:
        """Place of the axis that comes first in what is prepared, 0 to 2 of ``z y x``."""
        return "zyx".index(self.slices) if self.slices else 0


WINDOWED = 2.0
"""Ends of the scale that a window is brought to: about unit deviation for values spread evenly over it."""
FARTHEST = 8.0
"""Deviations from the mean beyond which a value says nothing more."""


def prepared_size(image: Image, spec: DensePreparation) -> tuple[int, ...]:
    """Return the size that an image is prepared to, ``y x`` or ``z y x``, whichever axis comes first afterwards."""
    size, spacing = canonical_shape(image) if spec.orientation == "RAS" else (image.size, _stored_spacing(image))
    if spec.spacing_mm is not None:
        if spacing is None:
            raise PlanError(
                "A volume does not say how it lies in the patient, and the plan needs its spacing.",
                expected="a file with an affine, as those of the training part had",
                next_step="give the file that the volume was made from",
            )
        return tuple(
            n if b is None else max(1, round(n * a / b)) for n, a, b in zip(size, spacing, spec.spacing_mm, strict=True)
        )
    if spec.edge is not None:
        factor = spec.edge / max(size)
        return tuple(max(1, round(n * factor)) for n in size)
    return size


def _stored_spacing(image: Image) -> tuple[float, float, float] | None:
    if image.grid is None:
        return None
    x, y, z = image.grid.spacing_mm
    return z, y, x


def prepare_images(images: Mapping[str, Image], spec: DensePreparation) -> Float32Array:
    """Bring the images of one case to one array.

    Parameters
    ----------
    images : mapping of str to Image
        By input name; further ones are brought to the grid of the first.
    spec : DensePreparation

    Returns
    -------
    numpy.ndarray
        ``c y x`` or ``c z y x``, float32, about zero mean and unit deviation; of volumes that are cut into slices the
        axis across them first.

    Raises
    ------
    PlanError
        If an image has another number of space axes, a volume another number of channels, no place in space where the
        plan needs one, or a size that no affine explains.
    """
    first = images[next(iter(spec.channels))]
    if first.ndim != spec.ndim:
        raise PlanError(
            f"An image has {first.ndim} space axes, the plan is for {spec.ndim}.",
            expected=f"{spec.ndim}D images",
            next_step="plan again on a folder of one kind of images",
        )
    size = prepared_size(first, spec)
    parts = []
    for name, channels in spec.channels.items():
        image = _beside(images[name], first)
        if image.ndim == 3 and image.channels != channels:
            raise PlanError(
                f"A volume has {image.channels} channels where {channels} {'is' if channels == 1 else 'are'} expected.",
                expected=f"volumes of {channels} as in the training part: what its channels mean, nothing says",
                next_step="store the channel that is meant as a volume of its own",
            )
        if spec.orientation == "RAS":
            image = canonical(image)
        values = _scaled(_channels(image.array, channels), spec.window.get(name))
        parts.append(resize(values, size))
    whole: Float32Array = np.concatenate(parts).astype(np.float32, copy=False)
    return np.ascontiguousarray(_first(whole, spec), dtype=np.float32)


def _first(array: AnyArray, spec: DensePreparation) -> AnyArray:
    """Return an array ``c z y x`` with the axis across slices first."""
    return np.ascontiguousarray(np.moveaxis(array, 1 + spec.first, 1)) if spec.first else array


def prepare_labels(labels: AnyArray, image: Image, spec: DensePreparation, structures: Structures) -> AnyArray:
    """Bring labels of an image to the size that it is prepared to.

    Parameters
    ----------
    labels : numpy.ndarray
        uint8, ``p y x`` or ``p z y x``, on the image's grid; see `hounsfield.core.structures.Structures.labels`.
    image : Image
    spec : DensePreparation
    structures : Structures

    Returns
    -------
    numpy.ndarray
        uint8, ``p ...`` of the prepared size: each voxel what most of it is.
    """
    return _first(_on_grid(labels, image, spec, structures), spec)


def _on_grid(labels: AnyArray, image: Image, spec: DensePreparation, structures: Structures) -> AnyArray:
    turned = canonical(Image(labels, image.grid)).array if spec.orientation == "RAS" else labels
    size = prepared_size(image, spec)
    if turned.shape[1:] == size:
        return np.ascontiguousarray(turned)
    if structures.layout == "exclusive":
        shares = resize(structures.masks(turned).astype(np.float32), size)
        nothing = np.float32(1.0) - shares.sum(axis=0, keepdims=True)
        chosen: AnyArray = np.concatenate([nothing, shares]).argmax(axis=0)[None].astype(np.uint8)
        return chosen
    return np.asarray(resize(turned.astype(np.float32), size) >= 0.5, dtype=np.uint8)


def put_back(values: Float32Array, image: Image, spec: DensePreparation) -> Float32Array:
    """Return values of the prepared grid on the image's own.

    Parameters
    ----------
    values : numpy.ndarray
        ``k y x`` or ``k z y x`` as `prepare_images` turns a case, float32: probabilities, never labels.
    image : Image
        What was prepared.
    spec : DensePreparation

    Returns
    -------
    numpy.ndarray
        ``k ...`` of the image's size, float32.
    """
    turned = canonical_shape(image)[0] if spec.orientation == "RAS" else image.size
    lying_so = np.moveaxis(values, 1, 1 + spec.first) if spec.first else values
    back: AnyArray = resize(np.ascontiguousarray(lying_so), turned)
    if spec.orientation == "RAS" and image.grid is not None:
        back = turned_back(back, image.grid.affine_ras)
    lying: Float32Array = np.ascontiguousarray(back, dtype=np.float32)
    return lying


def _beside(image: Image, first: Image) -> Image:
    """Return an image on the grid of the first one."""
    if image is first:
        return image
    if image.grid is None or first.grid is None or image.ndim != 3:
        if image.size == first.size:
            return image
        raise PlanError(
            f"The images of a case have the sizes {_by(first.size)} and {_by(image.size)}.",
            expected="one size, or affines that say how they lie",
            next_step="resample them to one grid",
        )
    if image.size == first.size and np.allclose(image.grid.affine_ras, first.grid.affine_ras, atol=1e-3):
        return image
    from hounsfield.geometry.resampling import resample

    low = float(image.array.min())
    moved = resample(image.array, image.grid.affine_ras, first.grid.affine_ras, first.size, order=1, outside=low)
    return Image(moved, first.grid, image.modality, image.units)


def _channels(array: AnyArray, wanted: int) -> Float32Array:
    values: Float32Array = array.astype(np.float32)
    have = values.shape[0]
    if have == wanted:
        return values
    if have == 4:
        return _channels(values[:3], wanted)
    if have == 2:
        return _channels(values[:1], wanted)  # the second channel of a picture is its opacity
    if wanted == 3 and have == 1:
        return np.repeat(values, 3, axis=0)
    if wanted == 1 and have == 3:
        return np.tensordot(LUMA, values, axes=(0, 0))[None].astype(np.float32)
    mean: Float32Array = values.mean(axis=0, keepdims=True)
    return mean if wanted == 1 else np.repeat(values[:1], wanted, axis=0)


def _scaled(values: Float32Array, window: list[float] | None) -> Float32Array:
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if window is not None:
        low, high = window
        unit = (np.clip(values, low, high) - np.float32(low)) / np.float32(high - low)
        shown: Float32Array = (unit * np.float32(2 * WINDOWED) - np.float32(WINDOWED)).astype(np.float32)
        return shown
    axes = tuple(range(1, values.ndim))
    mean = values.mean(axis=axes, keepdims=True, dtype=np.float64)
    std = values.std(axis=axes, keepdims=True, dtype=np.float64)
    scaled = (values - mean) / np.maximum(std, 1e-6)
    kept: Float32Array = np.clip(scaled, -FARTHEST, FARTHEST).astype(np.float32)
    return kept


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in size)

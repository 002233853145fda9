"""How images of any size become arrays that patches are cut from; their labels, and probabilities back."""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hounsfield.core.errors import PlanError
from hounsfield.core.image import Image
from hounsfield.core.structures import Structures
from hounsfield.core.types import AnyArray, Float32Array
from hounsfield.geometry.canonical import canonical, canonical_shape, turned_back
from hounsfield.learn.prepare.image import resize


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


def sliced(array: AnyArray, spec: DensePreparation) -> AnyArray:
    """Return a view of an array, ``c ...`` as the image lies, with the axis across slices first: as it is prepared."""
    return np.moveaxis(array, 1 + spec.first, 1) if spec.first else array


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
    return np.ascontiguousarray(sliced(_on_grid(labels, image, spec, structures), spec))


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
        ``k y x`` or ``k z y x``, float32, as `hounsfield.learn.dense.case.Case` turns a case: probabilities, never
        labels.
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

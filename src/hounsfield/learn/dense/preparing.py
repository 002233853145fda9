"""How images of any size become arrays that patches are cut from; their labels, and probabilities back."""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

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
        Input name to 1 or 3 channels, in the order in which they enter the network.
    orientation : str
        ``stored``, or ``RAS``: volumes are turned so that their axes run to the right, to the front and up.
    spacing_mm : list of float or None
        ``z y x`` that volumes are resampled to; None: as they come.
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
    spacing_mm: list[float] | None = None
    edge: int | None = None
    window: dict[str, list[float]] = {}

    @model_validator(mode="after")
    def _sound(self) -> "DensePreparation":
        if not self.channels or not set(self.channels.values()) <= {1, 3}:
            raise ValueError("every input has 1 or 3 channels, and there is at least one")
        if self.spacing_mm is not None and (len(self.spacing_mm) != self.ndim or min(self.spacing_mm) <= 0):
            raise ValueError(f"spacing_mm must have {self.ndim} positive numbers")
        if self.ndim == 2 and (self.spacing_mm is not None or self.orientation != "stored"):
            raise ValueError("spacing_mm and orientation are for volumes")
        if any(len(w) != 2 or w[0] >= w[1] for w in self.window.values()):
            raise ValueError("a window is two numbers, the lower first")
        return self

    @property
    def width(self) -> int:
        """Channels of the network's input."""
        return sum(self.channels.values())


def prepared_size(image: Image, spec: DensePreparation) -> tuple[int, ...]:
    """Return the size that an image is prepared to, ``y x`` or ``z y x``."""
    size, spacing = canonical_shape(image) if spec.orientation == "RAS" else (image.size, _stored_spacing(image))
    if spec.spacing_mm is not None:
        if spacing is None:
            raise PlanError(
                "A volume does not say how it lies in the patient, and the plan needs its spacing.",
                expected="a file with an affine, as those of the training part had",
                next_step="give the file that the volume was made from",
            )
        return tuple(max(1, round(n * a / b)) for n, a, b in zip(size, spacing, spec.spacing_mm, strict=True))
    if spec.edge is not None:
        factor = spec.edge / max(size)
        return tuple(max(1, round(n * factor)) for n in size)
    return size


def _stored_spacing(image: Image) -> tuple[float, float, float] | None:
    if image.grid is None:
        return None
    x, y, z = image.grid.spacing_mm
    return z, y, x


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
        ``k y x`` or ``k z y x``, float32: probabilities, never labels.
    image : Image
        What was prepared.
    spec : DensePreparation

    Returns
    -------
    numpy.ndarray
        ``k ...`` of the image's size, float32.
    """
    turned = canonical_shape(image)[0] if spec.orientation == "RAS" else image.size
    back: AnyArray = resize(values, turned)
    if spec.orientation == "RAS" and image.grid is not None:
        back = turned_back(back, image.grid.affine_ras)
    lying: Float32Array = np.ascontiguousarray(back, dtype=np.float32)
    return lying

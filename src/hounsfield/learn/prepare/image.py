"""Images to arrays of one size, dtype and range."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, model_validator

from hounsfield.core.errors import BundleError, PlanError
from hounsfield.core.image import Image
from hounsfield.core.kinds import Content, input_kind
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.geometry.canonical import canonical
from hounsfield.learn.nn.spec import InputShape
from hounsfield.learn.prepare.protocol import Preparation, unfitting

if TYPE_CHECKING:
    from torch import Tensor

    from hounsfield.learn.guard import GuardLimits

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of red, green, blue in grey (ITU-R BT.601)."""


class ImagePreparation(Preparation):
    """How every image is brought to the network: the plan's section ``preparation`` for images.

    Attributes
    ----------
    ndim : int
        2 or 3.
    size : tuple of int
        ``y x`` or ``z y x`` after preparation.
    channels : int
        1 or 3.
    orientation : str
        ``stored``, or ``RAS``: axes exchanged and mirrored so that they run to the right, to the front and up.
    spacing_mm : tuple of float or None
        ``z y x`` to which a volume is resampled before it is fitted to the size; None: as it comes.
    fit : str
        ``stretch`` each axis to the size; ``pad``: keep the aspect ratio and pad with the darkest value; ``centre``:
        keep the scale, cut what lies outside the size about the centre, pad what is missing.
    scale : str
        ``window``: `low` and `high` map to 0 and 1; ``percentile``: the image's own 0.5th and 99.5th percentile do.
    low, high : float
        Window in stored units (HU for CT with units).
    mean, std : float
        Of the prepared training values in [0, 1]; the network sees ``(value - mean) / std``.
    storage : str
        ``uint8`` (8-bit sources lose nothing) or ``float16``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    measured: ClassVar[bool] = True
    ndim: Literal[2, 3] = 2
    size: tuple[int, ...]
    channels: Literal[1, 3] = 1
    orientation: Literal["stored", "RAS"] = "stored"
    spacing_mm: tuple[float, ...] | None = None
    fit: Literal["stretch", "pad", "centre"] = "stretch"
    scale: Literal["window", "percentile"] = "window"
    low: float = 0.0
    high: float = 255.0
    mean: float = 0.5
    std: float = 0.25
    storage: Literal["uint8", "float16"] = "uint8"

    @model_validator(mode="after")
    def _one_size_per_axis(self) -> "ImagePreparation":
        if len(self.size) != self.ndim or min(self.size) < 1:
            raise ValueError(f"size {list(self.size)} must have {self.ndim} positive numbers, one for each space axis")
        if self.ndim == 2 and self.placed:
            raise ValueError("orientation and spacing_mm are for volumes")
        if self.spacing_mm is not None and (len(self.spacing_mm) != self.ndim or min(self.spacing_mm) <= 0):
            raise ValueError(f"spacing_mm {list(self.spacing_mm)} must have {self.ndim} positive numbers, z y x")
        return self

    @property
    def placed(self) -> bool:
        """Whether an image must say how it lies in the patient to be prepared."""
        return self.orientation != "stored" or self.spacing_mm is not None

    @property
    def kind_name(self) -> str:
        """``image``."""
        return "image"

    @property
    def shape(self) -> InputShape:
        """Channels and size."""
        return InputShape(channels=self.channels, ndim=self.ndim, size=self.size)

    @property
    def dtype(self) -> str:
        """As `storage` says."""
        return self.storage

    def prepared(self, content: Content) -> AnyArray:
        """See `prepare`."""
        if not isinstance(content, Image):
            raise unfitting("no image", f"{self.ndim}D images")
        return prepare(content, self)

    def normalised(self, stored: AnyArray) -> Float32Array:
        """See `normalise`."""
        return normalise(stored, self)

    def on_tensors(self, unit: "Tensor") -> "Tensor":
        """Return ``(unit - mean) / std``."""
        return (unit - self.mean) / self.std

    def looks(self, stored: AnyArray) -> Float64Array:
        """See `hounsfield.learn.looks.looks`."""
        from hounsfield.learn.looks import looks

        return looks(stored)

    def described(self, stored: AnyArray) -> Float64Array:
        """See `hounsfield.learn.learners.texture.texture`."""
        from hounsfield.learn.learners.texture import texture

        return texture(stored)

    def blank(self, stored: AnyArray) -> str:
        """Return the reason where an image shows a single grey value."""
        if float(stored.max()) == float(stored.min()):
            return "The image shows one grey value only within the model's window."
        return ""

    def doubts(self, content: Content, limits: "GuardLimits") -> list[str]:
        """Return what of size and colour is unlike the training images."""
        from hounsfield.learn.guard import plain_doubts

        return plain_doubts(content, limits) if isinstance(content, Image) else []

    def self_test(self) -> AnyArray:
        """Return smooth waves and a disc."""
        axes = np.meshgrid(*[np.linspace(-1, 1, n) for n in self.size], indexing="ij")
        radius = np.sqrt(sum(a**2 for a in axes))
        waves = 0.5 + 0.25 * np.sin(5 * axes[0]) + 0.25 * np.cos(7 * axes[-1])
        disc = np.clip(1.5 - 2 * radius, 0, 1) * 0.8 + 0.1 * stream(0, "self-test").random(radius.shape)
        pair = np.stack([np.stack([p] * self.channels) for p in (waves, disc)])
        return np.rint(pair * 255).astype(np.uint8) if self.storage == "uint8" else pair.astype(np.float16)


def as_images(preparation: Mapping[str, Preparation], *, what: str) -> dict[str, ImagePreparation]:
    """Return preparations that are all of images.

    Parameters
    ----------
    preparation : mapping of str to Preparation
        By input name.
    what : str
        What is to be done with them, a key of `hounsfield.core.kinds.InputKind.lacks`.

    Raises
    ------
    BundleError
        If one is of another kind: the message says why that does not go.
    """
    found = {name: spec for name, spec in preparation.items() if isinstance(spec, ImagePreparation)}
    for name, spec in preparation.items():
        if name not in found:
            kind = input_kind(spec.kind_name)
            reason = kind.lacks.get(what, "not in this version")
            raise BundleError(
                f"Input {name!r} is a {kind.name}, and {what} is for models of images: {reason}.",
                expected="a bundle whose inputs are all images",
                next_step="use hu predict or hu evaluate, which take every kind",
            )
    return found


def prepare(image: Image, spec: ImagePreparation) -> AnyArray:
    """Bring one image to the plan's size, channels and range.

    Parameters
    ----------
    image : Image
        ``c y x`` or ``c z y x``, any stored dtype.
    spec : ImagePreparation
        From the plan.

    Returns
    -------
    numpy.ndarray
        ``c y x`` or ``c z y x``: uint8 (0 to 255) or float16 (0 to 1), as `spec.storage` says.

    Raises
    ------
    PlanError
        If the image is 3D and the plan 2D, or the reverse; or if the plan needs to know how a volume lies in the
        patient and it does not say.

    Notes
    -----
    Resizing averages over the area that a new pixel covers (anti-aliased linear interpolation), so that a
    lesion does not depend on which rows a smaller picture happens to keep.
    """
    if image.ndim != spec.ndim:
        raise PlanError(
            f"An image has {image.ndim} space axes, the plan is for {spec.ndim}.",
            expected=f"{spec.ndim}D images",
            next_step="plan again on a folder of one kind of images",
        )
    image = _turned(image, spec)
    values = _channels(image.array.astype(np.float32), spec.channels)
    values = _scaled(values, spec)
    values = _resized(_spaced(values, image, spec), spec)
    stored: AnyArray = (
        np.rint(values * 255.0).astype(np.uint8) if spec.storage == "uint8" else values.astype(np.float16)
    )
    return stored


def normalise(stored: AnyArray, spec: ImagePreparation) -> Float32Array:
    """Return stored values as the network sees them.

    Parameters
    ----------
    stored : numpy.ndarray
        What `prepare` returned, with any leading axes.
    spec : ImagePreparation
        From the plan.

    Returns
    -------
    numpy.ndarray
        float32, about zero mean and unit variance over the training part.
    """
    values = stored.astype(np.float32)
    if stored.dtype == np.uint8:
        values /= 255.0
    values -= np.float32(spec.mean)
    values /= np.float32(spec.std)
    return values


def _turned(image: Image, spec: ImagePreparation) -> Image:
    if not spec.placed:
        return image
    if image.grid is None:
        raise PlanError(
            "A volume does not say how it lies in the patient, and the plan needs its spacing and orientation.",
            expected="a file with an affine, as those of the training part had",
            next_step="give the file that the volume was made from",
        )
    return canonical(image) if spec.orientation == "RAS" else image


def _spaced(values: Float32Array, image: Image, spec: ImagePreparation) -> Float32Array:
    if spec.spacing_mm is None or image.grid is None:
        return values
    there = zip(values.shape[1:], reversed(image.grid.spacing_mm), spec.spacing_mm, strict=True)
    return resize(values, tuple(max(1, round(n * have / want)) for n, have, want in there))


def _channels(values: Float32Array, wanted: int) -> Float32Array:
    have = values.shape[0]
    if have == wanted:
        return values
    if have == 4:
        return _channels(values[:3], wanted)
    if have == 2:
        return _channels(values[:1], wanted)
    if wanted == 3 and have == 1:
        return np.repeat(values, 3, axis=0)
    if wanted == 1 and have == 3:
        return np.tensordot(LUMA, values, axes=(0, 0))[None].astype(np.float32)
    return values.mean(axis=0, keepdims=True) if wanted == 1 else np.repeat(values[:1], wanted, axis=0)


def _scaled(values: Float32Array, spec: ImagePreparation) -> Float32Array:
    low, high = spec.low, spec.high
    if spec.scale == "percentile":
        low, high = (float(v) for v in np.percentile(values, (0.5, 99.5)))
    width = max(high - low, 1e-6)
    scaled: Float32Array = np.clip((values - np.float32(low)) / np.float32(width), np.float32(0), np.float32(1))
    return scaled


def _resized(values: Float32Array, spec: ImagePreparation) -> Float32Array:
    size = spec.size
    if values.shape[1:] == size:
        return values
    if spec.fit == "stretch":
        return resize(values, size)
    if spec.fit == "centre":
        return _centred(values, size)
    factor = min(new / old for new, old in zip(size, values.shape[1:], strict=True))
    inner = tuple(max(1, min(new, round(old * factor))) for new, old in zip(size, values.shape[1:], strict=True))
    small = resize(values, inner)
    before = [(new - old) // 2 for new, old in zip(size, inner, strict=True)]
    after = [new - old - b for new, old, b in zip(size, inner, before, strict=True)]
    return np.pad(small, [(0, 0), *zip(before, after, strict=True)])


def _centred(values: Float32Array, size: tuple[int, ...]) -> Float32Array:
    """Cut and pad about the centre; of an odd difference the greater half lies behind."""
    cut = [
        slice(max(0, (old - new) // 2), max(0, (old - new) // 2) + new)
        for old, new in zip(values.shape[1:], size, strict=True)
    ]
    kept = values[(slice(None), *cut)]
    before = [(new - old) // 2 for old, new in zip(kept.shape[1:], size, strict=True)]
    after = [new - old - b for old, new, b in zip(kept.shape[1:], size, before, strict=True)]
    return np.pad(kept, [(0, 0), *zip(before, after, strict=True)])


def resize(values: Float32Array, size: tuple[int, ...]) -> Float32Array:
    """Resize with anti-aliasing.

    Parameters
    ----------
    values : numpy.ndarray
        ``c y x`` or ``c z y x``, float32.
    size : tuple of int
        New ``y x`` or ``z y x``.

    Returns
    -------
    numpy.ndarray
        float32, within the range of the input.
    """
    import torch
    from torch.nn.functional import adaptive_avg_pool3d, interpolate

    if values.shape[1:] == size:
        return values
    tensor = torch.from_numpy(np.ascontiguousarray(values))[None]
    with torch.inference_mode():
        if len(size) == 2:
            out = interpolate(tensor, size=size, mode="bilinear", antialias=True, align_corners=False)
        else:
            shrunk = tuple(min(old, new) for old, new in zip(values.shape[1:], size, strict=True))
            out = adaptive_avg_pool3d(tensor, shrunk) if shrunk != values.shape[1:] else tensor
            if shrunk != size:
                out = interpolate(out, size=size, mode="trilinear", align_corners=False)
    resized: Float32Array = out[0].numpy()
    return resized


def grey_planes(stored: AnyArray) -> tuple[Float32Array, ...]:
    """Return what a prepared image shows in grey: itself, or the three middle slices of a volume.

    Parameters
    ----------
    stored : numpy.ndarray
        ``c y x`` or ``c z y x``, uint8 or float16, as `prepare` makes it.

    Returns
    -------
    tuple of numpy.ndarray
        Planes, float32, on the scale 0 to 1; of a volume ``y x``, ``z x`` and ``z y``.
    """
    values = stored.astype(np.float32)
    if stored.dtype == np.uint8:
        values /= 255.0
    grey = np.tensordot(LUMA, values, axes=(0, 0)) if values.shape[0] == 3 else values.mean(axis=0)
    if grey.ndim == 2:
        return (grey,)
    z, y, x = (n // 2 for n in grey.shape)
    return grey[z], grey[:, y], grey[:, :, x]

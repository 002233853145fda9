"""From the size that a network sees back to an image's own grid: the way of `prepare` in reverse."""

import numpy as np

from hounsfield.core.image import Image
from hounsfield.core.types import AnyArray, Float32Array
from hounsfield.geometry.canonical import canonical_shape, turned_back
from hounsfield.learn.prepare.image import ImagePreparation, resize


def put_back(values: Float32Array, image: Image, spec: ImagePreparation) -> Float32Array:
    """Return values at the prepared size on the image's own grid.

    Parameters
    ----------
    values : numpy.ndarray
        ``y x`` or ``z y x`` of the plan's size, such as a map of where a network looks.
    image : Image
        What was prepared.
    spec : ImagePreparation

    Returns
    -------
    numpy.ndarray
        float32 of the image's size; 0 where the network saw nothing of the image.
    """
    turned = canonical_shape(image)[0] if spec.orientation == "RAS" else image.size
    inner = resize(_unfitted(values[None].astype(np.float32), _spaced(image, spec, turned), spec.fit), turned)
    back: AnyArray = inner
    if spec.orientation == "RAS" and image.grid is not None:
        back = turned_back(inner, image.grid.affine_ras)
    lying: Float32Array = np.ascontiguousarray(back[0], dtype=np.float32)
    return lying


def _spaced(image: Image, spec: ImagePreparation, turned: tuple[int, ...]) -> tuple[int, ...]:
    """Return the size that the image had before it was fitted."""
    if spec.spacing_mm is None or image.grid is None:
        return turned
    x, y, z = image.grid.spacing_mm
    have = (canonical_shape(image)[1] if spec.orientation == "RAS" else None) or (z, y, x)
    return tuple(max(1, round(n * a / b)) for n, a, b in zip(turned, have, spec.spacing_mm, strict=True))


def _unfitted(values: Float32Array, size: tuple[int, ...], fit: str) -> Float32Array:
    have = values.shape[1:]
    if fit == "stretch":
        return resize(values, size)
    if fit == "pad":
        factor = min(new / old for new, old in zip(have, size, strict=True))
        inner = [max(1, min(new, round(old * factor))) for new, old in zip(have, size, strict=True)]
        starts = [(new - n) // 2 for new, n in zip(have, inner, strict=True)]
        cut = tuple(slice(s, s + n) for s, n in zip(starts, inner, strict=True))
        return resize(np.ascontiguousarray(values[(slice(None), *cut)]), size)
    whole = np.zeros((1, *size), dtype=np.float32)
    shared = [min(new, old) for new, old in zip(have, size, strict=True)]
    there = tuple(slice((old - n) // 2, (old - n) // 2 + n) for old, n in zip(size, shared, strict=True))
    here = tuple(slice((new - n) // 2, (new - n) // 2 + n) for new, n in zip(have, shared, strict=True))
    whole[(slice(None), *there)] = values[(slice(None), *here)]
    return whole

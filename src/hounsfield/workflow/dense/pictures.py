"""Small pictures of what was marked and what should have been."""

import base64
import io

import numpy as np

from hounsfield.core.image import Image
from hounsfield.core.types import BoolArray

EDGE = 220
TRUE = (64, 200, 120)
SAID = (240, 90, 60)


def outlined(image: Image, right: BoolArray, said: BoolArray) -> str:
    """Return one plane of an image with the outlines of truth (green) and prediction (red) as a base64 PNG.

    Parameters
    ----------
    image : Image
        Of a volume the slice with the most of either is shown.
    right, said : numpy.ndarray
        Bool, ``k ...``.
    """
    from PIL import Image as Pillow

    true = np.asarray(right.any(axis=0), dtype=np.bool_)
    found = np.asarray(said.any(axis=0), dtype=np.bool_)
    plane = image.array.astype(np.float32)
    if image.ndim == 3:
        cut = int((true | found).sum(axis=(1, 2)).argmax()) if (true | found).any() else image.size[0] // 2
        plane, true, found = plane[:, cut], true[cut], found[cut]
    finite = np.isfinite(plane)
    low, high = np.percentile(plane[finite], (0.5, 99.5)) if finite.any() else (0.0, 1.0)
    grey = np.clip((np.where(finite, plane, low) - low) / max(float(high - low), 1e-6), 0, 1) * 255
    colours = grey[:3] if len(grey) >= 3 else np.repeat(grey[:1], 3, axis=0)
    picture = np.moveaxis(colours, 0, -1).astype(np.uint8)
    times = max(1, round(EDGE / max(true.shape)))
    if times > 1:
        picture = np.repeat(np.repeat(picture, times, axis=0), times, axis=1)
        true, found = (np.repeat(np.repeat(m, times, axis=0), times, axis=1) for m in (true, found))
    for mask, colour in ((true, TRUE), (found, SAID)):
        picture[_rim(mask)] = colour
    shown = Pillow.fromarray(picture)
    factor = min(1.0, 2 * EDGE / max(shown.size))
    if factor < 1.0:
        shown = shown.resize((round(shown.width * factor), round(shown.height * factor)), Pillow.Resampling.BILINEAR)
    file = io.BytesIO()
    shown.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")


def _rim(mask: BoolArray) -> BoolArray:
    inner = np.pad(mask, 1)
    kept = inner[1:-1, 1:-1] & inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]
    return np.asarray(mask & ~kept)

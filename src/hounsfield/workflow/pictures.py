"""Small pictures of inputs for a report, by their kind."""

import base64
import io
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.image import Image
from hounsfield.core.kinds import Content
from hounsfield.core.signal import Signal
from hounsfield.core.types import Float32Array

if TYPE_CHECKING:
    from PIL import Image as Pillow

THUMB = 160
TRACE = (320, 120)
"""Width and height of a trace, pixels."""
MOST_LEADS = 4
INK, PAPER, LINE = (26, 60, 120), (255, 255, 255), (230, 222, 222)


def picture_of(content: Content) -> str | None:
    """Return one input as a base64 PNG; None of a row, which shows nothing.

    Parameters
    ----------
    content : Image, Signal or Row
    """
    if isinstance(content, Image):
        return thumbnail(content.array.astype(np.float32))
    return trace(content) if isinstance(content, Signal) else None


def thumbnail(array: Float32Array) -> str:
    """Return ``c y x``, or the middle slice of ``c z y x``, as a base64 PNG of at most `THUMB` pixels."""
    from PIL import Image as Pillow

    plane = array if array.ndim == 3 else array[:, array.shape[1] // 2]
    low, high = np.percentile(plane, (0.5, 99.5))
    grey = np.clip((plane - low) / max(float(high - low), 1e-6), 0, 1) * 255
    picture = (
        Pillow.fromarray(grey[0].astype(np.uint8))
        if len(grey) < 3
        else Pillow.fromarray(np.moveaxis(grey[:3], 0, -1).astype(np.uint8))
    )
    scale = THUMB / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return _png(picture.resize(size, Pillow.Resampling.BICUBIC if scale > 1 else Pillow.Resampling.LANCZOS))


def trace(signal: Signal) -> str | None:
    """Return the first leads of a signal drawn one below the other; None where nothing is known.

    Parameters
    ----------
    signal : Signal
        ``l t``; a gap stays a gap, single values of irregular series are dots.
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    known = [row for row in signal.array if np.isfinite(row).any()][:MOST_LEADS]
    if not known:
        return None
    width, height = TRACE
    picture = Pillow.new("RGB", TRACE, PAPER)
    pen = ImageDraw.Draw(picture)
    times = signal.times_s if signal.times_s is not None else np.arange(signal.samples, dtype=np.float64)
    across = (times - times[0]) / max(float(times[-1] - times[0]), 1e-9) * (width - 5) + 2
    strip = height / len(known)
    for place, row in enumerate(known):
        low, high = np.nanpercentile(row, (0.0, 100.0))
        down = (place + 0.92) * strip - (row - low) / max(float(high - low), 1e-6) * 0.84 * strip
        pen.line([(0, (place + 1) * strip - 1), (width, (place + 1) * strip - 1)], fill=LINE)
        for piece in np.split(np.arange(len(row)), np.flatnonzero(~np.isfinite(row))):
            inside = piece[np.isfinite(row[piece])]
            points = [(float(across[i]), float(down[i])) for i in inside]
            if len(points) > 1:
                pen.line(points, fill=INK, width=1)
            elif points:
                x, y = points[0]
                pen.ellipse([x - 1, y - 1, x + 1, y + 1], fill=INK)
    return _png(picture)


def _png(picture: "Pillow.Image") -> str:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")

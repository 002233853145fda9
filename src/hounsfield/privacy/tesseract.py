"""A second opinion on text in pictures: the program tesseract, where a machine has it."""

import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO

import numpy as np

from hounsfield.core.types import AnyArray, BoolArray, Float32Array

PROGRAM = "tesseract"
SECONDS = 60
LEAST_CONFIDENCE = 40.0
LONGEST_SIDE = 1600


def is_present() -> bool:
    """Tell whether the program is installed."""
    return shutil.which(PROGRAM) is not None


def with_second_opinion(find: Callable[[AnyArray], BoolArray]) -> Callable[[AnyArray], BoolArray]:
    """Return a detector that covers what `find` covers and what tesseract reads besides.

    Parameters
    ----------
    find : callable
        A picture ``y x`` or ``y x c`` to a mask ``y x``.
    """

    def both(picture: AnyArray) -> BoolArray:
        mask: BoolArray = find(picture) | tesseract_mask(picture)
        return mask

    return both


def tesseract_mask(picture: AnyArray) -> BoolArray:
    """Return the boxes of words that tesseract reads in a picture: ``y x``, bool.

    Parameters
    ----------
    picture : numpy.ndarray
        ``y x`` or ``y x c``, any dtype.

    Notes
    -----
    Nothing is covered where the program is missing, fails or takes more than a minute: it is a second opinion and the
    first one stands. The picture goes to it through a pipe; no file is written.
    """
    grey = _grey(picture)
    mask = np.zeros(grey.shape, dtype=bool)
    program = shutil.which(PROGRAM)
    if program is None or min(grey.shape) < 8:
        return mask
    zoom = max(1, min(3, LONGEST_SIDE // max(grey.shape)))
    command = [program, "stdin", "stdout", "--psm", "11", "tsv"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; the picture is its input
            command, input=_png(grey, zoom), capture_output=True, timeout=SECONDS, check=True
        )
    except (subprocess.SubprocessError, OSError):
        return mask
    for left, top, width, height in _words(done.stdout.decode("utf-8", "replace")):
        margin = 2 + height // 4
        rows = slice(max(0, (top - margin) // zoom), (top + height + margin) // zoom + 1)
        mask[rows, max(0, (left - margin) // zoom) : (left + width + margin) // zoom + 1] = True
    return mask


def _grey(picture: AnyArray) -> Float32Array:
    values = np.asarray(picture, dtype=np.float32)
    grey: Float32Array = values[..., :3].max(axis=-1) if values.ndim == 3 else values
    low, high = (float(v) for v in np.percentile(grey, [0.1, 99.9]))
    stretched: Float32Array = np.clip((grey - low) * (255.0 / max(high - low, 1e-6)), 0, 255).astype(np.float32)
    return stretched


def _png(grey: Float32Array, zoom: int) -> bytes:
    from PIL import Image

    image = Image.fromarray(grey.astype(np.uint8))
    packed = BytesIO()
    image.resize((image.width * zoom, image.height * zoom), Image.Resampling.BICUBIC).save(packed, "PNG")
    return packed.getvalue()


def _words(table: str) -> list[tuple[int, int, int, int]]:
    """Return left, top, width and height of the words of at least two letters or digits that were read with trust."""
    found = []
    for line in table.splitlines()[1:]:
        cells = line.split("\t")
        if len(cells) < 12 or float(cells[10]) < LEAST_CONFIDENCE:
            continue
        if sum(c.isalnum() for c in cells[11]) >= 2:
            left, top, width, height = (int(cell) for cell in cells[6:10])
            found.append((left, top, width, height))
    return found

"""Colour spaces of DICOM as RGB."""

import numpy as np

from hounsfield.core.types import AnyArray

_FULL = np.array([[1.0, 1.0, 1.0], [0.0, -0.114 * 1.772 / 0.587, 1.772], [1.402, -0.299 * 1.402 / 0.587, 0.0]])
_PARTIAL = np.array([[1.1644, 1.1644, 1.1644], [0.0, -0.3918, 2.0172], [1.5960, -0.8130, 0.0]])


def rgb(array: AnyArray, photometric: str, stored: int) -> AnyArray:
    """Return luminance and colour differences as red, green and blue.

    Parameters
    ----------
    array : numpy.ndarray
        ``y x c``, unsigned.
    photometric : str
        ``YBR_FULL`` and its subsampled form, or ``YBR_PARTIAL_*``, whose range is 16 to 235.
    stored : int
        Bits of a sample: its middle stands for no colour.

    Returns
    -------
    numpy.ndarray
        ``y x c`` of the same dtype, rounded and cut at its range.

    References
    ----------
    DICOM PS3.3 C.7.6.3.1.2.
    """
    partial = photometric.startswith("YBR_PARTIAL")
    middle, top = 1 << (stored - 1), (1 << stored) - 1
    black = 16 << (stored - 8) if partial and stored >= 8 else 0
    base = np.array([black, middle, middle], np.float32)
    matrix = (_PARTIAL if partial else _FULL).astype(np.float32)
    out = np.empty(array.shape, array.dtype)
    step = max(1, (1 << 22) // max(1, array.shape[1] * 3))  # rows at a time: floats take four times the room
    for begin in range(0, array.shape[0], step):
        mixed = (array[begin : begin + step].astype(np.float32) - base) @ matrix
        out[begin : begin + step] = np.clip(np.floor(mixed + 0.5), 0, top).astype(array.dtype)
    return out

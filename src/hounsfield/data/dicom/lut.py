"""From stored values to what the modality measured, and to what a window shows of it."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.data.dicom import values
from hounsfield.data.dicom.form import Form, refused
from hounsfield.data.dicom.functional import group_of
from hounsfield.data.dicom.tables import Lookup, lookup

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


_BLOCK = 1 << 20


@dataclass(frozen=True)
class Line:
    """Stored value x slope + intercept."""

    slope: float
    intercept: float


@dataclass(frozen=True)
class Window:
    """A VOI window, in the units of the modality.

    Parameters
    ----------
    center, width : float
    function : str
        ``LINEAR``, ``LINEAR_EXACT`` or ``SIGMOID``.
    """

    center: float
    width: float
    function: str = "LINEAR"


def modality_of(dataset: "Dataset", form: Form, number: int) -> Line | Lookup | None:
    """Return how stored values become the modality's, for one frame; None where they are the same.

    Raises
    ------
    ReadError
        If it is stated and cannot be read: values that are off by a factor are worse than none.
    """
    place = group_of(dataset, number, "PixelValueTransformationSequence") or dataset
    tables = values.items(place, "ModalityLUTSequence")
    if tables:
        return lookup(tables[0], form.case, signed=form.signed, little=form.little)
    if values.text(dataset, "Modality") == "RTDOSE" and values.stated(dataset, "DoseGridScaling"):
        return _line(dataset, form, "DoseGridScaling", "")
    line = _line(place, form, "RescaleSlope", "RescaleIntercept")
    return None if line == Line(1.0, 0.0) else line


def is_hounsfield(dataset: "Dataset", number: int = 0) -> bool:
    """Tell whether the values of a CT frame are HU: its rescale says so, or says nothing and is no map of something."""
    place = group_of(dataset, number, "PixelValueTransformationSequence") or dataset
    return values.text(place, "RescaleType").upper() in ("", "HU", "HU_MOD")


def _line(place: "Dataset", form: Form, slope: str, intercept: str) -> Line:
    found = []
    for keyword, absent in ((slope, 1.0), (intercept, 0.0)):
        value = values.number(place, keyword) if keyword else absent
        if value is None and values.stated(place, keyword):
            raise refused(form.case, f"{keyword} cannot be read", "a finite number")
        found.append(absent if value is None else value)
    if found[0] == 0:
        raise refused(form.case, f"{slope} is 0", "a number that keeps the pixels apart")
    return Line(*found)


def measured(stored: AnyArray, transform: Line | Lookup | None) -> AnyArray:
    """Return stored values as the modality means them.

    Parameters
    ----------
    stored : numpy.ndarray
        Any shape.
    transform : Line, Lookup or None
        As `modality_of` gives it.

    Returns
    -------
    numpy.ndarray
        Same shape. As stored where nothing is to be applied; uint16 from a table; int16 or int32 where slope and
        intercept are whole numbers and the results fit, else float32.
    """
    if transform is None:
        return stored
    if isinstance(transform, Lookup):
        return transform.of(stored)
    whole = float(transform.slope).is_integer() and float(transform.intercept).is_integer()
    if whole and stored.dtype.kind in "ui" and stored.size:
        ends = sorted(
            int(end) * int(transform.slope) + int(transform.intercept) for end in (stored.min(), stored.max())
        )
        for kind in (np.int16, np.int32):
            if np.iinfo(kind).min <= ends[0] and ends[1] <= np.iinfo(kind).max:
                return _in_blocks(stored, transform, np.dtype(kind))
    return _in_blocks(stored, transform, np.dtype(np.float32))


def _in_blocks(stored: AnyArray, line: Line, kind: np.dtype[np.generic]) -> AnyArray:
    """Compute in float64, which is exact for what fits 32 bits, a block at a time: the whole would take eight bytes."""
    out = np.empty(stored.shape, kind)
    flat_in, flat_out = stored.reshape(-1), out.reshape(-1)
    for begin in range(0, flat_in.size, _BLOCK):
        block = flat_in[begin : begin + _BLOCK].astype(np.float64)
        block *= line.slope
        block += line.intercept
        flat_out[begin : begin + _BLOCK] = block
    return out


def windows_of(dataset: "Dataset", number: int = 0) -> tuple[Window, ...]:
    """Return the VOI windows that are stated for a frame, the first being the preferred one."""
    place = group_of(dataset, number, "FrameVOILUTSequence") or dataset
    centers, widths = values.numbers(place, "WindowCenter"), values.numbers(place, "WindowWidth")
    function = values.text(place, "VOILUTFunction").upper() or "LINEAR"
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        return ()
    least = 1.0 if function == "LINEAR" else math.ulp(0.0)
    pairs = zip(centers, widths, strict=False)
    return tuple(Window(center, width, function) for center, width in pairs if width >= least)


def windowed(array: AnyArray, window: Window) -> Float32Array:
    """Return what a window shows: 0 for black, 1 for white.

    Parameters
    ----------
    array : numpy.ndarray
        Values of the modality.
    window : Window
        What of them is shown.

    Returns
    -------
    numpy.ndarray
        float32, same shape, 0 to 1.

    References
    ----------
    DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3.
    """
    out = np.empty(array.shape, np.float32)
    flat_in, flat_out = array.reshape(-1), out.reshape(-1)
    for begin in range(0, flat_in.size, _BLOCK):
        flat_out[begin : begin + _BLOCK] = _seen(flat_in[begin : begin + _BLOCK].astype(np.float64), window)
    return out


def _seen(x: Float64Array, window: Window) -> Float64Array:
    if window.function == "SIGMOID":
        steep = np.clip(-4.0 * (x - window.center) / window.width, -80.0, 80.0)
        return np.asarray(1.0 / (1.0 + np.exp(steep)))
    if window.function == "LINEAR_EXACT":
        shown = (x - window.center) / window.width + 0.5
    elif window.width == 1:
        shown = (x > window.center - 0.5).astype(np.float64)
    else:
        shown = (x - (window.center - 0.5)) / (window.width - 1) + 0.5
    return np.asarray(np.clip(shown, 0.0, 1.0))


def shown(dataset: "Dataset", array: AnyArray, form: Form, number: int = 0) -> Float32Array | None:
    """Return values of the modality as the VOI LUT or the first window shows them, 0 to 1; None without either.

    Raises
    ------
    ReadError
        If a VOI LUT is stated and incomplete.
    """
    tables = values.items(dataset, "VOILUTSequence")
    if tables and array.dtype.kind in "ui":
        table = lookup(tables[0], form.case, signed=bool(array.dtype.kind == "i"), little=form.little)
        top = max(int(table.entries.max()), (1 << table.bits) - 1)
        return np.asarray(table.of(array) / np.float32(top), dtype=np.float32)
    windows = windows_of(dataset, number)
    return windowed(array, windows[0]) if windows else None

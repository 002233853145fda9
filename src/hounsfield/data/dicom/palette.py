"""Palettes: stored values as colours."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hounsfield.core.types import AnyArray
from hounsfield.data.dicom import values
from hounsfield.data.dicom.form import Form, refused
from hounsfield.data.dicom.tables import Lookup, descriptor, expanded, words

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_COLOURS = ("Red", "Green", "Blue")


def has_palette(dataset: "Dataset") -> bool:
    """Tell whether a data set states the three tables of a palette."""
    return all(values.stated(dataset, f"{colour}PaletteColorLookupTableDescriptor") for colour in _COLOURS)


def palette(dataset: "Dataset", form: Form) -> tuple[Lookup, Lookup, Lookup]:
    """Return the tables for red, green and blue.

    Raises
    ------
    ReadError
        If one of them is missing, too short, or made of segments that make no sense.
    """
    red, green, blue = (_table(dataset, form, colour) for colour in _COLOURS)
    return red, green, blue


def coloured(array: AnyArray, tables: tuple[Lookup, Lookup, Lookup]) -> npt.NDArray[np.uint8]:
    """Return stored values as ``c y x`` of 8 bits.

    Entries of 16 bits give their upper eight; a table that says 16 and means 8, as some writers do, is known by
    its entries, none of which is above 255.
    """
    deep = any(table.bits > 8 for table in tables) and any(int(table.entries.max()) > 255 for table in tables)
    shift = max(table.bits for table in tables) - 8 if deep else 0
    planes = [np.minimum(table.of(array) >> shift, 255).astype(np.uint8) for table in tables]
    return np.stack(planes)


def supplemental(
    grey: npt.NDArray[np.uint8], stored: AnyArray, tables: tuple[Lookup, Lookup, Lookup]
) -> npt.NDArray[np.uint8]:
    """Return a grey picture with the colours of a supplemental palette on it.

    Parameters
    ----------
    grey : numpy.ndarray
        uint8 ``y x``: what the picture is without its colours.
    stored : numpy.ndarray
        ``y x`` stored values; those from the tables' first value on are colours, those below are grey.
    tables : tuple of Lookup
        Red, green, blue.

    References
    ----------
    DICOM PS3.3 C.7.6.19.
    """
    marked = stored.astype(np.int64) >= tables[0].first
    return np.where(marked[None], coloured(stored, tables), grey[None]).astype(np.uint8)


def _table(dataset: "Dataset", form: Form, colour: str) -> Lookup:
    stated = descriptor(dataset, f"{colour}PaletteColorLookupTableDescriptor", signed=form.signed)
    if stated is None or not 1 <= stated[2] <= 16:
        raise refused(form.case, "a palette has no descriptor that can be read", "three numbers for each colour")
    entries, first, bits = stated
    plain, segmented = (f"{kind}{colour}PaletteColorLookupTableData" for kind in ("", "Segmented"))
    found: npt.NDArray[np.uint16] | None
    if values.stated(dataset, plain):
        found = words(dataset, plain, entries, little=form.little)
    else:
        found = expanded(words(dataset, segmented, 0, little=form.little))
    if found is None or len(found) < entries:
        raise refused(form.case, "a palette is shorter than it states, or makes no sense", f"{entries} entries")
    return Lookup(found[:entries], first, bits)

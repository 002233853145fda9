"""Structure sets of radiotherapy: contours as masks on the grid of the volume they were drawn on."""

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.types import Float64Array
from hounsfield.data.dicom import values
from hounsfield.data.dicom.assembling import Volume
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.fields import items, text, whole
from hounsfield.data.dicom.masks import Mask, check_masks, code_of
from hounsfield.geometry.affines import lps_to_ras
from hounsfield.geometry.contours import Filled, fill_slices

if TYPE_CHECKING:
    from pydicom import Dataset

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_MOST_CONTOURS = 200_000


def contour_masks(
    dataset: "Dataset", entry: Entry, volume: Volume, *, only: frozenset[int] | None = None
) -> tuple[Mask, ...]:
    """Read the masks of a structure set.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The structure set.
    entry : Entry
        What the index has of the file.
    volume : Volume
        What the contours were drawn on; it must be regular.
    only : frozenset of int or None
        Numbers of the regions of interest that are wanted; all by default.

    Returns
    -------
    tuple of Mask
        One for every region of interest with closed contours on the volume, in the order of their numbers.

    Raises
    ------
    ReadError
        If the volume is not regular, or the structure set has no usable contour at all.

    Notes
    -----
    A voxel belongs to a structure if its centre lies inside an odd number of its contours on that slice, which makes
    inner contours holes. Slices between contours are not invented: what was drawn on every second slice stays so, and
    is told.
    """
    if not volume.regular:
        raise _bad(entry, "lies on a volume with missing or uneven slices")
    names = _names(dataset)
    seen = {whole(i.get("ReferencedROINumber")) or 0: i for i in items(dataset, "RTROIObservationsSequence")}
    every = items(dataset, "ROIContourSequence")
    drawn = [i for i in every if only is None or (whole(i.get("ReferencedROINumber")) or 0) in only]
    check_masks(len(drawn), volume, 1, entry)
    masks = []
    for item in drawn:
        number = whole(item.get("ReferencedROINumber")) or 0
        contours, skipped = _contours(item)
        if not contours:
            continue
        filled = fill_slices(contours, lps_to_ras(volume.affine_ras), volume.size)
        if not filled.slices:
            continue
        kind = code_of(seen.get(number), "RTROIIdentificationCodeSequence")
        name = names.get(number) or f"ROI {number}"
        masks.append(Mask(name, number, filled.mask, kind=kind, notes=_notes(filled, skipped)))
    if not masks:
        raise _bad(entry, "has no closed contour on the slices of the volume")
    return tuple(sorted(masks, key=lambda m: m.number))


def closed_contours(item: "Dataset") -> bool:
    """Tell whether a region of interest was drawn: its sequence has a closed contour, by its kind alone."""
    kinds = (text(c.get("ContourGeometricType")).upper() for c in items(item, "ContourSequence"))
    return any(kind in ("", *_CLOSED) for kind in kinds)


def _contours(item: "Dataset") -> tuple[list[Float64Array], int]:
    """Return the closed contours of a region of interest (``n 3``, LPS mm), and how many others there are."""
    contours: list[Float64Array] = []
    skipped = 0
    for contour in items(item, "ContourSequence")[:_MOST_CONTOURS]:
        kind = text(contour.get("ContourGeometricType")).upper() or _CLOSED[0]
        points = _points(contour)
        if kind not in _CLOSED or points is None or len(points) < 3:
            skipped += 1
        else:
            contours.append(points)
    return contours, skipped


def _points(contour: "Dataset") -> Float64Array | None:
    """Return the corners of a contour, ``n 3``; None where they are no numbers or not three for each."""
    flat = values.decimals(contour, "ContourData")
    return flat.reshape(-1, 3) if len(flat) and len(flat) % 3 == 0 and np.isfinite(flat).all() else None


def _names(dataset: "Dataset") -> dict[int, str]:
    described = items(dataset, "StructureSetROISequence")
    return {whole(i.get("ROINumber")) or 0: text(i.get("ROIName")) for i in described}


def _notes(filled: Filled, skipped: int) -> tuple[str, ...]:
    counted = (
        (skipped, "contours are points, open lines or damaged and were left out"),
        (filled.outside, "contours lie beyond the volume"),
        (filled.slanted, "contours do not lie in one slice and were left out"),
        (filled.repeated, "contours came twice and were taken once"),
        (len(filled.skipped), "slices between contours have none"),
    )
    return tuple(f"{count} {text}" for count, text in counted if count)


def _bad(entry: Entry, found: str) -> ReadError:
    return ReadError(
        f"Case {case_id(entry.path)}: a structure set {found}.",
        expected="closed contours on a regular volume",
        next_step="leave it out",
    )

"""Enhanced multi-frame files: each frame's place and what it shows, from shared and per-frame functional groups."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hounsfield.core.errors import ReadError, case_id
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.fields import first, items, number, numbers, text, whole, words
from hounsfield.data.dicom.planes import Plane, fault_of

if TYPE_CHECKING:
    from pydicom import Dataset

_PLACES = frozenset({0x00200032, 0x00200037, 0x00209056, 0x00209057, 0x00209113, 0x00209116, 0x00201041})
"""Dimension pointers that count along space: position, orientation, stack, place in the stack, slice location."""
_TYPES = ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence", "XRay3DFrameTypeSequence")


def frames_of(entry: Entry, dataset: "Dataset") -> tuple[Plane, ...]:
    """Return the planes of an enhanced multi-frame file, in the order of its frames.

    Parameters
    ----------
    entry : Entry
        What the index has of the file.
    dataset : pydicom.Dataset
        Its header; pixels are not needed.

    Raises
    ------
    ReadError
        If it has no functional groups, fewer than frames, or a frame without a place.
    """
    shared = first(dataset, "SharedFunctionalGroupsSequence")
    own = items(dataset, "PerFrameFunctionalGroupsSequence")
    frames = whole(dataset.get("NumberOfFrames")) or 1
    if len(own) != frames:
        raise _bad(entry, f"{frames} frames, but {len(own)} descriptions of frames")
    along = _other_dimensions(dataset)
    return tuple(_plane(entry, (shared, group), frame, along) for frame, group in enumerate(own))


def _plane(entry: Entry, groups: "tuple[Dataset | None, Dataset]", frame: int, along: tuple[int, ...] | None) -> Plane:
    def found(sequence: str, keyword: str) -> object:
        for holder in reversed(groups):
            item = first(holder, sequence)
            value: object = item.get(keyword) if item is not None else None
            if value is not None:
                return value
        return None

    position = numbers(found("PlanePositionSequence", "ImagePositionPatient"), 3)
    orientation = numbers(found("PlaneOrientationSequence", "ImageOrientationPatient"), 6)
    spacing = numbers(found("PixelMeasuresSequence", "PixelSpacing"), 2)
    fault = fault_of(position, orientation, spacing)
    if fault or position is None or orientation is None or spacing is None:
        raise _bad(entry, f"a frame with {fault}")
    between = number(found("PixelMeasuresSequence", "SpacingBetweenSlices"))
    values = found("FrameContentSequence", "DimensionIndexValues")
    return Plane(
        entry,
        frame=frame,
        tile=-1,
        size=(entry.rows, entry.columns),
        position_lps=position,  # type: ignore[arg-type]  # numbers() counts them
        orientation_lps=orientation,  # type: ignore[arg-type]  # numbers() counts them
        spacing_mm=(spacing[0], spacing[1]),
        depth_mm=between or number(found("PixelMeasuresSequence", "SliceThickness")),
        image_type=_frame_type(entry, found),
        echo_ms=number(found("MREchoSequence", "EffectiveEchoTime")),
        b_value=number(found("MRDiffusionSequence", "DiffusionBValue")),
        stack=text(found("FrameContentSequence", "StackID")),
        temporal=whole(found("FrameContentSequence", "TemporalPositionIndex")),
        acquisition=entry.acquisition_number,
        trigger_ms=number(found("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime")),
        dimensions=_at(values, along),
    )


def _frame_type(entry: Entry, found: Callable[[str, str], object]) -> tuple[str, ...]:
    for sequence in _TYPES:
        told = words(found(sequence, "FrameType"))
        if told:
            return (*told, *words(found(sequence, "ComplexImageComponent")))
    return entry.image_type


def _other_dimensions(dataset: "Dataset") -> tuple[int, ...] | None:
    """Return which dimension indices count something other than a place; None where dimensions are not described."""
    described = items(dataset, "DimensionIndexSequence")
    if not described:
        return None
    pointers = [whole(item.get("DimensionIndexPointer")) or 0 for item in described]
    return tuple(n for n, pointer in enumerate(pointers) if pointer not in _PLACES)


def _at(values: object, along: tuple[int, ...] | None) -> tuple[int, ...]:
    if not along or not isinstance(values, Sequence) or isinstance(values, str | bytes):
        return ()
    return tuple(whole(values[n]) or 0 for n in along if n < len(values))


def _bad(entry: Entry, found: str) -> ReadError:
    return ReadError(
        f"Case {case_id(entry.path)}: a multi-frame file has {found}.",
        expected="functional groups that say where each frame lies",
        next_step="export it again, or leave it out",
    )

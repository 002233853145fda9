"""DICOM segmentations (binary, fractional, label maps) as masks on the grid of the volume they were drawn on."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.dicom.assembling import Volume
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.fields import first, items, number, text, whole
from hounsfield.data.dicom.masks import Code, Mask, check_masks, code_of
from hounsfield.data.dicom.multiframe import frames_of
from hounsfield.data.dicom.planes import Plane
from hounsfield.data.dicom.stacking import Stack, heights, stack
from hounsfield.geometry.affines import apply, inverse
from hounsfield.geometry.resampling import resample

if TYPE_CHECKING:
    from pydicom import Dataset

_ON_GRID = 0.05
"""Share of a voxel by which a frame may lie beside the volume's voxels and still be put there as it is."""
_MOST_SEGMENTS = 5000
_MOST_SLICES = 20_000
_KEPT_BYTES = 512 << 20
_SEGMENT = "SegmentIdentificationSequence"


@dataclass(frozen=True)
class Segment:
    """What one segment marks.

    Parameters
    ----------
    number : int
    name : str
        Segment label.
    category, kind : Code or None
    """

    number: int
    name: str
    category: Code | None = None
    kind: Code | None = None


def segments_of(dataset: "Dataset") -> tuple[Segment, ...]:
    """Return the segments that a segmentation describes, in the order of their numbers."""
    described = []
    for item in items(dataset, "SegmentSequence")[:_MOST_SEGMENTS]:
        place = whole(item.get("SegmentNumber")) or 0
        name = text(item.get("SegmentLabel")) or f"segment {place}"
        category = code_of(item, "SegmentedPropertyCategoryCodeSequence")
        described.append(Segment(place, name, category, code_of(item, "SegmentedPropertyTypeCodeSequence")))
    return tuple(sorted((s for s in described if s.number > 0), key=lambda s: s.number))


def segmentation_masks(
    dataset: "Dataset", entry: Entry, volume: Volume, *, only: frozenset[int] | None = None
) -> tuple[Mask, ...]:
    """Read the masks of a DICOM segmentation.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Opened with its pixels.
    entry : Entry
        What the index has of the file.
    volume : Volume
        What the segmentation was drawn on; it must be regular.
    only : frozenset of int or None
        Numbers of the segments that are wanted; all by default.

    Returns
    -------
    tuple of Mask
        One for every segment, overlapping ones each whole; a segment without frames is an empty mask. Bool, or float32
        from 0 to 1 for a fractional segmentation.

    Raises
    ------
    ReadError
        If the segmentation has no place in space, cannot be decoded, or the volume is not regular.

    Notes
    -----
    Frames that lie on the volume's own pixels are put there unchanged. Others (another matrix, direction or slice
    distance) are stacked and resampled, with the nearest value for binary masks and linearly for fractions; the mask
    says so.
    """
    if not volume.regular:
        raise _bad(entry, "lies on a volume with missing or uneven slices", "a regular volume")
    segments = [s for s in segments_of(dataset) if only is None or s.number in only]
    check_masks(len(segments), volume, 4 if _is_fractional(dataset) else 1, entry)
    planes = frames_of(entry, dataset)
    by_segment = _frames_by_segment(dataset, planes)
    frames = _Frames(dataset)
    masks = []
    for segment in segments:
        mask, notes = _placed(frames, by_segment.get(segment.number, []), segment.number, volume)
        masks.append(Mask(segment.name, segment.number, mask, segment.category, segment.kind, notes))
    return tuple(masks)


def _frames_by_segment(dataset: "Dataset", planes: Sequence[Plane]) -> dict[int, list[Plane]]:
    segments = [s.number for s in segments_of(dataset)]
    if _is_label_map(dataset):
        return {segment: list(planes) for segment in segments}
    shared = first(dataset, "SharedFunctionalGroupsSequence")
    found: dict[int, list[Plane]] = defaultdict(list)
    for plane, group in zip(planes, items(dataset, "PerFrameFunctionalGroupsSequence"), strict=True):
        told = first(group, _SEGMENT) or first(shared, _SEGMENT)
        segment = whole(told.get("ReferencedSegmentNumber")) if told is not None else None
        if segment is not None:
            found[segment].append(plane)
        elif len(segments) == 1:
            found[segments[0]].append(plane)
    return found


class _Frames:
    """The frames of a segmentation: of a label map each is decoded once, not once for each of its segments."""

    def __init__(self, dataset: "Dataset") -> None:
        self.fractional = _is_fractional(dataset)
        self._dataset = dataset
        self._labels = _is_label_map(dataset)
        self._most = number(dataset.get("MaximumFractionalValue")) or 255.0
        self._kept: dict[int, AnyArray] = {}
        self._room = _KEPT_BYTES

    def values(self, plane: Plane, segment: int) -> AnyArray:
        """Return the values of a segment in one frame: 0 and 1, or fractions."""
        from hounsfield.data.dicom.pixels import stored_frame

        frame = self._kept.get(plane.frame)
        if frame is None:
            frame = stored_frame(self._dataset, plane.frame)
            if self._labels and frame.nbytes <= self._room:
                self._kept[plane.frame] = frame
                self._room -= frame.nbytes
        if self._labels:
            return np.asarray(frame == segment)
        if self.fractional:
            return np.asarray(frame, dtype=np.float32) / np.float32(self._most)
        return np.asarray(frame != 0)


def _placed(frames: _Frames, planes: list[Plane], segment: int, volume: Volume) -> tuple[AnyArray, tuple[str, ...]]:
    fractional = frames.fractional
    result: AnyArray = np.zeros(volume.size, dtype=np.float32 if fractional else np.bool_)
    if not planes:
        return result, ("the segment has no frames",)
    slots = [_slot(plane, volume) for plane in planes]
    if all(slot is not None for slot in slots):
        outside = 0
        for plane, slot in zip(planes, slots, strict=True):
            if slot is None or not 0 <= slot < volume.size[0]:
                outside += 1
                continue
            result[slot] = np.maximum(result[slot], frames.values(plane, segment))
        return result, (f"{outside} frames lie beyond the volume",) if outside else ()
    own, array = _own_grid(frames, planes, segment)
    moved = resample(array, own.affine_ras, volume.affine_ras, volume.size, order=1 if fractional else 0)
    return moved.astype(result.dtype), ("drawn on another grid, resampled to the volume's",)


def _slot(plane: Plane, volume: Volume) -> int | None:
    """Return which slice's pixels a frame has (it may lie beyond the volume); None where it has others."""
    if plane.size != volume.size[1:]:
        return None
    back = inverse(volume.affine_ras)
    index = apply(back, _corners_ras(plane))
    rows, columns = plane.size
    wanted = np.array([[0, 0], [columns - 1, 0], [0, rows - 1]], dtype=np.float64)
    slot = round(float(index[:, 2].mean()))
    beside = max(float(np.abs(index[:, :2] - wanted).max()), float(np.abs(index[:, 2] - slot).max()))
    return slot if beside <= _ON_GRID else None


def _corners_ras(plane: Plane) -> Float64Array:
    """Return the first pixel, the last of the first row and the first of the last row: ``3 3``, RAS mm."""
    rows, columns = plane.size
    first = np.array(plane.position_lps)
    row = np.array(plane.orientation_lps[:3]) * plane.spacing_mm[1] * (columns - 1)
    column = np.array(plane.orientation_lps[3:]) * plane.spacing_mm[0] * (rows - 1)
    return np.asarray(np.stack([first, first + row, first + column]) * np.array([-1.0, -1.0, 1.0]))


def _own_grid(frames: _Frames, planes: list[Plane], segment: int) -> tuple[Stack, AnyArray]:
    """Return the grid that the frames of a segment lie on, and their values; slices without a frame are empty."""
    stacked = stack(planes)
    height = heights(stacked.planes)
    step = float(np.diff(height).min()) if len(height) > 1 else 1.0
    levels = np.rint((height - height[0]) / max(step, 1e-6)).astype(int)
    if step < 1e-3 or levels[-1] > _MOST_SLICES:
        raise _bad(planes[0].entry, "has frames at one place, or too far apart", "one frame for each slice")
    wanted = apply(stacked.affine_ras, np.array([[0.0, 0.0, level] for level in levels]))
    found = np.stack([_corners_ras(plane)[0] for plane in stacked.planes])
    if float(np.abs(wanted - found).max()) > max(0.1, _ON_GRID * step):
        raise _bad(planes[0].entry, "has frames that form no grid", "parallel slices at even distances")
    array: AnyArray = np.zeros((int(levels[-1]) + 1, *planes[0].size), dtype=np.float32)
    for plane, level in zip(stacked.planes, levels, strict=True):
        array[level] = frames.values(plane, segment)
    return stacked, array


def _is_label_map(dataset: "Dataset") -> bool:
    return text(dataset.get("SegmentationType")).upper() == "LABELMAP"


def _is_fractional(dataset: "Dataset") -> bool:
    return text(dataset.get("SegmentationType")).upper() == "FRACTIONAL"


def _bad(entry: Entry, found: str, expected: str) -> ReadError:
    return ReadError(
        f"Case {case_id(entry.path)}: a segmentation {found}.", expected=expected, next_step="leave it out"
    )

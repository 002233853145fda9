"""Assembling: volumes from the entries of an index, by geometry and never by file name."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.image import Grid, Image
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.dicom.apart import DERIVED, ENHANCED, is_derived, reason_apart, studies_with_originals
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.mosaic import cut, is_mosaic, tiles_of
from hounsfield.data.dicom.multiframe import frames_of
from hounsfield.data.dicom.planes import Plane, plane_of
from hounsfield.data.dicom.splitting import Group, by_series, split
from hounsfield.data.dicom.stacking import stack

if TYPE_CHECKING:
    from pydicom import Dataset

    from hounsfield.data.dicom.suv import Uptake

MOST_VOXELS = 1 << 30


@dataclass(frozen=True)
class Volume:
    """Slices that form one volume.

    Parameters
    ----------
    planes : tuple of Plane
        In order along the normal.
    affine_ras : numpy.ndarray
        4 x 4.
    number : int
        Which volume of its series, from 0, in a stable order.
    what : tuple of str
        What tells it from the other volumes of its series.
    regular : bool
        Whether every slice lies where the affine says; False where slices are missing or unevenly spaced.
    notes : tuple of str
        What a person should know of it.
    """

    planes: tuple[Plane, ...] = field(repr=False)
    affine_ras: Float64Array = field(compare=False)
    number: int = 0
    what: tuple[str, ...] = ()
    regular: bool = True
    notes: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The files in the order of their first slice, each once."""
        return tuple(dict.fromkeys(p.entry for p in self.planes))

    @property
    def first(self) -> Entry:
        """The file of the first slice: what the headers of all of them have in common is read there."""
        return self.planes[0].entry

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID."""
        return self.first.series_uid

    @property
    def study_uid(self) -> str:
        """StudyInstanceUID."""
        return self.first.study_uid

    @property
    def modality(self) -> str:
        """DICOM modality code."""
        return self.first.modality

    @property
    def size(self) -> tuple[int, int, int]:
        """Voxels, ``z y x``."""
        return (len(self.planes), *self.planes[0].size)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Spacing along x, y, z in mm."""
        return Grid(self.affine_ras).spacing_mm


@dataclass(frozen=True)
class Assembly:
    """The volumes of an index, and what was set apart.

    Parameters
    ----------
    volumes : tuple of Volume
        By patient, study and series.
    apart : tuple of (Entry, str)
        Files that are in no volume, each with the reason in one clause.
    notes : tuple of str
        What concerns a series as a whole.
    """

    volumes: tuple[Volume, ...] = ()
    apart: tuple[tuple[Entry, str], ...] = ()
    notes: tuple[str, ...] = ()


def assemble(entries: Sequence[Entry], *, root: Path | None = None) -> Assembly:
    """Find the volumes that files form.

    Parameters
    ----------
    entries : sequence of Entry
        In any order.
    root : pathlib.Path or None
        The indexed folder. With it the headers of multi-frame files and mosaics are opened, and images at one place
        that no header tells apart are compared pixel by pixel; without it the former are set apart and the latter
        taken for phases.

    Returns
    -------
    Assembly
        The same for every order of the entries.

    Notes
    -----
    Images of different patients, series, frames of reference, matrices, image types (magnitude, phase, map), echoes,
    b-values, kernels, orientations or spacings never share a volume. Temporal position, acquisition, further
    dimensions and trigger time split only where places repeat. Within a volume slices are ordered by their position
    along the normal.
    """
    apart: list[tuple[Entry, str]] = []
    originals = studies_with_originals(entries)
    planes: list[Plane] = []
    for entry in sorted(entries, key=lambda e: (e.path, e.member)):
        reason = reason_apart(entry)
        if not reason and is_derived(entry):
            reason = DERIVED if (entry.study_uid, entry.modality) in originals else ""
        found = reason or _planes(entry, root)
        if isinstance(found, str):
            apart.append((entry, found))
        else:
            planes += found
    volumes: list[Volume] = []
    for series in by_series(planes):
        groups, repeated = split(series, None if root is None else _Reading(root).stored)
        apart += list(dict.fromkeys((plane.entry, reason) for plane, reason in repeated))
        volumes += _numbered(groups)
    used = {e for v in volumes for e in v.entries}
    notes = _notes(volumes)
    return Assembly(tuple(volumes), tuple((e, r) for e, r in apart if e not in used), notes)


def _planes(entry: Entry, root: Path | None) -> str | tuple[Plane, ...]:
    """Return the planes of a file, or in one clause why it has none."""
    enhanced, mosaic = entry.sop_class in ENHANCED, is_mosaic(entry)
    if not enhanced and not mosaic:
        plane = plane_of(entry)
        return plane if isinstance(plane, str) else (plane,)
    if root is None:
        return "its slices are told apart by its header only, and files are not opened here"
    try:
        header = opened(root, entry, pixels=False)
        return frames_of(entry, header) if enhanced else tiles_of(entry, header)
    except ReadError as error:
        return error.found.partition(": ")[2].rstrip(".") or error.found


def _numbered(groups: Sequence[Group]) -> list[Volume]:
    """Return the volumes of one series, numbered by what they show and where they begin."""
    volumes = []
    for number, group in enumerate(groups):
        stacked = stack(group.planes)
        derived = is_derived(stacked.planes[0].entry)
        told = ("derived images, used since the study has no original ones",) if derived else ()
        notes = (*told, *group.notes, *stacked.notes)
        volumes.append(Volume(stacked.planes, stacked.affine_ras, number, group.what, stacked.regular, notes))
    return volumes


def _notes(volumes: Sequence[Volume]) -> tuple[str, ...]:
    owners: dict[str, set[tuple[str, str]]] = {}
    for volume in volumes:
        owners.setdefault(volume.series_uid, set()).add((volume.first.patient_id, volume.first.issuer))
    mixed = sum(len(o) > 1 for o in owners.values())
    several = f"{mixed} series hold images of more than one patient; they were kept apart by patient"
    return (several,) if mixed else ()


def read_volume(root: Path, volume: Volume) -> Image:
    """Read the voxels of a volume.

    Parameters
    ----------
    root : pathlib.Path
        The indexed folder.
    volume : Volume
        As `assemble` gives it.

    Returns
    -------
    Image
        ``c z y x`` with one channel, values after the modality transformation: HU for CT, int16 where exact, else
        float32; SUV by body weight (g/ml) for PET where the headers allow it, else in the stored unit. The grid is
        None for a volume that is not regular, since no affine is right for it.

    Raises
    ------
    ReadError
        If a file cannot be read or decoded, the slices differ in size, or there are too many voxels.
    """
    voxels = int(np.prod(volume.size, dtype=np.int64))
    if voxels > MOST_VOXELS:
        raise ReadError(
            f"Case {case_id(volume.series_uid)}: a volume of {voxels / 1e9:.1f} thousand million voxels.",
            expected=f"at most {MOST_VOXELS / 1e9:.1f}",
            next_step="leave it out",
        )
    reading = _Reading(root)
    array: AnyArray | None = None
    for number, plane in enumerate(volume.planes):
        values = reading.values(plane)
        if values.shape != plane.size:
            raise ReadError(
                f"Case {case_id(plane.entry.path)}: a slice is {values.shape}, announced was {plane.size}.",
                expected="one grey image of the announced size",
                next_step="export the series again",
            )
        if array is None:
            array = np.zeros(volume.size, dtype=_narrow(values).dtype)
        array = _put(array, number, values)
    if array is None:
        raise ReadError("A volume has no slices.", expected="at least one", next_step="leave it out")
    units = "HU" if volume.modality == "CT" and reading.hounsfield else "a.u."
    if volume.modality == "PT":
        array, units = _as_uptake(array, volume_uptake(root, volume))
    grid = Grid(volume.affine_ras) if volume.regular else None
    return Image(array[None], grid, modality=volume.modality, units=units)


def volume_uptake(root: Path, volume: Volume) -> "Uptake":
    """Return how the values of a PET volume become SUV, or why they do not.

    Raises
    ------
    ReadError
        If a header cannot be read.
    """
    from hounsfield.data.dicom.suv import uptake_of_series

    return uptake_of_series(opened(root, entry, pixels=False) for entry in volume.entries)


def _as_uptake(array: AnyArray, found: "Uptake") -> tuple[AnyArray, str]:
    if found.factor is None:
        return array, found.units
    return (array if found.factor == 1.0 else array.astype(np.float32) * np.float32(found.factor)), "g/ml"


class _Reading:
    """Reads planes one after another, and opens a file once where neighbouring planes lie in it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._held: tuple[Entry, Dataset] | None = None
        self._picture: tuple[tuple[Entry, int], AnyArray] | None = None
        self.hounsfield = True

    def values(self, plane: Plane) -> AnyArray:
        """Return the values of a plane after the modality transformation: ``y x``."""
        from hounsfield.data.dicom.lut import is_hounsfield
        from hounsfield.data.dicom.pixels import modality_frame

        dataset = self._dataset(plane.entry)
        self.hounsfield = self.hounsfield and is_hounsfield(dataset, plane.frame)
        key = (plane.entry, plane.frame)
        if self._picture is None or self._picture[0] != key:
            self._picture = (key, modality_frame(dataset, plane.frame))
        picture = self._picture[1]
        return picture if plane.tile < 0 else cut(picture, plane.tile, plane.size)

    def stored(self, plane: Plane) -> AnyArray:
        """Return the values of a plane for comparison; what cannot be read is like nothing else."""
        try:
            return self.values(plane)
        except ReadError:
            return np.frombuffer(f"{plane.entry.path}/{plane.entry.member}/{plane.frame}".encode(), dtype=np.uint8)

    def _dataset(self, entry: Entry) -> "Dataset":
        if self._held is None or self._held[0] != entry:
            self._held = (entry, opened(self._root, entry, pixels=True))
        return self._held[1]


def opened(root: Path, entry: Entry, *, pixels: bool) -> "Dataset":
    """Return the data set of an indexed file, opened within limits."""
    from hounsfield.data.dicom.index import source_of
    from hounsfield.data.dicom.opening import open_dataset

    return open_dataset(source_of(root, entry), pixels=pixels)


def _narrow(values: AnyArray) -> AnyArray:
    """Return values as int16 where that is exact, else as float32."""
    if values.dtype in (np.int16, np.float32):
        return values
    if values.dtype.kind in "iub":
        low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
        if low >= -32768 and high <= 32767:
            return values.astype(np.int16)
    return values.astype(np.float32)


def _put(array: AnyArray, number: int, values: AnyArray) -> AnyArray:
    """Put a slice in its place; the whole array becomes float32 with the first slice that needs it."""
    slice_ = _narrow(values)
    if slice_.dtype != array.dtype and array.dtype == np.int16:
        array = array.astype(np.float32)
    array[number] = slice_
    return array

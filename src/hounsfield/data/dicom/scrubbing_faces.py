"""Where faces lie in DICOM files: found in the volumes that CT and MR files form, told file by file."""

from pathlib import Path

import numpy as np

from hounsfield.core.errors import ReadError, RefusedError
from hounsfield.core.types import AnyArray, BoolArray
from hounsfield.data.dicom.assembling import Volume, assemble, read_volume
from hounsfield.data.dicom.index import index_tree
from hounsfield.data.scrubbers.order import FaceMasks, FaceRemover

MODALITIES = frozenset({"CT", "MR"})
KINDS = frozenset(f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2", "2.1", "2.2", "4", "4.1", "4.3", "4.4"))
"""Whose slices show skin: storage of CT and MR, old and enhanced. Only such files are looked at."""


def shows_skin(modality: str, sop_class: str) -> bool:
    """Tell whether pixels of a modality or kind of object are slices through skin."""
    return modality in MODALITIES or sop_class in KINDS


class SeriesFaces:
    """Tells of each DICOM file below a folder which of its pixels show a face.

    Parameters
    ----------
    root : pathlib.Path
        The folder, or one file.
    remove : FaceRemover

    Notes
    -----
    The first question indexes the folder, assembles its volumes by geometry and looks for a face in each, once. A CT or
    MR file that is in no regular volume, or whose volume shows no whole head, is answered by a reason: nobody can tell
    that it shows no face. Masks are kept packed, a bit a pixel.
    """

    def __init__(self, root: Path, remove: FaceRemover) -> None:
        self._folder = root if root.is_dir() else root.parent
        self._only = None if root.is_dir() else root.name
        self._remove = remove
        self._answers: dict[str, FaceMasks | str] | None = None

    def __call__(self, source: Path) -> FaceMasks | str | None:
        """Return the masks of a file's frames, why it must be withheld, or None where it is not known."""
        if self._answers is None:
            self._answers = self._found()
        return self._answers.get(source.relative_to(self._folder).as_posix())

    def _found(self) -> dict[str, FaceMasks | str]:
        entries = [
            e
            for e in index_tree(self._folder).entries
            if shows_skin(e.modality, e.sop_class) and e.frames and not e.member and self._only in (None, e.path)
        ]
        answers: dict[str, FaceMasks | str] = {e.path: "it is no slice of a volume" for e in entries}
        masks: dict[str, tuple[dict[int, BoolArray], float]] = {}
        assembly = assemble(entries, root=self._folder)
        for entry, reason in assembly.apart:
            answers[entry.path] = f"it is in no volume: {reason}"
        refused: dict[str, str] = {}
        for volume in assembly.volumes:
            try:
                removed, background = self._face(volume)
            except (ReadError, RefusedError) as error:
                refused |= {e.path: error.found.partition(": ")[2].rstrip(".") or error.found for e in volume.entries}
                continue
            for plane, mask in zip(volume.planes, removed, strict=True):
                frames = masks.setdefault(plane.entry.path, ({}, background))[0]
                frames[plane.frame] = mask
        for path, (frames, background) in masks.items():
            answers[path] = FaceMasks.packed(frames, background)
        return answers | refused

    def _face(self, volume: Volume) -> tuple[BoolArray, float]:
        """Return the mask of a volume's face ``z y x`` and the value of the background."""
        if any(p.tile >= 0 for p in volume.planes):
            raise _not_looked("its slices are tiles of one picture")
        if not volume.regular:
            raise _not_looked("slices are missing or unevenly spaced")
        values: AnyArray = read_volume(self._folder, volume).array[0]
        clean, removed = self._remove(values, volume.affine_ras)
        if not removed.any():
            raise _not_looked("nothing of a face was found")
        return removed, float(clean[removed][0])


def _not_looked(found: str) -> RefusedError:
    return RefusedError(
        f"The volume does not show a whole head: {found}.",
        expected="CT or MR of a head in regular slices",
        next_step="leave face removal out for this volume, or withhold it",
    )


def nearest_stored(stored: AnyArray, values: AnyArray, wanted: float) -> int | float:
    """Return the stored value whose meaning is nearest to a value.

    Parameters
    ----------
    stored, values : numpy.ndarray
        ``y x``: as stored, and after the modality transformation.
    wanted : float
    """
    at = int(np.argmin(np.abs(values.astype(np.float64) - wanted)))
    found: int | float = stored.ravel()[at].item()
    return found

"""The demo's lesions as a radiologist would have outlined them: a DICOM SEG beside the slices of every patient."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from hounsfield.bundle.atomic import write_bytes
from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.image import Grid, Image
from hounsfield.core.types import BoolArray

CLASS = "lesion"
READER = "Invented^Reader"
"""Who outlined them, as the files say."""
OUTLINES = "SE000002"
"""Folder of a study that the outlines lie in."""
_SERIES = "SE000001"


def outline_file(folder: Path, paths: Sequence[str], masks: Mapping[str, BoolArray]) -> Path:
    """Write the outlines of one patient's slices as a DICOM SEG that refers to them.

    Parameters
    ----------
    folder : Path
        The cohort's.
    paths : sequence of str
        Files of the patient's slices below it; they must be written already.
    masks : mapping of str to numpy.ndarray
        SOP Instance UID to where lesions are, bool ``y x``. A slice without a lesion is there, and empty.

    Returns
    -------
    Path
        The file, in a series of its own within the study.
    """
    from hounsfield.data.dicom.answers.composing import encoded
    from hounsfield.data.dicom.answers.segments import segmentation
    from hounsfield.data.dicom.reader import volume_behind

    first = PurePosixPath(paths[0])
    root = folder / first.parent
    ref = Ref("dicom", first.name, (("series", _series_of(root, first.name)), ("volume", 0)))
    volume = volume_behind(root, ref)
    if volume is None:
        raise ValueError("the slices of a patient are no volume")
    labels = np.stack([masks[plane.entry.sop_uid] for plane in volume.planes]).astype(np.uint8)
    grid = Grid(volume.affine_ras)
    source = Source(first.parts[1], Cohort("demo", str(root), (), Schema()), ref, Image(labels[None], grid, "CT"))
    made = segmentation(Annotation(labels, (CLASS,), grid), source, drawn_by=READER)
    path = root.parent / OUTLINES / first.name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, encoded(made))
    return path


def _series_of(root: Path, name: str) -> str:
    from hounsfield.data.dicom.headers import read_header

    return read_header(root / name, path=name).series_uid


def study_folder(cohort: Path, accession: str) -> Path:
    """Return the folder of a study of the disk by its accession number, as `disk_file` numbers both."""
    return cohort / "disk" / f"PA{int(accession.rpartition('.')[2]):06d}"


def slices_of(study: Path) -> Path:
    """Return the folder with a study's slices."""
    return study / "ST000001" / _SERIES

"""The demo's second half: where the lesions are, learned from outlines, and handed back as a hospital stores it."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.errors import InputError, StorageError
from hounsfield.core.progress import Progress
from hounsfield.core.report import Report
from hounsfield.core.types import AnyArray
from hounsfield.workflow.demo_outlines import slices_of, study_folder
from hounsfield.workflow.predicting import predict

FOLDER = "annotated"
_MARK = ".unfinished"


@dataclass(frozen=True)
class Annotated:
    """A study of the test part, annotated.

    Parameters
    ----------
    sample : str
        Accession number.
    study : Path
        Folder with its DICOM files.
    folder : Path
        What was written of it: ``dicom/``, ``overlays/``, ``masks/``, ``lesions.csv``, ``predictions.csv``.
    segmentation, overlay : Path
        DICOM SEG, and the picture of the slice with the most marked.
    voxels : int
        Marked ones, as the segmentation was read back.
    """

    sample: str
    study: Path
    folder: Path
    segmentation: Path
    overlay: Path
    voxels: int


def annotate_one(out: Path, report: Report, *, progress: Progress) -> Annotated:
    """Annotate the study at the median Dice of the test part, as a user would, and read the segmentation back.

    Parameters
    ----------
    out : Path
        The demo's folder, with ``cohort`` and the finished run ``lesions`` in it.
    report : Report
        Of that run.
    progress : Progress

    Raises
    ------
    InputError
        If the input guard refuses every study of the test part.
    StorageError
        See `annotated`.
    """
    sample, folder = report.typical[0].sample, out / FOLDER
    if (folder / _MARK).exists():
        shutil.rmtree(folder)  # of a demo that was stopped while it was written
    folder.mkdir()
    (folder / _MARK).touch()
    (said,) = predict(out / "lesions", [study_folder(out / "cohort", sample)], out=folder, progress=progress)
    if said.refusal:
        raise InputError(
            f"No study of the test part is answered; study {sample}: {said.refusal}",
            expected="a network that knows the cohort",
            next_step="raise --minutes",
        )
    made = annotated(out, sample)
    (folder / _MARK).unlink()
    return made


def foreign(out: Path) -> bool:
    """Tell whether the folder of an annotated study is there and must be left alone: finished, or somebody else's."""
    return (out / FOLDER).exists() and not (out / FOLDER / _MARK).exists()


def annotated(out: Path, sample: str) -> Annotated:
    """Return what was written of a study, once its segmentation was read back.

    Parameters
    ----------
    out : Path
        The demo's folder.
    sample : str
        Accession number of the study.

    Raises
    ------
    StorageError
        If the segmentation does not read back to the voxels that were marked.
    """
    study, folder = study_folder(out / "cohort", sample), out / FOLDER
    path = folder / "dicom" / f"{sample}.seg.dcm"
    marked = _marked(folder, sample)
    if not np.array_equal(read_back(out, path, study), marked):
        raise StorageError(
            "The DICOM SEG does not read back to the voxels that were marked.",
            expected="the same voxels",
            next_step="run hu doctor, and report this with what it says",
        )
    return Annotated(sample, study, folder, path, folder / "overlays" / f"{sample}.png", int(np.count_nonzero(marked)))


def read_back(root: Path, segmentation: Path, study: Path) -> AnyArray:
    """Return what a DICOM SEG marks on the slices of a study of the demo: bool, ``z y x``.

    Parameters
    ----------
    root : Path
        Folder that holds both.
    segmentation, study : Path
    """
    from hounsfield.data.dicom.assembling import assemble
    from hounsfield.data.dicom.drawn import read_masks
    from hounsfield.data.dicom.headers import read_header
    from hounsfield.data.dicom.index import index_tree

    place = slices_of(study)
    found = [replace(e, path=(place / e.path).relative_to(root).as_posix()) for e in index_tree(place).entries]
    (volume,) = assemble(found, root=root).volumes
    entry = read_header(segmentation, path=segmentation.relative_to(root).as_posix())
    (mask,) = read_masks(root, entry, volume).masks
    return np.asarray(mask.array)


def _marked(folder: Path, sample: str) -> AnyArray:
    from hounsfield.data.readers import read

    found = read(Cohort("demo", str(folder), (), Schema()), Ref("nifti", f"masks/{sample}.nii.gz"))
    return np.asarray(found.array[0] != 0)

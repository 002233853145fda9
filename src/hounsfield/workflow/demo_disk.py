"""The demo's slices as a disk from a PACS would hold them: DICOM files in folders by patient, study and series."""

from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from hounsfield.data.dicom.writing import CtSeries, CtStudy, encoded_series
from hounsfield.science.physics.ct_cohort import CtSlice

BETWEEN_MM = 10.0
"""Between the slices of a patient, as the files say; the simulation draws each at a place of its own."""
_MONTHS = 12
_DAYS = 28


@dataclass(frozen=True)
class DiskFile:
    """One file of the disk.

    Parameters
    ----------
    path : str
        Below the disk's folder; every other patient's files have no ending, as on many exports.
    accession, sop_uid : str
        What a table of answers may name it by.
    content : bytes
    """

    path: str
    accession: str
    sop_uid: str
    content: bytes


def disk_file(hu: npt.NDArray[np.int16], shown: CtSlice, number: int, *, seed: int) -> DiskFile:
    """Return a slice as a DICOM file.

    Parameters
    ----------
    hu : numpy.ndarray
        ``y x``, int16, CT numbers from -1024.
    shown : CtSlice
        Whose slice it is, and how it was taken.
    number : int
        Of the slice within the patient, from 0: InstanceNumber is one more.
    seed : int
        Of the cohort; cohorts of different seeds share no UID.
    """
    patient = int(shown.patient.removeprefix("P"))
    study = CtStudy(
        patient_id=shown.patient,
        accession=f"D{seed}.{patient:05d}",
        date=f"2024{patient % _MONTHS + 1:02d}{patient % _DAYS + 1:02d}",
        sex=shown.attributes.sex,
        age_years=shown.attributes.age_years,
        description="Simulated chest CT",
    )
    edge = -shown.pixel_mm * (hu.shape[0] - 1) / 2
    series = CtSeries(
        hu,
        (shown.pixel_mm, shown.pixel_mm),
        ((edge, edge, BETWEEN_MM * number),),
        thickness_mm=BETWEEN_MM,
        scanner=shown.attributes.scanner,
        first_number=number + 1,
    )
    (made,) = encoded_series(study, series)
    ending = ".dcm" if patient % 2 else ""
    path = PurePosixPath("disk", f"PA{patient:06d}", "ST000001", "SE000001", f"IM{number + 1:06d}{ending}")
    return DiskFile(str(path), study.accession, made.sop_uid, made.content)

"""CT slices as DICOM files: CT Image Storage, explicit VR little endian, made from CT numbers and nothing else."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from hounsfield.core.errors import InputError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""Direction of a row, then of a column, of a transverse slice of a patient lying on the back, head first."""
INTERCEPT = -1024
"""CT number of the stored value 0, as most scanners have it."""
_IMPLEMENTATION = "HOUNSFIELD"
_STORED_MAX = 65535


@dataclass(frozen=True)
class CtStudy:
    """Whom and which examination a series belongs to; every value is invented or already free of identity.

    Parameters
    ----------
    patient_id : str
        At most 64 characters (LO).
    accession : str
        At most 16 characters (SH).
    date : str
        ``YYYYMMDD``, given by the caller: no clock is read.
    sex : {"F", "M", "O", ""}
    age_years : int or None
    description : str
        At most 64 characters (LO).
    """

    patient_id: str
    accession: str
    date: str
    sex: Literal["F", "M", "O", ""] = ""
    age_years: int | None = None
    description: str = ""

    @property
    def uid(self) -> str:
        """StudyInstanceUID."""
        return derived_uid("study", self.patient_id, self.accession, self.date)


@dataclass(frozen=True)
class CtSeries:
    """Slices of one acquisition and where they lie.

    Parameters
    ----------
    hu : numpy.ndarray
        ``z y x`` or ``y x``, int16, CT numbers.
    pixel_mm : tuple of float
        Distance between rows, and between columns.
    positions_lps : sequence of (float, float, float)
        Centre of the first voxel of each slice in mm: left, posterior, superior.
    thickness_mm : float
    number : int
        SeriesNumber; tells the series of a study apart.
    scanner : str
        Model name.
    kernel : str
        Name of the reconstruction filter.
    orientation_lps : tuple of float
        Direction of a row, then of a column.
    intercept : int
        CT number that is stored as 0.
    first_number : int
        InstanceNumber of the first slice.
    """

    hu: npt.NDArray[np.int16]
    pixel_mm: tuple[float, float]
    positions_lps: tuple[tuple[float, float, float], ...]
    thickness_mm: float
    number: int = 1
    scanner: str = ""
    kernel: str = ""
    orientation_lps: tuple[float, float, float, float, float, float] = AXIAL
    intercept: int = INTERCEPT
    first_number: int = 1


@dataclass(frozen=True)
class Encoded:
    """One DICOM file: its SOP Instance UID and its bytes."""

    sop_uid: str
    content: bytes


def derived_uid(*words: str) -> str:
    """Return the UID of an address: the same for the same words, in every run and on every machine.

    Parameters
    ----------
    *words : str
        What the UID stands for, such as ``"study"`` and an accession number.

    Returns
    -------
    str
        ``2.25.`` and the decimal form of a UUID.

    Notes
    -----
    A hash of the words as a UUID of version 8 (RFC 9562, section 5.8), written as DICOM PS3.5 annex B.2 says. The
    words are not a secret: whoever knows them can make the UID.
    """
    digest = hashlib.blake2b("\x1f".join(words).encode(), digest_size=16, person=b"hounsfield-uid").digest()
    number = int.from_bytes(digest, "big")
    number = number & ~(0xF << 76) | 0x8 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return f"2.25.{number}"


def encoded_series(study: CtStudy, series: CtSeries) -> Iterator[Encoded]:
    """Yield a DICOM file for each slice of a series.

    Parameters
    ----------
    study : CtStudy
    series : CtSeries

    Yields
    ------
    Encoded
        CT Image Storage. Equal arguments give equal bytes. The SOP Instance UID is derived from study, series and
        instance number, not from the pixels.

    Raises
    ------
    InputError
        If shapes disagree, or a CT number cannot be stored with the series' intercept.

    References
    ----------
    DICOM PS3.3, section A.3 (CT Image IOD) and C.8.2.1 (CT Image Module).
    """
    planes = series.hu[None] if series.hu.ndim == 2 else series.hu
    _check(planes, series)
    for index, plane in enumerate(planes):
        yield _encoded(plane, series.positions_lps[index], series.first_number + index, study=study, series=series)


def _check(planes: npt.NDArray[np.int16], series: CtSeries) -> None:
    if planes.ndim != 3 or planes.dtype != np.int16 or len(planes) != len(series.positions_lps):
        raise InputError(
            f"Slices of shape {planes.shape} and type {planes.dtype} came with {len(series.positions_lps)} positions.",
            expected="int16, `z y x` or `y x`, and one position for each slice",
            next_step="round the CT numbers to int16 and give each slice its position",
        )
    low, high = int(planes.min()), int(planes.max())
    if low < series.intercept or high - series.intercept > _STORED_MAX:
        raise InputError(
            f"CT numbers from {low} to {high} cannot be stored with the intercept {series.intercept}.",
            expected=f"{series.intercept} to {series.intercept + _STORED_MAX}",
            next_step=f"give the intercept {low}",
        )


def _encoded(
    plane: npt.NDArray[np.int16],
    position: tuple[float, float, float],
    number: int,
    *,
    study: CtStudy,
    series: CtSeries,
) -> Encoded:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

    series_uid = derived_uid("series", study.uid, str(series.number))
    sop_uid = UID(derived_uid("image", series_uid, str(number)))
    file = io.BytesIO()
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = sop_uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(derived_uid("implementation"))
    meta.ImplementationVersionName = _IMPLEMENTATION
    made = FileDataset(file, {}, file_meta=meta, preamble=b"\x00" * 128)
    made.SOPClassUID = CTImageStorage
    made.SOPInstanceUID = sop_uid
    _put_study(made, study)
    made.SeriesInstanceUID = series_uid
    made.FrameOfReferenceUID = derived_uid("frame of reference", series_uid)
    _put_series(made, series)
    made.InstanceNumber = number
    made.ImagePositionPatient = [_decimal(v) for v in position]
    made.Rows, made.Columns = plane.shape
    made.PixelData = (plane.astype(np.int32) - series.intercept).astype("<u2").tobytes()
    made["PixelData"].VR = "OW"
    made.save_as(file, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return Encoded(sop_uid, file.getvalue())


def _put_study(made: "Dataset", study: CtStudy) -> None:
    made.PatientName = f"{study.patient_id}^Invented"
    made.PatientID = study.patient_id
    made.PatientBirthDate = ""
    made.PatientSex = study.sex
    if study.age_years is not None:
        made.PatientAge = f"{study.age_years:03d}Y"
    made.StudyInstanceUID = study.uid
    made.StudyID = "1"
    made.StudyDate = study.date
    made.StudyTime = "120000"
    made.AccessionNumber = study.accession
    made.ReferringPhysicianName = ""
    if study.description:
        made.StudyDescription = study.description


def _put_series(made: "Dataset", series: CtSeries) -> None:
    made.Modality = "CT"
    made.SeriesNumber = series.number
    made.BodyPartExamined = "CHEST"
    made.PatientPosition = "HFS"
    made.PositionReferenceIndicator = ""
    made.Manufacturer = "Hounsfield"
    if series.scanner:
        made.ManufacturerModelName = series.scanner
    made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    made.AcquisitionNumber = 1
    made.PixelSpacing = [_decimal(v) for v in series.pixel_mm]
    made.ImageOrientationPatient = [_decimal(v) for v in series.orientation_lps]
    made.SliceThickness = _decimal(series.thickness_mm)
    made.KVP = "120"
    if series.kernel:
        made.ConvolutionKernel = series.kernel
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit = 15
    made.PixelRepresentation = 0
    made.RescaleIntercept = str(series.intercept)
    made.RescaleSlope = "1"
    made.RescaleType = "HU"


def _decimal(value: float) -> str:
    """Return a decimal string of at most 16 characters (DS)."""
    return f"{value:.10g}"[:16]

"""DICOM files made by pydicom for tests: small CT slices, single pictures, and what lies beside them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

CT = "1.2.840.10008.5.1.4.1.1.2"
DX = "1.2.840.10008.5.1.4.1.1.1.1"
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
REPORT = "1.2.840.10008.5.1.4.1.1.88.67"


def uid(*words: object) -> str:
    """Return a UID that is the same for the same words."""
    digest = hashlib.sha256("|".join(map(str, words)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


def dataset(words: str, facts: Mapping[str, Any] | None = None, *, size: int = 8, number: int = 0) -> Dataset:
    """Return an axial CT slice.

    Parameters
    ----------
    words : str
        ``patient/study/series``: what UIDs and identifiers are made of.
    facts : mapping
        Keyword to value, put over the usual ones; None deletes.
    size : int
        Edge, pixels; 0 for an object without pixels.
    number : int
        Of the slice.
    """
    patient, study, series = words.split("/")
    made = Dataset()
    made.SOPClassUID = CT
    made.SOPInstanceUID = uid(words, number)
    made.StudyInstanceUID = uid(patient, study)
    made.SeriesInstanceUID = uid(words)
    made.FrameOfReferenceUID = uid(patient, study, "frame")
    made.PatientID = patient
    made.PatientName = "Doe^Test"
    made.AccessionNumber = f"A{study}"
    made.StudyDate = "20240115"
    made.Modality = "CT"
    made.Manufacturer = "ACME"
    made.ManufacturerModelName = "Spiral 1"
    made.InstitutionName = "North"
    made.PatientSex = "F"
    made.PatientAge = "061Y"
    made.SeriesDescription = series
    made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    made.SeriesNumber = 1
    made.InstanceNumber = number + 1
    made.ConvolutionKernel = "B30f"
    made.SliceThickness = 2.0
    made.ImagePositionPatient = [-4.0, -4.0, 2.0 * number]
    made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    if size:
        made.SamplesPerPixel = 1
        made.PhotometricInterpretation = "MONOCHROME2"
        made.Rows = made.Columns = size
        made.PixelSpacing = [1.5, 1.5]
        made.BitsAllocated = made.BitsStored = 16
        made.HighBit = 15
        made.PixelRepresentation = 0
        made.RescaleSlope, made.RescaleIntercept = 1, -1024
        rows = np.random.Generator(np.random.PCG64(number)).integers(0, 2000, (size, size), dtype=np.uint16)
        made.PixelData = rows.tobytes()
    for keyword, value in (facts or {}).items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    return made


def save(path: Path, made: Dataset, *, syntax: str = str(ExplicitVRLittleEndian)) -> Path:
    """Write a data set as a Part 10 file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = made.SOPClassUID
    meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    made.file_meta = meta
    made.save_as(path, enforce_file_format=True)
    return path


def series(
    folder: Path, words: str, count: int = 4, *, ending: str = "", facts: Mapping[str, Any] | None = None
) -> list[Path]:
    """Write a series of slices, their file names in another order than their places."""
    return [save(folder / f"I{(7 * n + 3) % 101:03d}{ending}", dataset(words, facts, number=n)) for n in range(count)]

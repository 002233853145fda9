"""What the index keeps of each DICOM file: enough to tell patients, series and geometry without reading it again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One DICOM file, as its header tells.

    Parameters
    ----------
    path : str
        POSIX path relative to the indexed root.
    member : str
        Name inside the archive `path` where the file lies in a zip or tar; else empty.
    size : int
        Bytes of the file or member.
    transfer_syntax : str
        UID; ``""`` where the file has no meta group.
    sop_class, sop_uid, study_uid, series_uid, frame_of_reference : str
        UIDs.
    patient_id, issuer : str
        PatientID and IssuerOfPatientID: one patient is one pair.
    accession : str
        AccessionNumber.
    study_date : str
        ``YYYYMMDD`` or empty.
    modality : str
    series_number, instance_number, acquisition_number : int or None
    series_description, protocol, body_part, kernel : str
    image_type : tuple of str
    rows, columns, frames, samples, bits : int
        `frames` is 1 for a single-frame image, 0 where there are no pixels; `bits` is BitsAllocated.
    photometric : str
    position_lps : tuple of float or None
        ImagePositionPatient in mm: x, y, z of the first voxel's centre, left, posterior, superior.
    orientation_lps : tuple of float or None
        ImageOrientationPatient: direction of a row (increasing column), then of a column (increasing row).
    spacing_mm : tuple of float or None
        PixelSpacing: between rows, between columns (ImagerPixelSpacing where only that is there).
    thickness_mm, between_mm : float or None
        SliceThickness, SpacingBetweenSlices.
    tilt_deg : float or None
        GantryDetectorTilt.
    echo_time_ms, repetition_time_ms, b_value, trigger_time_ms : float or None
    echo_number, temporal_position : int or None
    manufacturer, model, station, institution : str
    study_description : str
    view : str
        ViewPosition, such as ``PA``.
    sex : str
    age_years : float or None
        PatientAge, else from birth date and study date.
    problem : str
        Why the file can be used only in part; empty where nothing is wrong.
    """

    path: str
    member: str = ""
    size: int = 0
    transfer_syntax: str = ""
    sop_class: str = ""
    sop_uid: str = ""
    study_uid: str = ""
    series_uid: str = ""
    frame_of_reference: str = ""
    patient_id: str = ""
    issuer: str = ""
    accession: str = ""
    study_date: str = ""
    modality: str = ""
    series_number: int | None = None
    instance_number: int | None = None
    acquisition_number: int | None = None
    series_description: str = ""
    protocol: str = ""
    body_part: str = ""
    kernel: str = ""
    image_type: tuple[str, ...] = ()
    rows: int = 0
    columns: int = 0
    frames: int = 0
    samples: int = 1
    bits: int = 0
    photometric: str = ""
    position_lps: tuple[float, float, float] | None = None
    orientation_lps: tuple[float, float, float, float, float, float] | None = None
    spacing_mm: tuple[float, float] | None = None
    thickness_mm: float | None = None
    between_mm: float | None = None
    tilt_deg: float | None = None
    echo_time_ms: float | None = None
    repetition_time_ms: float | None = None
    b_value: float | None = None
    trigger_time_ms: float | None = None
    echo_number: int | None = None
    temporal_position: int | None = None
    manufacturer: str = ""
    model: str = ""
    station: str = ""
    institution: str = ""
    study_description: str = ""
    view: str = ""
    sex: str = ""
    age_years: float | None = None
    problem: str = ""


def place_of(entry: Entry) -> str:
    """Return the path of a file, through the archive that it lies in: ``disk.zip/ct/I1``."""
    return f"{entry.path}/{entry.member}" if entry.member else entry.path

"""Small invented studies as DICOM files."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pydicom

from hounsfield.core.streams import stream
from hounsfield.data.dicom.writing import CtSeries, CtStudy, encoded_series
from hounsfield.data.pacs.archive import SeriesFound

DATES = ("20240110", "20240220", "20240330")


def write_studies(
    folder: Path, *, studies: int = 2, series: int = 2, slices: int = 2, size: int = 16
) -> dict[str, bytes]:
    """Write CT studies, one patient each; return the bytes of each file by SOP Instance UID."""
    made: dict[str, bytes] = {}
    for s in range(studies):
        study = CtStudy(f"PAT{s:03d}", f"ACC{s:03d}", DATES[s % len(DATES)], sex="F", age_years=50 + s)
        for n in range(series):
            hu = stream(7, "pacs-study", s, n).integers(-1000, 1000, (slices, size, size)).astype(np.int16)
            positions = tuple((0.0, 0.0, 5.0 * z) for z in range(slices))
            for file in encoded_series(study, CtSeries(hu, (1.0, 1.0), positions, thickness_mm=5.0, number=n + 1)):
                made[file.sop_uid] = file.content
                path = folder / f"{s}" / f"{n}" / f"{len(made):04d}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.content)
    return made


def place_of(files: Mapping[str, bytes]) -> SeriesFound:
    """Return study and series of the first of some files."""
    first = pydicom.dcmread(io.BytesIO(next(iter(files.values()))), stop_before_pixels=True)
    return SeriesFound(str(first.StudyInstanceUID), str(first.SeriesInstanceUID))


def pulled(folder: Path) -> list[bytes]:
    """Return the contents of all files below a folder."""
    return [p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()]

"""CT slices written as DICOM: read back by pydicom, judged by dciodvfy where it is installed."""

import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.data.dicom.writing import CtSeries, CtStudy, derived_uid, encoded_series

STUDY = CtStudy("P001", "A000001", "20240105", sex="F", age_years=61, description="Chest CT")


def _hu(seed: int = 0, z: int = 3) -> npt.NDArray[np.int16]:
    return stream(seed, "writing").integers(-1024, 3072, (z, 20, 24)).astype(np.int16)


def _series(hu: npt.NDArray[np.int16]) -> CtSeries:
    positions = tuple((-150.5, -160.25, 10.0 + 2.5 * z) for z in range(len(hu)))
    return CtSeries(hu, (0.703125, 0.75), positions, thickness_mm=2.5, scanner="scanner-a", kernel="cosine")


def test_what_is_written_is_read_back() -> None:
    hu = _hu()
    files = list(encoded_series(STUDY, _series(hu)))
    assert len({f.sop_uid for f in files}) == 3
    for z, file in enumerate(files):
        read = pydicom.dcmread(io.BytesIO(file.content))
        values = read.pixel_array.astype(int) * int(read.RescaleSlope) + int(read.RescaleIntercept)
        np.testing.assert_array_equal(values, hu[z])
        assert read.SOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
        assert read.SOPInstanceUID == file.sop_uid == read.file_meta.MediaStorageSOPInstanceUID
        assert read.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
        assert (read.PatientID, read.AccessionNumber, read.StudyDate) == ("P001", "A000001", "20240105")
        assert read.StudyInstanceUID == STUDY.uid
        assert list(read.PixelSpacing) == [0.703125, 0.75]
        assert list(read.ImagePositionPatient) == [-150.5, -160.25, 10.0 + 2.5 * z]
        assert read.InstanceNumber == z + 1


def test_equal_arguments_give_equal_bytes_and_uids_tell_series_apart() -> None:
    first, again = (list(encoded_series(STUDY, _series(_hu()))) for _ in range(2))
    assert first == again
    other = list(encoded_series(STUDY, replace(_series(_hu()), number=2)))
    assert not {f.sop_uid for f in first} & {f.sop_uid for f in other}
    assert replace(STUDY, accession="A000002").uid != STUDY.uid


def test_one_slice_may_be_given_as_a_plane() -> None:
    hu = _hu(z=1)
    series = _series(hu)
    assert list(encoded_series(STUDY, replace(series, hu=hu[0]))) == list(encoded_series(STUDY, series))


def test_uids_are_uuids_below_2_25() -> None:
    uids = {derived_uid("study", str(n)) for n in range(200)}
    assert len(uids) == 200
    for uid in uids:
        assert re.fullmatch(r"2\.25\.[1-9][0-9]{0,38}", uid)
        number = int(uid.removeprefix("2.25."))
        assert (number >> 76) & 0xF == 8
        assert (number >> 62) & 0x3 == 2
    assert derived_uid("a", "bc") != derived_uid("ab", "c")


def test_numbers_that_cannot_be_stored_are_refused() -> None:
    hu = _hu()
    hu[0, 0, 0] = -2000
    with pytest.raises(InputError, match="intercept -2000"):
        list(encoded_series(STUDY, _series(hu)))
    read = pydicom.dcmread(io.BytesIO(next(encoded_series(STUDY, replace(_series(hu), intercept=-2000))).content))
    np.testing.assert_array_equal(read.pixel_array.astype(int) + int(read.RescaleIntercept), hu[0])
    with pytest.raises(InputError, match="2 positions"):
        list(encoded_series(STUDY, replace(_series(_hu()), positions_lps=((0.0, 0.0, 0.0), (0.0, 0.0, 1.0)))))


def test_dciodvfy_finds_no_error(tmp_path: Path) -> None:
    tool = shutil.which("dciodvfy")
    if tool is None:
        pytest.skip("dciodvfy is not installed (Debian: dicom3tools)")
    studies = (STUDY, CtStudy("P002", "", "20240106"))
    for number, study in enumerate(studies):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(next(encoded_series(study, _series(_hu()))).content)
        found = subprocess.run([tool, str(path)], capture_output=True, text=True, check=False, timeout=30)
        said = found.stdout + found.stderr
        assert "CTImage" in said
        assert "Error" not in said, said
        assert found.returncode == 0

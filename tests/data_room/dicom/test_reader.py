import shutil
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.errors import ReadError
from hounsfield.data import readers
from hounsfield.data.cohorts import understand
from hounsfield.data.dicom.reader import DicomReader
from tests.data_room.dicom.making import CAPTURE, DX, REPORT, dataset, save, series, uid
from tests.data_room.dicom.test_multiframe import enhanced


def cohort(root: Path) -> Cohort:
    return Cohort(name=root.name, root=str(root), samples=(), schema=Schema())


def test_dicom_is_told_by_its_content(tmp_path: Path) -> None:
    path = save(tmp_path / "without-ending", dataset("p/s/a"))
    assert readers.reader_for(path) == "dicom"
    sniff = DicomReader().sniff
    assert not sniff(b"\x89PNG\r\n\x1a\n" + b"\0" * 200, "picture.dcm")
    bare = path.read_bytes()[132:]
    assert sniff(bare[:512], "old.dcm")
    assert not sniff(bare[:512], "old.bin")


def test_one_file_is_one_picture_with_its_place(tmp_path: Path) -> None:
    save(tmp_path / "a.dcm", dataset("p/s/a", number=3))
    held = cohort(tmp_path)
    image, header = readers.read(held, Ref("dicom", "a.dcm")), readers.header(held, Ref("dicom", "a.dcm"))
    stored = np.frombuffer(dataset("p/s/a", number=3).PixelData, np.uint16).reshape(8, 8)
    np.testing.assert_array_equal(np.asarray(image.array)[0], stored.astype(np.int64) - 1024)
    assert (image.units, image.modality) == ("HU", "CT")
    assert image.grid is not None
    np.testing.assert_allclose(image.grid.affine_ras[:3, 3], [4, 4, 6])
    np.testing.assert_allclose(np.array(image.grid.spacing_mm), np.array([1.5, 1.5, 2.0]))
    assert (header.size, header.channels, header.bits, header.file_format) == ((8, 8), 1, 16, "DICOM")
    assert header.bytes == (tmp_path / "a.dcm").stat().st_size


def test_a_picture_without_place_has_no_grid(tmp_path: Path) -> None:
    facts = {"SOPClassUID": DX, "Modality": "DX", "ImagePositionPatient": None, "ImageOrientationPatient": None}
    save(tmp_path / "x.dcm", dataset("p/s/x", facts))
    image = readers.read(cohort(tmp_path), Ref("dicom", "x.dcm"))
    assert image.grid is None
    assert image.size == (8, 8)


def test_a_film_is_read_frame_after_frame(tmp_path: Path) -> None:
    frames = np.arange(3 * 64, dtype=np.uint16).reshape(3, 8, 8)
    facts = {"SOPClassUID": CAPTURE, "Modality": "OT", "NumberOfFrames": 3, "PixelData": frames.tobytes(),
             "ImagePositionPatient": None, "ImageOrientationPatient": None, "RescaleIntercept": 0}  # fmt: skip
    save(tmp_path / "f.dcm", dataset("p/s/f", facts))
    held = cohort(tmp_path)
    assert readers.header(held, Ref("dicom", "f.dcm")).size == (3, 8, 8)
    np.testing.assert_array_equal(np.asarray(readers.read(held, Ref("dicom", "f.dcm")).array)[0], frames)


def test_a_series_is_read_as_its_volume(tmp_path: Path) -> None:
    (first, *_) = series(tmp_path / "study", "p/s/a", 5)
    path = first.relative_to(tmp_path).as_posix()
    held = cohort(tmp_path)
    ref = Ref("dicom", path, (("series", uid("p/s/a")), ("volume", 0)))
    image, header = readers.read(held, ref), readers.header(held, ref)
    assert image.size == header.size == (5, 8, 8)
    for number in range(5):
        stored = np.frombuffer(dataset("p/s/a", number=number).PixelData, np.uint16).reshape(8, 8)
        np.testing.assert_array_equal(np.asarray(image.array)[0, number], stored.astype(np.int64) - 1024)
    with pytest.raises(ReadError, match="no volume 7"):
        readers.read(held, Ref("dicom", path, (("series", uid("p/s/a")), ("volume", 7))))
    with pytest.raises(ReadError, match="no volume 0"):
        readers.read(held, Ref("dicom", path, (("series", "2.25.1"),)))


def test_files_in_an_archive_are_read_where_they_are(tmp_path: Path) -> None:
    paths = series(tmp_path / "disk", "p/s/a", 4)
    shutil.make_archive(str(tmp_path / "disk"), "zip", tmp_path / "disk")
    shutil.rmtree(tmp_path / "disk")
    held = cohort(tmp_path)
    member = ("member", paths[1].name)
    one = readers.read(held, Ref("dicom", "disk.zip", (member,)))
    stored = np.frombuffer(dataset("p/s/a", number=1).PixelData, np.uint16).reshape(8, 8)
    np.testing.assert_array_equal(np.asarray(one.array)[0], stored.astype(np.int64) - 1024)
    ref = Ref("dicom", "disk.zip", (member, ("series", uid("p/s/a")), ("volume", 0)))
    np.testing.assert_array_equal(np.asarray(readers.read(held, ref).array)[0, 1], np.asarray(one.array)[0])
    assert readers.header(held, ref).size == (4, 8, 8)


def test_a_table_of_answers_leads_to_volumes(tmp_path: Path) -> None:
    for n in range(6):
        series(tmp_path / f"{n}", f"p{n}/s/a", 4)
    answers = "\n".join(f"p{n},{'sick' if n % 2 else 'well'}" for n in range(6))
    (tmp_path / "answers.csv").write_text(f"PatientID,answer\n{answers}\n", encoding="utf-8")
    found = understand(tmp_path)
    assert len(found) == 6
    for sample in found.samples:
        image = readers.read(found, sample.inputs["image"][0].ref)
        assert (image.size, image.units) == ((4, 8, 8), "HU")


def test_a_file_with_several_volumes_is_not_guessed_at(tmp_path: Path) -> None:
    made = enhanced()
    save(tmp_path / "e.dcm", made)
    held = cohort(tmp_path)
    with pytest.raises(ReadError, match="it holds 2 volumes"):
        readers.read(held, Ref("dicom", "e.dcm"))
    ref = Ref("dicom", "e.dcm", (("series", str(made.SeriesInstanceUID)), ("volume", 1)))
    assert readers.read(held, ref).size == (3, 4, 4)


def test_what_is_no_image_is_refused_without_naming_anyone(tmp_path: Path) -> None:
    facts = {"SOPClassUID": REPORT, "Modality": "SR"}
    save(tmp_path / "DOE_JANE.dcm", dataset("p/s/r", facts, size=0))
    (tmp_path / "no.dcm").write_bytes(b"\0" * 64)
    held = cohort(tmp_path)
    for name, reason in (("DOE_JANE.dcm", "no pixels"), ("no.dcm", "DICOM|header|data set|empty")):
        for ask in (readers.read, readers.header):
            with pytest.raises(ReadError, match=reason) as caught:
                ask(held, Ref("dicom", name))
            assert "DOE" not in str(caught.value)
            assert str(tmp_path) not in str(caught.value)
    with pytest.raises(ReadError, match="outside"):
        readers.read(held, Ref("dicom", "../x.dcm"))

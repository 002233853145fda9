"""NIfTI loses its texts and extensions; voxels, grid and scaling are what nibabel read before. Faces go when asked."""

import gzip
from io import BytesIO
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from pydicom import Dataset

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.data.scrubbers.order import FaceRemover
from hounsfield.privacy.faces import deface
from tests.data_room.scrubbers.told import order, scrub, written
from tests.privacy.heads import head

KINDS: dict[int, Any] = {1: nib.Nifti1Image, 2: nib.Nifti2Image}


def _volume(version: int, *, extension: bytes = b"", code: int = 6, dtype: str = "<i2") -> bytes:
    values = np.random.Generator(np.random.PCG64(5)).integers(-900, 900, size=(5, 6, 7)).astype(dtype)
    affine = np.array([[-1.5, 0, 0, 40], [0, 1.5, 0, -30], [0, 0, 3, 12], [0, 0, 0, 1.0]])
    image = KINDS[version](values, affine)
    image.header["descrip"], image.header["aux_file"] = b"Kowalewska Zofia", b"PID-778899"
    image.header["intent_name"] = b"Feldmann"
    if version == 1:
        image.header["db_name"], image.header["data_type"] = b"19510923", b"Zofia"
    if extension:
        image.header.extensions.append(nib.nifti1.Nifti1Extension(code, extension))
    return bytes(image.to_bytes())


def _read(content: bytes, version: int) -> Any:  # noqa: ANN401 - nibabel has types in part only
    return KINDS[version].from_bytes(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("dtype", ["<i2", ">f4"])
def test_texts_go_and_voxels_stay(tmp_path: Path, version: int, zipped: bool, dtype: str) -> None:  # noqa: FBT001
    plain = _volume(version, dtype=dtype)
    content = gzip.compress(plain) if zipped else plain
    result = scrub(tmp_path, "a.nii.gz" if zipped else "a.nii", content)
    made, before = _read(written(result), version), _read(plain, version)
    assert np.asanyarray(made.dataobj).tobytes() == np.asanyarray(before.dataobj).tobytes()
    assert np.array_equal(made.affine, before.affine)
    assert made.header.get_data_dtype() == before.header.get_data_dtype()
    assert all(not made.header[k].tobytes().strip(b"\0") for k in ("descrip", "aux_file", "intent_name"))
    assert "Kowalewska Zofia" in result.texts
    assert "PID-778899" in result.identifiers
    assert {"descrip", "aux_file"} <= set(result.removed)


@pytest.mark.parametrize("version", [1, 2])
def test_an_extension_of_text_becomes_zeros(tmp_path: Path, version: int) -> None:
    content = _volume(version, extension=b"Zofia Kowalewska, PID-778899, 1951-09-23")
    result = scrub(tmp_path, "a.nii", content)
    made = written(result)
    assert len(made) == len(content)
    assert not list(_read(made, version).header.extensions)
    before = np.asanyarray(_read(content, version).dataobj)
    assert np.array_equal(np.asanyarray(_read(made, version).dataobj), before)
    assert "extensions" in result.removed
    assert {"PID-778899", "1951-09-23"} <= set(result.identifiers)


def test_an_extension_of_dicom_tells_its_identifiers(tmp_path: Path) -> None:
    header = Dataset()
    header.PatientName, header.PatientID = "Kowalewska^Zofia", "PID-778899"
    stream = BytesIO()
    header.save_as(stream, implicit_vr=False, little_endian=True)
    result = scrub(tmp_path, "a.nii", _volume(1, extension=stream.getvalue(), code=2))
    written(result)
    assert {"Kowalewska^Zofia", "PID-778899"} <= set(result.identifiers)


def test_the_name_within_gzip_goes(tmp_path: Path) -> None:
    out = BytesIO()
    with gzip.GzipFile("Kowalewska.nii", "wb", fileobj=out) as stream:
        stream.write(_volume(1))
    result = scrub(tmp_path, "a.nii.gz", out.getvalue())
    assert "file name in gzip" in result.removed
    assert written(result)[3] == 0


def test_a_text_behind_the_end_of_a_field_goes(tmp_path: Path) -> None:
    content = bytearray(_volume(1))
    content[148:228] = b"\0Kowalewska".ljust(80, b"\0")
    assert "Kowalewska" in scrub(tmp_path, "a.nii", bytes(content)).texts
    written(scrub(tmp_path, "a.nii", bytes(content)))


def test_unused_bytes_of_nifti_2_go(tmp_path: Path) -> None:
    content = bytearray(_volume(2))
    content[525:535] = b"Kowalewska"
    assert "unused bytes" in scrub(tmp_path, "a.nii", bytes(content)).removed
    written(scrub(tmp_path, "a.nii", bytes(content)))


def test_bytes_behind_the_voxels_go(tmp_path: Path) -> None:
    content = _volume(1)
    result = scrub(tmp_path, "a.nii", content + b"Zofia Kowalewska PID-778899")
    assert len(written(result)) == len(content)
    assert "PID-778899" in result.identifiers


def test_letters_in_numbers_that_nothing_reads_go(tmp_path: Path) -> None:
    content = bytearray(_volume(1))
    content[32:36], content[140:148] = b"Anna", b"Kowalews"
    result = scrub(tmp_path, "a.nii", bytes(content))
    made = written(result, "Anna", "Kowalews")
    assert made[32:36] == bytes(4)
    assert "unused numbers" in result.removed


def test_pairs_are_withheld_and_damage_is_told(tmp_path: Path) -> None:
    pair = bytearray(_volume(1))
    pair[344:348] = b"ni1\0"
    assert "another file" in scrub(tmp_path, "a.hdr", bytes(pair)).withheld
    with pytest.raises(ReadError):
        scrub(tmp_path, "b.nii.gz", gzip.compress(_volume(1))[:400])
    with pytest.raises(ReadError):
        scrub(tmp_path, "c.nii", _volume(1)[:350])


def _remover() -> FaceRemover:
    def remove(volume: AnyArray, affine: Float64Array) -> tuple[AnyArray, BoolArray]:
        done = deface(volume, affine)
        return done.volume, done.removed

    return remove


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("slope", [1.0, 0.5])
def test_a_face_goes_when_asked_and_the_brain_stays(tmp_path: Path, version: int, slope: float) -> None:
    volume, face, brain, affine = head(-1000.0, 40.0)
    image = KINDS[version](volume.T, affine)
    image.header["descrip"] = b"Kowalewska"
    image.header.set_slope_inter(slope, 3.0)
    content = gzip.compress(image.to_bytes())
    result = scrub(tmp_path, "head.nii.gz", content, order("remove-faces", face=_remover()))
    again = scrub(tmp_path, "head.nii.gz", content, order("remove-faces", face=_remover()))
    stored = np.asanyarray(_read(written(result), version).dataobj.get_unscaled()).T
    assert result.content == again.content
    assert result.removed == ("descrip", "face")
    assert np.array_equal(stored[brain], volume[brain])
    assert (stored[face] == -1000).all()
    assert np.array_equal(stored[stored != volume], np.full(int((stored != volume).sum()), -1000))
    kept = scrub(tmp_path, "head.nii.gz", content)
    assert np.array_equal(np.asanyarray(_read(written(kept), version).dataobj.get_unscaled()).T, volume)


def test_where_no_face_can_be_taken_out_the_volume_is_withheld(tmp_path: Path) -> None:
    asked = order("remove-faces", face=_remover())
    result = scrub(tmp_path, "a.nii", _volume(1), asked)
    assert "whole head" in result.withheld
    assert "remove-faces" in result.withheld
    assert "PID-778899" in result.identifiers
    nowhere = nib.Nifti1Image(head(-1000.0, 40.0)[0].T, None)
    assert "how it lies" in scrub(tmp_path, "b.nii", nowhere.to_bytes(), asked).withheld
    series = nib.Nifti1Image(np.ones((4, 4, 4, 3), np.int16), np.eye(4))
    assert "not one volume" in scrub(tmp_path, "c.nii", series.to_bytes(), asked).withheld

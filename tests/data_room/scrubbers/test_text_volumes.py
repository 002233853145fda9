"""NRRD and MetaImage: every text of the header goes, the voxels and their place in the patient stay."""

import bz2
import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.data.volume.metaimage import MetaImageReader
from hounsfield.data.volume.nrrd import NrrdReader
from tests.data_room.scrubbers.told import SECRETS, order, scrub, written
from tests.privacy.heads import head

VOXELS = np.arange(60, dtype="<i2").reshape(5, 4, 3)
PACK: dict[str, Callable[[bytes], bytes]] = {"raw": bytes, "gzip": gzip.compress, "bzip2": bz2.compress}


def _nrrd(encoding: str = "raw", more: str = "", behind: bytes = b"") -> bytes:
    head = (
        "NRRD0005\n# written by Kowalewska\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 3 4 5\n"
        "space directions: (2,0,0) (0,2,0) (0,0,3)\nkinds: domain domain domain\nendian: little\n"
        f'encoding: {encoding}\nspace origin: (-10,5.5,7)\ncontent: Kowalewska Zofia\nlabels: "Kowalewska" "y" "z"\n'
        f"DICOM_0010_0010_PatientName:=Kowalewska^Zofia\nbirth:=1951-09-23\n{more}\n"
    )
    return head.encode() + PACK[encoding](VOXELS.tobytes()) + behind


def _meta(*, packed: bool, behind: bytes = b"") -> bytes:
    data = zlib.compress(VOXELS.tobytes()) if packed else VOXELS.tobytes()
    size = f"CompressedDataSize = {len(data)}\n" if packed else ""
    head = (
        "ObjectType = Image\nNDims = 3\nComment = Kowalewska^Zofia PID-778899\nName = Kowalewska\nBinaryData = True\n"
        f"BinaryDataByteOrderMSB = False\nCompressedData = {packed}\n{size}TransformMatrix = 1 0 0 0 1 0 0 0 1\n"
        "Offset = -10 5.5 7\nCenterOfRotation = 0 0 0\nAnatomicalOrientation = RAI\nElementSpacing = 2 2 3\n"
        "DimSize = 3 4 5\nAcquisitionDate = 2019-04-12\nModality = Kowalewska\nElementType = MET_SHORT\n"
        "ElementDataFile = LOCAL\n"
    )
    return head.encode() + data + behind


def _same(reader: NrrdReader | MetaImageReader, folder: Path, before: bytes, after: bytes) -> None:
    images = []
    for number, content in enumerate((before, after)):
        (folder / f"v{number}").write_bytes(content)
        images.append(reader.stored(folder, Ref("", f"v{number}")).image(Ref("", f"v{number}")))
    assert np.array_equal(images[0].array, images[1].array)
    assert images[0].grid is not None
    assert images[1].grid is not None
    assert np.array_equal(images[0].grid.affine_ras, images[1].grid.affine_ras)


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
def test_nrrd(tmp_path: Path, encoding: str) -> None:
    content = _nrrd(encoding, behind=b"Kowalewska PID-778899" if encoding == "raw" else b"")
    result = scrub(tmp_path, "case.nrrd", content)
    made = written(result)
    _same(NrrdReader(), tmp_path, content, made)
    assert {"texts of the header", "bytes around the voxels"} >= set(result.removed) >= {"texts of the header"}
    assert any("Kowalewska" in t for t in (*result.identifiers, *result.texts))


@pytest.mark.parametrize("packed", [False, True], ids=["raw", "zlib"])
def test_metaimage(tmp_path: Path, *, packed: bool) -> None:
    content = _meta(packed=packed, behind=b"" if packed else b"Kowalewska")
    made = written(scrub(tmp_path, "case.mha", content))
    _same(MetaImageReader(), tmp_path, content, made)


def test_a_name_where_a_known_field_has_numbers_goes(tmp_path: Path) -> None:
    content = _nrrd(more="axis mins: Kowalewska\nthicknesses: nan nan 3\ncentering: 1951-09-23\n")
    made = written(scrub(tmp_path, "case.nrrd", content))
    assert b"thicknesses: nan nan 3" in made


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.nhdr", _nrrd().replace(b"content: Kowalewska Zofia", b"data file: Kowalewska.raw")),
        ("a.mhd", _meta(packed=False).replace(b"= LOCAL", b"= Kowalewska.raw")),
    ],
)
def test_headers_without_voxels_are_withheld(tmp_path: Path, name: str, content: bytes) -> None:
    result = scrub(tmp_path, name, content)
    assert result.content is None
    assert "another file" in result.withheld
    assert not [s for s in SECRETS if s in result.withheld]


def test_what_is_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError):
        scrub(tmp_path, "a.nrrd", _nrrd()[:-20])


def test_a_face_goes_when_asked(tmp_path: Path) -> None:
    volume, face, brain, affine = head(-1000.0, 40.0)
    size = " ".join(map(str, volume.shape[::-1]))
    origin = ",".join(f"{v}" for v in affine[:3, 3])
    text = (
        f"NRRD0004\ntype: int16\ndimension: 3\nspace: RAS\nsizes: {size}\nendian: little\nencoding: gzip\n"
        f"space directions: (3,0,0) (0,3,0) (0,0,3)\nspace origin: ({origin})\n\n"
    )
    content = text.encode() + gzip.compress(volume.astype("<i2").tobytes(), 1)

    def remove(values: AnyArray, affine_ras: Float64Array) -> tuple[AnyArray, BoolArray]:
        from hounsfield.privacy.faces import deface

        done = deface(values, affine_ras)
        return done.volume, done.removed

    result = scrub(tmp_path, "head.nrrd", content, order("remove-faces", face=remove))
    assert result.content is not None, result.withheld
    (tmp_path / "made.nrrd").write_bytes(result.content)
    made = NrrdReader().stored(tmp_path, Ref("nrrd", "made.nrrd")).image(Ref("nrrd", "made.nrrd")).array[0]
    assert (made[face] == -1000).all()
    assert np.array_equal(made[brain], volume[brain])
    small = scrub(tmp_path, "case.nrrd", _nrrd(), order("remove-faces", face=remove))
    assert small.content is None

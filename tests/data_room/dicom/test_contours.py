import tarfile
from pathlib import Path

import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from hounsfield.core.errors import ReadError
from hounsfield.core.types import BoolArray
from hounsfield.data.dicom.assembling import Volume, assemble, read_volume
from hounsfield.data.dicom.contours import contour_masks
from hounsfield.data.dicom.drawn import drawn_on, read_masks
from hounsfield.data.dicom.headers import read_header
from hounsfield.geometry.affines import reorient
from tests.counting import lines
from tests.data_room.dicom.making import dataset, save, uid
from tests.data_room.dicom.slices import slices

RT_STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"


def item(**facts: object) -> Dataset:
    made = Dataset()
    for keyword, value in facts.items():
        setattr(made, keyword, value)
    return made


def contour(points: list[tuple[float, float]], height: float, kind: str = "CLOSED_PLANAR") -> Dataset:
    flat = [v for x, y in points for v in (x, y, height)]
    return item(ContourGeometricType=kind, NumberOfContourPoints=len(points), ContourData=flat)


def square(low: float, high: float) -> list[tuple[float, float]]:
    return [(low, low), (high, low), (high, high), (low, high)]


def structures(contours: dict[str, list[Dataset]]) -> Dataset:
    absent = dict.fromkeys(("ImageType", "ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID"))
    own = {"SOPInstanceUID": uid("rt"), "SeriesInstanceUID": uid("rt", 1)}
    facts = {"SOPClassUID": RT_STRUCTURES, "Modality": "RTSTRUCT", **own, **absent}
    made = dataset("p/s/a", facts, size=0)
    numbers = range(1, len(contours) + 1)
    made.StructureSetROISequence = Items(
        [item(ROINumber=n, ROIName=name) for n, name in zip(numbers, contours, strict=True)]
    )
    made.ROIContourSequence = Items(
        [item(ReferencedROINumber=n, ContourSequence=Items(c)) for n, c in zip(numbers, contours.values(), strict=True)]
    )
    series = item(SeriesInstanceUID=uid("p/s/a"))
    study = item(RTReferencedSeriesSequence=Items([series]))
    frame = item(FrameOfReferenceUID=uid("p", "s", "frame"), RTReferencedStudySequence=Items([study]))
    made.ReferencedFrameOfReferenceSequence = Items([frame])
    return made


def volume_in(folder: Path) -> Volume:
    """Five slices of 8 x 8 pixels of 1.5 mm, first centre at -4, 2 mm apart from 0."""
    entries = [read_header(save(folder / f"ct{n}", dataset("p/s/a", number=n)), path=f"ct{n}") for n in (3, 1, 4, 0, 2)]
    (volume,) = assemble(entries).volumes
    return volume


def test_contours_become_masks_with_holes_on_their_slices(tmp_path: Path) -> None:
    volume = volume_in(tmp_path)
    # pixel centres lie at -4, -2.5, ... 6.5
    ring = [contour(square(-3.0, 6.0), 2.0), contour(square(-0.5, 3.0), 2.0, "CLOSEDPLANAR_XOR")]
    plain = [contour(square(-4.5, -3.0), 4.0), contour(square(-4.5, -3.0), 8.0)]
    save(tmp_path / "rt", structures({"ring": ring, "Doe liver": plain, "empty": []}))
    entry = read_header(tmp_path / "rt", path="rt")
    assert drawn_on(tmp_path, entry, [volume]) is volume
    found = read_masks(tmp_path, entry, volume)
    assert [(m.name, m.number) for m in found.masks] == [("ring", 1), ("Doe liver", 2)]
    assert "doe" in found.naming
    wanted = np.zeros((5, 8, 8), dtype=bool)
    wanted[1, 1:7, 1:7] = True
    wanted[1, 3:5, 3:5] = False
    np.testing.assert_array_equal(found.masks[0].array, wanted)
    corner = np.zeros((5, 8, 8), dtype=bool)
    corner[[2, 4], 0, 0] = True
    np.testing.assert_array_equal(found.masks[1].array, corner)
    assert found.masks[1].notes == ("1 slices between contours have none",)


def test_what_is_no_closed_contour_is_counted_not_guessed(tmp_path: Path) -> None:
    volume = volume_in(tmp_path)
    broken = item(ContourGeometricType="CLOSED_PLANAR", ContourData=[1.0, 2.0, 3.0, 4.0])
    point = contour([(0.0, 0.0)], 2.0, "POINT")
    far = contour(square(0, 3), 99.0)
    made = structures({"a": [contour(square(-3.0, 6.0), 2.0), broken, point, far]})
    (entry,) = slices([0], sop_class=RT_STRUCTURES)
    (mask,) = contour_masks(made, entry, volume)
    assert mask.notes == (
        "2 contours are points, open lines or damaged and were left out", "1 contours lie beyond the volume",
    )  # fmt: skip
    with pytest.raises(ReadError, match="no closed contour"):
        contour_masks(structures({"a": [far]}), entry, volume)


def dice(one: BoolArray, other: BoolArray) -> float:
    return 2 * int(np.count_nonzero(one & other)) / (int(np.count_nonzero(one)) + int(np.count_nonzero(other)))


def test_the_ct_phantom_of_ibsi_and_its_contours(shared_data: Path, tmp_path: Path) -> None:
    """Its DICOM and RTSTRUCT give the volume of the published NIfTI exactly, and its mask."""
    folder = shared_data / "ibsi/ibsi1_ct_phantom"
    if not folder.is_dir():
        pytest.skip("the IBSI phantom is not here")
    with tarfile.open(folder / "dicom_ct_rtstruct.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    files = sorted(p for p in tmp_path.rglob("*") if p.is_file())
    entries = [read_header(p, path=p.relative_to(tmp_path).as_posix()) for p in files]
    found = assemble(entries, root=tmp_path)
    (volume,), ((entry, _),) = found.volumes, found.apart
    assert volume.notes == ()
    image = read_volume(tmp_path, volume)
    array, affine = reorient(image.array[0], volume.affine_ras, "LPS")
    reference = Nifti1Image.from_filename(folder / "image.nii.gz")
    np.testing.assert_array_equal(array, np.asarray(reference.dataobj).T)
    np.testing.assert_allclose(affine, reference.affine, atol=1e-4)
    assert image.units == "HU"
    (mask,) = read_masks(tmp_path, entry, volume).masks
    assert mask.name == "GTV-1"
    turned, _ = reorient(mask.array, volume.affine_ras, "LPS")
    wanted = np.asarray(Nifti1Image.from_filename(folder / "mask.nii.gz").dataobj).T > 0
    assert dice(turned.astype(bool), wanted) > 0.99
    assert int(np.count_nonzero(turned.astype(bool) ^ wanted)) == 0
    # no line is run for each voxel or corner
    assert lines(lambda: read_masks(tmp_path, entry, volume)) < np.count_nonzero(wanted)

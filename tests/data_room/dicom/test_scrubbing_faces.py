"""Faces go from series of CT and MR: the same voxels in whatever order and encoding the slices come."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.uid import RLELossless

from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.data.dicom.scrubbing import DicomScrubber
from hounsfield.data.dicom.scrubbing_faces import SeriesFaces, nearest_stored
from hounsfield.data.protocols import Scrubbed
from hounsfield.privacy.faces import deface
from tests.data_room.dicom import planted
from tests.privacy.heads import SPACING, head

REAL = Path(os.environ.get("HOUNSFIELD_DATA", "nowhere")) / "volumes-ct-mr" / "brain_MR_Gd.nii.gz"
CT_KIND = "1.2.840.10008.5.1.4.1.1.2"


def remove(volume: AnyArray, affine_ras: Float64Array) -> tuple[AnyArray, BoolArray]:
    done = deface(volume, affine_ras)
    return done.volume, done.removed


@dataclass(frozen=True)
class Series:
    folder: Path
    volume: AnyArray
    face: BoolArray
    brain: BoolArray


def _slice(volume: AnyArray, number: int, order: list[int]) -> FileDataset:
    """Return an axial slice, its rows from front to back as scanners have them: 12 of 16 bits, intercept -1024."""
    dataset = planted.plain(CT_KIND, number + 1)
    stored = (volume[number, ::-1, ::-1] + 1024).clip(0, 4095).astype(np.uint16)
    planted.with_pixels(dataset, stored[None])
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = "1", "-1024", "HU"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    # the last column of the array, at right +105 mm, comes first: LPS x = -105
    dataset.ImagePositionPatient = [-105.0, -135.0, -135.0 + SPACING * number]
    dataset.PixelSpacing, dataset.SliceThickness = [SPACING, SPACING], str(SPACING)
    dataset.InstanceNumber = str(order[number])
    return dataset


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Series:
    folder = tmp_path_factory.mktemp("series")
    volume, face, brain, _ = head(-1000.0, 40.0)
    volume = volume.clip(-1024, 3071)
    order = np.random.Generator(np.random.PCG64(1)).permutation(len(volume)).tolist()
    for number in range(len(volume)):
        dataset = _slice(volume, number, order)
        if number % 9 == 0:
            dataset.compress(RLELossless, encoding_plugin="pydicom")
        (folder / f"{order[number]:03}.dcm").write_bytes(planted.stored(dataset))
    chest = planted.with_pixels(planted.plain(CT_KIND, 900), planted.anatomy(64))
    chest.SeriesInstanceUID = "1.2.276.0.7.1.2"
    (folder / "other.dcm").write_bytes(planted.stored(chest))
    sound = planted.with_pixels(planted.plain(planted.SECONDARY, 901), planted.anatomy(64))
    sound.Modality, sound.SeriesInstanceUID = "US", "1.2.276.0.7.1.3"
    (folder / "sound.dcm").write_bytes(planted.stored(sound))
    return Series(folder, volume, face, brain)


def _scrubbed(series: Series) -> Iterator[tuple[Path, Scrubbed]]:
    chosen = frozenset({"shift-dates", "remove-faces"})
    asked = replace(planted.order(chosen), faces_of=SeriesFaces(series.folder, remove))
    for path in sorted(series.folder.iterdir()):
        yield path, DicomScrubber().scrub(path, asked)


def test_the_face_goes_and_the_brain_stays(series: Series) -> None:
    made = np.empty(series.volume.shape, np.int16)
    uids = set()
    for path, result in _scrubbed(series):
        if path.name in ("other.dcm", "sound.dcm"):
            continue
        before, after = dcmread(path), planted.opened(result)
        assert "face" in result.removed
        assert (after.Rows, after.BitsStored, after.HighBit, after.PixelRepresentation) == (91, 12, 11, 0)
        assert (after.RescaleIntercept, after.PixelSpacing) == (before.RescaleIntercept, before.PixelSpacing)
        assert "113102" in [c.CodeValue for c in after.DeidentificationMethodCodeSequence]
        uids.add(after.SeriesInstanceUID)
        number = round((float(before.ImagePositionPatient[2]) + 135) / SPACING)
        made[number] = after.pixel_array[::-1, ::-1].astype(np.int16) - 1024
    assert len(uids) == 1
    assert (made[series.face] <= -950).all()
    assert np.array_equal(made[series.brain], series.volume[series.brain])
    # the same voxels as those that the volume as a whole loses
    _, _, _, affine = head(-1000.0, 40.0)
    wanted = deface(series.volume, affine).removed
    changed = made != series.volume
    assert not (changed & ~wanted).any()
    assert (made[wanted] <= -950).all()


def test_ct_that_is_no_head_is_withheld_and_ultrasound_is_not(series: Series) -> None:
    results = {path.name: result for path, result in _scrubbed(series) if path.name in ("other.dcm", "sound.dcm")}
    assert results["other.dcm"].content is None
    assert "faces were to be removed" in results["other.dcm"].withheld
    assert results["sound.dcm"].content is not None
    assert "face" not in results["sound.dcm"].removed


def test_missing_slices_withhold_the_series(series: Series, tmp_path: Path) -> None:
    for number, path in enumerate(sorted(series.folder.glob("[0-9]*.dcm"))):
        if number % 5:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    faces = SeriesFaces(tmp_path, remove)
    answers = {type(faces(path)) for path in tmp_path.iterdir()}
    assert answers == {str}


def test_a_slice_that_the_index_does_not_know_is_withheld(series: Series, tmp_path: Path) -> None:
    asked = replace(planted.order(), faces_of=SeriesFaces(tmp_path, remove))
    (tmp_path / "a.dcm").symlink_to(series.folder / "000.dcm")
    result = DicomScrubber().scrub(tmp_path / "a.dcm", asked)
    assert result.content is None
    assert "faces were to be removed" in result.withheld


def test_the_background_is_told_in_stored_values() -> None:
    stored = np.array([[0, 24, 1064]], np.uint16)
    assert nearest_stored(stored, stored.astype(np.int16) - 1024, -1000.0) == 24


@pytest.mark.skipif(not REAL.is_file(), reason="no public head volume: HOUNSFIELD_DATA does not name the data")
def test_a_real_head_as_oblique_mr_loses_the_same_voxels(tmp_path: Path) -> None:
    import nibabel as nib

    image = nib.Nifti1Image.from_filename(REAL)
    volume = np.asanyarray(image.dataobj).T[::2].clip(0, 4000).round().astype(np.uint16)
    turn = nib.eulerangles.euler2mat(0.1, 0.05, -0.08)
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn @ image.affine[:3, :3], turn @ image.affine[:3, 3]
    affine[:3, 2] *= 2
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    for number, plane in enumerate(volume):
        dataset = planted.with_pixels(planted.plain("1.2.840.10008.5.1.4.1.1.4", number + 1), plane[None])
        dataset.Modality, dataset.ImageType = "MR", ["ORIGINAL", "PRIMARY", "M"]
        dataset.ImageOrientationPatient = [f"{v:.10g}" for v in (lps[:3, :2] / spacing[:2]).T.ravel()]
        dataset.ImagePositionPatient = [f"{v:.10g}" for v in lps[:3, 3] + number * lps[:3, 2]]
        dataset.PixelSpacing = [f"{spacing[1]:.10g}", f"{spacing[0]:.10g}"]
        (tmp_path / f"{number:03}").write_bytes(planted.stored(dataset))
    asked = replace(planted.order(frozenset({"shift-dates"})), faces_of=SeriesFaces(tmp_path, remove))
    made = np.stack(
        [planted.opened(DicomScrubber().scrub(tmp_path / f"{n:03}", asked)).pixel_array for n in range(len(volume))]
    )
    wanted = deface(volume, affine)
    differs = (made != volume) & ~wanted.removed
    # header numbers of ten digits move the surfaces of the geometry by next to nothing
    assert differs.sum() <= 20
    assert (made[wanted.removed] <= np.percentile(volume, 5) + 1).mean() > 0.999
    assert 0.05 < wanted.removed.mean() < 0.3

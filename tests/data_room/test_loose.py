"""Images for a bundle of several inputs: found by the names of training layouts, or told to be missing."""

import json
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Roles
from hounsfield.core.image import Grid, Image
from hounsfield.core.streams import stream
from hounsfield.data import readers
from hounsfield.data.loose import lacking, loose
from hounsfield.data.volume.nifti_writing import write_nifti
from tests.data_room.dicom.making import dataset, save

NAMES = ("T1w", "FLAIR")


def _nifti(path: Path, value: int, channels: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = stream(value, "loose").integers(0, 9, (channels, 3, 4, 5)).astype(np.int16)
    array += (100 * value + 1000 * np.arange(channels, dtype=np.int16))[:, None, None, None].astype(np.int16)
    write_nifti(path, Image(array, Grid(np.eye(4))))
    return path


def _values(root: Path, paths: list[Path], wanted: tuple[str, ...] = NAMES) -> dict[str, dict[str, int]]:
    del root
    found = {}
    for cohort in loose(paths, Roles(), wanted):
        for sample in cohort.samples:
            read = {n: readers.read(cohort, r[0].ref).array for n, r in sample.inputs.items()}
            found[sample.id] = {n: int(a.min()) // 100 for n, a in read.items()}
    return found


@pytest.mark.parametrize(
    "name",
    [
        lambda case, n: f"imagesTs/{case}_{n:04d}.nii.gz",
        lambda case, n: f"{case}_{n:04d}.nii.gz",
        lambda case, n: f"{case}_{NAMES[n].lower()}.nii.gz",
        lambda case, n: f"sub-{case}/anat/sub-{case}_{NAMES[n]}.nii.gz",
        lambda case, n: f"{case}/{NAMES[n]}.nii.gz",
    ],
)
def test_images_of_a_case_are_joined_by_their_names(tmp_path: Path, name: object) -> None:
    assert callable(name)
    for k, case in enumerate(("a", "b")):
        for n in (0, 1):
            _nifti(tmp_path / name(case, n), 2 * k + n)
    found = _values(tmp_path, [tmp_path])
    assert sorted(found) in (["a", "b"], ["sub-a", "sub-b"])
    assert [found[k] for k in sorted(found)] == [{"T1w": 0, "FLAIR": 1}, {"T1w": 2, "FLAIR": 3}]


def test_channels_are_called_as_the_description_beside_them_says(tmp_path: Path) -> None:
    for n in (0, 1, 2):
        _nifti(tmp_path / f"imagesTs/a_{n:04d}.nii.gz", n)
    (tmp_path / "dataset.json").write_text(json.dumps({"channel_names": {"0": "ADC", "1": "FLAIR", "2": "T1w"}}))
    assert _values(tmp_path, [tmp_path]) == {"a": {"T1w": 2, "FLAIR": 1}}
    assert _values(tmp_path, [tmp_path / "imagesTs"]) == {"a": {"T1w": 2, "FLAIR": 1}}
    (tmp_path / "dataset.json").unlink()
    assert not any(_values(tmp_path, [tmp_path]).values())  # three channels and two inputs: which is which is not told
    assert _values(tmp_path, [tmp_path], ("channel_0", "channel_2")) == {"a": {"channel_0": 0, "channel_2": 2}}


def test_one_file_or_archive_may_hold_all(tmp_path: Path) -> None:
    _nifti(tmp_path / "n/four.nii.gz", 0, channels=2)
    assert _values(tmp_path, [tmp_path / "n"]) == {"four": {"T1w": 0, "FLAIR": 10}}
    np.savez(tmp_path / "case.npz", T1w=np.full((8, 8), 100, np.int16), FLAIR=np.full((8, 8), 300, np.int16))
    assert _values(tmp_path, [tmp_path / "case.npz"]) == {"case": {"T1w": 1, "FLAIR": 3}}


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    _nifti(tmp_path / "a_0000.nii.gz", 0)
    _nifti(tmp_path / "a_0001.nii.gz", 1)
    _nifti(tmp_path / "b_0000.nii.gz", 2)
    _nifti(tmp_path / "odd.nii.gz", 3)
    (cohort,) = loose([tmp_path], Roles(), NAMES)
    said = {s.id: lacking(s, NAMES) for s in cohort.samples}
    assert said["a"] is None
    assert said["b"] is not None
    assert "no image for FLAIR; the model looks at T1w, FLAIR" in said["b"].found
    assert said["odd"] is not None
    assert "no image for T1w, FLAIR" in said["odd"].found


def test_series_and_phases_of_dicom_studies(tmp_path: Path) -> None:
    mr = {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "ConvolutionKernel": None}
    for who, series in (("p1", ("AX T1W", "AX FLAIR")), ("p2", ("AX T1W", "AX T1W POST")), ("p3", ("T1W", "AX T1W"))):
        for name in series:
            for n in range(3):
                save(tmp_path / f"d/{who}/{name}/{n}", dataset(f"{who}/s{who}/{name}", mr, number=n))
    (cohort,) = loose([tmp_path / "d"], Roles(), NAMES)
    assert [sorted(s.inputs) for s in cohort.samples] == [["FLAIR", "T1w"], ["T1w"], []]
    for n, b in enumerate((0.0, 0.0, 1000.0, 1000.0)):
        facts = mr | {"DiffusionBValue": b, "SOPInstanceUID": f"1.2.{n + 1}"}
        save(tmp_path / f"e/{n}", dataset("q/s/dwi", facts, number=n % 2))
    (cohort,) = loose([tmp_path / "e"], Roles(), ("b_0", "b_1000"))
    assert sorted(cohort.samples[0].inputs) == ["b_0", "b_1000"]


def test_several_disks_and_files_stay_cases_of_their_own(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        for n in range(3):
            save(tmp_path / f"{folder}/{n}", dataset(f"p/{folder}/a", {"AccessionNumber": "7"}, number=n))
    image = _nifti(tmp_path / "c.nii.gz", 1)
    found = loose([tmp_path / "x", image, tmp_path / "y"], Roles(), ("image",))
    assert [s.id for c in found for s in c.samples] == ["x/7", "y/7", "c.nii.gz/c"]
    assert [readers.read(c, s.inputs["image"][0].ref).array.shape[0] for c in found for s in c.samples] == [1, 1, 1]

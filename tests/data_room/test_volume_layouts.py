"""Data sets of volumes, as nnU-Net, the Decathlon and BIDS lay them out, come out right without flags."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from hounsfield.core.cohort import Cohort, Ref, Roles, Schema
from hounsfield.core.errors import CohortError, ReadError, UnknownNameError
from hounsfield.core.image import Grid, Image
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data import readers
from hounsfield.data.cohorts import cohort_yaml, samples_csv, understand, unlabelled
from hounsfield.data.masks import read_mask
from hounsfield.data.volume.nifti_writing import write_nifti

SIZE = (9, 10, 11)


def voxels(seed: int, *shape: int) -> npt.NDArray[np.int16]:
    return stream(seed, "layouts").integers(0, 200, shape or SIZE).astype(np.int16)[None]


def write(path: Path, array: AnyArray, affine: Float64Array | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_nifti(path, Image(array, Grid(np.diag([1.0, 1.0, 2.5, 1.0]) if affine is None else affine)))


def outline(seed: int) -> AnyArray:
    inside: AnyArray = (voxels(seed) > 100).astype(np.uint8)
    return inside


def nnunet(root: Path, *, cases: int = 4, channels: int = 2) -> Path:
    for number in range(cases):
        for channel in range(channels):
            write(root / "imagesTr" / f"lung_{number:03d}_{channel:04d}.nii.gz", voxels(10 * number + channel))
        write(root / "labelsTr" / f"lung_{number:03d}.nii.gz", outline(number))
    write(root / "imagesTs" / "lung_900_0000.nii.gz", voxels(900))
    write(root / "imagesTs" / "lung_900_0001.nii.gz", voxels(901))
    content = {
        "channel_names": {"0": "T2", "1": "ADC"},
        "labels": {"background": 0, "tumour": 1},
        "numTraining": cases,
        "file_ending": ".nii.gz",
    }
    (root / "dataset.json").write_text(json.dumps(content))
    return root


def table(path: Path, **columns: list[str]) -> Path:
    tab = "\t" if path.suffix == ".tsv" else ","
    rows = [tab.join(columns), *(tab.join(r) for r in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(rows) + "\n")
    return path


def first_values(cohort: Cohort, name: str) -> list[AnyArray]:
    return [readers.read(cohort, s.inputs[name][0].ref).array for s in cohort.samples]


def test_nnunet_channels_are_inputs_and_labels_masks(tmp_path: Path) -> None:
    cohort = understand(nnunet(tmp_path / "Dataset001_Lung"))
    assert cohort.schema.layout == "nnunet"
    assert [(i.name, i.ndim, i.modality) for i in cohort.schema.inputs] == [("T2", 3, "MR"), ("ADC", 3, "MR")]
    assert [(t.name, t.kind, t.classes) for t in cohort.schema.targets] == [("mask", "mask", ("background", "tumour"))]
    assert [s.id for s in cohort.samples] == [f"lung_{n:03d}" for n in range(4)]
    np.testing.assert_array_equal(first_values(cohort, "ADC")[2], voxels(21))
    np.testing.assert_array_equal(readers.read(cohort, cohort.samples[3].masks["mask"]).array, outline(3))
    assert "1 test cases have no answer and are left out." in cohort.schema.notes
    assert cohort.schema.official_parts == ()


def test_nnunet_cases_without_a_mask_wait_to_be_annotated(tmp_path: Path) -> None:
    root = nnunet(tmp_path / "Dataset001_Lung")
    (root / "labelsTr" / "lung_002.nii.gz").unlink()
    cohort = understand(root)
    assert [s.id for s in cohort.samples] == ["lung_000", "lung_001", "lung_003"]
    (gone,) = cohort.set_aside
    assert gone.sample == "lung_002"
    assert gone.reason.startswith("no mask: nothing to learn from, left to be annotated; expected is")
    assert "hu queue" in gone.reason
    assert "1 of 4 cases have no mask: they are left to be annotated." in cohort.schema.notes


def test_nnunet_with_answers_in_a_table(tmp_path: Path) -> None:
    root = nnunet(tmp_path / "lungs")
    table(
        root / "answers.csv",
        case=["lung_000", "lung_001", "lung_002", "lung_003", "lung_900", "lung_777"],
        malignant=["0", "1", "0", "1", "1", "0"],
        age=["50", "61", "72", "43", "55", "60"],
    )
    cohort = understand(root)
    assert [t.name for t in cohort.schema.targets] == ["malignant", "mask"]
    assert [s.targets["malignant"] for s in cohort.samples] == ["0", "1", "0", "1", "1"]
    assert [s.part for s in cohort.samples] == ["train"] * 4 + ["test"]
    assert cohort.schema.official_parts == ("train", "test")
    assert {tuple(s.inputs) for s in cohort.samples} == {("T2", "ADC")}
    assert [a.reason for a in cohort.set_aside] == ["no image named"]
    assert cohort.samples[1].attributes["age"] == 61.0
    assert [c.column for c in cohort.schema.columns] == ["case", "malignant", "age"]
    (tmp_path / "cohort.yaml").write_text(
        cohort_yaml(cohort).replace("schema_version: 1", "schema_version: 1\nroot: lungs")
    )
    (tmp_path / "samples.csv").write_text(samples_csv(cohort))
    again = understand(tmp_path)
    assert [dict(s.inputs) for s in again.samples] == [dict(s.inputs) for s in cohort.samples]
    assert [s.masks for s in again.samples] == [s.masks for s in cohort.samples]
    assert [s.targets for s in again.samples] == [s.targets for s in cohort.samples]


def test_a_table_from_elsewhere_and_one_image_of_several(tmp_path: Path) -> None:
    root = nnunet(tmp_path / "lungs")
    answers = table(tmp_path / "grades.csv", id=["lung_000", "lung_001", "lung_002"], grade=["1", "2", "1"])
    cohort = understand(root, Roles(labels=str(answers), image="ADC", target=("grade",)))
    assert [i.name for i in cohort.schema.inputs] == ["ADC"]
    assert next(a for a in cohort.set_aside if a.sample == "lung_003").reason == "not listed in grades.csv"
    with pytest.raises(UnknownNameError, match="no image named 'FLAIR'"):
        understand(root, Roles(image="FLAIR"))
    table(tmp_path / "wrong.csv", id=["a", "b"], grade=["1", "2"])
    with pytest.raises(CohortError, match=r"No column of 'wrong.csv' names the cases"):
        understand(root, Roles(labels=str(tmp_path / "wrong.csv")))


def test_a_case_without_one_of_its_images_is_set_aside(tmp_path: Path) -> None:
    root = nnunet(tmp_path / "lungs", cases=12)
    (root / "imagesTr" / "lung_005_0001.nii.gz").unlink()
    cohort = understand(root)
    assert [(a.sample, a.reason) for a in cohort.set_aside] == [("lung_005", "no image ADC")]
    for number in range(6, 12):
        (root / "imagesTr" / f"lung_{number:03d}_0001.nii.gz").unlink()
    cohort = understand(root)
    assert [i.name for i in cohort.schema.inputs] == ["T2"]
    assert any("ADC (5 of 12)" in u for u in cohort.schema.unsure)


def test_the_decathlon_has_its_channels_along_the_fourth_axis(tmp_path: Path) -> None:
    root = tmp_path / "Task01_Brain"
    for number in range(3):
        write(root / "imagesTr" / f"b_{number}.nii.gz", np.concatenate([voxels(3 * number + c) for c in range(2)]))
        write(root / "labelsTr" / f"b_{number}.nii.gz", outline(number))
    content = {
        "modality": {"0": "FLAIR", "1": "T1w"},
        "labels": {"0": "background", "1": "edema"},
        "tensorImageSize": "4D",
        "training": [{"image": f"./imagesTr/b_{n}.nii.gz", "label": f"./labelsTr/b_{n}.nii.gz"} for n in range(4)],
        "test": ["./imagesTs/b_9.nii.gz"],
    }
    (root / "dataset.json").write_text(json.dumps(content))
    cohort = understand(root)
    assert cohort.schema.layout == "msd"
    assert [(i.name, i.ndim, i.modality) for i in cohort.schema.inputs] == [("FLAIR", 3, "MR"), ("T1w", 3, "MR")]
    assert cohort.schema.targets[0].classes == ("background", "edema")
    np.testing.assert_array_equal(first_values(cohort, "T1w")[1], voxels(4))
    assert [(a.sample, a.reason) for a in cohort.set_aside] == [("b_3", "image file missing")]
    table(root / "volumes.csv", image=[f"imagesTr/b_{n}.nii.gz" for n in range(3)], outcome=["1", "0", "1"])
    assert [t.name for t in understand(root).schema.targets] == ["outcome", "mask"]


def test_a_decathlon_of_one_sequence(tmp_path: Path) -> None:
    write(tmp_path / "imagesTr" / "h.nii.gz", voxels(0))
    write(tmp_path / "labelsTr" / "h.nii.gz", outline(0))
    content = {"modality": {"0": "CT"}, "training": [{"image": "./imagesTr/h.nii.gz", "label": "./labelsTr/h.nii.gz"}]}
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    cohort = understand(tmp_path)
    assert [(i.name, i.modality) for i in cohort.schema.inputs] == [("image", "CT")]
    assert cohort.samples[0].inputs["image"][0].ref == Ref("nifti", "imagesTr/h.nii.gz")
    (tmp_path / "dataset.json").write_text("{")
    assert "dataset.json is damaged or names none of its images" in str(understand_or_error(tmp_path))
    (tmp_path / "dataset.json").unlink()
    assert understand(tmp_path).samples[0].masks == cohort.samples[0].masks


def understand_or_error(root: Path) -> Cohort | CohortError:
    try:
        return understand(root)
    except CohortError as error:
        return error


def bids(root: Path) -> Path:
    for number in range(1, 5):
        for session in ("1", "2") if number < 3 else ("1",):
            name = f"sub-{number:02d}_ses-{session}"
            folder = root / f"sub-{number:02d}" / f"ses-{session}" / "anat"
            write(folder / f"{name}_T1w.nii.gz", voxels(10 * number + int(session)))
            write(folder / f"{name}_acq-fast_T1w.nii.gz", voxels(99))
            write(folder / f"{name}_FLAIR.nii.gz", voxels(100 + number))
    write(root / "sub-01" / "ses-1" / "func" / "sub-01_ses-1_task-rest_bold.nii.gz", voxels(7))
    write(root / "derivatives" / "x" / "sub-01" / "ses-1" / "anat" / "sub-01_ses-1_dseg.nii.gz", outline(1))
    (root / "dataset_description.json").write_text('{"Name": "toy", "BIDSVersion": "1.9.0"}')
    table(
        root / "participants.tsv",
        participant_id=[f"sub-{n:02d}" for n in range(1, 5)],
        diagnosis=["patient", "control", "patient", "control"],
        age=["60", "61", "62", "n/a"],
    )
    return root


def test_bids_sessions_are_samples_of_one_patient(tmp_path: Path) -> None:
    cohort = understand(bids(tmp_path / "study"))
    assert cohort.schema.layout == "bids"
    assert [s.id for s in cohort.samples] == [
        "sub-01_ses-1", "sub-01_ses-2", "sub-02_ses-1", "sub-02_ses-2", "sub-03_ses-1", "sub-04_ses-1",
    ]  # fmt: skip
    assert [s.patient for s in cohort.samples] == ["sub-01", "sub-01", "sub-02", "sub-02", "sub-03", "sub-04"]
    assert cohort.schema.patients_known
    assert {i.name: i.modality for i in cohort.schema.inputs} == {"FLAIR": "MR", "T1w": "MR"}
    np.testing.assert_array_equal(first_values(cohort, "T1w")[1], voxels(12))
    assert cohort.schema.targets[0].name == "diagnosis"
    assert cohort.schema.targets[0].positive == "patient" or cohort.schema.targets[0].positive_source
    assert [s.targets["diagnosis"] for s in cohort.samples[1:3]] == ["patient", "control"]
    assert cohort.samples[0].masks["mask"].path.startswith("derivatives/")
    assert any("each of the patient's visits" in u for u in cohort.schema.unsure)
    assert any("several images of one sequence" in u for u in cohort.schema.unsure)
    assert any("1 files of func" in n for n in cohort.schema.notes)


def test_bids_answers_by_session(tmp_path: Path) -> None:
    root = bids(tmp_path / "study")
    answers = table(
        tmp_path / "visits.csv",
        participant_id=["sub-01", "sub-01", "sub-02", "sub-02"],
        session_id=["ses-1", "ses-2", "1", "2"],
        outcome=["0", "1", "1", "0"],
    )
    cohort = understand(root, Roles(labels=str(answers), target=("outcome",)))
    assert {s.id: s.targets["outcome"] for s in cohort.samples} == {
        "sub-01_ses-1": "0", "sub-01_ses-2": "1", "sub-02_ses-1": "1", "sub-02_ses-2": "0",
    }  # fmt: skip
    assert {a.sample for a in cohort.set_aside} == {"sub-03_ses-1", "sub-04_ses-1"}


def test_a_plain_folder_of_volumes_and_a_table(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path / "scans" / f"p{number}.nii.gz", voxels(number))
        write(tmp_path / "masks" / f"p{number}.nii.gz", outline(number))
    table(
        tmp_path / "labels.csv",
        image=[f"scans/p{n}.nii.gz" for n in range(6)],
        mask=[f"masks/p{n}.nii.gz" for n in range(6)],
        label=["0", "1"] * 3,
    )
    cohort = understand(tmp_path)
    assert cohort.schema.inputs[0].ndim == 3
    assert [t.kind for t in cohort.schema.targets] == ["categorical", "mask"]
    assert "The images are NIfTI files." in cohort.schema.notes


def test_planes_are_known_from_their_headers(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path / f"p{number}.nii.gz", voxels(number, 1, 12, 14))
    table(tmp_path / "labels.csv", image=[f"p{n}.nii.gz" for n in range(6)], label=["0", "1"] * 3)
    cohort = understand(tmp_path)
    assert cohort.schema.inputs[0].ndim == 2
    assert readers.read(cohort, cohort.samples[0].inputs["image"][0].ref).size == (12, 14)


def test_class_folders_of_volumes(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path / ("ill" if number % 2 else "normal") / f"p{number}.nii.gz", voxels(number))
    cohort = understand(tmp_path)
    assert cohort.schema.layout == "class folders"
    assert cohort.schema.inputs[0].ndim == 3
    assert unlabelled([tmp_path]).schema.inputs[0].ndim == 3


def test_masks_on_another_grid_are_moved_or_their_case_set_aside(tmp_path: Path) -> None:
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    mirrored = affine.copy()
    mirrored[0, 0], mirrored[0, 3] = -1.0, 10.0
    elsewhere = affine.copy()
    elsewhere[0, 3] = 500.0
    masks = {
        "same": (outline(0), affine),
        "mirrored": (outline(0)[..., ::-1], mirrored),
        "cropped": (outline(0)[:, 2:7], affine @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 2], [0, 0, 0, 1]])),
        "elsewhere": (outline(0), elsewhere),
    }
    for name, (mask, placed) in masks.items():
        write(tmp_path / "imagesTr" / f"{name}_0000.nii.gz", voxels(0), affine)
        write(tmp_path / "labelsTr" / f"{name}.nii.gz", np.ascontiguousarray(mask), placed)
    write(tmp_path / "imagesTr" / "unknown_0000.nii.gz", voxels(0), affine)
    write_nifti(tmp_path / "labelsTr" / "unknown.nii.gz", Image(outline(0)[:, 2:7]))
    write(tmp_path / "imagesTr" / "assumed_0000.nii.gz", voxels(0), affine)
    write_nifti(tmp_path / "labelsTr" / "assumed.nii.gz", Image(outline(0)))
    (tmp_path / "dataset.json").write_text("{}")
    cohort = understand(tmp_path)
    assert {s.id for s in cohort.samples} == {"same", "mirrored", "cropped", "assumed"}
    reasons = {a.sample: a.reason for a in cohort.set_aside}
    assert "do not overlap" in reasons["elsewhere"]
    assert "no affine says how they lie" in reasons["unknown"]
    assert any(n.startswith("2 of 6 masks: the mask lies on another grid") for n in cohort.schema.notes)
    assert any(n.startswith("1 of 6 masks: image or mask does not say") for n in cohort.schema.notes)
    for sample in cohort.samples:
        image = readers.read(cohort, sample.inputs["image"][0].ref)
        found = read_mask(cohort, sample.masks["mask"], image).array
        wanted = outline(0).copy()
        if sample.id == "cropped":
            wanted[:, :2] = wanted[:, 7:] = 0
        np.testing.assert_array_equal(found, wanted, err_msg=sample.id)
    image = readers.read(cohort, cohort.samples[0].inputs["image"][0].ref)
    with pytest.raises(ReadError, match="do not overlap"):
        read_mask(cohort, Ref("nifti", "labelsTr/elsewhere.nii.gz"), image)
    half = affine.copy()
    half[0, 3] = 6.0
    write(tmp_path / "half.nii.gz", outline(0), half)
    with pytest.raises(ReadError, match=r"\d+% of the outlined voxels lie outside the image"):
        read_mask(cohort, Ref("nifti", "half.nii.gz"), image)


def test_a_mask_that_lost_its_header_sets_its_case_aside(tmp_path: Path) -> None:
    affine = np.diag([5.0, 5.0, 5.0, 1.0])
    for name, placed in (("kept", affine), ("lost", np.eye(4)), ("itk", np.diag([-1.0, -1.0, 1.0, 1.0]))):
        write(tmp_path / "imagesTr" / f"{name}_0000.nii.gz", voxels(0), affine)
        write(tmp_path / "labelsTr" / f"{name}.nii.gz", outline(0), placed)
    (tmp_path / "dataset.json").write_text("{}")
    cohort = understand(tmp_path)
    assert [s.id for s in cohort.samples] == ["kept"]
    reasons = {a.sample: a.reason for a in cohort.set_aside}
    assert set(reasons) == {"lost", "itk"}
    assert all("copy the other's affine" in r for r in reasons.values())
    image = readers.read(cohort, cohort.samples[0].inputs["image"][0].ref)
    with pytest.raises(ReadError, match="a header was lost"):
        read_mask(cohort, Ref("nifti", "labelsTr/lost.nii.gz"), image)


def test_a_mask_of_which_the_image_s_grid_keeps_nothing_is_refused(tmp_path: Path) -> None:
    coarse = np.diag([5.0, 5.0, 5.0, 1.0])
    image = Image(voxels(0), Grid(coarse))
    thin = np.zeros((1, 20, 20, 20), np.uint8)
    thin[0, 7, 7, 7] = 1
    write(tmp_path / "thin.nii.gz", thin, np.diag([1.0, 1.0, 1.5, 1.0]))
    cohort = Cohort("x", str(tmp_path), (), Schema())
    with pytest.raises(ReadError, match="the outlined volume changes by 100%"):
        read_mask(cohort, Ref("nifti", "thin.nii.gz"), image)

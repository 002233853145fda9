import csv
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pydicom
import pytest

from hounsfield.core.errors import MinutesError, PlanError, RunExistsError, StorageError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.data.cohorts import understand
from hounsfield.data.masks import read_mask
from hounsfield.data.readers import read
from hounsfield.science.physics.ct_cohort import simulate_ct_slice
from hounsfield.workflow.demo import COLUMNS, TRAPS, Demo, _lesions, demo, write_cohort
from hounsfield.workflow.demo_lesions import annotated, read_back
from hounsfield.workflow.training import Run, train
from hounsfield.workflow.wishes import Wishes
from tests.data_room.dicom.answers.making import faults


def test_the_cohort_is_seeded_and_understood(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_cohort(tmp_path / name, patients=10, slices=1, size=48, seed=4)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)
    cohort = understand(tmp_path / "a")
    assert [t.kind for t in cohort.schema.targets] == ["categorical", "multilabel", "ordinal", "number"]
    assert cohort.schema.official_parts == ("train", "val", "test")
    assert len(cohort) == 10 + len(TRAPS)


def test_slices_are_on_a_disk_as_dicom_with_answers_beside(tmp_path: Path) -> None:
    write_cohort(tmp_path, patients=10, slices=2, size=48, seed=3)
    with (tmp_path / "answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len({(r["PatientID"], r["split"]) for r in rows}) == 10
    files = [p for p in (tmp_path / "disk").rglob("*") if p.is_file()]
    assert {p.suffix for p in files} == {"", ".dcm"}
    read = [pydicom.dcmread(p) for p in files]
    found = {str(d.SOPInstanceUID): d for d in read}
    assert set(found) == {r["SOPInstanceUID"] for r in rows}
    assert len(found) == len(files) == 20 + len(TRAPS)
    assert len({str(d.StudyInstanceUID) for d in read}) == len({str(d.AccessionNumber) for d in read}) == 10
    for number, row in enumerate(rows[:20]):
        made = simulate_ct_slice(number // 2, number % 2, size=48, seed=3)
        header = found[row["SOPInstanceUID"]]
        assert header.PatientID == row["PatientID"] == made.patient
        assert (header.PatientSex, int(header.PatientAge[:3])) == (row["sex"], int(row["age"]))
        np.testing.assert_array_equal(header.pixel_array.astype(int) + int(header.RescaleIntercept), made.hu)
    repeat, corrupt, contradiction = (found[r["SOPInstanceUID"]] for r in rows[20:])
    assert len(corrupt.PixelData) < 2 * 48 * 48
    test = found[next(r["SOPInstanceUID"] for r in rows if r["split"] == "test")]
    likeness = np.corrcoef(repeat.pixel_array.ravel(), test.pixel_array.ravel())[0, 1]
    assert likeness > 0.999
    assert not np.array_equal(repeat.pixel_array, test.pixel_array)
    twin = next(r for r in rows[:20] if found[r["SOPInstanceUID"]].PixelData == contradiction.PixelData)
    assert twin["lesion"] != rows[-1]["lesion"]


def test_what_is_read_is_in_hounsfield_units(tmp_path: Path) -> None:
    write_cohort(tmp_path, patients=10, slices=1, size=48, seed=3)
    cohort = understand(tmp_path)
    image = read(cohort, cohort.samples[0].inputs["image"][0].ref)
    assert (image.modality, image.units) == ("CT", "HU")
    np.testing.assert_array_equal(image.array[0], simulate_ct_slice(0, 0, size=48, seed=3).hu)


def test_a_finished_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "report.json").write_text("{}")
    with pytest.raises(RunExistsError, match="finished demo"):
        demo(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_lesions_are_outlined_as_a_reader_would(tmp_path: Path) -> None:
    write_cohort(tmp_path, patients=10, slices=2, size=48, seed=3, outlines=True)
    answers = understand(tmp_path)
    assert [t.kind for t in answers.schema.targets] == ["categorical", "multilabel", "ordinal", "number"]
    assert len(answers.set_aside) == 1  # the file that ends in the middle, and no outline
    cohort = understand(tmp_path / "disk")
    assert [(t.kind, t.classes) for t in cohort.schema.targets] == [("mask", ("background", "lesion"))]
    assert len(cohort) == len({s.patient for s in cohort.samples}) == 10
    for patient, sample in enumerate(cohort.samples[1:-4], start=1):  # the traps are in the first and the seventh
        image = read(cohort, sample.inputs["image"][0].ref)
        mask = read_mask(cohort, sample.masks["mask"], image).array[0]
        made = [simulate_ct_slice(patient, n, size=48, seed=3) for n in range(2)]
        np.testing.assert_array_equal(image.array[0], np.stack([m.hu for m in made]))
        np.testing.assert_array_equal(mask, np.stack([m.lesion_mask for m in made]))
    drawn = list((tmp_path / "disk").rglob("SE000002/*"))
    assert len(drawn) == 10
    for path in drawn:
        found = pydicom.dcmread(path)
        assert found.SegmentSequence[0].SegmentAlgorithmType == "MANUAL"
        assert faults(path) == []


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "annotated" / "masks").mkdir(parents=True)
    with pytest.raises(RunExistsError, match="not this demo's"):
        demo(tmp_path)
    assert [p.name for p in tmp_path.rglob("*")] == ["annotated", "masks"]


@pytest.mark.parametrize("minutes", [0.2, 0.6])
def test_too_few_minutes_are_told_of_the_whole_demo(minutes: float, tmp_path: Path, quick: list[Wishes]) -> None:
    with pytest.raises(MinutesError, match=f"{minutes:g} minutes are not enough for both trainings") as raised:
        demo(tmp_path, minutes=minutes, patients=10)
    assert "3 minutes" in raised.value.expected
    assert quick == ([] if minutes < 0.3 else [Wishes(task="classify", minutes=0.3, brief=True)])


@pytest.mark.parametrize(
    ("error", "found", "after"),
    [
        (
            MinutesError("2.05 minutes are not enough."),
            "4.1 minutes are not enough .* speed measured",
            "does nothing else",
        ),
        (PlanError("The loss is nan at step 3.", next_step="lower it"), "The loss is nan", "lower it"),
    ],
)
def test_a_refusal_at_the_usual_minutes_tells_of_a_busy_machine_and_no_other_error_does(
    error: PlanError, found: str, after: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_given: object, **_wishes: object) -> Run:
        raise error

    monkeypatch.setattr("hounsfield.workflow.demo.train", refused)
    monkeypatch.setattr("hounsfield.workflow.demo.write_cohort", lambda *_given, **_how: None)
    with pytest.raises(PlanError, match=found) as raised:
        demo(tmp_path)
    assert after in raised.value.next_step


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Wishes]:
    """See `shortened`."""
    return shortened(monkeypatch)


def shortened(patched: pytest.MonkeyPatch) -> list[Wishes]:
    """Make the simulated cohort small and both trainings short; return what is wished of them."""
    seen: list[Wishes] = []

    def short(source: Path, *, out: Path, wishes: Wishes, progress: Progress) -> Run:
        seen.append(wishes)
        if wishes.minutes is not None and wishes.minutes < 0.5:
            raise MinutesError("0.3 minutes are not enough: reading alone takes 0.4.", expected="0.5")
        steps = {"classify": 2, "annotate": 12}[wishes.task or ""]
        return train(source, out=out, wishes=Wishes(task=wishes.task, threads=1, max_steps=steps), progress=progress)

    patched.setattr("hounsfield.workflow.demo.write_cohort", partial(write_cohort, slices=3, size=48))
    patched.setattr("hounsfield.workflow.demo.train", short)
    return seen


def test_few_minutes_leave_the_second_training_a_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Wishes] = []

    def poor(source: Path, *, out: Path, wishes: Wishes, progress: Progress) -> Run:
        tried.append(wishes)
        if wishes.minutes is not None:
            raise MinutesError("0.9 minutes are not enough.", expected="1.1")
        raise KeyboardInterrupt

    monkeypatch.setattr("hounsfield.workflow.demo.train", poor)
    wishes = Wishes(task="annotate", minutes=0.9, seed=3)
    with pytest.raises(KeyboardInterrupt):
        _lesions(tmp_path, tmp_path / "lesions", wishes, progress=SILENT)
    assert tried == [wishes, Wishes(task="annotate", max_steps=40, seed=3)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Demo]:
    """A small demo, run once."""
    out = tmp_path_factory.mktemp("whole") / "demo"
    with pytest.MonkeyPatch.context() as patched:
        seen = shortened(patched)
        made = demo(out, patients=16)
    assert [(w.task, w.minutes) for w in seen] == [("classify", 2.05), ("annotate", 1.9)]
    return out, made


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (Debian dicom3tools) is not installed")
def test_what_the_demo_hands_back_is_valid(whole: tuple[Path, Demo]) -> None:
    study = whole[1].annotated
    assert {path.name: faults(path) for path in (study.folder / "dicom").iterdir()} == {
        f"{study.sample}.{kind}.dcm": [] for kind in ("seg", "rtstruct", "sr")
    }


def test_the_demo_ends_with_an_annotated_study(whole: tuple[Path, Demo], quick: list[Wishes]) -> None:
    out, made = whole
    assert made.report.task == "classify"
    assert set(made.lesions.report.baselines) == {"atlas", "threshold"}
    study = made.annotated
    typical = made.lesions.report.typical[0]
    assert study.sample == typical.sample
    assert typical.png in (made.lesions.path / "report.html").read_text(encoding="utf-8")
    assert {p.name for p in (study.folder / "dicom").iterdir()} == {
        f"{study.sample}.{kind}.dcm" for kind in ("seg", "rtstruct", "sr")
    }
    assert study.overlay.read_bytes().startswith(b"\x89PNG")
    found = pydicom.dcmread(study.segmentation)
    image = pydicom.dcmread(next(p for p in study.study.rglob("SE000001/*")))
    assert (found.StudyInstanceUID, found.PatientID) == (image.StudyInstanceUID, image.PatientID)
    assert found.SegmentSequence[0].SegmentAlgorithmType == "AUTOMATIC"
    assert int(np.unpackbits(np.frombuffer(found.PixelData, np.uint8)).sum()) == study.voxels
    with pytest.raises(RunExistsError, match="finished demo"):
        demo(out)
    # stopped while the study was annotated: both runs are kept, the study is annotated again
    before = study.segmentation.read_bytes()
    (study.folder / ".unfinished").touch()
    again = demo(out, patients=16)
    assert quick == []
    assert again.annotated == study
    assert study.segmentation.read_bytes() == before
    # another voxel in the file is noticed
    changed = pydicom.dcmread(study.segmentation)
    changed.PixelData = bytes([changed.PixelData[0] ^ 1]) + changed.PixelData[1:]
    changed.save_as(study.segmentation)
    with pytest.raises(StorageError, match="does not read back"):
        annotated(out, study.sample)


def test_a_segmentation_is_read_back_beside_a_damaged_file(tmp_path: Path) -> None:
    write_cohort(tmp_path, patients=10, slices=2, size=48, seed=3, outlines=True)
    study = tmp_path / "disk" / "PA000001"  # its last file ends in the middle
    found = read_back(tmp_path, study / "ST000001" / "SE000002" / "IM000001.dcm", study)
    first, second = (simulate_ct_slice(0, number, size=48, seed=3).lesion_mask for number in range(2))
    np.testing.assert_array_equal(found[[0, 1, 3]], np.stack([first, second, second]))

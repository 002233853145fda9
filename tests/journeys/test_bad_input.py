"""Each kind of bad input: exit code 2, the finding and the next step are said, nothing half-written stays."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from hounsfield.core.errors import BundleError, CohortError, StorageError
from hounsfield.data.cohorts import understand
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.training import Run
from tests.journeys.making import (
    bomb,
    everything_in,
    hu,
    picture,
    quick,
    save,
    write_cohort,
    write_folders,
    write_table,
)


def refused(out: Path, *words: object, found: str, next_step: str) -> None:
    """Train and check that it is refused in words and leaves nothing."""
    result = hu("train", *words, "--threads", 1, "--out", out)
    assert result.exit_code == 2, result.output
    assert found in result.stderr
    assert next_step in result.stderr
    assert "Traceback" not in result.stderr
    assert str(out.parent) not in result.stderr
    assert not out.exists()


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    refused(tmp_path / "run", tmp_path / "data", found="is empty", next_step="Next: check the path")


def test_no_labels(tmp_path: Path) -> None:
    for i in range(6):
        save(tmp_path / "data" / f"{i}.png", picture(i, 0))
    refused(
        tmp_path / "run", tmp_path / "data", found="There are no labels: 'data' holds 6 images", next_step="labels.csv"
    )


def test_one_class_folder_only(tmp_path: Path) -> None:
    write_folders(tmp_path / "data", n=6, classes=("benign",))
    refused(
        tmp_path / "run", tmp_path / "data", found="one class only", next_step="Next: add the images of another class"
    )


def test_one_class_in_a_table(tmp_path: Path) -> None:
    rows = write_cohort(tmp_path / "data", n=8)
    write_table(tmp_path / "data" / "labels.csv", ["image", "patient", "label"], [[*r[:2], "benign"] for r in rows])
    refused(tmp_path / "run", tmp_path / "data", found="all are 'benign'", next_step="--target")


def test_a_class_of_one_patient_is_refused(tmp_path: Path) -> None:
    rows = write_cohort(tmp_path / "data", n=24)
    one = [[name, "A" if said == "yes" else who, said] for name, who, said in rows]
    write_table(tmp_path / "data" / "labels.csv", ["image", "patient", "disease"], one)
    refused(
        tmp_path / "run", tmp_path / "data", found="12 samples of 1 patients", next_step="add patients of this class"
    )


def test_a_class_of_one_patient_in_an_official_split_is_warned_of(tmp_path: Path) -> None:
    rows = write_cohort(tmp_path / "data", n=36, parts=True)
    one = [[name, "A" if said == "yes" else who, said, part] for name, who, said, part in rows]
    write_table(tmp_path / "data" / "labels.csv", ["image", "patient", "disease", "split"], one)
    report = quick(tmp_path / "data", tmp_path / "run").report
    assert "no patient-wise claim" in report.split_rule
    assert any("more than one part" in caveat.en for caveat in report.caveats)


@pytest.mark.parametrize(
    ("option", "said", "near"),
    [("--target", "diseas", "disease"), ("--group", "patien", "patient"), ("--network", "residul", "residual")],
)
def test_a_misspelt_name_is_answered_with_the_nearest(tmp_path: Path, option: str, said: str, near: str) -> None:
    write_cohort(tmp_path / "data", n=18)
    refused(tmp_path / "run", tmp_path / "data", option, said, found=f"named {said!r}", next_step=f"write {near!r}")


def test_too_few_minutes(tmp_path: Path) -> None:
    write_cohort(tmp_path / "data", n=18)
    refused(tmp_path / "run", tmp_path / "data", "--minutes", 0.01, found="are not enough", next_step="raise --minutes")


def test_a_path_outside_the_folder(tmp_path: Path) -> None:
    rows = write_cohort(tmp_path / "data", n=8)
    save(tmp_path / "secret.png", picture(1, 0))
    write_table(
        tmp_path / "data" / "labels.csv", ["image", "patient", "disease"], [*rows, ["../secret.png", "x", "no"]]
    )
    refused(
        tmp_path / "run",
        tmp_path / "data",
        found="outside the data folder (first in row 10",
        next_step="copy the files",
    )


def test_a_class_missing_from_the_official_training_part(tmp_path: Path) -> None:
    rows = write_cohort(tmp_path / "data", n=36, parts=True)
    kept = [r for r in rows if not (r[3] == "train" and r[2] == "no")]
    write_table(tmp_path / "data" / "labels.csv", ["image", "patient", "disease", "split"], kept)
    refused(tmp_path / "run", tmp_path / "data", found="one class of 'disease' only: 'yes'", next_step="--split")


def test_faulty_files_are_set_aside_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    rows = write_cohort(folder, n=30)
    whole = (folder / "00.png").read_bytes()
    (folder / "00.png").write_bytes(whole[: len(whole) // 2])
    (folder / "01.png").write_text("Dear colleague, the image follows by post.\n" * 9)
    Pillow.fromarray(np.zeros((1, 1), np.uint8)).save(folder / "02.png")
    bomb(folder / "03.png")
    (folder / "04.png").write_bytes(b"")
    save(folder / "05.png", picture(5, 1), mode="RGB")
    write_table(folder / "labels.csv", ["image", "patient", "disease"], [*rows, ["gone.png", "p99", "yes"]])
    report = quick(folder, tmp_path / "run").report
    reasons = {entry["sample"]: entry["reason"] for entry in report.audit.unreadable}
    assert set(reasons) == {"00", "01", "02", "03", "04", "gone"}
    assert "truncated" in reasons["00"]
    assert "text, not an image" in reasons["01"]
    assert "1 x 1" in reasons["02"]
    assert "million pixels and was not decoded" in reasons["03"]
    assert "missing" in reasons["gone"]
    assert not any(str(tmp_path) in reason for reason in reasons.values())
    shown = hu("inspect", folder)
    assert shown.exit_code == 0
    assert "6 cases were set aside" in " ".join(shown.stdout.split())


def test_nothing_but_faulty_files(tmp_path: Path) -> None:
    for row in write_cohort(tmp_path / "data", n=12):
        (tmp_path / "data" / str(row[0])).write_text("no picture\n" * 20)
    refused(tmp_path / "run", tmp_path / "data", found="None of the 12 samples can be used", next_step="run hu inspect")


def test_grey_and_colour_together(tmp_path: Path) -> None:
    for i in range(24):
        save(tmp_path / "data" / ("no", "yes")[i % 2] / f"{i}.png", picture(i, i % 2), mode=("L", "RGB")[i // 2 % 2])
    assert quick(tmp_path / "data", tmp_path / "run").report.audit.unreadable == ()


def test_nan_and_infinity_in_an_archive(tmp_path: Path) -> None:
    images = np.stack([picture(i, i % 2) for i in range(60)]).astype(np.float32)
    images[3, 0, 0], images[4, 1, 1] = np.nan, np.inf
    labels = np.arange(60) % 2
    ends = {"train": slice(0, 40), "val": slice(40, 50), "test": slice(50, 60)}
    arrays = {
        f"{part}_{what}": values[rows]
        for part, rows in ends.items()
        for what, values in (("images", images), ("labels", labels))
    }
    np.savez(tmp_path / "data.npz", **arrays)  # type: ignore[arg-type]  # names are free
    report = quick(tmp_path / "data.npz", tmp_path / "run").report
    assert [e["sample"] for e in report.audit.unreadable] == ["train_3", "train_4"]
    assert all("NaN or infinite" in e["reason"] for e in report.audit.unreadable)


def test_training_samples_that_all_repeat_test_samples(tmp_path: Path) -> None:
    rows = write_cohort(tmp_path / "data", n=12)
    for name, _, _ in rows:
        shutil.copy(tmp_path / "data" / str(name), tmp_path / "data" / f"again_{name}")
    twice = [[f"again_{r[0]}", f"again_{r[1]}", r[2], "train"] for r in rows] + [
        [*r, ("val", "test")[i // 6]] for i, r in enumerate(rows)
    ]
    write_table(tmp_path / "data" / "labels.csv", ["image", "patient", "disease", "split"], twice)
    refused(
        tmp_path / "run",
        tmp_path / "data",
        found="No sample of the official training part is left",
        next_step="hu inspect",
    )


def test_untidy_labels(tmp_path: Path) -> None:
    spelt = (" benign", "Malignant ", "Benign", "malignant", "BENIGN", "  malignant")
    rows = [[f"{i:02d}.png", spelt[i % 6] if i < 30 else ""] for i in range(33)]
    for i in range(33):
        save(tmp_path / "data" / f"{i:02d}.png", picture(i, i % 2))
    write_table(tmp_path / "data" / "labels.csv", ["image", "label"], rows)
    report = quick(tmp_path / "data", tmp_path / "run").report
    assert [c.casefold() for c in report.target.classes] == ["benign", "malignant"]
    assert report.target.positive == "malignant"
    assert {e["reason"] for e in report.audit.unreadable} == {"no answer"}


def test_a_full_disk_while_a_checkpoint_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import os

    from hounsfield.workflow import checkpoints

    write_cohort(tmp_path / "data", n=18)
    real = os.fsync
    full: list[bool] = []

    def fsync(handle: int) -> None:
        if full and "member" in Path(f"/proc/self/fd/{handle}").readlink().name:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    full.append(True)
    monkeypatch.setattr(os, "fsync", fsync)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.FileStore, "due", lambda _: True)
        with pytest.raises(StorageError, match="No space left on device") as caught:
            quick(tmp_path / "data", tmp_path / "run")
    assert caught.value.exit_code == 2
    assert "free some space" in caught.value.next_step
    assert not [f for f in everything_in(tmp_path / "run") if f.endswith(".tmp") or "member-" in f or "bundle" in f]
    full.clear()
    quick(tmp_path / "data", tmp_path / "run")
    assert (tmp_path / "run" / "report.json").exists()


def copied(run: Run, to: Path) -> Path:
    shutil.copytree(run.path / "bundle", to)
    return to


def test_a_bundle_with_a_flipped_byte(plain_run: Run, plain_folder: Path, tmp_path: Path) -> None:
    bundle = copied(plain_run, tmp_path / "bundle")
    weights = bundle / "members" / "0.safetensors"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(bytes(data))
    result = hu("predict", bundle, plain_folder / "00.png", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "members/0.safetensors" in result.stderr
    assert "Next:" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_bundle_of_a_future_version(plain_run: Run, plain_folder: Path, tmp_path: Path) -> None:
    bundle = copied(plain_run, tmp_path / "bundle")
    text = (bundle / "manifest.json").read_text()
    assert '"schema_version": 1' in text
    (bundle / "manifest.json").write_text(text.replace('"schema_version": 1', '"schema_version": 99', 1))
    with pytest.raises(BundleError, match=r"newer|99"):
        list(predict(bundle, [plain_folder / "00.png"]))
    result = hu("evaluate", bundle, plain_folder, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "Next:" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("written", "instead", "near"),
    [("  learning_rate:", "  learning_rat:", "learning_rate"), ("  optimisation:", "  optimisaton:", "optimisation")],
)
def test_a_plan_with_an_unknown_name(tmp_path: Path, written: str, instead: str, near: str) -> None:
    write_cohort(tmp_path / "data", n=18)
    assert hu("plan", tmp_path / "data", "--threads", 1, "--out", tmp_path / "plan.yaml").exit_code == 0
    text = (tmp_path / "plan.yaml").read_text()
    assert written in text
    (tmp_path / "plan.yaml").write_text(text.replace(written, instead, 1))
    refused(tmp_path / "run", tmp_path / "plan.yaml", found="unknown", next_step=f"write {near!r}")


def test_a_network_for_pictures_on_volumes(tmp_path: Path) -> None:
    images = np.stack([np.stack([picture(i, i % 2)] * 8) for i in range(40)])
    labels = np.arange(40) % 2
    np.savez(
        tmp_path / "data.npz",
        train_images=images[:24],
        train_labels=labels[:24],
        test_images=images[24:],
        test_labels=labels[24:],
    )
    refused(
        tmp_path / "run",
        tmp_path / "data.npz",
        "--network",
        "textbook",
        found="2D images",
        next_step="--network residual",
    )


@pytest.mark.parametrize("source", ["nowhere", "data/00.png"])
def test_a_source_that_is_none(tmp_path: Path, source: str) -> None:
    write_cohort(tmp_path / "data", n=3)
    with pytest.raises(CohortError):
        quick(tmp_path / source, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_text_named_dcm_is_told_as_no_dicom(tmp_path: Path) -> None:
    (tmp_path / "note.dcm").write_text("hello", encoding="utf-8")
    with pytest.raises(CohortError, match=r"None of the 1 files named \.dcm .* is a DICOM file by its content"):
        understand(tmp_path)

"""Whatever a user has is trained on as it lies."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow
import pytest
from PIL import Image as Pillow
from pyarrow.parquet import write_table as write_parquet

from hounsfield.core.report import Report
from tests.journeys.making import hu, picture, quick, save, write_cohort, write_folders, write_table

N = 30


def class_folders(root: Path) -> Path:
    write_folders(root, n=N)
    return root


def split_folders(root: Path) -> Path:
    for part, n, first in (("train", 20, 0), ("val", 8, 20), ("test", 8, 28)):
        write_folders(root / part, n=n, first=first)
    return root


def semicolons_and_bom(root: Path) -> Path:
    rows = write_cohort(root, n=N)
    table: list[list[object]] = [["Bild", "Patient", "Befund"], *rows]
    text = "\n".join(";".join(str(cell) for cell in row) for row in table)
    (root / "labels.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    return root


def chinese(root: Path) -> Path:
    rows = write_cohort(root, n=N)
    said: list[list[object]] = [[name, who, "肺炎" if answer == "yes" else "正常"] for name, who, answer in rows]
    table: list[list[object]] = [["图像", "患者", "诊断"], *said]
    text = "\n".join(",".join(str(cell) for cell in row) for row in table)
    (root / "labels.csv").write_bytes(text.encode("gb18030"))
    return root


def workbook(root: Path) -> Path:
    rows = write_cohort(root, n=N)
    (root / "labels.csv").unlink()
    book = openpyxl.Workbook()
    for line in (["image", "patient", "disease"], *rows):
        book.worksheets[0].append(line)
    book.save(root / "labels.xlsx")
    return root


def parquet(root: Path) -> Path:
    rows = write_cohort(root, n=N)
    (root / "labels.csv").unlink()
    columns = dict(zip(["image", "patient", "disease"], map(list, zip(*rows, strict=True)), strict=True))
    write_parquet(pyarrow.table(columns), root / "labels.parquet")
    return root


def sixteen_bits(root: Path) -> Path:
    rows = write_cohort(root, n=N)
    for i, row in enumerate(rows):
        Pillow.fromarray(picture(i, i % 2).astype(np.uint16) * 200).save(root / str(row[0]))
    return root


def archive(root: Path) -> Path:
    return _archive(root, np.stack([picture(i, i % 2) for i in range(N)]))


def volumes(root: Path) -> Path:
    return _archive(root, np.stack([np.stack([picture(i, i % 2, size=16)] * 16) for i in range(N)]))


def _archive(root: Path, images: np.typing.NDArray[np.uint8]) -> Path:
    labels = (np.arange(N) % 2)[:, None]
    ends = {"train": slice(0, 18), "val": slice(18, 24), "test": slice(24, N)}
    root.mkdir(parents=True)
    arrays = {f"{p}_images": images[r] for p, r in ends.items()} | {f"{p}_labels": labels[r] for p, r in ends.items()}
    np.savez(root / "toy.npz", **arrays)  # type: ignore[arg-type]  # names are free
    return root / "toy.npz"


@pytest.mark.parametrize(
    ("lay", "positive"),
    [
        (class_folders, "malignant"),
        (split_folders, "malignant"),
        (semicolons_and_bom, "yes"),
        (chinese, "肺炎"),
        (workbook, "yes"),
        (parquet, "yes"),
        (sixteen_bits, "yes"),
        (archive, "1"),
        (volumes, "1"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_it_is_trained_on_as_it_lies(tmp_path: Path, lay: Callable[[Path], Path], positive: str) -> None:
    report = quick(lay(tmp_path / "data"), tmp_path / "run").report
    assert report.target.positive == positive
    assert report.audit.unreadable == ()
    assert report.parts["test"].metrics["auroc"].value is not None


def _of(values: list[object]) -> list[dict[str, object]]:
    return [{"image": picture(i, i % 2), "label": value, "patient": f"p{i}"} for i, value in enumerate(values)]


def test_samples_in_memory(tmp_path: Path) -> None:
    report = quick((s for s in _of([("no", "yes")[i % 2] for i in range(N)])), tmp_path / "run").report
    assert report.parts["test"].samples == 6


def test_several_labels(tmp_path: Path) -> None:
    values: list[object] = [[n for n, has in (("a", i % 2), ("b", i % 3 == 0)) if has] for i in range(N)]
    report = quick(_of(values), tmp_path / "run").report
    assert report.target.kind == "multilabel"
    assert {"auroc", "auroc:a", "auroc:b"} <= set(report.parts["test"].metrics)


def test_a_number_some_of_which_are_missing(tmp_path: Path) -> None:
    values: list[object] = [None if i % 7 == 0 else 3.5 * (i % 2) + 0.1 * i for i in range(36)]
    report = quick(_of(values), tmp_path / "run").report
    assert report.target.kind == "number"
    assert report.parts["test"].metrics["mae"].value is not None


def test_declared_grades(tmp_path: Path) -> None:
    rows = [[f"{i:02d}.png", f"p{i}", str(i % 3)] for i in range(N)]
    for i in range(N):
        save(tmp_path / "data" / f"{i:02d}.png", picture(i, i % 3))
    write_table(tmp_path / "data" / "labels.csv", ["image", "patient", "grade"], rows)
    declared = (
        "schema_version: 1\nlayout: manifest\nmanifest: labels.csv\n"
        "targets:\n  - {name: grade, kind: ordinal, classes: ['0', '1', '2']}\n"
    )
    (tmp_path / "data" / "cohort.yaml").write_text(declared)
    report = quick(tmp_path / "data", tmp_path / "run").report
    assert report.target.kind == "ordinal"
    assert "quadratic_kappa" in report.parts["test"].metrics


@pytest.mark.usefixtures("few_steps")
def test_json_alone_on_standard_output(plain_folder: Path, tmp_path: Path) -> None:
    trained = hu("train", plain_folder, "--minutes", 0.3, "--threads", 1, "--out", tmp_path / "run", "--json")
    assert trained.exit_code == 0, trained.stderr
    Report.model_validate_json(trained.stdout)
    for words in (
        ("inspect", plain_folder),
        ("plan", plain_folder, "--threads", 1),
        ("evaluate", tmp_path / "run", plain_folder),
        ("predict", tmp_path / "run", plain_folder / "00.png"),
        ("compare", tmp_path / "run", tmp_path / "run"),
        ("doctor",),
    ):
        result = hu(*words, "--json")
        assert result.exit_code == 0, result.stderr
        assert isinstance(json.loads(result.stdout), dict), words[0]


def test_a_plan_with_its_reasons(plain_folder: Path) -> None:
    result = hu("plan", plain_folder, "--threads", 1, "--why")
    assert result.exit_code == 0, result.stderr
    assert "learning_rate" in result.stdout
    assert "decoupled" in result.stdout

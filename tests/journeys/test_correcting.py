"""What `hu inspect --out` wrote of a disk is corrected in a spreadsheet and then used as it is."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Cohort
from hounsfield.core.streams import stream
from hounsfield.data.cohorts import understand
from hounsfield.data.dicom.writing import CtSeries, CtStudy, encoded_series
from tests.journeys.making import hu, write_table

PATIENTS = 12
Rows = list[dict[str, str]]


def _write_disk(folder: Path) -> None:
    """Write studies of two series, soft and sharp, and answers by accession number that lost their zeros."""
    for p in range(PATIENTS):
        study = CtStudy(f"P{p:03d}", f"{70 + p:06d}", f"202401{p + 1:02d}", sex="F", age_years=50)
        for n, kernel in enumerate(("B30", "B70"), start=1):
            hu_values = stream(3, "disk", p, n).integers(-100, 100, (3, 24, 24)).astype(np.int16)
            hu_values[:, 6:12, 6:12] += np.int16(200 * (p % 2))
            places = tuple((0.0, 0.0, 5.0 * z) for z in range(3))
            series = CtSeries(hu_values, (1.0, 1.0), places, thickness_mm=5.0, number=n, kernel=kernel)
            for z, file in enumerate(encoded_series(study, series)):
                path = folder / f"PA{p:02d}" / f"SE{n}" / (f"IM{z}" + (".dcm" if p % 2 else ""))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.content)
    write_table(
        folder.parent / "answers.csv", ["accession", "finding"], [[70.0 + p, "yn"[p % 2]] for p in range(PATIENTS)]
    )


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a disk under a name with a blank and Chinese characters, and what was written of it."""
    root = tmp_path_factory.mktemp("corrected")
    _write_disk(root / "光盘 1")
    said = hu("inspect", root / "光盘 1", "--labels", root / "answers.csv", "--out", root / "check me")
    assert said.exit_code == 0, said.output
    assert "hu plan '" in " ".join(said.stdout.split())
    return root


def _rows(folder: Path) -> Rows:
    with (folder / "samples.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _corrected(checked: Path, name: str, rows: Rows) -> Path:
    folder = checked / name
    folder.mkdir()
    (folder / "cohort.yaml").write_bytes((checked / "check me" / "cohort.yaml").read_bytes())
    write_table(folder / "samples.csv", list(rows[0]), [list(r.values()) for r in rows])
    return folder


def _kernels(cohort: Cohort) -> dict[str, str]:
    """Return which series each sample looks at, by the folder of its file."""
    return {s.id: s.inputs["image"][0].ref.path.split("/")[1] for s in cohort.samples}


def test_the_written_folder_is_a_source(checked: Path) -> None:
    cohort = understand(checked / "check me")
    assert len(cohort) == PATIENTS
    assert set(_kernels(cohort).values()) == {"SE1"}
    assert str(checked) not in (checked / "check me" / "cohort.yaml").read_text(encoding="utf-8")
    assert hu("inspect", checked / "check me").exit_code == 0


def test_both_files_may_be_put_into_the_disk(checked: Path) -> None:
    disk = checked / "光盘 1"
    for name in ("cohort.yaml", "samples.csv"):
        (disk / name).write_bytes((checked / "check me" / name).read_bytes())
    try:
        assert len(understand(disk)) == PATIENTS
    finally:
        for name in ("cohort.yaml", "samples.csv"):
            (disk / name).unlink()


def test_an_answer_a_series_and_a_row_are_corrected(checked: Path) -> None:
    rows = _rows(checked / "check me")
    first, second, third = rows[0]["sample"], rows[1]["sample"], rows[2]["sample"]
    assert rows[0]["target:finding"] == "y"
    rows[0]["target:finding"] = "n"
    # the sharp series of the second study: its file and its UID, as another row names its own
    sharp = hu(
        "inspect",
        checked / "光盘 1",
        "--labels",
        checked / "answers.csv",
        "--series",
        "ConvolutionKernel == 'B70'",
        "--out",
        checked / "sharp",
    )
    assert sharp.exit_code == 0, sharp.output
    rows[1]["input:image"] = next(r["input:image"] for r in _rows(checked / "sharp") if r["sample"] == second)
    del rows[2]
    folder = _corrected(checked, "corrected", rows)
    cohort = understand(folder)
    assert {s.id: s.targets["finding"] for s in cohort.samples}[first] == "n"
    assert _kernels(cohort)[second] == "SE2"
    assert third not in _kernels(cohort)
    assert len(cohort) == PATIENTS - 1
    said = json.loads(hu("inspect", folder, "--json").stdout)
    assert said["cohort"]["parts"]["all"]["classes"] == {"n": 7, "y": 4}


def test_a_class_that_nobody_declared_is_asked_about(checked: Path) -> None:
    rows = _rows(checked / "check me")
    rows[0]["target:finding"] = "maybe"
    said = hu("inspect", _corrected(checked, "misspelt", rows))
    assert said.exit_code == 2
    assert "maybe" in said.stderr
    assert "Next:" in said.stderr


def test_a_row_that_leads_out_of_the_disk_is_refused(checked: Path) -> None:
    rows = _rows(checked / "check me")
    rows[0]["input:image"] = rows[0]["input:image"].replace("dicom|", "dicom|../")
    folder = _corrected(checked, "outside", rows)
    said = hu("inspect", folder)
    assert "../" not in said.stdout
    assert said.exit_code == 2 or "outside" in said.stdout


def test_rows_without_files_and_studies_without_a_row_are_named(checked: Path) -> None:
    write_table(
        checked / "short.csv",
        ["accession", "finding"],
        [*([70 + p, "yn"[p % 2]] for p in range(PATIENTS - 1)), [999, "y"]],
    )
    said = hu("inspect", checked / "光盘 1", "--labels", checked / "short.csv")
    assert said.exit_code == 0, said.output
    shown = " ".join(said.stdout[said.stdout.index("Set aside") :].split())
    assert "999 no file has this AccessionNumber" in shown
    assert "000081 no row in short.csv" in shown

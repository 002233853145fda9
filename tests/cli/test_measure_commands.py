"""`hu measure` at the door: what is printed, what is written, how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import hounsfield
from hounsfield.cli.app import app
from hounsfield.core.image import Grid, Image
from hounsfield.data.volume.nifti_writing import write_nifti

QUICK = "families: [stat, cm]\nslow: false\n"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    image = np.arange(4 * 6 * 8, dtype=np.int16).reshape(4, 6, 8)
    write_nifti(tmp_path / "image.nii.gz", Image(image[None], Grid(np.eye(4))))
    write_nifti(tmp_path / "mask.nii.gz", Image((image > 20)[None].astype(np.uint8), Grid(np.eye(4))))
    (tmp_path / "quick.yaml").write_text(QUICK, encoding="utf-8")
    return tmp_path


def _run(*words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["measure", *(str(w) for w in words)])
    return done.exit_code, done.output


def test_a_measurement_of_a_volume_loads_nothing_that_it_does_not_need(case: Path) -> None:
    names = ("image.nii.gz", "mask.nii.gz", "--settings", "quick.yaml", "--out", "f.parquet")
    words = ["hu", "measure", *(n if n.startswith("--") else str(case / n) for n in names)]
    heavy = ["PIL", "matplotlib", "nibabel", "pandas", "pydicom", "scipy.ndimage", "scipy.stats", "sklearn", "torch"]
    code = (
        f"import sys\nsys.argv = {words}\nimport hounsfield.cli\n"
        "try:\n    hounsfield.cli.main()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print([name for name in {heavy} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert (case / "f.parquet").is_file()


def test_measured_written_and_repeated(case: Path) -> None:
    out = case / "features.parquet"
    code, text = _run(case / "image.nii.gz", case / "mask.nii.gz", "--settings", case / "quick.yaml", "--out", out)
    assert code == 0, text
    assert "1 regions of 1 cases" in text
    assert "features.csv, features.json" in text
    code, text = _run("--repeat", out)
    assert code == 0, text
    assert "The same bytes." in text
    (case / "mask.nii.gz").unlink()
    write_nifti(case / "mask.nii.gz", Image(np.ones((1, 4, 6, 8), dtype=np.uint8), Grid(np.eye(4))))
    code, text = _run("--repeat", out)
    assert code == 1
    assert "Not the same: 1 cases have other voxels" in text


def test_json_is_nothing_but_json(case: Path) -> None:
    words = (case / "image.nii.gz", case / "mask.nii.gz", "--settings", case / "quick.yaml", "--json")
    done = CliRunner().invoke(app, ["measure", *(str(w) for w in words)])
    (row,) = json.loads(done.stdout)["rows"]
    assert row["values"]["stat_min"] == 21.0


def test_settings_are_shown_as_they_are_taken() -> None:
    code, text = _run("--show", "ibsi-E")
    assert code == 0
    assert "outlier_sigma: 3" in text


def test_a_call_without_masks_says_what_to_write(case: Path) -> None:
    code, text = _run(case / "image.nii.gz")
    assert code == 2
    assert "hu measure IMAGES MASKS" in text


def test_the_facade_takes_arrays_and_paths(case: Path) -> None:
    image = np.arange(4 * 6 * 8, dtype=np.int16).reshape(4, 6, 8)
    found = hounsfield.measure(image, (image > 20).astype(np.uint8), spacing_mm=(1, 1, 1), settings="ibsi-C")
    other = hounsfield.measure(case / "image.nii.gz", case / "mask.nii.gz", settings="ibsi-C")
    assert found.rows[0].values == other.rows[0].values
    assert found.table().num_rows == 1

"""A disk from a hospital: a CT with its segmentations, MR, ultrasound and damaged files, shuffled into one folder."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Image
from PIL import Image as Pillow
from typer.testing import CliRunner

from hounsfield.cli.app import app
from hounsfield.core.streams import stream

PARTS = ("ct/three-slice-with-seg", "ct/philips-scout", "mr/ge-classic", "mr/multi-echo-fieldmap", "us", "malformed")


@pytest.fixture(scope="module")
def hospital(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    corpus = shared_data / "dicom-corpus"
    if not corpus.is_dir():
        pytest.skip("the corpus is not here")
    files = [p for part in PARTS for p in sorted((corpus / part).iterdir()) if p.is_file() and p.suffix != ".nrrd"]
    folder = tmp_path_factory.mktemp("hospital") / "disk"
    folder.mkdir()
    # no name and no ending tells what a file is or where it belongs
    for number, place in enumerate(stream(0, "shuffle").permutation(len(files))):
        shutil.copyfile(files[int(place)], folder / f"{number:05d}")
    return folder


def test_one_command_converts_the_disk(hospital: Path, shared_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "nifti"
    result = CliRunner().invoke(app, ["convert", str(hospital), str(out)])
    assert result.exit_code == 0, result.output
    with (out / "volumes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    volumes = {r["file"]: r for r in rows if r["kind"] == "volume"}
    corpus = shared_data / "dicom-corpus"
    sizes = sorted((r["modality"], r["size"]) for r in volumes.values() if r["modality"] in ("CT", "MR"))
    assert ("CT", "512 x 512 x 3") in sizes
    assert sizes.count(("MR", "64 x 64 x 6")) == 2
    assert ("MR", "256 x 256 x 6") in sizes
    (ct,) = (r for r in volumes.values() if (r["modality"], r["size"]) == ("CT", "512 x 512 x 3"))
    assert ct["units"] == "HU"
    masks = [r for r in rows if r["kind"] == "mask"]
    assert len(masks) == 6
    assert {r["of"] for r in masks} == {ct["file"]}
    (liver,) = (r for r in masks if r["code"].endswith("Liver"))
    marked = np.asarray(Nifti1Image.from_filename(out / liver["file"]).dataobj)
    assert int(marked.sum()) == 107098
    (picture,) = (r for r in rows if r["kind"] == "overlay")
    drawn = np.asarray(Pillow.open(out / picture["file"]).convert("RGB")).astype(int)
    # outlines are the only colour in a grey picture
    assert 500 < int((np.ptp(drawn, axis=-1) > 30).sum()) < drawn.shape[0] * drawn.shape[1] / 4
    assert (corpus / "index.csv").is_file()


def test_every_file_of_the_disk_is_converted_or_listed(hospital: Path, tmp_path: Path) -> None:
    from hounsfield.workflow.converting import convert

    done = convert(hospital, tmp_path / "nifti")
    reasons = " | ".join(a.reason for a in done.apart)
    for word in ("localizer", "colour picture"):
        assert word in reasons
    assert all(a.reason and len(a.case) == 8 for a in done.apart)
    said = CliRunner().invoke(app, ["convert", str(hospital), str(tmp_path / "again"), "--json"]).output
    assert str(hospital) not in said


def test_a_second_run_refuses_to_overwrite(hospital: Path, tmp_path: Path) -> None:
    out = tmp_path / "nifti"
    out.mkdir()
    (out / "something").write_text("here")
    result = CliRunner().invoke(app, ["convert", str(hospital), str(out)])
    assert result.exit_code == 2
    assert [p.name for p in out.iterdir()] == ["something"]

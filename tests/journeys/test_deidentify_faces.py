"""`hu deidentify --option remove-faces`: NIfTI heads lose their faces, DICOM is written and that is said plainly."""

import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
from pydicom import dcmread
from typer.testing import CliRunner

from hounsfield.cli.app import app
from tests.data_room.dicom import planted
from tests.privacy.heads import head


def test_faces_go_from_nifti_and_dicom_says_that_they_stay(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    volume, face, brain, affine = head(-1000.0, 40.0)
    (source / "volume.nii").write_bytes(nib.Nifti1Image(volume.T, affine).to_bytes())
    (source / "slice.dcm").write_bytes(planted.stored(planted.with_pixels(planted.plain(), planted.anatomy())))
    ended = CliRunner().invoke(app, ["deidentify", str(source), str(out), "--option", "remove-faces"])
    assert ended.exit_code == 0, ended.output
    said = " ".join(ended.output.split())
    assert "Face removal is not offered for DICOM: 1 DICOM file" in said
    rows = {r["format"]: r for r in csv.DictReader((out / "deidentified.csv").read_text().splitlines())}
    assert rows["nifti"]["removed"].split("; ")[-1] == "face"
    assert rows["dicom"]["outcome"] == "written"
    assert "face" not in rows["dicom"]["removed"]
    assert json.loads((out / "deidentified.json").read_text())["notes"]
    made = np.asanyarray(nib.Nifti1Image.from_bytes((out / rows["nifti"]["output"]).read_bytes()).dataobj).T
    assert (made[face] == -1000).all()
    assert np.array_equal(made[brain], volume[brain])
    assert "remove-faces" not in dcmread(out / rows["dicom"]["output"]).DeidentificationMethod

"""`hu deidentify --option remove-faces`: heads lose their faces, what shows none is withheld."""

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


def test_faces_go_from_nifti_and_ct_without_a_head_is_withheld(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    volume, face, brain, affine = head(-1000.0, 40.0)
    (source / "volume.nii").write_bytes(nib.Nifti1Image(volume.T, affine).to_bytes())
    (source / "slice.dcm").write_bytes(planted.stored(planted.with_pixels(planted.plain(), planted.anatomy())))
    sound = planted.with_pixels(planted.plain(planted.SECONDARY, 2), planted.anatomy())
    sound.Modality, sound.SeriesInstanceUID = "US", "1.2.276.0.7.1.9"
    (source / "sound.dcm").write_bytes(planted.stored(sound))
    ended = CliRunner().invoke(app, ["deidentify", str(source), str(out), "--option", "remove-faces"])
    assert ended.exit_code == 0, ended.output
    said = " ".join(ended.output.split())
    assert "Faces were taken out of 1 files" in said
    rows = list(csv.DictReader((out / "deidentified.csv").read_text().splitlines()))
    by_end = {r["format"] + r["outcome"]: r for r in rows}
    assert set(by_end) == {"niftiwritten", "dicomwritten", "dicomwithheld"}
    assert by_end["niftiwritten"]["removed"].split("; ")[-1] == "face"
    assert "face" not in by_end["dicomwritten"]["removed"]
    assert "faces were to be removed" in by_end["dicomwithheld"]["reason"]
    assert json.loads((out / "deidentified.json").read_text())["notes"]
    made = np.asanyarray(nib.Nifti1Image.from_bytes((out / by_end["niftiwritten"]["output"]).read_bytes()).dataobj).T
    assert (made[face] == -1000).all()
    assert np.array_equal(made[brain], volume[brain])
    assert "remove-faces" not in dcmread(out / by_end["dicomwritten"]["output"]).DeidentificationMethod

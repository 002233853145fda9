"""Which files are of which case: the names that the table and the JSON of predictions tell."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.cohort import Ref
from hounsfield.core.image import Image
from hounsfield.core.prediction import Prediction, TargetPrediction
from hounsfield.data.annotations.files import stem
from hounsfield.data.cohorts import unlabelled
from hounsfield.data.writers import writer
from hounsfield.workflow.dense.predicting import Marked, _Table, names_of, prediction_json
from tests.data_room.folders import save


def marked(sample: str, targets: tuple[str, ...]) -> Marked:
    """Return a case in which each target has one structure of 5 voxels."""
    said = {t: TargetPrediction(5.0, sizes={"a": 5.0}, size_unit="voxels") for t in targets}
    return Marked(Prediction(sample, said), files={t: stem(n) for t, n in names_of(sample, targets).items()})


@pytest.mark.parametrize("targets", [("mask",), ("lung", "lesion")])
def test_the_table_and_the_json_name_the_files_of_each_case(targets: tuple[str, ...]) -> None:
    written = io.BytesIO()
    table = _Table(written, [(t, "a") for t in targets])
    cases = [marked(name, targets) for name in ("plain", "gut \u00e4 1", "benign (4)")]
    for case in (*cases, Marked(Prediction("refused one", refusal="a reason"))):
        table.add(case)
    rows = list(csv.DictReader(written.getvalue().decode("utf-8").splitlines()))
    heads = ["file"] if len(targets) == 1 else [f"file:{t}" for t in targets]
    for row, case in zip(rows, cases, strict=False):
        assert row["sample"] == case.prediction.sample
        assert [row[h] for h in heads] == [case.files[t] for t in targets]
        told = json.loads(json.dumps(prediction_json(case)))
        assert {t: said["file"] for t, said in told["targets"].items()} == case.files
    assert rows[0][heads[0]] == ("plain" if len(targets) == 1 else "plain__lung")
    assert rows[1][heads[0]].startswith("gut_\u00e4_1")
    assert len({row[h] for row in rows[:3] for h in heads}) == 3 * len(targets)
    assert [rows[3][h] for h in heads] == [""] * len(heads)


def test_they_are_the_names_of_the_files_that_are_written(tmp_path: Path) -> None:
    cohort = unlabelled([save(tmp_path / "in" / "gut \u00e4 1.png")])
    sample = cohort.samples[0]
    image = Image(np.zeros((1, 24, 20), np.uint8))
    answer = Annotation(np.ones((1, 24, 20), np.bool_), ("mask",))
    source = Source(names_of(sample.id, ("mask",))["mask"], cohort, Ref("raster", "gut \u00e4 1.png"), image)
    files = [f.name for name in ("png", "nifti") for f in writer(name).write(answer, source, tmp_path / "out")]
    own = [f for f in files if f != "labels.json"]  # of all cases together
    assert len(own) >= 2
    assert all(f.startswith(marked(sample.id, ("mask",)).files["mask"]) for f in own)

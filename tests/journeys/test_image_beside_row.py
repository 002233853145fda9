"""Images with variables beside them: an encoder for each, and one report."""

from pathlib import Path

import pytest

from hounsfield.bundle.sealed import open_sealed
from hounsfield.core.errors import BundleError
from hounsfield.core.streams import stream
from hounsfield.data.cohorts import understand
from hounsfield.workflow.exporting import export
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.training import Run
from tests.journeys.making import picture, quick, save, write_table

DECLARED = """schema_version: 1
root: .
manifest: labels.csv
columns: {age: input, crp: input}
"""


def write_cases(folder: Path, *, count: int = 48) -> Path:
    """Pictures that tell nothing, and an age that tells the answer."""
    rows: list[list[object]] = []
    for i in range(count):
        draws, ill = stream(i, "beside"), i % 2
        save(folder / f"{i:02d}.png", picture(i, 0))
        age = 50 + 20 * ill + draws.normal(0, 3)
        rows.append([f"{i:02d}.png", f"p{i}", f"{age:.1f}", f"{draws.lognormal(1, 1):.2f}", ("no", "yes")[ill]])
    write_table(folder / "labels.csv", ["image", "patient", "age", "crp", "disease"], rows)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = write_cases(tmp_path_factory.mktemp("beside") / "cases")
    (folder / "cohort.yaml").write_text(DECLARED, encoding="utf-8")
    return quick(folder / "cohort.yaml", folder.parent / "run", max_steps=40)


def test_what_is_beside_an_image_is_not_learned_from_unless_asked(tmp_path: Path) -> None:
    cohort = understand(write_cases(tmp_path, count=12))
    assert [spec.kind for spec in cohort.schema.inputs] == ["image"]
    assert "age" in cohort.samples[0].attributes


def test_both_are_learned_from(run: Run) -> None:
    plan = open_sealed(run.path / "bundle").plan
    assert plan.value("network", "family") == "joint"
    families = {s: plan.value(s, "family") for s in plan.sections if s.startswith("encoder.")}
    assert families == {"encoder.image": "residual", "encoder.variables": "row"}
    auroc = run.report.parts["test"].metrics["auroc"].value
    assert auroc is not None
    assert auroc > 0.8  # the pictures alone tell nothing


def test_a_case_is_predicted_from_both(run: Run) -> None:
    said = list(predict(run.path, [run.path.parent / "cases" / "cohort.yaml"]))
    right = sum(p.targets["disease"].value == ("no", "yes")[i % 2] for i, p in enumerate(said))
    assert right >= 40


def test_export_says_why_not(run: Run) -> None:
    with pytest.raises(BundleError, match="Input 'variables' is a row, and export is for models of images"):
        export(run.path)

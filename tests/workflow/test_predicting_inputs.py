"""A bundle that looks at two images of each case, asked about loose files."""

import json
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.errors import CohortError, HounsfieldError
from hounsfield.core.streams import stream
from hounsfield.workflow.evaluating import evaluate
from hounsfield.workflow.explaining import explain
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.training import Run
from hounsfield.workflow.wishes import Wishes
from tests.data_room.dicom.making import dataset, uid
from tests.data_room.dicom.making import save as store
from tests.journeys.making import picture, quick, save, write_table

CASES = 30


def _case(folder: Path, number: int, names: tuple[str, str]) -> None:
    for image, name in enumerate(names):
        save(folder / name, picture(100 * image + number, number % 2))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("two") / "data"
    (root / "imagesTr").mkdir(parents=True)
    for n in range(CASES):
        _case(root / "imagesTr", n, (f"c{n:02d}_0000.png", f"c{n:02d}_0001.png"))
    (root / "dataset.json").write_text(json.dumps({"channel_names": {"0": "T1", "1": "FLAIR"}}))
    write_table(root / "labels.csv", ["case", "label"], [[f"c{n:02d}", n % 2] for n in range(CASES)])
    return quick(root, root.parent / "run")


def test_both_inputs_are_filled_whatever_the_files_are_called(run: Run, tmp_path: Path) -> None:
    for folder, names in (("a", ("x_0000.png", "x_0001.png")), ("b", ("x_T1.png", "x_flair.png"))):
        (tmp_path / folder).mkdir()
        _case(tmp_path / folder, 3, names)
    (tmp_path / "c").mkdir()
    _case(tmp_path / "c", 3, ("x_FLAIR.png", "x_T1.png"))  # exchanged
    first, second, turned = (list(predict(run.path, [tmp_path / f])) for f in "abc")
    assert [p.sample for p in first] == [p.sample for p in second] == ["x"]
    assert not first[0].refusal
    assert first[0].targets == second[0].targets
    assert turned[0].targets != first[0].targets


def test_a_case_that_lacks_one_is_refused_by_its_name_and_the_others_go_on(run: Run, tmp_path: Path) -> None:
    _case(tmp_path, 3, ("x_0000.png", "x_0001.png"))
    save(tmp_path / "y_0001.png", picture(1, 1))
    save(tmp_path / "z.png", picture(2, 0))
    said = {p.sample: p for p in predict(run.path, [tmp_path])}
    assert not said["x"].refusal
    assert "no image for T1; the model looks at T1, FLAIR" in said["y"].refusal
    assert "no image for T1, FLAIR" in said["z"].refusal


def test_data_with_other_images_are_no_answer_to_the_question(run: Run, tmp_path: Path) -> None:
    for n in range(6):
        save(tmp_path / f"{n}.png", picture(n, n % 2))
    write_table(tmp_path / "labels.csv", ["image", "label"], [[f"{n}.png", n % 2] for n in range(6)])
    with pytest.raises(CohortError, match="no image called T1, FLAIR"):
        evaluate(run.path, tmp_path, out=tmp_path / "out", wishes=Wishes())
    with pytest.raises(HounsfieldError, match="no image for T1, FLAIR"):
        explain(run.path, [tmp_path / "1.png"], out=tmp_path / "maps")


def test_phases_of_a_diffusion_series_from_a_disk_to_predictions(tmp_path: Path) -> None:
    """Only together with the high b-value the answer can be seen: bright there, and nothing in the other."""
    for n in range(24):
        kind = "stroke" if n % 2 else "healthy"
        for b in (0.0, 1000.0):
            _diffusion(tmp_path / f"d/{kind}/c{n}", n, b, bright=bool(n % 2 and b))
    run = quick(tmp_path / "d", tmp_path / "run", image="phases")
    said = {p.sample: p for p in predict(run.path, [tmp_path / "d"])}
    right = [said[f"A{n:02d}"].targets["class"].value == ("stroke" if n % 2 else "healthy") for n in range(24)]
    assert sum(right) >= 22
    _diffusion(tmp_path / "lone/c", 30, 0.0, bright=False)
    (lone,) = predict(run.path, [tmp_path / "lone"])
    assert "no image for b_1000; the model looks at b_0, b_1000" in lone.refusal


def _diffusion(folder: Path, number: int, b_value: float, *, bright: bool) -> None:
    for z in range(4):
        facts = {
            "Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "DiffusionBValue": b_value,
            "SOPInstanceUID": uid(number, b_value, z), "ConvolutionKernel": None, "RescaleIntercept": 0,
            "AccessionNumber": f"A{number:02d}",
        }  # fmt: skip
        made = dataset(f"p{number}/s/dwi", facts, size=16, number=z)
        pixels = stream(number, "diffusion", sample=int(b_value) + z).integers(0, 200, (16, 16)).astype(np.uint16)
        pixels[4:12, 4:12] += 600 * bright
        made.PixelData = pixels.tobytes()
        store(folder / uid(number, b_value, z)[-9:], made)

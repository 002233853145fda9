"""Boxes from a model that has seen image labels only: who is boxed, what is scored, what is written or held back."""

import json
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Sample, TargetSpec
from hounsfield.core.errors import InputError, RunExistsError, UnknownNameError
from hounsfield.core.prediction import TargetPrediction
from hounsfield.core.types import BoolArray, Float64Array
from hounsfield.learn.explain.view import View
from hounsfield.stages.explaining.boxes_result import Boxes, opening, rows
from hounsfield.workflow.boxing import BoxWishes, find_boxes, finding_in, findings_of
from hounsfield.workflow.explaining_cases import Case
from hounsfield.workflow.training import Run
from hounsfield.workflow.wishes import Wishes
from tests.journeys.making import picture, quick, save, write_cohort, write_table

COUNT = 32
THREAD = Wishes(threads=1)
GRADCAM = BoxWishes(methods=("gradcam",), number=2)


def outline(number: int) -> BoolArray:
    """Return where picture `number` is outlined: nothing in even ones."""
    mask = np.zeros((32, 32), dtype=np.bool_)
    if number % 2:
        mask[8:16, 8:16] = True
    return mask


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boxing") / "data"
    table = write_cohort(folder, n=COUNT)
    for i in range(COUNT):
        save(folder / "masks" / f"{i:02d}.png", outline(i).astype(np.uint8) * 255)
    named = [[*row, f"masks/{i:02d}.png"] for i, row in enumerate(table)]
    write_table(folder / "labels.csv", ["image", "patient", "disease", "mask"], named)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return quick(folder, folder.parent / "run", folds=2)


def pointing(view: View) -> Float64Array:
    """Return a map that knows where the square is."""
    found = np.zeros(view.size)
    rows, columns = (n / 32 for n in view.size)
    found[round(8 * rows) : round(16 * rows), round(8 * columns) : round(16 * columns)] = 1.0
    return found


def away(view: View) -> Float64Array:
    """Return a map that looks where the square never is."""
    found = np.zeros(view.size)
    found[-round(view.size[0] / 4) :, -round(view.size[1] / 4) :] = 1.0
    return found


def patched(monkeypatch: pytest.MonkeyPatch, method: object) -> None:
    monkeypatch.setattr("hounsfield.workflow.boxing.map_of", lambda _name, view: method(view))  # type: ignore[operator]  # a function


def test_boxes_that_find_what_is_outlined_are_scored_and_written(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patched(monkeypatch, pointing)
    found = find_boxes(run.path, [folder], out=tmp_path / "out", wishes=THREAD, asked=GRADCAM)
    assert (found.part, found.mask, found.findings) == ("cv", "mask", ("yes",))
    assert found.chosen_by == "images of other folds"
    assert found.looked_at == COUNT
    assert found.outlined == COUNT // 2
    boxed = [i for i in found.images if i.shown]
    assert found.shown
    assert found.scored >= 10
    assert len(boxed) == found.looked_at - found.without_finding
    assert found.scored == found.outlined - found.outlined_without_finding
    assert (found.figures["chosen"]["box_iou"].value or 0) > 0.9
    assert found.figures["chosen"]["pointing"].value == 1.0
    assert found.figures["random"]["pointing"].value == pytest.approx(1 / 16)
    assert all((i.low, i.high) == ((8, 8), (16, 16)) for i in boxed)
    assert all(i.held_out for i in boxed)
    # what is written is what is told
    assert Boxes.model_validate_json((tmp_path / "out" / "boxes.json").read_text(encoding="utf-8")) == found
    coco = json.loads((tmp_path / "out" / "coco.json").read_text(encoding="utf-8"))
    assert [m["bbox"] for m in coco["annotations"]] == [[8, 8, 8, 8]] * len(boxed)
    assert [c["name"] for c in coco["categories"]] == ["yes"]
    chances = {i.sample: i.probability for i in boxed}
    pictures = {p["id"]: Path(p["file_name"]).stem for p in coco["images"]}
    for mark in coco["annotations"]:
        assert mark["score"] == pytest.approx(chances[pictures[mark["image_id"]]], abs=1e-3)
    assert len(list((tmp_path / "out" / "overlays").glob("*.png"))) == len(boxed)
    assert "better than random" in opening(found)[1]
    assert len(rows(found)) == 5
    with pytest.raises(RunExistsError):
        find_boxes(run.path, [folder], out=tmp_path / "out", asked=GRADCAM)


def test_boxes_no_better_than_random_are_scored_and_not_shown(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patched(monkeypatch, away)
    found = find_boxes(run.path, [folder], out=tmp_path / "out", wishes=THREAD, asked=GRADCAM)
    assert found.shown is False
    assert {i.reason for i in found.images} == {"no better than a random box"}
    assert not any(i.low or i.shown for i in found.images)
    assert found.figures["chosen"]["box_iou"].value == 0.0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["boxes.json"]
    assert opening(found)[1].startswith("No box is shown")


def test_the_maps_of_the_model_itself_are_scored(run: Run, folder: Path) -> None:
    found = find_boxes(run.path, [folder], wishes=THREAD)
    assert set(found.figures) == {"chosen", "gradcam", "occlusion", "random", "middle", "grey"}
    again = find_boxes(run.path, [folder], wishes=THREAD, asked=GRADCAM)
    assert again.figures["gradcam"] == found.figures["gradcam"]


@pytest.mark.parametrize("worth", [True, False])
def test_without_outlines_each_map_has_to_beat_random_ones(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, worth: bool
) -> None:
    monkeypatch.setattr("hounsfield.workflow.explaining.RANDOM", 3)
    monkeypatch.setattr("hounsfield.workflow.boxing.LEVEL", 0.5 if worth else 0.0)
    monkeypatch.setattr("hounsfield.stages.explaining.faithfulness.LEVEL", 2.0)
    patched(monkeypatch, pointing)
    for n in range(4):
        save(tmp_path / f"new{n}.png", picture(90 + n, 1))
    found = find_boxes(run.path, [tmp_path], wishes=THREAD, asked=GRADCAM)
    assert found.part == "files"
    assert found.chosen_by == "rule"
    assert found.shown is None
    assert not found.figures
    assert len(found.images) <= 2
    for image in found.images:
        assert image.shown == worth
        assert image.share == 0.5
        assert image.reason == ("" if worth else "map no better than random")
    assert "how well a box lies" in opening(found)[1]


def test_wishes_are_checked(run: Run, folder: Path) -> None:
    with pytest.raises(UnknownNameError):
        BoxWishes(methods=("saliency",))
    with pytest.raises(InputError):
        BoxWishes(number=0)
    assert BoxWishes().chosen == ("gradcam", "occlusion")
    with pytest.raises(UnknownNameError):
        find_boxes(run.path, [folder], asked=BoxWishes(answer="maybe"))


def spec(kind: str, classes: tuple[str, ...], positive: str | None = None) -> TargetSpec:
    return TargetSpec.model_validate({"name": "t", "kind": kind, "classes": classes, "positive": positive})


def test_what_counts_as_a_finding() -> None:
    assert findings_of(spec("categorical", ("no", "yes"), "yes"), None) == ("yes",)
    assert findings_of(spec("categorical", ("normal", "benign", "malignant")), None) == ("benign", "malignant")
    assert findings_of(spec("categorical", ("正常", "良性", "恶性")), None) == ("良性", "恶性")
    assert findings_of(spec("categorical", ("normal", "benign", "malignant")), "normal") == ("normal",)
    assert findings_of(spec("ordinal", ("none", "mild", "severe")), None) == ("mild", "severe")
    assert findings_of(spec("multilabel", ("mass", "no effusion")), None) == ("mass", "no effusion")
    with pytest.raises(InputError, match="nowhere in an image"):
        findings_of(spec("number", ()), None)
    with pytest.raises(InputError, match="something to see"):
        findings_of(spec("categorical", ("normal", "healthy")), None)


def case(value: str | tuple[str, ...], shares: dict[str, float], point: str | None = None) -> Case:
    said = TargetPrediction(value=value, probabilities=shares, at_operating_point=point)
    return Case(Sample("s", "p", inputs={}, targets={}), -1, np.zeros(3), said, (), None)


def test_where_the_model_sees_a_finding() -> None:
    three = spec("categorical", ("normal", "benign", "malignant"))
    shares = {"normal": 0.2, "benign": 0.5, "malignant": 0.3}
    assert finding_in(case("benign", shares), three, ("benign", "malignant"), None) == "benign"
    assert finding_in(case("normal", shares), three, ("benign", "malignant"), None) is None
    two = spec("categorical", ("no", "yes"), "yes")
    # by the operating point, not by the larger share
    assert finding_in(case("no", {"no": 0.6, "yes": 0.4}, "yes"), two, ("yes",), None) == "yes"
    labels = spec("multilabel", ("a", "b", "c"))
    several = {"a": 0.6, "b": 0.9, "c": 0.1}
    assert finding_in(case(("a", "b"), several), labels, ("a", "b", "c"), None) == "b"
    assert finding_in(case((), several), labels, ("a", "b", "c"), None) is None
    grades = spec("ordinal", ("none", "mild", "severe"))
    levels = {"none": 0.1, "mild": 0.3, "severe": 0.6}
    assert finding_in(case("severe", levels), grades, ("mild",), "mild") == "mild"
    assert finding_in(case("none", levels), grades, ("mild", "severe"), None) is None

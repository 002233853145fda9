"""From a run and images to explanations: which images, by which members, and what is written."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import Cohort
from hounsfield.core.errors import InputError, RunExistsError, UnknownNameError
from hounsfield.core.progress import SILENT
from hounsfield.stages.explaining.result import Explanations
from hounsfield.workflow.explaining import ExplainWishes, explain
from hounsfield.workflow.explaining_cases import gather, judged, weights_of
from hounsfield.workflow.opening import of_fold, open_bundle
from hounsfield.workflow.training import Run
from hounsfield.workflow.wishes import Wishes
from tests.journeys.making import picture, quick, save, write_cohort, write_table

ONE = ExplainWishes(number=1, methods=("gradcam",))


@pytest.fixture(autouse=True)
def _few_random_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hounsfield.workflow.explaining.RANDOM", 3)


def with_masks(folder: Path) -> None:
    """Add masks, empty for the even pictures, and name them in the table."""
    rows = write_cohort(folder, n=24, parts=True)
    for i in range(24):
        mask = np.zeros((32, 32), dtype=np.uint8)
        if i % 2:
            mask[8:16, 8:16] = 255
        save(folder / "masks" / f"{i:02d}.png", mask)
    table = [[*row, f"masks/{i:02d}.png"] for i, row in enumerate(rows)]
    write_table(folder / "labels.csv", ["image", "patient", "disease", "split", "mask"], table)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explaining") / "data"
    with_masks(folder)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return quick(folder, folder.parent / "run")


@pytest.fixture(scope="module")
def folds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    folder = tmp_path_factory.mktemp("folds") / "data"
    write_cohort(folder, n=20)
    return folder, quick(folder, folder.parent / "run", folds=2)


def test_the_test_part_is_explained_and_written(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "explanations"
    asked = ExplainWishes(number=1, pointing=2)
    found = explain(run.path, [folder], out=out, asked=asked, wishes=Wishes(threads=1))
    assert found.part == "test"
    assert all(image.held_out for image in found.images)
    assert 1 <= len(found.images) <= 2
    assert {m.method for m in found.images[0].maps} == {"gradcam", "gradients", "occlusion"}
    assert found.mask == "mask"
    assert {game.method.split()[0] for game in found.pointing} == {"gradcam", "gradients", "occlusion"}
    # of the test part's masks half are empty, and they are not played with
    assert all(game.images <= 3 for game in found.pointing)
    assert all(game.chance == pytest.approx(1 / 16, abs=0.02) for game in found.pointing)
    read = Explanations.model_validate_json((out / "explain.json").read_text(encoding="utf-8"))
    assert read == found
    page = (out / "explain.html").read_text(encoding="utf-8")
    for image in found.images:
        assert (out / image.picture).read_bytes().startswith(b"\x89PNG")
        assert image.sample in page
        assert image.sample not in image.picture.split("-", 2)[2]
    assert str(folder) not in page
    assert str(folder) not in json.dumps(found.model_dump(mode="json"))
    with pytest.raises(RunExistsError):
        explain(run.path, [folder], out=out, asked=asked)


def test_the_same_question_gives_the_same_scores(run: Run, folder: Path) -> None:
    first, second = (explain(run.path, [folder], asked=ONE, wishes=Wishes(threads=1)) for _ in range(2))
    assert first.images == second.images


def test_files_are_explained_without_answers(run: Run, folder: Path, tmp_path: Path) -> None:
    save(tmp_path / "new.png", picture(99, 1))
    found = explain(run.path, [tmp_path / "new.png", folder / "00.png"], asked=ONE)
    assert found.part == "files"
    assert [i.sample for i in found.images] == ["new", "00"]
    assert [i.correct for i in found.images] == [None, None]
    assert [i.held_out for i in found.images] == [True, False]  # the second was in the training part
    assert not found.pointing


def test_a_class_can_be_asked_for(run: Run, folder: Path) -> None:
    found = explain(run.path, [folder / "00.png"], asked=replace(ONE, answer="no"))
    assert found.images[0].answer == "no"
    with pytest.raises(UnknownNameError):
        explain(run.path, [folder / "00.png"], asked=replace(ONE, answer="maybe"))


def test_wishes_are_checked() -> None:
    with pytest.raises(UnknownNameError):
        ExplainWishes(methods=("saliency",))
    with pytest.raises(InputError):
        ExplainWishes(number=0)
    assert ExplainWishes(methods=("occlusion", "gradcam")).chosen == ("gradcam", "occlusion")


def test_folds_are_explained_by_members_that_have_not_seen_them(folds: tuple[Path, Run]) -> None:
    folder, run = folds
    contents = open_bundle(run.path)
    gathered = gather(contents, [folder], Wishes(threads=1), progress=SILENT)
    assert gathered.part == "cv"
    assert set(gathered.folds.values()) == {0, 1}
    cases, _ = judged(contents, gathered, progress=SILENT)
    # the probabilities of predictions.csv are those of part cv
    lines = [line.split(",") for line in (run.path / "predictions.csv").read_text(encoding="utf-8").splitlines()]
    head = lines[0]
    told = {line[0]: line for line in lines[1:]}
    assert len(cases) == 20
    for case in cases:
        line = told[case.sample.id]
        assert int(line[head.index("fold")]) == case.fold
        for name, share in case.said.probabilities.items():
            assert float(line[head.index(f"probability:{name}")]) == pytest.approx(share, abs=1e-6)
    found = explain(run.path, [folder], asked=ONE, wishes=Wishes(threads=1))
    assert found.part == "cv"
    assert all(image.held_out for image in found.images)


def test_a_fold_has_its_own_members(folds: tuple[Path, Run]) -> None:
    contents = open_bundle(folds[1].path)
    own = of_fold(contents, 1)
    assert len(own.members) < len(contents.members)
    for some in (contents, own):
        assert sum(weights_of(some, contents.plan.targets[0])) == pytest.approx(1.0)
    assert of_fold(contents, -1) is contents


def test_the_score_is_what_the_model_says(run: Run, folder: Path) -> None:
    contents: BundleContents = open_bundle(run.path)
    gathered = gather(contents, [folder], Wishes(threads=1), progress=SILENT)
    cohort: Cohort = gathered.cohort
    assert len(cohort.samples) == len(gathered.samples)
    cases, _ = judged(contents, gathered, progress=SILENT)
    said = {case.sample.id: case.said.probabilities for case in cases}
    for image in explain(run.path, [folder], asked=ONE, wishes=Wishes(threads=1)).images:
        assert image.score == pytest.approx(said[image.sample][image.answer], abs=1e-5)

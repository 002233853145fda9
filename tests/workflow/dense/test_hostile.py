"""How a figure or a file of marks could be wrong: each case here was."""

import base64
import csv
import io
import math
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image as Pillow

from hounsfield.core.cohort import Cohort, Ref, Sample, Schema
from hounsfield.core.errors import InputError, RunExistsError
from hounsfield.core.image import Grid, Image
from hounsfield.core.progress import SILENT
from hounsfield.core.structures import Structures
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.science.statistics.segmentation.mask_figures import mask_figures
from hounsfield.workflow.dense.fitting import _held
from hounsfield.workflow.dense.judging import _other_reader, voxel_mm3
from hounsfield.workflow.dense.model import Said
from hounsfield.workflow.dense.pictures import outlined
from hounsfield.workflow.dense.predicting import _sizes
from hounsfield.workflow.dense.settling import Held, best_threshold
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.training import Run, train
from hounsfield.workflow.wishes import Wishes
from tests.workflow.dense.making import write_pictures

ONE = Structures(classes=("a",), layout="one")
TILTED: Float64Array = np.array([[1.0, 0, 0, 0], [0, 1.0, 1.5, 0], [0, 0, 2.0, 0], [0, 0, 0, 1]])
"""Slices 2 mm apart, each 1.5 mm further to the front: a voxel has 2 mm3, the product of the spacing is 2.5."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    folder = write_pictures(tmp_path_factory.mktemp("hostile") / "data")
    return folder, train(folder, out=folder.parent / "run", wishes=Wishes(task="annotate", threads=1, max_steps=4))


def test_the_threshold_is_not_put_between_two_that_are_good() -> None:
    # 10 pixels inside at .2 and 20 at .9, 15 outside at .5: Dice .8 up to .2 and from .5 on, .62 between
    probability = np.repeat([0.2, 0.9, 0.5, 0.0], [10, 20, 15, 100]).astype(np.float32)[None]
    truth = np.repeat([True, True, False, False], [10, 20, 15, 100])[None]
    found = best_threshold([(probability, truth, None)])
    said = probability >= found
    assert 2 * (said & truth).sum() / (said.sum() + truth.sum()) == pytest.approx(0.8)


def test_folds_together_hold_no_more_cases_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Held(np.zeros((1, 10, 10), np.float16), np.zeros((1, 10, 10), np.bool_))
    monkeypatch.setattr("hounsfield.workflow.dense.fitting._cases", lambda *_: (("mask", one) for _ in range(50)))
    runner = cast("Any", SimpleNamespace(structures={"mask": ONE}))
    most = 2_000 // 4
    found = [_held(runner, cast("Any", None), ["a"] * 50, most, SILENT) for _ in range(4)]
    assert sum(h.probabilities.size for f in found for h in f["mask"]) <= 2_000 + 4 * 100


def test_what_is_held_is_drawn_and_not_the_first_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not all cases fit, those of one hospital, which sort first, must not settle everything alone."""
    import hounsfield.workflow.dense.fitting as module

    fold = SimpleNamespace(train=np.arange(0), val=np.arange(40))
    asked: list[list[str]] = []

    def held(_runner: object, _known: object, ids: list[str], *_: object) -> dict[str, list[Held]]:
        asked.append(list(ids))
        return {}

    monkeypatch.setattr(module, "_held", held)
    for name in ("runner_of", "_guard", "_settle", "card", "self_test", "structures_of"):
        monkeypatch.setattr(module, name, lambda *_, **__: ({}, SimpleNamespace(model_dump=dict)))
    monkeypatch.setattr(module, "settled_json", lambda _: {})
    monkeypatch.setattr(module, "BundleContents", lambda **_: None)
    plan = SimpleNamespace(seed=3, targets=(), model_copy=lambda **_: None)
    fitted = SimpleNamespace(members=(), folds=(), baselines={}, to_json=dict)
    known = SimpleNamespace(fingerprint=None)
    prepared = SimpleNamespace(ids=[f"{n:02d}" for n in range(40)])
    for _ in range(2):
        module.assemble_dense(
            *cast("Any", (plan, known, prepared, [fold])), fitted=cast("Any", fitted), progress=SILENT
        )
    first, again = asked
    assert first == again
    assert sorted(first) == prepared.ids
    assert first[:10] != prepared.ids[:10]


def test_millilitres_of_a_tilted_volume_are_those_of_its_voxels() -> None:
    image = Image(np.zeros((1, 4, 10, 10), dtype=np.int16), Grid(TILTED), "CT", "HU")
    mask = np.ones((1, 4, 10, 10), dtype=np.bool_)
    sizes, unit = _sizes(Said(mask.astype(np.float16), mask), ONE, image)
    assert unit == "ml"
    assert sizes["a"] == pytest.approx(400 * 2.0 / 1000)
    found = mask_figures(mask[0], mask[0], (2.5, 1.0, 1.0), tolerance_mm=1.0, voxel_mm3=voxel_mm3(image))
    assert found["true_ml"] == found["predicted_ml"] == pytest.approx(0.8)


def test_nothing_is_said_in_millilitres_where_the_scale_is_unknown() -> None:
    image = Image(np.zeros((1, 4, 10, 10), dtype=np.int16))
    mask = np.ones((4, 10, 10), dtype=np.bool_)
    found = mask_figures(mask, mask, (1.0, 1.0, 1.0), tolerance_mm=1.0, voxel_mm3=voxel_mm3(image))
    assert math.isnan(found["true_ml"])
    assert found["volume_error"] == 0.0


def test_a_picture_with_values_that_are_no_numbers_is_drawn() -> None:
    array = np.random.default_rng(0).normal(100, 10, (1, 40, 40)).astype(np.float32)
    array[0, :, :6] = np.nan
    mask = np.zeros((1, 40, 40), dtype=np.bool_)
    mask[0, 10:20, 10:20] = True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png = outlined(Image(array), mask, mask)
    shown = np.array(Pillow.open(io.BytesIO(base64.b64decode(png))))
    assert np.ptp(shown[:, 100:, 2].astype(int)) > 100


def _judged(tmp_path: Path, opinions: dict[str, AnyArray], target: str, targets: tuple[str, ...]) -> AnyArray | None:
    for name, array in opinions.items():
        write_nifti(tmp_path / f"{name}.nii.gz", Image(array[None], Grid(np.eye(4))))
        if array.max() > 1:
            (tmp_path / f"{name}.nii.gz").write_bytes(b"\x1f\x8b nothing")
    refs = {f"{name} (another reader)": Ref("nifti", f"{name}.nii.gz") for name in opinions}
    sample = Sample(id="s", patient="s", inputs={}, opinions=cast("dict[str, Any]", refs))
    image = Image(np.zeros((1, 3, 4, 5), dtype=np.int16), Grid(np.eye(4)))
    model = cast("Any", SimpleNamespace(structures=dict.fromkeys(targets, ONE)))
    return _other_reader(Cohort("t", str(tmp_path), (), Schema()), sample, target, image, model)


def test_a_second_reader_is_set_beside_the_structure_that_was_read(tmp_path: Path) -> None:
    left, whole = (np.zeros((3, 4, 5), dtype=np.uint8) for _ in range(2))
    left[0], whole[1] = 1, 1
    both: dict[str, AnyArray] = {"lung_left": left, "lung": whole}
    found = _judged(tmp_path, both, "lung", ("lung", "lung_left"))
    assert found is not None
    assert np.array_equal(found[0], whole != 0)


def test_a_damaged_second_reading_takes_no_case_out_of_the_figures(tmp_path: Path) -> None:
    broken = np.full((3, 4, 5), 2, dtype=np.uint8)
    assert _judged(tmp_path, {"mask": broken}, "mask", ("mask",)) is None


def test_masks_that_lie_in_the_output_folder_are_not_overwritten(run: tuple[Path, Run]) -> None:
    folder, made = run
    before = (folder / "masks" / "p01.png").read_bytes()
    with pytest.raises(RunExistsError, match="masks/"):
        list(predict(made.path, [folder / "images"], out=folder))
    assert (folder / "masks" / "p01.png").read_bytes() == before
    assert not (folder / "predictions.csv").exists()


def test_rows_of_an_earlier_prediction_do_not_enter_the_tables(run: tuple[Path, Run], tmp_path: Path) -> None:
    folder, made = run
    part = tmp_path / "out" / "lesions" / "earlier.csv"
    part.parent.mkdir(parents=True)
    part.write_text("case\nearlier\n")
    with pytest.raises(RunExistsError, match="lesions/"):
        list(predict(made.path, [folder / "images" / "p01.png"], out=tmp_path / "out"))


def test_a_case_that_one_format_cannot_hold_ends_nothing(
    run: tuple[Path, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, made = run

    def broken(*_: object) -> None:
        raise InputError("no object can refer to the images", expected="others")

    monkeypatch.setattr("hounsfield.data.annotations.coco.CocoWriter.write", broken)
    found = list(predict(made.path, [folder / "images" / f"p0{n}.png" for n in (1, 2)], out=tmp_path / "out"))
    assert all(p.flags[-1] == "not written as coco: no object can refer to the images" for p in found)
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").read_text().splitlines()))
    assert [r["sample"] for r in rows] == ["p01", "p02"]
    assert (tmp_path / "out" / "masks" / "p02.png").exists()


def test_typical_cases_stand_beside_the_worst(run: tuple[Path, Run]) -> None:
    _, made = run
    report = made.report
    assert report.typical[0].png
    held = [r for r in csv.DictReader((made.path / "predictions.csv").read_text().splitlines()) if r["part"] == "test"]
    dice = sorted(float(r["dice"]) for r in held if int(r["sample"][1:]) % 5)
    assert report.typical[0].probability == pytest.approx(dice[(len(dice) - 1) // 2], abs=1e-5)
    page = (made.path / "report.html").read_text(encoding="utf-8")
    assert 'href="#typical"' in page
    assert "Most confident errors" not in page

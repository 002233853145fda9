"""Every kind of answer from files to a report: what is learned, what counts, and what is left alone."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from hounsfield.bundle.sealed import BundleContents, open_sealed
from hounsfield.core.boxes import Box
from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.image import Grid, Image
from hounsfield.core.types import BoolArray
from hounsfield.data.readers import read
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.geometry.boxes import box_iou
from hounsfield.workflow.dense.queueing import queue
from hounsfield.workflow.machine import machine
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.training import Run, train
from hounsfield.workflow.wishes import Wishes
from tests.workflow.dense.making import ball, disc, write_pictures


def quick(steps: int = 8, **more: object) -> Wishes:
    wishes = {"task": "annotate", "threads": 1, "max_steps": steps, **more}
    return Wishes(**wishes)  # type: ignore[arg-type]  # names and kinds are those of Wishes


def weights(run: Run) -> BundleContents:
    return open_sealed(run.path / "bundle")


def dice(one: BoolArray, other: BoolArray, region: BoolArray) -> float:
    one, other = one & region, other & region
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


# regions, second reader, unlabelled images


@dataclass(frozen=True)
class Regions:
    """A cohort whose masks are nonsense outside a field of view, and the run on it."""

    folder: Path
    fov: BoolArray
    run: Run


def write_regions(folder: Path, *, noise: int) -> BoolArray:
    """Write pictures with masks that hold noise outside a field of view, and a second reader's; two have no mask."""
    write_pictures(folder)
    for name in ("fov", "masks_2nd"):
        (folder / name).mkdir()
    y, x = np.mgrid[:40, :46]
    fov: BoolArray = np.asarray(np.hypot(y - 20, x - 23) < 19, dtype=np.bool_)
    rng = np.random.default_rng(noise)
    lines = ["id,split,image,mask,mask_2nd,fov"]
    for line in (folder / "labels.csv").read_text().splitlines()[1:]:
        name, part, image, mask = line.split(",")
        truth = np.array(Pillow.open(folder / mask)) > 0
        other = np.roll(truth, 2, axis=1)
        outside = ~fov & (rng.random(fov.shape) < 0.5)
        Pillow.fromarray((truth & fov) | outside).save(folder / mask)
        Pillow.fromarray((other & fov) | (~fov & ~outside)).save(folder / "masks_2nd" / f"{name}.png")
        Pillow.fromarray(fov).save(folder / "fov" / f"{name}.png")
        lines.append(f"{name},{part},{image},{mask},masks_2nd/{name}.png,fov/{name}.png")
    for n in (100, 101):
        Pillow.fromarray(disc(n + 1)[0]).save(folder / "images" / f"q{n}.png")
        lines.append(f"q{n},train,images/q{n}.png,,,fov/p00.png")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return fov


def trained(folder: Path) -> Run:
    """Train in float32: which precision is faster is measured, and other precisions give other bits."""
    with pytest.MonkeyPatch.context() as patched:
        plain = machine().model_copy(update={"bfloat16": False})
        patched.setattr("hounsfield.workflow.dense.planning.machine", lambda: plain)
        return train(folder, out=folder.parent / "run", wishes=quick())


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Regions:
    folder = tmp_path_factory.mktemp("regions") / "data"
    fov = write_regions(folder, noise=0)
    return Regions(folder, fov, trained(folder))


def test_what_lies_outside_the_field_of_view_changes_no_weight_and_no_figure(regions: Regions, tmp_path: Path) -> None:
    write_regions(tmp_path / "data", noise=1)
    other = trained(tmp_path / "data")
    one, two = weights(regions.run), weights(other)
    for key, values in one.members[0].arrays.items():
        assert np.array_equal(values, two.members[0].arrays[key])
    ours, theirs = (r.report.parts["test"].metrics for r in (regions.run, other))
    assert ours == theirs
    assert regions.run.report.baselines == other.report.baselines


def test_the_second_reader_is_judged_within_the_field_of_view_and_never_learned_from(regions: Regions) -> None:
    rows = [line.split(",") for line in (regions.folder / "labels.csv").read_text().splitlines()[1:]]
    scores = []
    for name, part, _, mask, other, _ in rows:
        if part == "test" and int(name[1:]) % 5:
            one, two = (np.array(Pillow.open(regions.folder / p)) > 0 for p in (mask, other))
            scores.append(dice(one, two, regions.fov))
    found = regions.run.report.baselines["second_reader"]
    assert found.metrics["dice"].value == pytest.approx(float(np.mean(scores)), abs=1e-9)
    assert set(regions.run.report.baselines) == {"otsu", "forest", "second_reader"}
    assert [t.name for t in weights(regions.run).plan.targets] == ["mask"]
    page = (regions.run.path / "report.html").read_text(encoding="utf-8")
    assert "econd reader" in page


def test_pictures_without_a_mask_are_told_and_wait_to_be_annotated(regions: Regions, tmp_path: Path) -> None:
    audit = json.loads((regions.run.path / "audit.json").read_text(encoding="utf-8"))
    told = {a["sample"]: a["reason"] for a in audit["unreadable"]}
    assert set(told) == {"q100", "q101"}
    assert all("left to be annotated" in reason for reason in told.values())
    names = {line.split(",")[0] for line in (regions.run.path / "predictions.csv").read_text().splitlines()}
    assert not names & set(told)
    waiting = queue(regions.run.path, [regions.folder / "images" / f"{n}.png" for n in told], out=tmp_path / "next")
    assert {w.sample for w in waiting} == set(told)


# sequences, structures that overlap


def write_sequences(folder: Path, *, count: int = 10) -> Path:
    """Write nnU-Net's raw layout with two sequences: the balls are seen in the second one only."""
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir(parents=True)
    grid = Grid(np.diag([1.2, 1.0, 1.5, 1.0]))
    for n in range(count):
        volume, labels = ball(n)
        blank = np.random.default_rng(n).normal(100, 20, volume.shape).astype(np.int16)
        for place, array in ((0, blank), (1, volume)):
            write_nifti(folder / "imagesTr" / f"b_{n:02d}_{place:04d}.nii.gz", Image(array[None], grid))
        write_nifti(folder / "labelsTr" / f"b_{n:02d}.nii.gz", Image(labels[None], grid))
    (folder / "dataset.json").write_text(
        '{"channel_names": {"0": "T1", "1": "T2"}, "labels": {"background": 0, "near": 1, "far": 2}, '
        f'"numTraining": {count}, "file_ending": ".nii.gz"}}'
    )
    return folder


def test_all_sequences_of_a_case_enter_together(tmp_path: Path) -> None:
    folder = write_sequences(tmp_path / "data")
    run = train(folder, out=tmp_path / "run", wishes=quick(80))
    plan = weights(run).plan
    assert list(plan.value("preparation", "channels")) == ["T1", "T2"]  # type: ignore[arg-type]  # a mapping
    assert (run.report.parts["test"].metrics["dice:near"].value or 0) > 0.7
    assert run.report.target.classes == ("near", "far")
    alone = list(predict(run.path, [folder / "imagesTr" / "b_01_0001.nii.gz"]))
    assert all(p.refusal for p in alone)  # one sequence of two: nothing to say, and it says so


def write_overlapping(folder: Path, *, count: int = 10) -> Path:
    """Write volumes whose masks have two channels: the bright ball, and a ball around it that holds it."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    grid = Grid(np.diag([1.2, 1.0, 1.5, 1.0]))
    lines = ["id,image,mask"]
    for n in range(count):
        volume, labels = ball(n)
        z, y, x = np.nonzero(labels == 1)
        places = np.indices(volume.shape)
        centre = np.array([z.mean(), y.mean(), x.mean()])[:, None, None, None]
        around = np.sqrt(((places - centre) ** 2).sum(axis=0)) < 5.5
        volume[around & (labels != 1)] = 160 + (volume[around & (labels != 1)] - 100) // 4
        write_nifti(folder / "images" / f"v{n}.nii.gz", Image(volume[None], grid))
        mask = np.stack([labels == 1, around]).astype(np.uint8)
        write_nifti(folder / "masks" / f"v{n}.nii.gz", Image(mask, grid))
        lines.append(f"v{n},images/v{n}.nii.gz,masks/v{n}.nii.gz")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_structures_that_overlap_are_learned_judged_and_given_each_by_itself(tmp_path: Path) -> None:
    folder = write_overlapping(tmp_path / "data")
    run = train(folder, out=tmp_path / "run", wishes=quick(60))
    plan = weights(run).plan
    assert plan.value("structures.mask", "layout") == "overlapping"
    metrics = run.report.parts["test"].metrics
    assert (metrics["dice:0"].value or 0) > 0.7
    assert (metrics["dice:1"].value or 0) > 0.7
    list(predict(run.path, [folder / "images" / "v1.nii.gz"], out=tmp_path / "out"))
    cohort = Cohort("x", str(tmp_path / "out"), (), Schema())
    inner, outer = (read(cohort, Ref("nifti", f"masks/v1__{cls}.nii.gz")).array != 0 for cls in "01")
    assert (inner & outer).sum() > 0.5 * inner.sum()  # a voxel may belong to both


# boxes


def write_boxes(folder: Path, *, count: int = 24) -> Path:
    """Write pictures of bright blocks with a COCO file of boxes; every sixth holds none, one is not listed."""
    (folder / "images").mkdir(parents=True)
    images: list[dict[str, object]] = []
    marks: list[dict[str, object]] = []
    for n in range(count + 1):
        rng = np.random.default_rng(n)
        picture = 70 + 10 * rng.standard_normal((48, 56))
        boxes = [] if n % 6 == 5 else [(int(rng.integers(3, 14)), int(rng.integers(3, 26)), 12, 9)]
        boxes += [(int(rng.integers(30, 38)), int(rng.integers(3, 26)), 9, 14)] if n % 6 in (1, 2) else []
        for x, y, width, height in boxes:
            picture[y : y + height, x : x + width] += 80
        Pillow.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(folder / "images" / f"p{n:02d}.png")
        if n < count:
            images.append({"id": n, "file_name": f"p{n:02d}.png"})
            marks += [{"id": 0, "image_id": n, "category_id": 1, "bbox": list(box)} for box in boxes]
    (folder / "boxes.json").write_text(
        json.dumps({"images": images, "annotations": marks, "categories": [{"id": 1, "name": "block"}]})
    )
    return folder


def test_boxes_are_learned_judged_and_given_as_boxes(tmp_path: Path) -> None:
    folder = write_boxes(tmp_path / "data")
    run = train(folder, out=tmp_path / "run", wishes=quick(60))
    assert run.report.target.kind == "boxes"
    metrics = run.report.parts["test"].metrics
    assert (metrics["box_ap30"].value or 0) > 0.8
    assert (metrics["box_ap50"].value or 0) > 0.7
    assert metrics["box_ap50"].low is not None
    assert (metrics["box_sensitivity"].value or 0) > 0.7
    assert "box_ap30" in run.report.baselines["otsu"].metrics
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert "Average precision of boxes" in page
    audit = json.loads((run.path / "audit.json").read_text(encoding="utf-8"))
    assert [a["sample"] for a in audit["unreadable"]] == ["p24"]

    list(predict(run.path, [folder / "images"], out=tmp_path / "out"))
    given, drawn = (json.loads(p.read_text()) for p in (tmp_path / "out" / "coco.json", folder / "boxes.json"))
    assert [c["name"] for c in given["categories"]] == ["block"]

    def boxes(table: dict[str, list[dict[str, object]]]) -> dict[str, list[Box]]:
        names = {i["id"]: Path(str(i["file_name"])).name for i in table["images"]}
        found: dict[str, list[Box]] = {n: [] for n in names.values()}
        for mark in table["annotations"]:
            edges = mark["bbox"]
            assert isinstance(edges, list)
            found[names[mark["image_id"]]].append(Box(*edges))
        return found

    said, true = boxes(given), boxes(drawn)
    hits = [bool((box_iou([t], said[name]) > 0.5).any()) for name, own in true.items() for t in own]
    assert np.mean(hits) > 0.8
    assert all("segmentation" not in mark and 0 < mark["score"] <= 1 for mark in given["annotations"])


# thick slices


def test_thick_slices_are_planned_learned_and_put_back_where_they_lie(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    lines = ["id,image,mask"]
    for n in range(9):
        pictures = [disc(10 * n + z + (z + 10 * n) // 4 % 2) for z in range(9)]
        # slices along another axis of the array in every other case
        grid = Grid(np.diag([1.0, 1.0, 6.0, 1.0]) if n % 2 else np.diag([1.0, 1.0, 6.0, 1.0])[:, [2, 0, 1, 3]])
        for place, arrays in (("images", [p for p, _ in pictures]), ("masks", [m for _, m in pictures])):
            volume = np.stack(arrays).astype(np.uint8 if place == "masks" else np.int16)
            array = volume if n % 2 else np.moveaxis(volume, 0, 2)
            write_nifti(folder / place / f"t{n}.nii.gz", Image(np.ascontiguousarray(array)[None], grid))
        lines.append(f"t{n},images/t{n}.nii.gz,masks/t{n}.nii.gz")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    run = train(folder, out=tmp_path / "run", wishes=quick(40))
    plan = weights(run).plan
    assert (plan.value("preparation", "slices"), plan.value("preparation", "neighbours")) == ("z", 1)
    assert "(2.5D)" in plan.sections["preparation"]["slices"].rule
    assert (run.report.parts["test"].metrics["dice"].value or 0) > 0.7
    list(predict(run.path, [folder / "images" / "t0.nii.gz"], out=tmp_path / "out"))
    said = read(Cohort("x", str(tmp_path / "out"), (), Schema()), Ref("nifti", "masks/t0.nii.gz"))
    true = read(Cohort("x", str(folder), (), Schema()), Ref("nifti", "masks/t0.nii.gz"))
    one, two = said.array != 0, true.array != 0
    assert said.size == true.size
    assert 2 * (one & two).sum() / (one.sum() + two.sum()) > 0.7

"""Boxes beside pictures: COCO files and tables, what is empty, what is unlisted, and what is faulty."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from hounsfield.core.boxes import Box
from hounsfield.core.cohort import Cohort, Ref, Roles, Schema
from hounsfield.core.errors import CohortError, ReadError
from hounsfield.data.boxes import box_ref, boxes_of
from hounsfield.data.cohorts import cohort_yaml, samples_csv, understand
from hounsfield.data.readers import header, read


def folder(tmp_path: Path, count: int = 4) -> Path:
    root = tmp_path / "data"
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for n in range(count):
        Pillow.fromarray(rng.integers(0, 255, (30, 40)).astype(np.uint8)).save(root / "images" / f"p{n}.png")
    return root


def coco(*, images: int = 3, marks: list[dict[str, object]] | None = None) -> str:
    drawn: list[dict[str, object]] = [
        {"id": 1, "image_id": 10, "category_id": 7, "bbox": [5, 6, 10, 8], "iscrowd": 0},
        {"id": 2, "image_id": 10, "category_id": 9, "bbox": [20, 6, 4, 4]},
        {"id": 3, "image_id": 11, "category_id": 7, "bbox": [1, 2, 3, 4]},
        {"id": 4, "image_id": 11, "category_id": 7, "bbox": [30, 20, 8, 8], "iscrowd": 1},
    ]
    return json.dumps(
        {
            "images": [{"id": 10 + n, "file_name": f"p{n}.png", "width": 40, "height": 30} for n in range(images)],
            "annotations": drawn if marks is None else marks,
            "categories": [{"id": 7, "name": "nodule"}, {"id": 9, "name": "mass"}],
        }
    )


def test_a_coco_file_is_understood(tmp_path: Path) -> None:
    root = folder(tmp_path)
    (root / "boxes.json").write_text(coco())
    cohort = understand(root)
    assert cohort.schema.layout == "boxes"
    (target,) = cohort.schema.targets
    assert (target.kind, target.classes) == ("boxes", ("nodule", "mass"))
    by_id = {s.id: s for s in cohort.samples}
    assert boxes_of(by_id["p0"].masks["boxes"]) == (Box(5, 6, 10, 8, 0), Box(20, 6, 4, 4, 1))
    assert boxes_of(by_id["p2"].masks["boxes"]) == ()  # listed without a box: nothing is there
    assert "boxes" not in by_id["p3"].masks  # not listed: nobody knows
    mask = read(cohort, by_id["p0"].masks["boxes"]).array
    assert mask.shape == (2, 30, 40)
    assert (mask[0].sum(), mask[1].sum()) == (80, 16)
    assert mask[0, 6:14, 5:15].all()
    crowd = read(cohort, by_id["p1"].regions["counted"]).array
    assert crowd.shape == (1, 30, 40)
    assert (crowd == 0).sum() == 64
    assert any("1 pictures are listed without a box" in n for n in cohort.schema.notes)
    assert any("1 pictures are not listed" in n for n in cohort.schema.notes)


@pytest.mark.parametrize(
    "head",
    ["image,x,y,width,height,label", "image,bbox_x,bbox_y,bbox_w,bbox_h,label", "image,x_min,y_min,x_max,y_max,label"],
)
def test_tables_of_boxes_say_the_same(tmp_path: Path, head: str) -> None:
    root = folder(tmp_path)
    corners = "max" in head
    rows = [
        f"images/p0.png,5,6,{15 if corners else 10},{14 if corners else 8},nodule",
        f"images/p0.png,20,6,{24 if corners else 4},{10 if corners else 4},mass",
        f"images/p1.png,1,2,{4 if corners else 3},{6 if corners else 4},nodule",
        "images/p2.png,,,,,",
    ]
    (root / "boxes.csv").write_text("\n".join([head, *rows]) + "\n")
    cohort = understand(root)
    (target,) = cohort.schema.targets
    assert target.classes == ("nodule", "mass")
    by_id = {s.id: s for s in cohort.samples}
    assert boxes_of(by_id["p0"].masks["boxes"]) == (Box(5, 6, 10, 8, 0), Box(20, 6, 4, 4, 1))
    assert boxes_of(by_id["p2"].masks["boxes"]) == ()
    assert "boxes" not in by_id["p3"].masks


def test_numbered_targets_parts_and_patients_of_a_table(tmp_path: Path) -> None:
    root = folder(tmp_path)
    lines = ["patient_id,file,x,y,width,height,Target,split"]
    lines += ["a,p0.png,1,1,5,5,1,train", "a,p1.png,,,,,0,train", "b,p2.png,2,2,6,6,1,val", "c,p3.png,2,2,6,6,1,test"]
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    cohort = understand(root)
    assert cohort.schema.targets[0].classes == ("finding",)
    assert cohort.schema.official_parts == ("train", "val", "test")
    assert [s.patient for s in cohort.samples] == ["a", "a", "b", "c"]
    asked = understand(root, Roles(target=("Target",)))
    assert asked.schema.targets[0].kind == "categorical"


def test_faulty_boxes_are_set_aside_with_their_reason(tmp_path: Path) -> None:
    root = folder(tmp_path)
    lines = ["image,x,y,width,height", "p0.png,1,1,5,5", "p1.png,1,1,-5,5", "p2.png,1,,5,5", "p3.png,100,1,5,5"]
    (root / "boxes.csv").write_text("\n".join(lines) + "\n")
    cohort = understand(root)
    reasons = {a.sample: a.reason for a in cohort.set_aside}
    assert "-5 wide" in reasons["p1"]
    assert "lacks a number" in reasons["p2"]
    assert all("correct the table" in r for r in reasons.values())
    outside = next(s for s in cohort.samples if s.id == "p3")
    with pytest.raises(ReadError, match="outside the image of 40 x 30"):
        read(cohort, outside.masks["boxes"])


def test_what_is_no_coco_file_is_left_to_others_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    root = folder(tmp_path)
    (root / "notes.json").write_text('{"images": 3, "annotations": []}')
    (root / "labels.csv").write_text("image,label\n" + "".join(f"p{n}.png,{n % 2}\n" for n in range(4)))
    assert understand(root).schema.layout == "manifest"
    (root / "boxes.json").write_text(coco(marks=[{"id": 1, "image_id": 10, "category_id": 99, "bbox": [1, 1, 2, 2]}]))
    with pytest.raises(CohortError, match=r"boxes\.json"):
        understand(root / "boxes.json")


def test_boxes_survive_the_file_of_samples(tmp_path: Path) -> None:
    root = folder(tmp_path)
    (root / "boxes.json").write_text(coco())
    cohort = understand(root)
    (root / "cohort.yaml").write_text(cohort_yaml(cohort))
    (root / "samples.csv").write_text(samples_csv(cohort))
    again = understand(root)
    assert [s.masks for s in again.samples] == [s.masks for s in cohort.samples]
    assert again.schema.targets == cohort.schema.targets


def test_a_ref_of_boxes_says_the_size_without_reading_pixels(tmp_path: Path) -> None:
    root = folder(tmp_path)
    cohort = Cohort("x", str(root), (), Schema())
    ref = box_ref(Ref("raster", "images/p0.png"), [Box(1.5, 2, 3, 4)], classes=1)
    assert header(cohort, ref).size == (30, 40)
    assert boxes_of(ref) == (Box(1.5, 2, 3, 4),)
    with pytest.raises(ReadError, match="a box is written as"):
        boxes_of(Ref("boxes", "images/p0.png", (("boxes", "0 1 2"),)))


def outlined(**more: object) -> dict[str, object]:
    mark = {"id": 1, "image_id": 10, "category_id": 7, "segmentation": [[5, 6, 15, 6, 10, 14], [20, 8, 22, 8, 22, 9]]}
    return mark | more


def test_outlines_beside_boxes_are_said_not_to_be_used(tmp_path: Path) -> None:
    """Issue 5: polygons were dropped without a word."""
    root = folder(tmp_path)
    marks = [outlined(bbox=[5, 6, 10, 8]), outlined(id=2, image_id=11, bbox=[1, 2, 3, 4], segmentation=[])]
    (root / "boxes.json").write_text(coco(marks=marks))
    cohort = understand(root)
    assert boxes_of(cohort.samples[0].masks["boxes"]) == (Box(5, 6, 10, 8, 0),)
    assert [u for u in cohort.schema.unsure if u.startswith("1 boxes have outlines too, which are not used")]


def test_outlines_without_boxes_are_learned_as_the_boxes_around_them(tmp_path: Path) -> None:
    """Issue 5: "There are no labels", and the advice to sort the images into folders."""
    root = folder(tmp_path)
    lengths = {"size": [30, 40], "counts": [100, 20, 1080]}
    marks = [
        outlined(),
        outlined(id=2, image_id=11, segmentation=lengths),
        outlined(id=3, image_id=12, segmentation=[[1, 2, 3]]),
    ]
    (root / "boxes.json").write_text(coco(marks=marks))
    cohort = understand(root)
    assert boxes_of(cohort.samples[0].masks["boxes"]) == (Box(5, 6, 17, 8, 0),)
    assert [u for u in cohort.schema.unsure if u.startswith("1 boxes are drawn around outlines")]
    reasons = {a.sample: a.reason for a in cohort.set_aside}
    assert "run lengths and has no box" in reasons["p1"]
    assert "an outline without an area and has no box" in reasons["p2"]
    (root / "labels.csv").write_text("image,label\n" + "".join(f"p{n}.png,{n % 2}\n" for n in range(4)))
    assert understand(root).schema.layout == "manifest"  # as ever: a table of answers comes before outlines
    assert understand(root / "boxes.json").schema.layout == "boxes"

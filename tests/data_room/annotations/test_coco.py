import json
from pathlib import Path
from typing import Any

import numpy as np

from hounsfield.core.annotation import Annotation
from hounsfield.core.types import AnyArray
from hounsfield.data.annotations.coco import CocoWriter, coco_part, run_lengths
from tests.data_room.annotations.making import answer, blobs, labels, source


def decoded(segmentation: dict[str, Any]) -> AnyArray:
    """Return the mask of run lengths, as pycocotools does for uncompressed ones."""
    parts = [np.full(n, index % 2, dtype=bool) for index, n in enumerate(segmentation["counts"])]
    return np.concatenate(parts).reshape(segmentation["size"][::-1]).T


def test_run_lengths_by_hand() -> None:
    assert run_lengths(np.array([[0, 1], [1, 1]], dtype=bool)) == [1, 3]
    assert run_lengths(np.array([[1, 0], [0, 1]], dtype=bool)) == [0, 1, 2, 1]
    assert run_lengths(np.zeros((2, 2), dtype=bool)) == [4]


def test_boxes_and_masks_come_back(tmp_path: Path) -> None:
    for name, seed in (("b", 3), ("a", 5)):
        where = source((40, 50), name=name)
        CocoWriter().write(answer(where, labels((40, 50), seed)), where, tmp_path)
    (path,) = CocoWriter().finish(tmp_path)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert [i["file_name"] for i in found["images"]] == ["a", "b"]
    assert {c["id"]: c["name"] for c in found["categories"]} == {1: "lesion", 2: "病灶"}
    assert [a["id"] for a in found["annotations"]] == list(range(1, len(found["annotations"]) + 1))
    for image, seed in ((1, 5), (2, 3)):
        rebuilt = np.zeros((40, 50), dtype=np.uint8)
        for mark in (a for a in found["annotations"] if a["image_id"] == image):
            mask = decoded(mark["segmentation"])
            x, y, width, height = mark["bbox"]
            rows, columns = np.nonzero(mask)
            assert (columns.min(), rows.min()) == (x, y)
            assert (columns.max() + 1, rows.max() + 1) == (x + width, y + height)
            assert mark["area"] == mask.sum()
            rebuilt[mask] = mark["category_id"]
        np.testing.assert_array_equal(rebuilt, labels((40, 50), seed))


def test_a_volume_is_a_picture_for_each_marked_slice() -> None:
    array = np.zeros((4, 9, 9), dtype=np.uint8)
    array[1, 2:4, 2:4] = array[3, 5:7, 5:7] = 1
    share = np.zeros((1, 4, 9, 9), dtype=np.float32)
    share[0, 1] = 0.75
    found: Any = coco_part(Annotation(array, ("a",), probabilities=share), "v")
    assert [i["file_name"] for i in found["images"]] == ["v#1", "v#3"]
    assert [a["score"] for a in found["annotations"]] == [0.75, 0.0]
    nothing: Any = coco_part(Annotation(np.zeros((4, 9), np.uint8), ("a",)), "p")
    assert (len(nothing["images"]), nothing["annotations"]) == (1, [])


def test_overlapping_classes_keep_both() -> None:
    both: Any = coco_part(Annotation(np.stack([blobs((30, 30)), blobs((30, 30))]), ("a", "b")), "p")
    by_class = [[a["bbox"] for a in both["annotations"] if a["category_id"] == n] for n in (1, 2)]
    assert by_class[0] == by_class[1] != []

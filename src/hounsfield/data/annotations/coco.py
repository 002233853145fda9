"""Annotations as COCO detection files: boxes and run-length masks in pictures."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.boxes import Box
from hounsfield.core.types import AnyArray, Json
from hounsfield.data.annotations.files import misfit, refuse, stem, write_whole
from hounsfield.geometry.components import components

FOLDER = "coco"
TABLE = "coco.json"


class CocoWriter:
    """Writes ``coco.json``: a box, an area and a run-length mask for every piece of every class.

    Notes
    -----
    A picture is named by its file where it is one. A volume is a picture for each slice that holds a mark, named
    ``<case>#<slice>``, and pieces are those of the slice.
    Boxes are x, y, width, height in pixels from the upper left corner; masks are run lengths down the columns
    (``counts`` uncompressed, as the COCO tools read them). ``score`` is the mean probability in the piece, 1 where none
    was kept. Where boxes were asked for they are written as they are, with their scores and without masks. Each case
    has a file of its own until `finish` joins them.

    References
    ----------
    Lin TY et al. Microsoft COCO: common objects in context. ECCV 2014; https://cocodataset.org/#format-data
    """

    def accepts(self, answer: Annotation, source: Source) -> str:
        """Refuse only what does not lie on its image."""
        return misfit(answer, source)

    def write(self, answer: Annotation, source: Source, folder: Path) -> tuple[Path, ...]:
        """Write the pictures and marks of one annotation."""
        refuse(self.accepts(answer, source), source, instead="the annotation on the grid of its image")
        return (write_whole(folder / FOLDER / f"{stem(source.name)}.json", _json(coco_part(answer, _picture(source)))),)

    def finish(self, folder: Path) -> tuple[Path, ...]:
        """Join the files of all cases, in the order of their names, and number pictures and marks."""
        parts = sorted((folder / FOLDER).glob("*.json"))
        if not parts:
            return ()
        read = [json.loads(part.read_text(encoding="utf-8")) for part in parts]
        return (write_whole(folder / TABLE, _json(joined(read))),)


def _picture(source: Source) -> str:
    """Return what names the picture: its file below the data's folder where it is one, else the case."""
    return source.ref.path if source.ref.reader == "raster" and not source.ref.part else source.name


def coco_part(answer: Annotation, name: str) -> dict[str, Json]:
    """Return one annotation in COCO's form, pictures and marks numbered from 1."""
    volume = answer.ndim == 3
    rows, columns = answer.size[-2:]
    images: list[Json] = []
    marks: list[Json] = []
    masks = [answer.mask(n).reshape((-1, rows, columns)) for n in range(len(answer.classes))]
    maps = [None if p is None else p.reshape((-1, rows, columns)) for p in map(answer.probability, range(len(masks)))]
    held = np.logical_or.reduce([m.any(axis=(1, 2)) for m in masks]) if volume else np.ones(1, dtype=np.bool_)
    for number in np.flatnonzero(held).tolist():
        picture = f"{name}#{number}" if volume else name
        images.append({"id": len(images) + 1, "file_name": picture, "width": columns, "height": rows})
        if answer.boxes is not None:
            marks += _boxes(answer.boxes, len(images))
            continue
        for index, mask in enumerate(masks):
            held_map = maps[index]
            marks += _marks(
                mask[number], None if held_map is None else held_map[number], (index, len(images)), len(marks)
            )
    categories: list[Json] = [{"id": n, "name": label} for n, label in enumerate(answer.classes, start=1)]
    return {"images": images, "annotations": marks, "categories": categories}


def joined(parts: Sequence[dict[str, Json]]) -> dict[str, Json]:
    """Return several parts as one: categories by name, pictures and marks numbered through."""
    names: dict[str, int] = {}
    images: list[Json] = []
    marks: list[Json] = []
    for part in parts:
        category = {c["id"]: names.setdefault(str(c["name"]), len(names) + 1) for c in _items(part["categories"])}
        picture = {}
        for image in _items(part["images"]):
            picture[image["id"]] = len(images) + 1
            images.append({**image, "id": len(images) + 1})
        for mark in _items(part["annotations"]):
            where: dict[str, Json] = {
                "image_id": picture[mark["image_id"]],
                "category_id": category[mark["category_id"]],
            }
            marks.append({**mark, "id": len(marks) + 1, **where})
    categories: list[Json] = [{"id": number, "name": name} for name, number in names.items()]
    return {"images": images, "annotations": marks, "categories": categories}


def run_lengths(mask: AnyArray) -> list[int]:
    """Return how many pixels are outside, inside, outside ... running down the columns, beginning with outside."""
    flat = np.asarray(mask, dtype=np.bool_).ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return [0, *lengths] if flat[0] else lengths


def _marks(mask: AnyArray, likely: AnyArray | None, where: tuple[int, int], count: int) -> list[Json]:
    index, image = where
    found: list[Json] = []
    for piece in components(mask):
        rows, columns = piece.box
        whole = np.zeros(mask.shape, dtype=np.bool_)
        whole[piece.box] = piece.inside
        box: list[Json] = [columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start]
        counts: list[Json] = [*run_lengths(whole)]
        size: list[Json] = [int(n) for n in mask.shape]
        found.append(
            {
                "id": count + len(found) + 1,
                "image_id": image,
                "category_id": index + 1,
                "bbox": box,
                "area": piece.voxels,
                "iscrowd": 0,
                "segmentation": {"size": size, "counts": counts},
                "score": 1.0 if likely is None else round(float(likely[piece.box][piece.inside].mean()), 6),
            }
        )
    return found


def _boxes(boxes: Sequence[Box], image: int) -> list[Json]:
    """Return boxes that were asked for as such: they outline nothing."""
    return [
        {
            "id": number,
            "image_id": image,
            "category_id": box.cls + 1,
            "bbox": [box.x, box.y, box.width, box.height],
            "area": box.area,
            "iscrowd": 0,
            "score": round(box.score, 6),
        }
        for number, box in enumerate(boxes, start=1)
    ]


def _items(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _json(value: Json) -> bytes:
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()

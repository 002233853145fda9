"""Tables of boxes: COCO files and tables with a row for each box, understood alike."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from hounsfield.core.boxes import Box
from hounsfield.core.errors import CohortError
from hounsfield.data.file_columns import file_columns
from hounsfield.data.files import Files, stem
from hounsfield.data.table import Column, Sheet, parse_number
from hounsfield.data.words import group_strength, part_of, target_strength, tokens

MAX_BYTES = 256 << 20
HEAD_BYTES = 1 << 16
_LISTS = ("images", "annotations", "categories")
_BESIDE = (("x", "y", "width", "height"), ("x", "y", "w", "h"), ("left", "top", "width", "height"))
_CORNERS = (("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("left", "top", "right", "bottom"))
_LEADS = ("bbox", "box", "bb")


class DamagedBoxes(CohortError):
    """A COCO file that cannot be understood as one."""


@dataclass(frozen=True)
class Listed:
    """What a table says of one picture.

    Parameters
    ----------
    boxes : tuple of Box
        Empty: the table says that there is nothing.
    uncounted : tuple of Box
        Crowds that are not told apart: neither right nor wrong.
    part, patient : str
        Empty where it does not say.
    fault : str
        Why what it says cannot be used; empty where it can.
    """

    boxes: tuple[Box, ...] = ()
    uncounted: tuple[Box, ...] = ()
    part: str = ""
    patient: str = ""
    fault: str = ""


@dataclass(frozen=True)
class BoxTable:
    """Boxes of many pictures.

    Parameters
    ----------
    name : str
        File, relative to the folder.
    classes : tuple of str
    pictures : mapping of str to Listed
        By path of the picture, relative to the folder.
    lost : int
        Pictures that it names and that are not there.
    outlines : int
        Boxes beside which it has an outline too, which is not used.
    around : int
        Boxes that it does not hold: they are drawn around its outlines.
    boxed : bool
        Whether all that it marks has a box of its own.
    """

    name: str
    classes: tuple[str, ...]
    pictures: Mapping[str, Listed] = field(repr=False)
    lost: int = 0
    outlines: int = 0
    around: int = 0
    boxed: bool = True


def coco_table(path: Path, name: str, files: Files) -> BoxTable | None:
    """Return the boxes of a COCO file; None where it is none.

    Parameters
    ----------
    path : pathlib.Path
    name : str
        Relative to the folder.
    files : Files

    Raises
    ------
    CohortError
        If it is one, and damaged.
    """
    text = _coco_text(path)
    if text is None:
        return None
    try:
        stored = _Coco.model_validate_json(text)
        place = {category.id: n for n, category in enumerate(stored.categories)}
        drawn: dict[int | str, list[tuple[Box, bool]]] = {}
        faults: dict[int | str, str] = {}
        around = 0
        for mark in stored.annotations:
            edges = mark.bbox or _around(mark.segmentation)
            around += not mark.bbox and bool(edges)
            if len(edges) != 4 or not _sound(edges):
                faults[mark.image_id] = _fault(mark)
                continue
            x, y, width, height = edges
            box = Box(x, y, width, height, place[mark.category_id])
            drawn.setdefault(mark.image_id, []).append((box, bool(mark.iscrowd)))
    except (KeyError, ValueError, OverflowError) as error:
        raise DamagedBoxes(
            f"The COCO file {name!r} is damaged ({type(error).__name__}).",
            expected="images with id and file_name, annotations with image_id, category_id and bbox, categories",
            next_step="export it again",
        ) from error
    part = next((p for t in tokens(stem(name)) if (p := part_of(t))), "")
    found: dict[str, Listed] = {}
    lost = 0
    for picture in stored.images:
        able = files.candidates(picture.file_name, name.rpartition("/")[0])
        if len(able) != 1:
            lost += 1
            continue
        own = drawn.get(picture.id, [])
        boxes, crowds = (tuple(b for b, crowd in own if crowd == wanted) for wanted in (False, True))
        found[able[0]] = Listed(boxes, crowds, part, fault=faults.get(picture.id, ""))
    outlines = sum(bool(mark.bbox) and bool(mark.segmentation) for mark in stored.annotations)
    boxed = all("bbox" in mark.model_fields_set for mark in stored.annotations)
    return BoxTable(
        name, tuple(c.name for c in stored.categories), found, lost, outlines=outlines, around=around, boxed=boxed
    )


def _around(outline: object) -> list[float]:
    """Return x, y, width and height of the box around polygons, as COCO writes them; empty where they are none."""
    polygons = outline if isinstance(outline, list) else []
    corners: list[float] = []
    for polygon in polygons:
        sound = isinstance(polygon, list) and len(polygon) >= 6 and len(polygon) % 2 == 0
        if not sound or not all(isinstance(n, int | float) and math.isfinite(n) for n in polygon):
            return []
        corners += [float(n) for n in polygon]
    if not corners:
        return []
    left, upper = min(corners[::2]), min(corners[1::2])
    return [left, upper, max(corners[::2]) - left, max(corners[1::2]) - upper]


def _fault(mark: "_Mark") -> str:
    if mark.bbox or not mark.segmentation:
        return f"a box of it is written as {mark.bbox}"
    kind = "run lengths" if isinstance(mark.segmentation, dict) else "an outline without an area"
    return f"a mark of it is {kind} and has no box"


class _Picture(BaseModel):
    id: int | str
    file_name: str


class _Mark(BaseModel):
    image_id: int | str
    category_id: int | str
    bbox: list[float] = []
    segmentation: object = None
    iscrowd: int = 0


class _Category(BaseModel):
    id: int | str
    name: str


class _Coco(BaseModel):
    images: list[_Picture]
    annotations: list[_Mark]
    categories: list[_Category]


def _coco_text(path: Path) -> str | None:
    """Return the text of a file that is laid out as COCO's detections are; None of any other."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if not any(f'"{name}"'.encode() in head for name in _LISTS):
            return None  # one of many small files beside images: not worth reading whole
        text = path.read_text(encoding="utf-8-sig")
        stored = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(stored, dict) or not all(isinstance(stored.get(k), list) for k in _LISTS):
        return None
    whole = all(isinstance(m, dict) and ("bbox" in m or m.get("segmentation")) for m in stored["annotations"])
    return text if whole and stored["images"] and stored["categories"] else None


def sheet_table(sheet: Sheet, files: Files) -> BoxTable | None:
    """Return the boxes of a table with a row for each; None where it has no columns of boxes and pictures.

    Parameters
    ----------
    sheet : Sheet
    files : Files

    Notes
    -----
    Columns are found by name: x, y, width, height or the two corners, with or without ``bbox_`` before them. A row
    with a picture and no numbers says that nothing is there.
    """
    columns = box_columns(sheet)
    if columns is None:
        return None
    able = file_columns(sheet, files)
    if not able:
        return None
    image = max(able.values(), key=lambda c: (c.explicit, c.share, len(c.used)))
    taken = {*columns.names, image.column}
    cells = [sheet.columns[n] for n in columns.names]
    holding = [i for i in range(sheet.rows) if any(c[i] is not None for c in cells)]
    label = _label(sheet, taken, holding)
    values = sheet.columns[label] if label else (None,) * sheet.rows
    classes = tuple(dict.fromkeys(v for i in holding if (v := values[i]) is not None)) or ("finding",)
    if len(classes) == 1 and parse_number(classes[0]) is not None:
        classes = ("finding",)
        values = tuple("finding" for _ in values)
    parts, patients = (_named(sheet, taken, role) for role in ("part", "patient"))
    found: dict[str, Listed] = {}
    lost: set[str] = set()
    for i in range(sheet.rows):
        path = image.paths[i]
        if path is None:
            lost.add(str(sheet.columns[image.column][i]))
            continue
        before = found.get(path, Listed(part=parts[i] or "", patient=patients[i] or ""))
        edges, fault = _edges([c[i] for c in cells], columns)
        if edges is not None and values[i] is None and len(classes) > 1:
            edges, fault = None, "a box of it has no class"
        own = values[i]
        boxes: tuple[Box, ...] = ()
        if edges is not None:
            x, y, width, height = edges
            boxes = (Box(x, y, width, height, classes.index(own) if own in classes else 0),)
        found[path] = Listed((*before.boxes, *boxes), (), before.part, before.patient, before.fault or fault)
    return BoxTable(sheet.name, classes, found, len(lost))


@dataclass(frozen=True)
class BoxColumns:
    """The four columns of boxes, and whether the last two are the far corner rather than width and height."""

    names: tuple[str, ...]
    corners: bool


def box_columns(sheet: Sheet) -> BoxColumns | None:
    """Return the columns of boxes of a table; None where there are none."""
    plain = {_plain(name): name for name in sheet.columns}
    for corners, sets in ((False, _BESIDE), (True, _CORNERS)):
        for names in sets:
            if all(n in plain for n in names) and all(_numbers(sheet.columns[plain[n]]) for n in names):
                return BoxColumns(tuple(plain[n] for n in names), corners)
    return None


def _edges(cells: Sequence[str | None], columns: BoxColumns) -> tuple[list[float] | None, str]:
    """Return x, y, width and height of a row, None where it has no box, and why what it says is none."""
    if all(c is None for c in cells):
        return None, ""
    known = [n for c in cells if (n := parse_number(c)) is not None]
    if len(known) < len(cells):
        return None, "a box of it lacks a number"
    x, y, third, fourth = known
    edges = [x, y, third - x, fourth - y] if columns.corners else known
    return (edges, "") if _sound(edges) else (None, f"a box of it is {edges[2]:g} wide and {edges[3]:g} high")


def _sound(edges: Sequence[float]) -> bool:
    return all(math.isfinite(e) for e in edges) and edges[2] > 0 and edges[3] > 0


def _plain(name: str) -> str:
    words = [t for t in tokens(name) if t not in _LEADS]
    return "".join(words)


def _numbers(cells: Column) -> bool:
    filled = [c for c in cells if c is not None]
    return bool(filled) and sum(parse_number(c) is not None for c in filled) >= 0.9 * len(filled)


def _label(sheet: Sheet, taken: set[str], holding: Sequence[int]) -> str | None:
    able = [c for c in sheet.columns if c not in taken and target_strength(c) >= 2.0]
    able = [c for c in able if any(sheet.columns[c][i] is not None for i in holding)]
    return max(able, key=target_strength) if able else None


def _named(sheet: Sheet, taken: set[str], role: str) -> Column:
    """Return part or patient of each row, None where the table does not say."""
    for column, cells in sheet.columns.items():
        values = {v for v in cells if v is not None}
        if column in taken or not values:
            continue
        if role == "part" and all(part_of(v) for v in values):
            return tuple(part_of(c) if c is not None else None for c in cells)
        if role == "patient" and group_strength(column) == 2:
            return cells
    return (None,) * sheet.rows

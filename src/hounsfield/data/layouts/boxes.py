"""Pictures with boxes: a COCO file, or a table with a row for each box, beside them."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from hounsfield.core.cohort import (
    Cohort,
    InputSpec,
    Part,
    Reading,
    Ref,
    Roles,
    Sample,
    Schema,
    SetAside,
    TargetSpec,
)
from hounsfield.core.errors import CohortError, HounsfieldError
from hounsfield.data.box_tables import BoxTable, DamagedBoxes, Listed, coco_table, sheet_table
from hounsfield.data.boxes import box_ref
from hounsfield.data.files import TABLE_ENDINGS, Files, ending, list_files, looks_like_mask, reader_by_ending, stem
from hounsfield.data.layouts.manifest import tables_in
from hounsfield.data.rows import columns_of, unique_ids
from hounsfield.data.table import read_table
from hounsfield.data.words import modality_of

TARGET = "boxes"
UNCOUNTED = "counted"
_PARTS: dict[str, Part] = {"train": "train", "val": "val", "test": "test"}


class BoxesLayout:
    """Boxes of a COCO file or of tables, joined with the pictures of the folder."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .96 for a file of boxes itself, .93 for a folder that holds one; 0 where another answer is asked.

        Of a folder whose files hold outlines alone, without boxes, it is .2: any other answer is the better one.
        """
        if roles.target and set(roles.target) != {TARGET}:
            return 0.0
        try:
            found = _tables(root, roles)
        except DamagedBoxes:
            return 0.96 if root.is_file() else 0.0  # whoever names the file is told what is wrong with it
        except (HounsfieldError, OSError):
            return 0.0
        if not any(t.pictures for t in found[1]):
            return 0.0
        if root.is_file() or roles.labels is not None:
            return 0.96
        return 0.93 if any(t.boxed and t.pictures for t in found[1]) else 0.2

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort; a picture that no table lists has no answer, one that is listed without a box holds none.

        Raises
        ------
        CohortError
            If no picture that is listed is there, or boxes are damaged.
        """
        files, tables = _tables(root, roles)
        if not any(t.pictures for t in tables):
            raise CohortError(
                "No table of boxes names pictures of the folder.",
                expected="a COCO file, or a table with a picture, x, y, width and height in each row",
                next_step="name it with --labels",
            )
        classes = tuple(dict.fromkeys(c for t in tables for c in t.classes))
        listed, doubts = _joined(tables, classes)
        return _cohort(files, listed, classes, tables, doubts)


def _tables(root: Path, roles: Roles) -> tuple[Files, list[BoxTable]]:
    asked = roles.labels
    if root.is_file():
        asked, root = root.name, root.parent
    if not root.is_dir():
        raise CohortError("There is no such folder.", expected="a folder of pictures", next_step="check the path")
    files = list_files(root)
    if asked is not None:
        path = next((p for p in (root / asked, Path(asked)) if p.is_file()), root / asked)
        if ending(path.name) in TABLE_ENDINGS:
            sheet = read_table(path, path.name)
            return files, [t for t in [sheet_table(sheet, files)] if t is not None]
        return files, [t for t in [coco_table(path, path.name, files)] if t is not None]
    documents = [p for p in files.paths if ending(p) == ".json" and p.count("/") <= 2]
    found = [t for p in documents if (t := coco_table(files.root / p, p, files)) is not None]
    if not found:
        found = [t for s in tables_in(files)[0] if (t := sheet_table(s, files)) is not None]
    return files, found


def _joined(tables: list[BoxTable], classes: tuple[str, ...]) -> tuple[dict[str, Listed], list[str]]:
    """Return what all tables say of each picture, their classes numbered alike, and what is doubtful of it."""
    found: dict[str, Listed] = {}
    again = 0
    for table in tables:
        place = [classes.index(c) for c in table.classes]
        for path, one in table.pictures.items():
            own = replace(
                one,
                boxes=tuple(replace(b, cls=place[b.cls]) for b in one.boxes),
                uncounted=tuple(replace(b, cls=place[b.cls]) for b in one.uncounted),
            )
            if path in found:
                again += 1
                continue
            found[path] = own
    doubts = [f"{again} pictures are listed in several files of boxes: the first counts."] if again else []
    lost = sum(t.lost for t in tables)
    if lost:
        doubts.append(f"{lost} pictures that the files of boxes name are not in the folder, or several have the name.")
    return found, [*doubts, *_on_outlines(tables)]


def _on_outlines(tables: list[BoxTable]) -> list[str]:
    """Say that outlines are not learned as they are drawn."""
    remedy = "write them as mask files, named in a column mask of a table, to learn them as they are drawn."
    outlines, around = sum(t.outlines for t in tables), sum(t.around for t in tables)
    said = [f"{outlines} boxes have outlines too, which are not used: {remedy}"] if outlines else []
    return said + ([f"{around} boxes are drawn around outlines, which are not used: {remedy}"] if around else [])


def _cohort(
    files: Files, listed: dict[str, Listed], classes: tuple[str, ...], tables: list[BoxTable], doubts: list[str]
) -> Cohort:
    pictures = [p for p in files.images if p in listed or not looks_like_mask(p)]
    stems = Counter(stem(p) for p in pictures)
    ids = unique_ids([stem(p) if stems[stem(p)] == 1 else p for p in pictures])
    samples: list[Sample] = []
    aside: list[SetAside] = []
    for name, path in zip(ids, pictures, strict=True):
        said = listed.get(path)
        image = Ref(reader_by_ending(path), path)
        if said is not None and said.fault:
            remedy = "expected are four numbers, width and height above 0: correct the table of boxes"
            aside.append(SetAside(sample=name, reason=f"{said.fault}; {remedy}"))
            continue
        counted = (
            box_ref(image, said.uncounted, classes=len(classes), outside=True) if said and said.uncounted else None
        )
        samples.append(
            Sample(
                id=name,
                patient=(said.patient if said is not None else "") or name,
                inputs={"image": (Reading(image),)},
                masks={TARGET: box_ref(image, said.boxes, classes=len(classes))} if said is not None else {},
                regions={UNCOUNTED: counted} if counted is not None else {},
                part=_PARTS.get(said.part) if said is not None else None,
            )
        )
    if not any(s.masks for s in samples):
        raise CohortError(
            f"None of the {len(aside)} pictures with boxes can be used: {aside[0].reason}.",
            expected="boxes with four numbers",
            next_step="correct the table of boxes",
        )
    drawn = [s for s in listed.values() if s.boxes]
    empty = [s for s in listed.values() if not s.boxes and not s.fault]
    notes = [f"{sum(len(s.boxes) for s in drawn)} boxes in {len(drawn)} pictures, of {', '.join(classes)}."]
    if empty:
        notes.append(f"{len(empty)} pictures are listed without a box: nothing is there.")
    unlisted = sum(not s.masks for s in samples)
    if unlisted:
        notes.append(f"{unlisted} pictures are not listed: they are without an answer, and are not taken for empty.")
    schema = Schema(
        targets=(TargetSpec(name=TARGET, kind="boxes", classes=classes),),
        inputs=(InputSpec(name="image", modality=modality_of(files.root.name)),),
        layout="boxes",
        official_parts=tuple(p for p in ("train", "val", "test") if any(s.part == p for s in samples)),
        patients_known=any(s.patient for s in listed.values()),
        columns=columns_of(tables[0].name, {TARGET: ("mask", "boxes, learned as the regions that they fill")}),
        notes=tuple(notes),
        unsure=tuple(doubts),
    )
    return Cohort(files.root.name, str(files.root), tuple(samples), schema, tuple(aside))

"""One folder per class, with or without train, val and test folders around or inside."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hounsfield.core.cohort import Cohort, InputSpec, Part, Reading, Ref, Roles, Sample, Schema, SetAside, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.data.answers import make_answers
from hounsfield.data.files import MASK_WORDS, Files, folded, list_files, looks_like_mask, reader_by_ending, stem
from hounsfield.data.joined_masks import mask_ref, several_masks
from hounsfield.data.masks_beside import without_tail
from hounsfield.data.rows import columns_of, target_without_columns, unique_ids
from hounsfield.data.volume.facts import READERS as VOLUMES
from hounsfield.data.volume.facts import Headers, headers_of
from hounsfield.data.words import modality_of, part_of

_PARTS: dict[str, Part] = {"train": "train", "val": "val", "test": "test"}
NO_CLASS = frozenset(
    {*MASK_WORDS, "image", "images", "img", "imgs", "data", "png", "jpg", "labels", "label", "imagestr", "imagests"}
)


@dataclass(frozen=True)
class Levels:
    """Which folder level says what; None where no level does."""

    part: int | None
    target: int | None
    patient: int | None


class ClassFoldersLayout:
    """Folder names are the answers."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .8 where a level of folders can be classes."""
        if not root.is_dir() or roles.labels is not None:
            return 0.0
        pictures = _pictures(list_files(root))
        levels = folder_levels(pictures, roles)
        return 0.8 if levels.target is not None else 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort; masks beside the images (``name_mask.png``) are recognised as masks."""
        files = list_files(root)
        pictures = _pictures(files)
        levels = folder_levels(pictures, roles)
        if levels.target is None:
            raise CohortError(
                "No level of folders can be classes.",
                expected="one folder for each class",
                next_step="sort the images into folders, or add a table of answers",
            )
        return _cohort(files, pictures, levels, roles)


def _pictures(files: Files) -> list[str]:
    return [p for p in files.images if not looks_like_mask(p)]


def folder_levels(pictures: list[str], roles: Roles) -> Levels:
    """Decide what each level of folders says, from names of parts and numbers of different names."""
    folders = [p.split("/")[:-1] for p in pictures]
    if not folders:
        return Levels(None, None, None)
    depth = min(len(f) for f in folders)
    names = [{f[i] for f in folders} for i in range(depth)]
    part = next((i for i, n in enumerate(names) if all(part_of(x) for x in n) and (len(n) > 1 or depth > 1)), None)
    able = []
    for i, found in enumerate(names):
        classes = {n.casefold() for n in found} - NO_CLASS
        if i != part and len(found) > 1 and len(classes) == len({n.casefold() for n in found}):
            able.append((len(found), i))
    if not able:
        # One folder only: a class where a part folder stands beside it, else the name of the data set.
        single = [i for i in range(depth) if i != part and not names[i] & NO_CLASS]
        return Levels(part, single[-1] if part is not None and single else None, None)
    few, target = min(able)
    if few > max(20, len(pictures) // 4):
        return Levels(part, None, None)
    patient = next((i for n, i in able if i != target and n > few), None)
    return Levels(part, target, patient)


def _cohort(files: Files, pictures: list[str], levels: Levels, roles: Roles) -> Cohort:
    target = levels.target or 0
    split = [p.split("/")[:-1] for p in pictures]
    parts: list[Part | None] = [
        _PARTS[part_of(f[levels.part]) or ""] if levels.part is not None else None for f in split
    ]
    known = [p != "test" for p in parts] if any(p != "test" for p in parts) else None
    name = target_without_columns(roles, "class")
    answers = make_answers(name, tuple(f[target] for f in split), positive=roles.positive, known=known)
    masks = _masks(files)
    stems = Counter(stem(p) for p in pictures)
    ids = unique_ids([stem(p) if stems[stem(p)] == 1 else p for p in pictures])
    samples = []
    for i, path in enumerate(pictures):
        own = masks.get((path.rsplit("/", 1)[0], folded(stem(path))))
        samples.append(
            Sample(
                id=ids[i],
                patient=split[i][levels.patient] if levels.patient is not None else ids[i],
                inputs={"image": (Reading(Ref(reader_by_ending(path), path)),)},
                targets={name: answers.values[i]},
                part=parts[i],
                masks={"mask": mask_ref(own)} if own else {},
            )
        )
    found = {f"folder level {target + 1}": ("target", f"{len(answers.spec.classes)} folders with images")}
    if levels.part is not None:
        found[f"folder level {levels.part + 1}"] = ("split", "its folders are parts")
    if levels.patient is not None:
        found[f"folder level {levels.patient + 1}"] = ("patient", "more folders than classes")
    has_masks = any(s.masks for s in samples)
    refs = [Ref(reader_by_ending(p), p) for p in pictures]
    headers = headers_of(files.root, refs) if any(r.reader in VOLUMES for r in refs) else Headers(2)
    root = files.root.name
    schema = Schema(
        targets=(answers.spec, *((TargetSpec(name="mask", kind="mask"),) if has_masks else ())),
        inputs=(InputSpec(name="image", ndim=headers.ndim, modality=modality_of(root)),),
        layout="class folders",
        official_parts=tuple(p for p in ("train", "val", "test") if p in parts),
        patients_known=levels.patient is not None,
        columns=columns_of("(folders)", dict(sorted(found.items()))),
        side_tables=files.tables,
        notes=(*headers.notes, *answers.notes),
        unsure=(*headers.unsure, *answers.unsure, *several_masks(samples, "mask")),
    )
    aside = tuple(SetAside(sample=p, reason="the link leads outside the folder") for p in files.escaping)
    return Cohort(name=root, root=str(files.root), samples=tuple(samples), schema=schema, set_aside=aside)


def _masks(files: Files) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the masks beside each image under its name, by folder and folded stem; of two kinds of name the first."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for path in files.images:
        tail = without_tail(stem(path)) if looks_like_mask(path) else None
        if tail is not None:
            found.setdefault((path.rsplit("/", 1)[0], tail[0]), []).append((tail[1], path))
    return {place: tuple(path for tail, path in own if tail == own[0][0]) for place, own in found.items()}

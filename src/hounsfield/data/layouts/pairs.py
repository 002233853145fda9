"""Images with masks beside them and nothing else: ``name.png`` and ``name_mask.png``, or ``images/`` and ``masks/``."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hounsfield.core.cohort import Cohort, InputSpec, Part, Reading, Ref, Roles, Sample, Schema, SetAside, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.data.files import Files, list_files, reader_by_ending, stem
from hounsfield.data.joined_masks import mask_ref, several_masks
from hounsfield.data.layouts.class_folders import NO_CLASS, folder_levels
from hounsfield.data.layouts.described import NAME as DESCRIPTION
from hounsfield.data.masks_beside import PAIRS, Beside, masks_beside
from hounsfield.data.rows import target_without_columns, unique_ids
from hounsfield.data.volume.facts import READERS as VOLUMES
from hounsfield.data.volume.facts import Headers, headers_of
from hounsfield.data.words import modality_of, part_of, tokens

_PARTS: dict[str, Part] = {"train": "train", "val": "val", "test": "test"}
_MASK = "mask"


class PairsLayout:
    """Masks are the answers, and their names say whose."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .55 where a mask lies beside any image, no level of folders can be classes and nothing describes it.

        A ``dataset.json`` that no layout understands is corrected first: without it the labels would lose their names.
        """
        if not root.is_dir() or roles.labels is not None or (root / DESCRIPTION).is_file():
            return 0.0
        files = list_files(root)
        beside = masks_beside(files.images)
        if not beside.masks or folder_levels(list(beside.pictures), roles).target is not None:
            return 0.0
        return 0.55

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort; images without a mask are left to be annotated."""
        files = list_files(root)
        beside = masks_beside(files.images)
        if not beside.masks:
            raise CohortError(
                "No mask lies beside an image.",
                expected=PAIRS,
                next_step="rename the masks after their images",
            )
        return _cohort(files, beside, target_without_columns(roles, _MASK))


def _cohort(files: Files, beside: Beside, name: str) -> Cohort:
    pictures = beside.pictures
    refs = [Ref(reader_by_ending(p), p) for p in pictures]
    headers = headers_of(files.root, refs) if any(r.reader in VOLUMES for r in refs) else Headers(2)
    stems = Counter(stem(p) for p in pictures)
    ids = unique_ids([stem(p) if stems[stem(p)] == 1 else p for p in pictures])
    parts = _parts(beside)
    patients = _patients(pictures)
    samples = tuple(
        Sample(
            id=ids[i],
            patient=patients[i] if patients else ids[i],
            inputs={"image": (Reading(refs[i]),)},
            part=parts[i],
            masks={name: mask_ref(beside.masks[path])} if path in beside.masks else {},
        )
        for i, path in enumerate(pictures)
    )
    notes, unsure = _told(beside)
    root = files.root.name
    schema = Schema(
        targets=(TargetSpec(name=name, kind="mask"),),
        inputs=(InputSpec(name="image", ndim=headers.ndim, modality=modality_of(root)),),
        layout="pairs",
        official_parts=tuple(p for p in ("train", "val", "test") if p in parts),
        patients_known=bool(patients),
        side_tables=files.tables,
        notes=(*headers.notes, *notes, f"The answer {name!r} is a mask: there is nothing to classify here."),
        unsure=(*headers.unsure, *unsure, *several_masks(samples, name)),
    )
    aside = [SetAside(sample=p, reason="the link leads outside the folder") for p in files.escaping]
    aside += [SetAside(sample=p, reason="a mask, and no image beside it has its name") for p in beside.lonely]
    return Cohort(name=root, root=str(files.root), samples=samples, schema=schema, set_aside=tuple(aside))


def _told(beside: Beside) -> tuple[list[str], list[str]]:
    """Return what to note of masks beside images, and what a person should check."""
    whole, count = len(beside.pictures), len(beside.masks)
    notes = [f"{count} of {whole} images have a mask beside them by its name."]
    if count < whole:
        notes.append(f"{whole - count} images have no mask: they are left to be annotated.")
    unsure = []
    if beside.lonely:
        unsure.append(f"Masks that have no image of their name beside them are not used: {len(beside.lonely)}.")
    if beside.unused:
        unsure.append(
            f"Masks of another kind that lie beside images with a mask are not used: {len(beside.unused)}; to use both "
            "kinds name each in a column of a table."
        )
    return notes, unsure


def _parts(beside: Beside) -> list[Part | None]:
    """Return the part that folders name, where all images with a mask lie in one and there are several."""
    found = {p: _part_in(p.split("/")[:-1]) for p in beside.pictures}
    answered = {found[p] for p in beside.masks}
    if None in answered or len(answered) < 2:
        return [None] * len(found)
    return list(found.values())


def _part_in(folders: Sequence[str]) -> Part | None:
    words = (w for f in folders for w in (f, *tokens(f)))
    return next((_PARTS[part] for w in words if (part := part_of(w))), None)


def _patients(pictures: Sequence[str]) -> list[str]:
    """Return the folder of each image's patient, where a level of folders has too many names to be anything else."""
    folders = [p.split("/")[:-1] for p in pictures]
    for level in range(min(map(len, folders), default=0)):
        names = {f[level] for f in folders}
        if len(names) > max(20, len(pictures) // 4) and not {n.casefold() for n in names} & NO_CLASS:
            return [f[level] for f in folders]
    return []

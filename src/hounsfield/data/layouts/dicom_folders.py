"""A DICOM disk whose folders are the answers: ``ct/covid/<patient>/<files>``, with or without folders of parts."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from hounsfield.core.cohort import Cohort, Part, Roles, Sample, Schema, SetAside
from hounsfield.data.answers import make_answers
from hounsfield.data.dicom.apart import reason_no_picture
from hounsfield.data.dicom.entries import Entry, place_of
from hounsfield.data.dicom.groups import series_of
from hounsfield.data.layouts.class_folders import NO_CLASS
from hounsfield.data.layouts.dicom_disk import (
    Disk,
    input_specs,
    looking,
    patients_of_units,
    usual_ndim,
    with_unit,
)
from hounsfield.data.layouts.dicom_units import Unit, first_days, folder_units
from hounsfield.data.rows import columns_of, target_without_columns, unique_ids
from hounsfield.data.words import part_of

_PARTS: dict[str, Part] = {"train": "train", "val": "val", "test": "test"}
_NUMBERED = re.compile(
    r"^(pat(ient)?|pa|p|st(udy)?|se(r|ries)?|im(g|age)?s?|dir|disk|disc|cd|dvd|vol|export|dicom|dcm|case|sub(j|ject)?|s|ser"
    r"|scan|visit|ses|session|id)?[-_ .]*\d+([-_ .]?\d+)*$|^[0-9a-f]{8,}$|^[A-Z]{1,2}\d{3,}$",
    re.IGNORECASE,
)
_NO_WORDS = NO_CLASS | {"dicom", "dicomdir", "export", "exports", "disk", "patients", "studies", "series", "viewer"}
_MODALITIES = frozenset({"ct", "mr", "mri", "pt", "pet", "us", "cr", "dx", "mg", "nm", "xa", "rf", "xr", "cta", "dwi"})
_MOST_CLASSES = 20
_APART = "\0"
_WHOLE = 0.9
_TAKEN = "Names of folders are taken for the answers; if they are not, name a table of answers with --labels."


@dataclass(frozen=True)
class Levels:
    """Which level of folders says what, from 0; None where no level does."""

    target: int
    part: int | None = None


def sorted_cohort(disk: Disk, roles: Roles) -> Cohort | None:
    """Return the cohort of a disk whose folders are the answers; None where they are not.

    Parameters
    ----------
    disk : Disk
    roles : Roles
        What the user said.

    Notes
    -----
    Names are classes where they are words and not numbers of a PACS, are few, and where each is the name of several
    studies while a study lies under one of them: folders of patients, of series and of modalities are none.
    """
    entries = [e for e in disk.index.entries if e.frames > 0 and not reason_no_picture(e)]
    levels = folder_levels(entries)
    if levels is None:
        return None
    found, cells = _units(disk, entries, levels)
    ndim = usual_ndim(found)
    able = {k: u for k, u in found.items() if u.ndim == ndim}
    parts: list[Part | None] = [_part(cells[k], levels) for k in able]
    known = [p != "test" for p in parts] if any(p != "test" for p in parts) else None
    name = target_without_columns(replace(roles, image=None), "class")
    answers = make_answers(name, tuple(cells[k][levels.target] for k in able), positive=roles.positive, known=known)
    specs = input_specs(disk, able, roles.image)
    days = first_days(able)
    patients, doubt = patients_of_units(list(able.values()))
    ids = unique_ids([_name(k, u) for k, u in able.items()])
    samples, aside = [], []
    for i, (key, unit) in enumerate(able.items()):
        first = days.get((unit.last.patient_id, unit.last.issuer), "")
        inputs = looking(unit, specs, disk.files.root, first)
        if isinstance(inputs, str):
            aside.append(SetAside(sample=ids[i], reason=inputs))
            continue
        who = patients[i] or (_folder_below(key, levels) if doubt else "") or ids[i]
        sample = Sample(id=ids[i], patient=who, inputs={}, targets={name: answers.values[i]}, part=parts[i])
        samples.append(with_unit(sample, unit, inputs, first))
    told = {f"folder level {levels.target + 1}": ("target", f"{len(answers.spec.classes)} folders with studies")}
    if levels.part is not None:
        told[f"folder level {levels.part + 1}"] = ("split", "its folders are parts")
    schema = Schema(
        targets=(answers.spec,),
        inputs=specs,
        layout="dicom",
        official_parts=tuple(p for p in ("train", "val", "test") if p in parts),
        patients_known=all(patients),
        columns=columns_of("(folders)", dict(sorted(told.items()))),
        side_tables=disk.files.tables,
        notes=(*disk.notes(), *answers.notes),
        unsure=(_TAKEN, *answers.unsure, *((doubt,) if doubt else ()), *disk.doubts(able)),
    )
    apart = (*aside, *disk.unused(found, ndim))
    return Cohort(disk.name, str(disk.files.root), tuple(samples), schema, apart, listings=disk.listings())


def folder_levels(entries: Sequence[Entry]) -> Levels | None:
    """Return which level of folders holds the classes, and which the parts; None where none holds classes.

    Parameters
    ----------
    entries : sequence of Entry
        Pictures; what else lies on the disk says nothing of its folders.
    """
    studies: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for entry in entries:
        folders = tuple(place_of(entry).split("/")[:-1])
        studies.setdefault((entry.patient_id, entry.issuer, entry.study_uid or "/".join(folders)), set()).add(folders)
    every = [f for several in studies.values() for f in several]
    depth = min((len(f) for f in every), default=0)
    names = [{f[i] for f in every} for i in range(depth)]
    part = next((i for i, n in enumerate(names) if all(part_of(x) for x in n) and (len(n) > 1 or depth > 1)), None)
    able = [(len(n), i) for i, n in enumerate(names) if i != part and _are_classes(n, i, studies)]
    return Levels(min(able)[1], part) if able else None


def _are_classes(names: set[str], level: int, studies: Mapping[tuple[str, ...], set[tuple[str, ...]]]) -> bool:
    plain = {n.casefold() for n in names}
    if (
        not 2 <= len(plain) <= _MOST_CLASSES
        or plain & _NO_WORDS
        or plain <= _MODALITIES
        or len(plain & _MODALITIES) > 1
    ):
        return False
    if any(_NUMBERED.match(n) or sum(c.isalpha() for c in n) < 2 for n in names):
        return False
    told_apart = not _overwritten(studies)
    under = [{f[level] for f in folders} for folders in studies.values()]
    if told_apart and sum(len(n) == 1 for n in under) < _WHOLE * len(under):
        return False
    items = Counter(name for found in under for name in found) if told_apart else Counter(
        name for name, _ in {(f[level], f[level + 1 :]) for folders in studies.values() for f in folders}
    )  # fmt: skip
    return sum(n >= 2 for n in items.values()) >= _WHOLE * len(names)


def _overwritten(studies: Collection[object]) -> bool:
    """Tell whether there are so few studies that their identifiers cannot tell samples apart: folders have to."""
    return len(studies) <= 2


def _units(disk: Disk, entries: Sequence[Entry], levels: Levels) -> tuple[dict[str, Unit], dict[str, tuple[str, ...]]]:
    """Return what each sample looks at, by a name, and the folders it lies in.

    A study is a sample; where its series are pictures beside each other, each picture is one. Studies whose
    identifiers were overwritten are told apart by the folder below their class.
    """
    overwritten = _overwritten({(e.patient_id, e.issuer, e.study_uid) for e in entries})
    depth = max(levels.target, levels.part or 0) + 1
    inside: dict[str, list[Entry]] = {}
    cells: dict[str, tuple[str, ...]] = {}
    for entry in disk.index.entries:
        folders = tuple(place_of(entry).split("/")[:-1])
        if len(folders) < depth:
            continue
        held = "/".join(folders[: depth + 1] if overwritten else folders[:depth])
        own = entry.study_uid or "/".join(folders)
        key = held if overwritten else _APART.join((held, entry.issuer, entry.patient_id, own))
        inside.setdefault(key, []).append(entry)
        cells[key] = folders
    found: dict[str, Unit] = {}
    for key, unit in folder_units(inside, disk.index, disk.query).items():
        folder, series = key.partition(_APART)[0], unit.series[-1]
        if unit.ndim == 3 or series.first.modality in ("CT", "MR", "PT", "NM"):
            found[key] = replace(unit, key=folder, series=unit.series[-1:], folder=folder if unit.folder else "")
            continue
        for entry in series.entries:
            if entry.frames > 0:
                place = place_of(entry)
                found[place] = Unit(place, (series_of([entry])[0],), unit.ndim, disk.query)
                cells[place] = cells[key]
    return found, cells


def _part(folders: tuple[str, ...], levels: Levels) -> Part | None:
    return _PARTS[part_of(folders[levels.part]) or ""] if levels.part is not None else None


def _name(key: str, unit: Unit) -> str:
    entry = unit.last
    if _APART in key:
        return entry.accession or entry.patient_id or key.partition(_APART)[0]
    return key


def _folder_below(key: str, levels: Levels) -> str:
    parts = key.partition(_APART)[0].split("/")
    below = max(levels.target, levels.part or 0) + 1
    return "/".join(parts[: below + 1]) if len(parts) > below else ""

"""One set of the UCR or aeon archives: arrays in an ``.npz``, or a pair of ``_TRAIN`` and ``_TEST`` files."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import (
    PARTS,
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
from hounsfield.core.errors import CohortError, HounsfieldError, ReadError, unknown_name
from hounsfield.core.types import AnyArray
from hounsfield.data.answers import Answers, make_answers
from hounsfield.data.files import is_ignored
from hounsfield.data.layouts.medmnist import answers_of, column_of, is_series, pairs_of, text_of
from hounsfield.data.layouts.records import INPUT
from hounsfield.data.npz import npz_array, npz_arrays
from hounsfield.data.rows import columns_of
from hounsfield.data.signal.archive import is_turned, leads_and_steps, series_labels
from hounsfield.data.table import parse_number
from hounsfield.data.words import target_strength, tokens

_PAIR = re.compile(r"(?P<name>.+)_(?P<part>TRAIN|TEST)(?P<end>\.ts|\.tsv|\.txt)", re.IGNORECASE)
_ENDINGS = (".ts", ".tsv", ".txt")
NO_PARTS = "none"
"""Said as ``--split none``: the parts that the archive brings are not kept."""


@dataclass(frozen=True)
class _Set:
    """One data set: its name, folder, and how its series are read."""

    name: str
    folder: Path
    refs: list[tuple[Part, int, Ref]]
    labels: AnyArray | tuple[str | None, ...]
    groups: dict[str, list[str]]
    leads: int
    found: dict[str, tuple[str, str]]
    note: str = ""


class UcrLayout:
    """One archive or pair of files is one data set."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .96 for an archive of series with parts, a pair of files, or a folder of such sets."""
        try:
            return 0.96 if _sets(root) else 0.0
        except (HounsfieldError, OSError):
            return 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort; sample ids are part and position, such as ``test_76``.

        Raises
        ------
        CohortError
            If a folder holds several sets; the message lists them.
        """
        sets = _sets(root)
        if len(sets) != 1:
            raise CohortError(
                f"The folder holds {len(sets)} data sets: {', '.join(sorted(sets))}.",
                expected="one",
                next_step=f"name one of the files, such as {sets[min(sets)][0].name}" if sets else "name a file",
            )
        name, paths = next(iter(sets.items()))
        try:
            read = _arrays(name, paths[0]) if paths[0].suffix == ".npz" else _pair(name, paths)
        except ReadError as error:
            raise CohortError(error.found, expected=error.expected, next_step=error.next_step) from error
        return _cohort(read, roles)


def _sets(root: Path) -> dict[str, list[Path]]:
    """Return name to files of each set: an archive, or its training and test file."""
    if root.is_file():
        if root.suffix == ".npz":
            return {root.stem: [root]} if _holds_series(root) else {}
        form = _PAIR.fullmatch(root.name)
        if form is None:
            return {}
        found = _pairs([p for p in root.parent.iterdir() if p.is_file()])
        return {k: v for k, v in found.items() if k == form["name"]}
    if not root.is_dir():
        return {}
    files = sorted(p for p in root.iterdir() if p.is_file() and not is_ignored(p.name))
    sets = _pairs(files)
    archives = [p for p in files if p.suffix == ".npz"]
    sets |= {p.stem: [p] for p in archives if _holds_series(p)}
    if sets:  # archives of images beside them are sets too: which is meant must be said
        sets |= {p.stem: [p] for p in archives if pairs_of(npz_arrays(p))}
    return sets


def _pairs(files: list[Path]) -> dict[str, list[Path]]:
    """Return sets with a training file, in the first of the endings that a set comes in."""
    found: dict[tuple[str, str], dict[str, Path]] = {}
    for path in files:
        if form := _PAIR.fullmatch(path.name):
            found.setdefault((form["name"], form["end"].lower()), {})[form["part"].upper()] = path
    sets: dict[str, list[Path]] = {}
    for end in _ENDINGS:
        for (name, own), parts in sorted(found.items()):
            if own == end and "TRAIN" in parts and name not in sets:
                sets[name] = [parts[p] for p in ("TRAIN", "TEST") if p in parts]
    return sets


def _holds_series(path: Path) -> bool:
    arrays = npz_arrays(path)
    pairs = pairs_of(arrays)
    return bool(pairs) and all(is_series(arrays[x][0]) for x, _ in pairs.values())


def _arrays(name: str, path: Path) -> _Set:
    arrays = npz_arrays(path)
    pairs = pairs_of(arrays)
    shapes = {p: arrays[x][0] for p, (x, _) in pairs.items()}
    if len({leads_and_steps(s)[0] for s in shapes.values()}) > 1:
        raise CohortError(
            "The parts of the archive have different numbers of leads.",
            expected="the same leads in every part",
            next_step="correct the archive",
        )
    if any(0 in s[1:] for s in shapes.values()):
        raise CohortError(
            "The series of the archive have no samples.",
            expected="series of one sample at least",
            next_step="correct the archive",
        )
    labels = {p: column_of(npz_array(path, y)) for p, (_, y) in pairs.items()}
    for part, found in labels.items():
        if len(found) != shapes[part][0]:
            raise CohortError(
                f"Part {part} has {shapes[part][0]} series and {len(found)} labels.",
                expected="as many labels as series",
                next_step="correct the archive",
            )
    order: list[Part] = [p for p in PARTS if p in pairs]
    refs = [
        (p, i, Ref("ucr", path.name, (("array", pairs[p][0]), ("index", i))))
        for p in order
        for i in range(shapes[p][0])
    ]
    groups = _groups(path, set(arrays), {p: shapes[p][0] for p in order})
    shape = next(iter(shapes.values()))
    told = {pairs[p][0]: ("signal", f"{shapes[p][0]} series of part {p}") for p in order}
    told |= {pairs[p][1]: ("target", f"answers of part {p}") for p in order}
    leads, steps = leads_and_steps(shape)
    turned = is_turned(shape)
    note = f"The arrays are taken for series of {steps} steps and {leads} leads, steps first." if turned else ""
    return _Set(name, path.parent, refs, np.concatenate([labels[p] for p in order]), groups, leads, told, note)


def _groups(path: Path, names: set[str], rows: dict[Part, int]) -> dict[str, list[str]]:
    """Return other arrays with a value for each series of each part: ``subject_train``, ``subject_test``."""
    found: dict[str, list[str]] = {}
    stems = {n[: -len("_train")] for n in names if n.lower().endswith("_train")}
    for base in sorted(stems):
        own = {p: f"{base}_{p}" for p in rows}
        if all(n in names for n in own.values()):
            values = [npz_array(path, n) for n in own.values()]
            if all(v.shape == (rows[p],) for p, v in zip(rows, values, strict=True)):
                own_names = zip(rows, values, strict=True)
                found[base] = [text_of(v) or f"{p}_{i}" for p, a in own_names for i, v in enumerate(a.tolist())]
    return found


def _pair(name: str, paths: list[Path]) -> _Set:
    here = Cohort("", str(paths[0].parent), (), Schema())
    refs: list[tuple[Part, int, Ref]] = []
    labels: list[str | None] = []
    found: dict[str, tuple[str, str]] = {}
    parts: tuple[Part, ...] = ("train", "test")
    for part, path in zip(parts, paths, strict=False):
        texts = series_labels(here, Ref("ts", path.name))
        refs += [(part, i, Ref("ts", path.name, (("index", i),))) for i in range(len(texts))]
        labels += [t or None for t in texts]
        found[path.name] = ("signal", f"{len(texts)} series of part {part}, each with its answer")
    from hounsfield.data.signal.readers import signal_header

    leads = len(signal_header(here, refs[0][2]).leads)
    return _Set(name, paths[0].parent, refs, tuple(labels), {}, leads, found)


def _cohort(found: _Set, roles: Roles) -> Cohort:
    name = _target_name(roles)
    official = roles.split is None
    if roles.split not in (None, NO_PARTS):
        raise unknown_name("column", str(roles.split), [NO_PARTS])
    known = [p != "test" for p, _, _ in found.refs]
    answers = _answers(name, found, roles, known)
    patients = _patients(found, answers, name, roles)
    samples: list[Sample] = []
    aside: list[SetAside] = []
    for i, ((part, index, ref), value) in enumerate(zip(found.refs, answers.values, strict=True)):
        ident = f"{part}_{index}"
        if value is None:
            aside.append(SetAside(sample=ident, reason="no answer"))
            continue
        samples.append(
            Sample(
                id=ident,
                patient=ident if patients is None else patients[i],
                inputs={INPUT: (Reading(ref),)},
                targets={name: value},
                part=part if official else None,
            )
        )
    if not samples:
        raise CohortError("None of the series has an answer.", expected="a label for each", next_step="correct the set")
    parts = tuple(dict.fromkeys(p for p, _, _ in found.refs)) if official else ()
    notes = ["The archive tells no rate and no units: times are counted in samples.", *answers.notes]
    if found.note:
        notes.insert(0, found.note)
    if patients is None:
        notes.append("Who the series are of is not told: each is taken for a patient of its own (--group says it).")
    modality = "ECG" if "ecg" in tokens(found.name) else ""
    schema = Schema(
        targets=(answers.spec,),
        inputs=(InputSpec(name=INPUT, kind="signal", ndim=1, modality=modality, leads=_leads(found.leads)),),
        layout="ucr",
        official_parts=parts,
        patients_known=patients is not None,
        columns=columns_of(found.name, found.found),
        notes=tuple(notes),
        unsure=answers.unsure,
    )
    return Cohort(found.name, str(found.folder), tuple(samples), schema, set_aside=tuple(aside))


def _leads(count: int) -> tuple[str, ...]:
    return ("x",) if count == 1 else tuple(f"x{i + 1}" for i in range(count))


def _target_name(roles: Roles) -> str:
    if not roles.target:
        return "label"
    if len(roles.target) > 1 or (roles.target[0] != "label" and target_strength(roles.target[0]) < 2.0):
        raise unknown_name("column", roles.target[-1], ["label"])
    return roles.target[0]


def _answers(name: str, found: _Set, roles: Roles, known: list[bool]) -> Answers:
    """Return the answers; whole numbers are classes here, however many there are."""
    labels = found.labels
    if not isinstance(labels, tuple):
        if labels.shape[1] > 1:
            return answers_of(name, labels, roles, known)
        labels = tuple(text_of(v) for v in labels[:, 0].tolist())
    numbers = [parse_number(v) for v in labels if v is not None]
    fractions = any(n is not None and not n.is_integer() for n in numbers)
    declared = None if fractions else TargetSpec(name=name, kind="categorical")
    return make_answers(name, labels, declared=declared, positive=roles.positive, known=known)


def _patients(found: _Set, answers: Answers, name: str, roles: Roles) -> list[str] | None:
    if roles.group is None:
        return None
    if roles.group == name:
        return [str(v) for v in answers.values]
    if roles.group not in found.groups:
        raise unknown_name("column", roles.group, [name, *found.groups])
    return found.groups[roles.group]

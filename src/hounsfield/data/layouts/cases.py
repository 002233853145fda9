"""From cases of several images each, as layouts of volumes have them, to samples; answers come from a table."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hounsfield.core.cohort import Cohort, InputSpec, Part, Reading, Ref, Roles, Sample, Schema, SetAside, TargetSpec
from hounsfield.core.errors import CohortError, unknown_name
from hounsfield.data.files import Files, folded, plain_key, stem
from hounsfield.data.layouts.manifest import named_table, tables_in
from hounsfield.data.masks import NO_MASK
from hounsfield.data.roles import infer_roles
from hounsfield.data.rows import cohort_of_rows
from hounsfield.data.table import Column, Sheet
from hounsfield.data.volume.facts import headers_of
from hounsfield.data.words import modality_of

MOST = 0.9
"""Share of the cases that must have an input for it to be asked of all."""
_IMAGE = "(image)"
_SESSION = ("session", "session_id", "ses", "visit")


@dataclass(frozen=True)
class Case:
    """One case as a layout finds it.

    Parameters
    ----------
    id : str
    inputs : mapping of str to Ref
        Name of a sequence or channel to its image.
    masks : mapping of str to Ref
    patient : str
        The id where patients are not known.
    session : str
        Visit, as the layout names it.
    part : str or None
    keys : tuple of str
        Further names by which a table may call it.
    """

    id: str
    inputs: Mapping[str, Ref]
    masks: Mapping[str, Ref] = field(default_factory=dict)
    patient: str = ""
    session: str = ""
    part: Part | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What a layout has found.

    Parameters
    ----------
    layout : str
    cases : tuple of Case
    masks : tuple of TargetSpec
    modalities : mapping of str to str
        Input to DICOM modality code, where the layout tells it.
    notes, unsure : tuple of str
    aside : tuple of SetAside
    """

    layout: str
    cases: tuple[Case, ...]
    masks: tuple[TargetSpec, ...] = ()
    modalities: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    aside: tuple[SetAside, ...] = ()


@dataclass(frozen=True)
class Told:
    """Tables that may hold the answers.

    Parameters
    ----------
    tables : tuple of Sheet
        In the folder.
    named : Sheet or None
        The one that the user named.
    """

    tables: tuple[Sheet, ...] = ()
    named: Sheet | None = None


def answers_beside(files: Files, roles: Roles) -> Told:
    """Return the tables among files, and the one that the user named.

    Raises
    ------
    CohortError
        If there is no table of the name that the user gave.
    """
    tables, _ = tables_in(files)
    return Told(tuple(tables), named_table(files.root, roles.labels, tables) if roles.labels is not None else None)


def cohort_of_cases(found: Found, files: Files, roles: Roles, *, told: Told) -> Cohort:
    """Make the cohort of cases, with the answers of the table that names them, if one does.

    Parameters
    ----------
    found : Found
    files : Files
        What lies in the folder.
    roles : Roles
        What the user said; ``image`` may name one of the inputs.
    told : Told
        Tables that may hold the answers.

    Raises
    ------
    CohortError
        If there is no usable case, or the table that was named names none.
    """
    chosen, few = _inputs(found, roles)
    complete, aside = [], list(found.aside)
    for case in found.cases:
        lacking = [name for name in chosen if name not in case.inputs]
        if lacking:
            aside.append(SetAside(sample=case.id, reason=f"no image {', '.join(lacking)}"))
        else:
            complete.append(case)
    if not complete:
        raise CohortError(
            f"The folder is laid out as {found.layout}, and no case of it is complete.",
            expected="cases with all their images",
            next_step="check the folder",
        )
    specs, notes, unsure = _specs(found, complete, chosen, files)
    notes, unsure = [*found.notes, *notes], [*found.unsure, *few, *unsure]
    sheet = told.named if told.named is not None else _best(told.tables, complete)
    if sheet is None:
        return _without_table(found, complete, specs, files, aside, (notes, unsure))
    roles = replace(roles, image=None, labels=None)
    cohort, missing = _with_table(found, complete, specs, files, roles, sheet)
    aside += missing
    # what the headers say was said already, of every input
    more = [n for n in cohort.schema.notes if n not in notes]
    doubts = [u for u in cohort.schema.unsure if not any(said.endswith(u) for said in unsure)]
    schema = cohort.schema.model_copy(update={"notes": (*notes, *more), "unsure": (*unsure, *doubts)})
    return replace(cohort, schema=schema, set_aside=(*aside, *cohort.set_aside))


def input_names(names: Sequence[str]) -> list[str]:
    """Return names of channels as names of inputs: words joined by ``_``, each once."""
    plain = [re.sub(r"[^0-9A-Za-z\u4e00-\u9fff]+", "_", n).strip("_") or "image" for n in names]
    counts = Counter(plain)
    return [n if counts[n] == 1 else f"{n}_{i}" for i, n in enumerate(plain)]


def _inputs(found: Found, roles: Roles) -> tuple[list[str], list[str]]:
    """Return the inputs that are asked of every case, and what to say of the others."""
    counts = Counter(name for case in found.cases for name in case.inputs)
    names = list(dict.fromkeys(name for case in found.cases for name in case.inputs))
    if roles.image is not None:
        if roles.image not in counts:
            raise unknown_name("image", roles.image, counts)
        return [roles.image], []
    whole = max(counts.values(), default=0)
    kept = [n for n in names if counts[n] >= MOST * whole]
    unused = [f"{n} ({counts[n]} of {whole})" for n in names if n not in kept]
    if not unused:
        return kept, []
    return kept, [f"Images that too few cases have are not used: {', '.join(unused)}; say --image NAME to use one."]


def _specs(
    found: Found, cases: Sequence[Case], chosen: Sequence[str], files: Files
) -> tuple[tuple[InputSpec, ...], list[str], list[str]]:
    specs, notes, unsure = [], [], []
    for name in chosen:
        headers = headers_of(files.root, [case.inputs[name] for case in cases])
        notes += [n for n in headers.notes if n not in notes]
        unsure += [f"{name}: {u}" if len(chosen) > 1 else u for u in headers.unsure]
        modality = found.modalities.get(name) or modality_of(name) or modality_of(files.root.name)
        specs.append(InputSpec(name=name, ndim=headers.ndim, modality=modality))
    if len(chosen) > 1:
        notes.append(f"Each case has {len(chosen)} images: {', '.join(chosen)}.")
    return tuple(specs), notes, unsure


def _without_table(
    found: Found,
    cases: Sequence[Case],
    specs: tuple[InputSpec, ...],
    files: Files,
    aside: Sequence[SetAside],
    said: tuple[list[str], list[str]],
) -> Cohort:
    answered = [c for c in cases if c.masks]
    why = f"{NO_MASK}; expected is a mask of the case's name: annotate it, hu queue says which first"
    gone = [SetAside(sample=c.id, reason=why if answered else "no answer") for c in cases if not c.masks]
    samples = tuple(_sample(case, specs, None) for case in answered)
    notes, unsure = said
    if answered:
        notes.append(f"The answer {found.masks[0].name!r} is a mask: there is nothing to classify here.")
        if gone:
            notes.append(f"{len(gone)} of {len(cases)} cases have no mask: they are left to be annotated.")
    schema = Schema(
        targets=found.masks if answered else (),
        inputs=specs,
        layout=found.layout,
        official_parts=_parts(samples),
        patients_known=any(c.patient for c in cases),
        notes=tuple(notes),
        unsure=tuple(unsure),
    )
    return Cohort(files.root.name, str(files.root), samples, schema, (*aside, *gone))


def _with_table(
    found: Found,
    cases: Sequence[Case],
    specs: tuple[InputSpec, ...],
    files: Files,
    roles: Roles,
    sheet: Sheet,
) -> tuple[Cohort, list[SetAside]]:
    column, rows = _joined(sheet, cases)
    if column is None:
        raise CohortError(
            f"No column of {sheet.name!r} names the cases.",
            expected=f"names such as {cases[0].id!r}",
            next_step="correct the table, or name another one with --labels",
        )
    first = specs[0].name
    paths = {case.id: case.inputs[first].path for case in cases}
    at = [(i, case) for i, several in enumerate(rows) for case in several or (None,)]
    columns: dict[str, Column] = {n: tuple(cells[i] for i, _ in at) for n, cells in sheet.columns.items()}
    columns[_IMAGE] = tuple(paths[case.id] if case is not None else None for _, case in at)
    listed = {case.id for _, case in at if case is not None}
    missing = [SetAside(sample=c.id, reason=f"not listed in {sheet.name}") for c in cases if c.id not in listed]
    understood = infer_roles(Sheet(sheet.name, columns, sheet.notes), files, replace(roles, image=_IMAGE))
    cohort = cohort_of_rows(understood, files, roles)
    by_path = {paths[case.id]: case for case in cases}
    known = any(c.patient for c in cases)
    samples = []
    for sample in cohort.samples:
        case = by_path[next(iter(sample.inputs.values()))[-1].ref.path]
        samples.append(_sample(case, specs, sample, grouped=roles.group is not None))
    counts = Counter(s.id for s in samples)
    again = [s.id for s in samples if counts[s.id] > 1]
    if again:
        raise CohortError(
            f"{sheet.name} lists {len(set(again))} cases in several rows with different answers.",
            expected="one row for each case",
            next_step="keep one row for each case",
        )
    schema = cohort.schema
    extended = any(len(several) > 1 for several in rows)
    schema = schema.model_copy(
        update={
            "targets": (*schema.targets, *(m for m in found.masks if any(m.name in s.masks for s in samples))),
            "inputs": specs,
            "layout": found.layout,
            "official_parts": _parts(samples),
            "patients_known": known or schema.patients_known,
            "columns": tuple(c for c in schema.columns if c.column != _IMAGE),
            "notes": (f"The answers are joined by column {column!r} of {sheet.name}.", *schema.notes),
            "unsure": (
                *schema.unsure,
                *(("The answer of a patient is taken for each of the patient's visits.",) if extended else ()),
            ),
        }
    )
    return replace(cohort, samples=tuple(samples), schema=schema), missing


def _sample(case: Case, specs: Sequence[InputSpec], row: Sample | None, *, grouped: bool = False) -> Sample:
    """Return a case as a sample, with what its row of the table says."""
    days = row.time_days if row is not None else 0.0
    inputs = {spec.name: (Reading(case.inputs[spec.name], days),) for spec in specs}
    if row is None:
        return Sample(case.id, case.patient or case.id, inputs, part=case.part, masks=dict(case.masks))
    patient = row.patient if grouped or not case.patient else case.patient
    if row.patient == row.id and not case.patient:
        patient = case.id
    return replace(
        row,
        id=case.id,
        patient=patient,
        inputs=inputs,
        masks={**row.masks, **case.masks},
        part=row.part or case.part,
    )


def _parts(samples: Sequence[Sample]) -> tuple[str, ...]:
    return tuple(p for p in ("train", "val", "test") if any(s.part == p for s in samples))


def _best(tables: Sequence[Sheet], cases: Sequence[Case]) -> Sheet | None:
    """Return the table that names the most cases, at least half of them; None where none does."""
    ranked = []
    for sheet in tables:
        column, rows = _joined(sheet, cases)
        if column is not None and len(sheet.columns) > 1:
            ranked.append((len({c.id for several in rows for c in several}), sheet))
    best = max(ranked, key=lambda r: r[0], default=(0, None))
    return best[1] if best[0] >= 0.5 * len(cases) else None


def _joined(sheet: Sheet, cases: Sequence[Case]) -> tuple[str | None, list[list[Case]]]:
    """Return the column whose cells name the most cases, and the cases of each row."""
    by_key: dict[str, list[Case]] = {}
    for case in cases:
        for key in dict.fromkeys(_key(k) for k in (case.id, *case.keys)):
            by_key.setdefault(key, []).append(case)
    best: tuple[int, str | None, list[list[Case]]] = (0, None, [[] for _ in range(sheet.rows)])
    for name, cells in sheet.columns.items():
        rows = [by_key.get(_key(cell), []) if cell is not None else [] for cell in cells]
        count = len({c.id for several in rows for c in several})
        if count > best[0]:
            best = (count, name, rows)
    visits = next((n for n in sheet.columns if n.strip().casefold() in _SESSION and n != best[1]), None)
    if visits is None:
        return best[1], best[2]
    told = [_visit(cell) for cell in sheet.columns[visits]]
    return best[1], [
        [c for c in several if not visit or not c.session or _visit(c.session) == visit]
        for several, visit in zip(best[2], told, strict=True)
    ]


def _key(text: str) -> str:
    return plain_key(folded(stem(text.strip().replace("\\", "/"))))


def _visit(text: str | None) -> str:
    return plain_key((text or "").strip().casefold().removeprefix("ses-"))

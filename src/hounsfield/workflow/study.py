"""What is known before anything is planned: the cohort understood, looked at, audited, divided."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from hounsfield.core.audit import Audit
from hounsfield.core.cohort import INSIDE_KINDS, Cohort, Sample
from hounsfield.core.errors import InputError
from hounsfield.core.fingerprint import Fingerprint
from hounsfield.core.progress import Progress
from hounsfield.core.protocols import Task
from hounsfield.core.split import Split
from hounsfield.workflow.memory import give_back
from hounsfield.workflow.odd_cases import without_odd
from hounsfield.workflow.survey import Survey, survey, with_label_doubts
from hounsfield.workflow.tasks import choose_task, task_named
from hounsfield.workflow.warming import NOTHING, Beside, beside
from hounsfield.workflow.wishes import Wishes

Source = str | Path | Iterable[Sample | Mapping[str, object]]
"""A folder, a file, or samples in memory."""

SEEN = "seen.json"
"""File of a run folder, never of a bundle, that holds a `Seen`."""


class Seen(BaseModel):
    """What a run has learned from, so that an evaluation can leave it out.

    Attributes
    ----------
    digests : tuple of str
        See `seen_digests`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    digests: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """A cohort and what was found out about it.

    Parameters
    ----------
    cohort : Cohort
        With unusable samples taken out.
    task : Task
    survey : Survey
        Without small pictures and looks, which nobody needs any more.
    audit : Audit
    split : Split
    fingerprint : Fingerprint
        Of the training part; with folds, of all samples outside an official test part.
    digest : str
        Of the cohort, test answers apart.
    beside : Beside
        Images without answers and weights of another encoder.
    """

    cohort: Cohort
    task: Task
    survey: Survey
    audit: Audit
    split: Split
    fingerprint: Fingerprint
    digest: str
    beside: Beside = NOTHING

    def samples(self, ids: Iterable[str]) -> tuple[Sample, ...]:
        """Return samples by id, in the cohort's order."""
        wanted = set(ids)
        return tuple(s for s in self.cohort.samples if s.id in wanted)


def understood(source: Source, wishes: Wishes) -> tuple[Cohort, Task]:
    """Understand a source and choose the task; targets of other tasks are left out."""
    from hounsfield.data.cohorts import understand

    if wishes.task is not None and task_named(wishes.task).road == "series":
        from hounsfield.workflow.forecast.cohorts import asked_cohort

        return asked_cohort(source, wishes), task_named(wishes.task)
    cohort = understand(source, wishes.roles)
    task = choose_task(cohort.schema, wishes.task)
    return replace(cohort, schema=cohort.schema.model_copy(update={"targets": task.accepts(cohort.schema)})), task


def study(source: Source, wishes: Wishes, *, progress: Progress) -> Study:
    """Find out everything that needs no plan.

    Parameters
    ----------
    source : str, Path or iterable
    wishes : Wishes
    progress : Progress

    Raises
    ------
    InputError
        If the data cannot be used as they are; the message says what to do.
    """
    from hounsfield.data.cohorts import digest
    from hounsfield.stages.auditing.findings import audit
    from hounsfield.stages.splitting.parts import split

    cohort, task = understood(source, wishes)
    seen = survey(cohort, progress=progress)
    progress.say("Looking for duplicates, contradictions and shortcuts")
    findings = with_label_doubts(audit(cohort, seen.glances, seen.unreadable, seed=wishes.seed), cohort, seen)
    given = beside(wishes.unlabelled, wishes.encoder, cohort=cohort, seen=seen, progress=progress)
    seen = replace(seen, glances=tuple(g.without_picture() for g in seen.glances))  # the audit is done with them
    usable = _usable(cohort, findings)
    divided = split(usable, findings, seed=wishes.seed, folds=wishes.folds)
    usable, findings, divided = without_odd(usable, seen, findings, divided)
    usable = _answered(usable, divided)
    summed = digest(replace(cohort, schema=usable.schema))
    found = facts(usable, seen, divided)
    seen = replace(seen, looks={})  # so is the fingerprint
    give_back()
    return Study(usable, task, seen, findings, divided, found, summed, given)


def facts(cohort: Cohort, seen: Survey, divided: Split) -> Fingerprint:
    """Return the fingerprint of what may be trained on."""
    from hounsfield.stages.fingerprinting.fingerprint import fingerprint

    training = [s for s in cohort.samples if _may_train(divided, s.id)]
    looks = {name: [by[s.id] for s in training] for name, by in seen.looks.items()}
    held = len(training) // 10 if divided.folds else len(divided.ids("val"))
    masks = {name: [by[s.id] for s in training] for name, by in seen.masks.items()}
    return fingerprint(training, looks, targets=cohort.schema.targets, val_samples=held, masks=masks)


def _answered(cohort: Cohort, divided: Split) -> Cohort:
    """Leave out further targets that no training sample answers; there is nothing to learn them from."""
    training = [s for s in cohort.samples if _may_train(divided, s.id)]
    targets = cohort.schema.targets
    gone = [
        t.name
        for t in targets[1:]
        if t.kind not in INSIDE_KINDS and all(s.targets.get(t.name) is None for s in training)
    ]
    if not gone:
        return cohort
    kept = tuple(t for t in targets if t.name not in gone)
    notes = (*cohort.schema.notes, *(f"{n}: left out, no training sample has an answer." for n in gone))
    return replace(cohort, schema=cohort.schema.model_copy(update={"targets": kept, "notes": notes}))


def seen_digests(known: Study, *, warmed: bool = False) -> list[str]:
    """Return hashes of the pixels of every sample that training or calibration looks at.

    Parameters
    ----------
    known : Study
    warmed : bool
        Whether the images without answers were seen too.

    Returns
    -------
    list of str
        Sorted, without repeats: of the training and validation parts, or of all folds. For ``seen.json`` of the run
        folder, as a `Seen`.
    """
    divided = known.split
    used = divided.folds or {k: 0 for k, part in divided.parts.items() if part in ("train", "val")}
    ours = {g.digest for g in known.survey.glances if g.sample in used}
    return sorted(seen_digest(pixels) for pixels in ours.union(known.beside.pixels if warmed else ()))


def learned_by(run: Path) -> frozenset[str] | None:
    """Return what the run in a folder has learned from, as `seen_digest`; None where nothing says it.

    Parameters
    ----------
    run : Path
    """
    try:
        return frozenset(Seen.model_validate_json((run / SEEN).read_text(encoding="utf-8")).digests)
    except (OSError, ValueError):
        return None


def seen_digest(pixels: str) -> str:
    """Return the hash of a pixel digest, see `hounsfield.stages.auditing.thumbnails.Glance`."""
    return hashlib.sha256(f"hounsfield seen {pixels}".encode()).hexdigest()


def roles_said(wishes: Wishes) -> dict[str, str | list[str]]:
    """Return what a user said of the data as a plan keeps it: names only, of the table of answers its file name.

    Parameters
    ----------
    wishes : Wishes
    """
    said: dict[str, str | list[str]] = {"target": list(wishes.target)} if wishes.target else {}
    for name in ("image", "group", "split", "positive", "task", "series"):
        value = getattr(wishes, name)
        if value is not None:
            said[name] = str(value)
    if wishes.labels is not None:
        said["labels"] = Path(wishes.labels).name
    return said


def with_roles(wishes: Wishes, roles: Mapping[str, str | list[str]]) -> Wishes:
    """Return the wishes, with what a plan keeps of its own data where they say nothing.

    Parameters
    ----------
    wishes : Wishes
    roles : mapping
        ``roles`` of a plan.
    """
    target = roles.get("target", [])
    return replace(
        wishes,
        target=wishes.target or ((target,) if isinstance(target, str) else tuple(target)),
        image=wishes.image or _name(roles, "image"),
        group=wishes.group or _name(roles, "group"),
        split=wishes.split or _name(roles, "split"),
        positive=wishes.positive or _name(roles, "positive"),
        labels=wishes.labels or _name(roles, "labels"),
        task=wishes.task or _name(roles, "task"),
        series=wishes.series or _name(roles, "series"),
    )


def _name(roles: Mapping[str, str | list[str]], key: str) -> str | None:
    value = roles.get(key)
    return value if isinstance(value, str) else None


def _may_train(divided: Split, sample: str) -> bool:
    if divided.folds:
        return sample in divided.folds and divided.parts.get(sample) != "out"
    return divided.parts.get(sample) == "train"


def _usable(cohort: Cohort, findings: Audit) -> Cohort:
    gone = {aside.sample for aside in findings.unreadable}
    kept = tuple(s for s in cohort.samples if s.id not in gone)
    if not kept:
        first = findings.unreadable[0].reason if findings.unreadable else "no samples"
        raise InputError(
            f"None of the {len(cohort)} samples can be used; the first: {first}",
            expected="samples that can be read, with answers",
            next_step="run hu inspect on the folder and correct what it names",
        )
    return replace(cohort, samples=kept)


def parts_of(divided: Split) -> Mapping[str, tuple[str, ...]]:
    """Return the sample ids of each part."""
    return {part: divided.ids(part) for part in ("train", "val", "test")}

"""Repeated nested cross-validation of what learns from rows: in every fold everything is fitted anew.

A small cohort's single division says as much of chance as of the model. Medians, spreads and levels of the
preparation, harmonisation between sites, filter, selection and weights are all found again in the training part of each
fold; nothing of it enters the bundle's models, and nothing of theirs enters it.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from hounsfield.bundle.checkpoints import load_checkpoint, save_checkpoint
from hounsfield.core.cohort import Cohort, Sample
from hounsfield.core.fingerprint import Fingerprint, RowFacts
from hounsfield.core.plan import Decision, Facts, Machine, Plan, PlanValue
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.protocols import Decoding
from hounsfield.core.report import Repeated
from hounsfield.core.row import Row, aligned
from hounsfield.core.streams import address
from hounsfield.core.types import AnyArray, Float64Array, IntArray, Json
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners import LEARNERS
from hounsfield.learn.learners.protocol import Job, Learner, State
from hounsfield.learn.loop import Watch
from hounsfield.learn.prepare.row import RowPreparation
from hounsfield.stages.evaluation.repeating import Repeats, judge_repeats
from hounsfield.stages.evaluation.samples import JudgedSample
from hounsfield.stages.fingerprinting.fingerprint import target_facts
from hounsfield.stages.fingerprinting.rows import ROWS, RowLook
from hounsfield.stages.planning.kinds import planner
from hounsfield.stages.splitting.dividing import divide
from hounsfield.stages.splitting.strata import demanded, strata_of
from hounsfield.workflow.jobs import job_of
from hounsfield.workflow.judging import decoded
from hounsfield.workflow.study import Study
from hounsfield.workflow.survey import latest
from hounsfield.workflow.wishes import Wishes

SECTION = "repeated"
DOCUMENT = "repeated"
"""Name of the bundle document with the figures."""
ALONE = "alone"
"""Learner that the others are compared with, where a variable was named for it."""
SMALL = 150
"""Patients below which rows are validated so without being asked for it."""
MOST_SAMPLES = 1000
"""Samples up to which that is done: beats of a few patients are many, and fitted often enough as it is."""
FOLDS, REPEATS = 5, 10
SHARE_OF_MINUTES = 0.2
FEWEST = 2
"""Patients of each class that every fold must hold at least one of: with fewer folds than this there is nothing."""


class Repeating(BaseModel):
    """The plan's section ``repeated``.

    Attributes
    ----------
    folds, repeats : int
        No repeats: nothing is done.
    learners : list of str
        What is validated.
    seconds : float
        What it is expected to take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    folds: int = Field(default=FOLDS, ge=2)
    repeats: int = Field(default=0, ge=0)
    learners: list[str] = []
    seconds: float = Field(default=0.0, ge=0)

    @classmethod
    def of(cls, plan: Plan) -> "Repeating":
        """Read the section; no repeats where a plan has none."""
        return plan.section(SECTION, cls) if SECTION in plan.sections else cls()


def with_repeats(drafted: Plan, known: Study, wishes: Wishes, *, quick: bool) -> Plan:
    """Decide how often rows are validated, from the number of patients and the time that one fold takes here.

    Parameters
    ----------
    drafted : Plan
    known : Study
    wishes : Wishes
    quick : bool
        Whether this is a trial that is to be short.
    """
    rows = [n for n, seen in known.fingerprint.inputs.items() if isinstance(seen, RowFacts)]
    samples = outside(known)
    patients = len({known.split.groups[s.id] for s in samples})
    asked = wishes.repeats
    large = patients >= SMALL or len(samples) > MOST_SAMPLES
    if not rows or (asked is None and (quick or large or "test" in known.split.official)):
        return drafted
    folds = _most_folds(known, samples)
    limit = float("inf") if wishes.minutes is None else SHARE_OF_MINUTES * 60.0 * wishes.minutes
    wanted = REPEATS if asked is None else asked
    made = {
        "folds": Decision(
            value=max(2, folds),
            rule=f"{FOLDS} folds, or as many as patients of the rarest class allow",
            evidence=f"{patients} patients outside an official test part",
        ),
        "learners": Decision(
            value=[*_learners(drafted)],
            rule="what learns from rows alone in seconds; the network is judged by the single division or its folds",
            evidence=", ".join(rows),
        ),
    }
    if folds < 2:
        wanted = 0
    each = 0.0
    if wanted:
        scene = Scene.of(drafted.with_section(SECTION, made | {"repeats": Decision(value=1)}), known)
        scene.fold(0, 0)  # the first imports and compiles what it needs
        began = time.perf_counter()
        scene.fold(0, 1)
        each = (time.perf_counter() - began) * folds
    repeats = (
        wanted if asked is not None else min(wanted, int(limit / max(each, 1e-6)) if np.isfinite(limit) else wanted)
    )
    why = (
        "asked for"
        if asked is not None
        else (
            f"{REPEATS} repeats of nested cross-validation below {SMALL} patients without an official test part, at "
            f"most {SHARE_OF_MINUTES:.0%} of the minutes: one division of so few says little"
        )
    )
    made["repeats"] = Decision(
        value=repeats,
        rule=why if folds >= 2 else "none: a class has too few patients for two folds",
        evidence=f"{patients} patients, {each:.1f} s for each repeat",
    )
    made["seconds"] = Decision(
        value=round(each * repeats, 1), rule="one fold, timed", evidence=f"{each:.1f} s a repeat"
    )
    return drafted.with_section(SECTION, made)


def outside(known: Study) -> tuple[Sample, ...]:
    """Return the samples outside an official test part, as cross-validation takes them."""
    fixed = "test" in known.split.official
    return tuple(
        s
        for s in known.cohort.samples
        if (part := known.split.parts.get(s.id, "out")) != "out" and not (fixed and part == "test")
    )


def _learners(plan: Plan) -> list[PlanValue]:
    names = plan.value("baselines", "names")
    kinds = {t.kind for t in plan.targets}
    nested = ["chosen", "selected"] if kinds <= {"categorical", "multilabel"} else []
    alone = [ALONE] if isinstance(names, list) and ALONE in names else []
    return [*nested, "trees", "logistic", *alone]


def _most_folds(known: Study, samples: Sequence[Sample]) -> int:
    target = known.cohort.schema.targets[0]
    strata, groups = strata_of(samples, target), known.split.groups
    held = Counter(tag for tag, _ in {(tag, groups[s.id]) for s in samples for tag in strata[s.id]})
    patients = len({groups[s.id] for s in samples})
    return min([FOLDS, patients // FEWEST, *(held[tag] for tag in demanded(samples, target))])


@dataclass(frozen=True)
class Scene:
    """Everything that is read once.

    Parameters
    ----------
    plan : Plan
    known : Study
    samples : tuple of Sample
        Those that are held out in turn.
    rows : mapping of str to list of Row
        By input, each sample's row as the table has it.
    targets : mapping of str to numpy.ndarray
        Encoded answers.
    template : Job
        Without the preparation, which each fold has for itself.
    """

    plan: Plan
    known: Study
    samples: tuple[Sample, ...]
    rows: Mapping[str, Sequence[Row]] = field(repr=False)
    targets: Mapping[str, AnyArray] = field(repr=False)
    template: Job = field(repr=False)

    @classmethod
    def of(cls, plan: Plan, known: Study) -> "Scene":
        """Read the rows of all samples outside an official test part."""
        names = [n for n, seen in known.fingerprint.inputs.items() if isinstance(seen, RowFacts)]
        samples = outside(known)
        rows = {n: [_row(known.cohort, s, n) for s in samples] for n in names}
        targets = {t.name: known.task.kind(t).encode(t, [s.targets.get(t.name) for s in samples]) for t in plan.targets}
        return cls(plan, known, samples, rows, targets, job_of(plan, known.task, known.fingerprint))

    def divided(self, repeat: int) -> IntArray:
        """Return the fold in which each sample is held out: groups whole, answers spread evenly."""
        ids = [s.id for s in self.samples]
        count = Repeating.of(self.plan).folds
        seed = address(self.plan.seed, "repeated", repeat) % 2**63
        strata = strata_of(self.samples, self.plan.targets[0])
        placed = divide(ids, self.known.split.groups, strata, shares=[1.0 / count] * count, seed=seed)
        return np.array([placed[i] for i in ids], dtype=np.int64)

    def fold(self, repeat: int, fold: int) -> tuple[IntArray, dict[str, Float64Array], dict[str, list[str]]]:
        """Fit to all but one fold, and answer it.

        Returns
        -------
        tuple
            Which samples were held out; by learner their answers to the primary target, and the variables it chose.
        """
        place = self.divided(repeat)
        train, held = np.flatnonzero(place != fold), np.flatnonzero(place == fold)
        job, decoding = self._job(train)
        inputs = {n: np.stack([_prepared(job, n, r, self._spec(n)) for r in rows]) for n, rows in self.rows.items()}
        order = {g: i for i, g in enumerate(dict.fromkeys(self.known.split.groups[s.id] for s in self.samples))}
        groups = np.array([order[self.known.split.groups[s.id]] for s in self.samples], dtype=np.int64)
        feed = Feed(inputs, self.targets, train, held[:0], groups)
        target = self.plan.targets[0]
        answers, chosen = {}, {}
        for name in Repeating.of(self.plan).learners:
            learner = cast(Learner, LEARNERS.resolve(name))
            state = learner.fit(feed, job, watch=Watch())
            raw = learner.open(state, job).run({n: stored[held] for n, stored in inputs.items()})[target.name]
            answers[name] = decoded(self.known.task, target, raw, decoding)
            chosen[name] = _variables(state, job) if name != ALONE else []
        return held, answers, chosen

    def _spec(self, name: str) -> RowLook:
        columns = next(s.columns for s in self.known.cohort.schema.inputs if s.name == name)
        return RowLook(self.rows[name][0], columns)

    def _job(self, train: IntArray) -> tuple[Job, Decoding]:
        """Return what learners need, with preparation and scales as the training part of the fold alone has them."""
        plan, inside = self.plan, [self.samples[i] for i in train]
        facts = {t.name: target_facts(t, inside) for t in plan.targets}
        looks = {n: [replace(self._spec(n), row=rows[i]) for i in train] for n, rows in self.rows.items()}
        seen = Fingerprint(
            samples=len(inside),
            patients=len({s.patient for s in inside}),
            val_samples=0,
            inputs={n: ROWS.facts(n, own) for n, own in looks.items()},
            targets=facts,
        )
        start = {t.name: self.known.task.kind(t).start(t, facts[t.name]) for t in plan.targets}
        heads = tuple(
            h.model_copy(update={"mean": start[h.target.name].mean, "std": start[h.target.name].std})
            for h in self.template.heads
        )
        preparation = {n: _refitted(plan, n, seen) for n in self.rows}
        job = self.template.model_copy(update={"preparation": preparation, "heads": heads})
        return job, start[plan.targets[0].name]


def _row(cohort: Cohort, sample: Sample, name: str) -> Row:
    return cast(Row, latest(cohort, sample, name))


def _prepared(job: Job, name: str, row: Row, look: RowLook) -> AnyArray:
    spec = job.preparation[name]
    return spec.prepared(aligned(row, look.columns, spec.wanted.columns))


def _refitted(plan: Plan, name: str, seen: Fingerprint) -> RowPreparation:
    """Return a fold's preparation: by the same rules, of the plan's variables, harmonised as the plan says."""
    given = plan.section(f"preparation.{name}", RowPreparation)
    facts = Facts(seen, plan.budget, Machine(), plan.targets, None, {}, {})
    made = {k: rule(facts).value for k, rule in planner("row").preparation(name, facts, own=True).items()}
    names = [c for c in cast("list[str]", made["columns"]) if c in given.columns] or list(given.columns)[:1]
    values: dict[str, object] = {**made, "columns": names}
    for key in ("levels", "middle", "spread"):
        values[key] = {c: v for c, v in cast("dict[str, object]", made[key]).items() if c in names}
    for key in ("logarithm", "complete"):
        values[key] = [c for c in cast("list[str]", made[key]) if c in names]
    values["harmonise"] = given.harmonise if made.get("site") else "none"
    values["covariates"] = given.covariates if made.get("site") else ()
    values["around"] = 0  # what is repeated looks at rows alone
    return RowPreparation.model_validate(values)


def _variables(state: State, job: Job) -> list[str]:
    """Return the variables that a state's models chose, where it says it."""
    models: list[Mapping[str, Json]] = []
    facts = state.json.get("facts") if isinstance(state.json, dict) else state.json
    for own in facts if isinstance(facts, list) else []:
        models += [m for m in (own if isinstance(own, list) else []) if isinstance(m, dict) and "chosen" in m]
    names = _columns(job)
    places = {p for m in models for p in cast("list[int]", m["chosen"])}
    return sorted({names[p] for p in places})


def _columns(job: Job) -> list[str]:
    """Return what each prepared column is called, with its input's name where there are several inputs."""
    found = []
    for name, spec in job.preparation.items():
        if isinstance(spec, RowPreparation):
            before = f"{name}: " if len(job.preparation) > 1 else ""
            for column in spec.columns:
                found += [f"{before}{column}"] * len(spec.levels.get(column, (column,)))
    return found


def measured_repeats(plan: Plan, known: Study, *, kept: Path, progress: Progress = SILENT) -> Repeated | None:
    """Validate, one repeat after the other; a killed run goes on behind the repeats that were finished.

    Parameters
    ----------
    plan : Plan
    known : Study
    kept : Path
        Folder where the answers of finished repeats are kept.
    progress : Progress
    """
    wanted = Repeating.of(plan)
    if not wanted.repeats:
        return None
    scene = Scene.of(plan, known)
    folds, answers = [], []
    fits: Counter[str] = Counter()
    chosen: dict[str, Counter[str]] = {name: Counter() for name in wanted.learners}
    with progress.step("Repeated validation", float(wanted.repeats * wanted.folds)) as shown:
        for repeat in range(wanted.repeats):
            path = kept / f"repeated-{repeat}.safetensors"
            found = load_checkpoint(path)
            if found is None:
                found = _one_repeat(scene, repeat, advance=shown.advance)
                save_checkpoint(path, *found)
            folds.append(scene.divided(repeat))
            answers.append(found[0])
            for name, several in cast("dict[str, list[list[str]]]", found[1]).items():
                fits[name] += len(several)
                for own in several:
                    chosen[name].update(own)
    groups = known.split.groups
    target = plan.targets[0]
    judged = [
        JudgedSample(s.id, s.patient, s.targets.get(target.name), s.attributes, groups[s.id]) for s in scene.samples
    ]
    said = Repeats(
        np.stack(folds),
        {name: np.stack([a[name] for a in answers]).astype(np.float64) for name in wanted.learners},
        {name: {v: n / fits[name] for v, n in counts.items()} for name, counts in chosen.items()},
    )
    return judge_repeats(target, judged, said, reference=ALONE, seed=plan.seed)


def _one_repeat(scene: Scene, repeat: int, *, advance: Callable[[], None]) -> tuple[dict[str, AnyArray], Json]:
    wanted = Repeating.of(scene.plan)
    answers: dict[str, Float64Array] = {}
    chosen: dict[str, list[list[str]]] = {name: [] for name in wanted.learners}
    for fold in range(wanted.folds):
        held, said, variables = scene.fold(repeat, fold)
        for name, values in said.items():
            whole = answers.setdefault(name, np.full((len(scene.samples), *values.shape[1:]), np.nan))
            whole[held] = values
            chosen[name].append(variables[name])
        advance()
    return dict(answers), cast(Json, chosen)


def repeated_of(documents: Mapping[str, Json]) -> Repeated | None:
    """Return what a bundle says of repeated validation; None where it says nothing."""
    found = documents.get(DOCUMENT)
    return Repeated.model_validate(found) if found is not None else None

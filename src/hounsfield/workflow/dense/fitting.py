"""Fit dense members and baselines, settle on validation cases, put a bundle together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import numpy as np

from hounsfield.bundle.sealed import BundleContents, Member
from hounsfield.core.plan import Plan
from hounsfield.core.progress import Progress
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, IntArray, Json
from hounsfield.data.masks import read_region
from hounsfield.learn.dense.job import DenseJob, dense_json
from hounsfield.learn.dense.model import DenseRunner, case_looks
from hounsfield.learn.dense.running import self_test
from hounsfield.learn.guard import FEWEST_PATIENTS, GuardLimits, crossed_distances, distances, fit_guard, limits
from hounsfield.learn.model import GUARD, SELF_TEST
from hounsfield.workflow.card import card
from hounsfield.workflow.dense.baselines import fitted_baselines, names_of
from hounsfield.workflow.dense.jobs import (
    DensePrepared,
    Pointed,
    Together,
    dense_job_of,
    read_boxes,
    read_images,
    read_labels,
    structures_of,
)
from hounsfield.workflow.dense.planning import runner_of
from hounsfield.workflow.dense.settling import Held, Settled, settle_on, settled_json
from hounsfield.workflow.fitting import NETWORK, TRAINING, Fitted, Fold, Hands, fit_members
from hounsfield.workflow.members import Assignment
from hounsfield.workflow.study import Study

SETTLED = "settled"
"""Documents ``settled_network`` (of the shipped model) and ``settled_network.<fold>`` hold a `Settled` by target."""
FOLDS = "folds"
"""Document with the fold of each member."""
MOST_HELD = 400_000_000
"""Voxels and classes of validation cases that are held at once, of all folds together, to choose a tidying."""


def fit_dense(plan: Plan, known: Study, prepared: DensePrepared, folds: Sequence[Fold], hands: Hands) -> Fitted:
    """Fit all members; what a killed run had finished is not done again.

    Parameters
    ----------
    plan : Plan
    known : Study
    prepared : DensePrepared
    folds : sequence of Fold
    hands : Hands
    """
    del known
    structures = structures_of(plan)
    cheap = [
        fitted_baselines(plan, prepared.feed.with_parts(f.train, f.val), structures, fold=n, work=hands.work)
        for n, f in enumerate(folds)
    ]
    together = plan.section("ensemble", Together)
    wanted = []
    for fold, rows in enumerate(folds):
        for place in range(together.members):
            job = dense_job_of(plan, member=fold + len(folds) * place)
            wanted.append(Assignment(fold, place, "dense", job, rows.train, rows.val, job.optimisation.steps))
    made = fit_members(wanted, prepared.feed, hands, workers=together.workers)
    return Fitted(
        members=tuple(
            Member(a.learner, s.arrays, dense_json(cast(DenseJob, a.job), s.json))
            for a, s in zip(wanted, made.states, strict=True)
        ),
        baselines={name: tuple(own[name] for own in cheap) for name in names_of(plan)},
        history=made.states[0].history,
        steps=sum(s.steps for s in made.states),
        stopped_by_clock=any(s.stopped_by_brake for s in made.states),
        seconds_per_step=made.seconds / made.steps if made.steps else None,
        folds=tuple(a.fold for a in wanted),
        workers_mib=made.peak_mib,
    )


def assemble_dense(
    plan: Plan,
    known: Study,
    prepared: DensePrepared,
    folds: Sequence[Fold],
    *,
    fitted: Fitted,
    progress: Progress,
) -> BundleContents:
    """Settle on validation cases, fit the guard, record the self-test, and put everything into one bundle.

    Parameters
    ----------
    plan : Plan
    known : Study
    prepared : DensePrepared
    folds : sequence of Fold
    fitted : Fitted
    progress : Progress

    Notes
    -----
    As for other tasks, ``settled_network`` belongs to the shipped mean of all members and is fitted on the validation
    cases of all folds, each judged by its own fold's members; part ``cv`` is judged with each fold's own.
    """
    documents: dict[str, Json] = {TRAINING: fitted.to_json(), FOLDS: [int(f) for f in fitted.folds]}
    every: dict[str, list[Held]] = {t.name: [] for t in plan.targets}
    several = len(folds) > 1
    for number, fold in enumerate(folds):
        own = [m for m, f in zip(fitted.members, fitted.folds, strict=True) if f == number]
        ids = [prepared.ids[int(r)] for r in fold.val]
        drawn = stream(plan.seed, "settling", number).permutation(len(ids))
        held = _held(runner_of(plan, own), known, [ids[int(n)] for n in drawn], MOST_HELD // len(folds), progress)
        for name, cases in held.items():
            every[name] += cases
        if several:
            documents[f"{SETTLED}_{NETWORK}.{number}"] = cast(Json, settled_json(_settle(plan, held)))
    documents[f"{SETTLED}_{NETWORK}"] = cast(Json, settled_json(_settle(plan, every)))
    arrays, guard = _guard(known, prepared, folds, progress)
    documents[GUARD] = cast(Json, guard.model_dump(mode="json"))
    return BundleContents(
        members=fitted.members,
        plan=plan.model_copy(update={"source": ""}),
        fingerprint=known.fingerprint,
        documents=documents,
        arrays={**({GUARD: arrays} if arrays else {}), SELF_TEST: self_test(fitted.members)},
        baselines={f"{n}.{i}": m for n, members in fitted.baselines.items() for i, m in enumerate(members)},
        card=card(plan, known),
    )


def _settle(plan: Plan, held: Mapping[str, Sequence[Held]]) -> dict[str, Settled]:
    rule = plan.section("operating_point", Pointed).threshold
    return {name: settle_on(held.get(name, ()), one, rule=rule) for name, one in structures_of(plan).items()}


def _held(
    runner: DenseRunner, known: Study, ids: Sequence[str], most: int, progress: Progress
) -> dict[str, list[Held]]:
    """Judge a fold's validation cases by its own members, until so many voxels and classes are held.

    They come in a drawn order: cohorts lie sorted by name, and their first cases may all be of one hospital.
    """
    if not ids:
        return {}
    found: dict[str, list[Held]] = {name: [] for name in runner.structures}
    held = 0
    with progress.step("Settling thresholds", float(len(ids))) as shown:
        for name, cases in _cases(runner, known, ids):
            found[name].append(cases)
            held += cases.probabilities.size
            shown.advance(1.0 / len(found))
            if held > most:
                break  # enough to choose by
    return found


def _cases(runner: DenseRunner, known: Study, ids: Sequence[str]) -> Iterator[tuple[str, Held]]:
    samples = {s.id: s for s in known.samples(ids)}
    for sample in (samples[i] for i in ids):
        images = read_images(known.cohort, sample, runner.preparation)
        first = images[next(iter(images))]
        truth = read_labels(known.cohort, sample, first, dict(runner.structures))
        region = read_region(known.cohort, sample, first)
        for name, said in runner.answer(runner.case(images)).probabilities.items():
            yield name, Held(said, runner.structures[name].masks(truth[name]), region, read_boxes(sample, name))


def _guard(
    known: Study, prepared: DensePrepared, folds: Sequence[Fold], progress: Progress
) -> tuple[dict[str, AnyArray], GuardLimits]:
    # Fitted to training images; the limits come from those of them that a fold left out, and from validation images.
    train = np.unique(np.concatenate([fold.train for fold in folds]))
    held = np.setdiff1d(np.concatenate([fold.val for fold in folds]), train)
    rows: IntArray = np.concatenate([train, held])
    found = []
    with progress.step("Input guard", float(len(rows))) as shown:
        for row in rows:
            found.append(case_looks(prepared.feed.cases.image(int(row))))
            shown.advance()
    described, groups = np.stack(found), prepared.feed.groups[rows]
    seen, others = described[: len(train)], described[len(train) :]
    arrays: dict[str, AnyArray] = {}
    flag = refuse = 1e9
    if known.fingerprint.patients >= FEWEST_PATIENTS:
        arrays = fit_guard(seen)
        away = [crossed_distances(seen, groups[: len(train)]), *([distances(arrays, others)] if len(held) else [])]
        flag, refuse = limits(np.concatenate(away), len(np.unique(groups)))
    first = next(iter(known.fingerprint.images.values()))
    return arrays, GuardLimits(
        flag=min(flag, 1e9),
        refuse=min(refuse, 1e9),
        ndim=first.ndim,
        size_low=first.size_low,
        size_high=first.size_high,
        colour=first.colour_share > 0.05,
    )

"""From rows of predictions to the judged targets of a report."""

from collections.abc import Mapping, Sequence

import numpy as np

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import TargetSpec
from hounsfield.core.protocols import Decoding, Task
from hounsfield.core.report import (
    Baseline,
    ClassPoint,
    OperatingPointBlock,
    PartFigures,
    SecondLook,
    SetFigures,
    TargetReport,
)
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.learn.prepare.row import OTHER_SITE
from hounsfield.science.statistics.figures import Resampled
from hounsfield.stages.evaluation.class_points import judge_class_points
from hounsfield.stages.evaluation.comparing import baseline_block, recommend
from hounsfield.stages.evaluation.judging import judge
from hounsfield.stages.evaluation.label_noise import second_look
from hounsfield.stages.evaluation.preparing import ClassFactors, PerSample, Points, resampled
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions, gather, known
from hounsfield.stages.evaluation.sets import MadeSets, set_figures
from hounsfield.workflow.fitting import NETWORK, Calibrated
from hounsfield.workflow.predictions import Row, Rows
from hounsfield.workflow.sets import NUMBER, members

CONSTANT = "prevalence"
"""The baseline that says the same of everyone."""


def calibrations(contents: BundleContents) -> dict[str, Calibrated]:
    """Return decoding and operating points of network and baselines, and of each fold's own (``network.0``, ...)."""
    prefix = "calibration_"
    return {
        name.removeprefix(prefix): Calibrated.from_json(document)
        for name, document in contents.documents.items()
        if name.startswith(prefix)
    }


def of_model(fixed: Mapping[str, Calibrated], name: str, fold: int) -> Calibrated:
    """Return how a model's outputs are read: as the fold's own member has it, or as the shipped mean of all has it."""
    return fixed.get(f"{name}.{fold}", fixed[name])


def models(fixed: Mapping[str, Calibrated]) -> list[str]:
    """Return the names of network and baselines, without those of single folds."""
    return [name for name in fixed if not name.rpartition(".")[2].isdigit()]


def judge_target(
    target: TargetSpec,
    parts: Mapping[str, Rows],
    *,
    task: Task,
    fixed: Mapping[str, Calibrated],
    judged_part: str,
    options: JudgeOptions,
    groups: Mapping[str, str] | None = None,
) -> TargetReport:
    """Judge one target on all parts, and beside its baselines on the judged one.

    Parameters
    ----------
    target : TargetSpec
    parts : mapping of str to Rows
    task : Task
    fixed : mapping of str to Calibrated
        Of the network and of each baseline, and of their folds (``network.0``), if there are any.
    judged_part : str
    options : JudgeOptions
    groups : mapping of str to str or None
        Sample id to group, the unit of every interval; patients if None.
    """
    network = fixed[NETWORK]
    figures: dict[str, PartFigures] = {}
    samples = judged_samples(parts[judged_part], target, groups)
    said = answers(parts[judged_part], target, task=task, fixed=fixed)
    # drawn once: the network's own intervals and its difference from each baseline are read from the same replicates
    ours = resampled(gather(target, samples, said), points_of(parts[judged_part], target, fixed), options)
    for name, rows in parts.items():
        found = judge(
            target,
            judged_samples(rows, target, groups),
            answers(rows, target, task=task, fixed=fixed),
            uncalibrated=(
                answers(rows, target, task=task, fixed=fixed, calibrated=False) if target.kind != "number" else None
            ),
            operating_point=points_of(rows, target, fixed),
            options=options,
            drawn=ours if name == judged_part else None,
        )
        sets = judged_sets(rows, target, task=task, fixed=fixed)
        figures[name] = found.model_copy(update={**_left_without_answer(rows, target), "sets": sets})
    baselines = _baselines(ours, parts[judged_part], samples, task=task, fixed=fixed, options=options, target=target)
    unseen = next((part for part in ("cv", "val") if part in parts), "")
    doubts: tuple[SecondLook, ...] = ()
    if unseen:
        said = answers(parts[unseen], target, task=task, fixed=fixed)
        doubts = second_look(target, judged_samples(parts[unseen], target), said, part=unseen)
    return TargetReport(
        target=target,
        parts=figures,
        baselines=baselines,
        operating_point=_point_block(fixed, target),
        class_points=_class_points(target, parts[judged_part], samples, task=task, fixed=fixed, options=options),
        class_factors=network.decodings[target.name].class_factors,
        fold_class_factors=_fold_factors(fixed, target),
        temperature=network.decodings[target.name].temperature if target.kind != "number" else None,
        recommended=recommend(target, baselines),
        second_look=doubts,
        second_look_of=figures[unseen].samples if unseen else 0,
    )


def _baselines(
    ours: Resampled,
    rows: Rows,
    samples: Sequence[JudgedSample],
    *,
    target: TargetSpec,
    task: Task,
    fixed: Mapping[str, Calibrated],
    options: JudgeOptions,
) -> dict[str, Baseline]:
    return {
        name: baseline_block(
            target,
            samples,
            network=ours,
            baseline=answers(rows, target, task=task, fixed=fixed, name=name),
            points=points_of(rows, target, fixed, name=name),
            options=options,
        )
        for name in models(fixed)
        if name != NETWORK
    }


def judged_sets(rows: Rows, target: TargetSpec, *, task: Task, fixed: Mapping[str, Calibrated]) -> SetFigures | None:
    """Judge the network's prediction sets, each row's made as the fold's own member makes them.

    Parameters
    ----------
    rows : Rows
    target : TargetSpec
    task : Task
    fixed : mapping of str to Calibrated
    """
    outputs = rows.outputs(target.name)
    folds = np.array([r.fold for r in rows.rows], dtype=np.int64)
    width = {"number": 0, "multilabel": 2 * len(target.classes)}.get(target.kind, len(target.classes))
    inside, half = np.zeros((len(folds), width), dtype=np.bool_), np.zeros(len(folds))
    rule = fixed[NETWORK].decodings[target.name].sets
    for fold in np.unique(folds):
        decoding = of_model(fixed, NETWORK, int(fold)).decodings[target.name]
        if decoding.sets is None:
            return None
        found = task.kind(target).decode(target, outputs[folds == fold], decoding)
        if target.kind == "number":
            limit = decoding.sets.limits.get(NUMBER)
            half[folds == fold] = np.inf if limit is None else limit
        else:
            inside[folds == fold] = members(target, found, decoding.sets)
    if rule is None:
        return None
    return set_figures(
        target,
        judged_samples(rows, target),
        answers(rows, target, task=task, fixed=fixed),
        made=MadeSets(inside, half),
        rule=rule,
        own_rules=bool((folds >= 0).any()),
    )


def _left_without_answer(rows: Rows, target: TargetSpec) -> dict[str, int]:
    def count(found: Sequence[Row]) -> int:
        return int(known(judged_samples(Rows(tuple(found)), target)).sum())

    return {"not_run": count(rows.failed), "refused": count([r for r in rows.rows if r.judgement.refusal])}


def judged_samples(rows: Rows, target: TargetSpec, groups: Mapping[str, str] | None = None) -> list[JudgedSample]:
    """Return the rows beside their truth; `groups` names what is drawn for intervals in place of patients."""
    return [
        JudgedSample(
            r.sample.id,
            r.sample.patient,
            r.sample.targets.get(target.name),
            r.sample.attributes,
            (groups or {}).get(r.sample.id, ""),
        )
        for r in rows.rows
    ]


def answers(
    rows: Rows,
    target: TargetSpec,
    *,
    task: Task,
    fixed: Mapping[str, Calibrated],
    name: str = NETWORK,
    calibrated: bool = True,
) -> Float64Array:
    """Return one model's probabilities ``n k``, or numbers ``n``, each row read as the fold's own member is read.

    Parameters
    ----------
    rows : Rows
    target : TargetSpec
    task : Task
    fixed : mapping of str to Calibrated
    name : str
        ``network`` or a baseline.
    calibrated : bool
        Whether temperatures are applied.

    Notes
    -----
    What says the same of everyone would, pooled over folds, do worse than chance: a fold with many positives leaves
    few to train on, and gets the lower share. Its rows therefore all have the mean of the folds' shares.
    """
    outputs = rows.outputs(target.name, None if name == NETWORK else name)
    folds = np.array([r.fold for r in rows.rows], dtype=np.int64)
    places: list[IntArray] = []
    made: list[Float64Array] = []
    for fold in np.unique(folds):
        decoding = of_model(fixed, name, int(fold)).decodings[target.name]
        if not calibrated:
            decoding = decoding.model_copy(update={"temperature": 1.0})
        places.append(np.flatnonzero(folds == fold))
        made.append(decoded(task, target, outputs[places[-1]], decoding))
    if name == CONSTANT and len(made) > 1:
        mean: Float64Array = np.mean([values[:1] for values in made], axis=0)
        return np.repeat(mean, len(folds), axis=0)
    values: Float64Array = np.concatenate(made)[np.argsort(np.concatenate(places))]
    return values


def other_sites(rows: Rows) -> int:
    """Return how many rows are of a site that the harmonisation of measured features does not know."""
    return sum(OTHER_SITE in r.judgement.flags for r in rows.rows)


def points_of(rows: Rows, target: TargetSpec, fixed: Mapping[str, Calibrated], *, name: str = NETWORK) -> Points:
    """Return one model's threshold or factors of classes, or the threshold of its own fold's member for each row.

    Parameters
    ----------
    rows : Rows
    target : TargetSpec
    fixed : mapping of str to Calibrated
    name : str
        ``network`` or a baseline.
    """
    factors = fixed[name].decodings[target.name].class_factors
    if factors:
        each = {r.sample.id: of_model(fixed, name, r.fold).decodings[target.name] for r in rows.rows if r.fold >= 0}
        return ClassFactors(factors, {i: decoding.class_factors for i, decoding in each.items()})
    by_fold = {r.fold: of_model(fixed, name, r.fold).points.get(target.name) for r in rows.rows if r.fold >= 0}
    own = {fold: point.threshold for fold, point in by_fold.items() if point is not None}
    if not own:
        return fixed[name].points.get(target.name)
    if name == CONSTANT:
        own = dict.fromkeys(own, float(np.mean(list(own.values()))))
    return PerSample({r.sample.id: own[r.fold] for r in rows.rows if r.fold in own})


def fold_decodings(fixed: Mapping[str, Calibrated]) -> dict[int, Mapping[str, Decoding]]:
    """Return the network's decodings by fold; empty without folds."""
    prefix = f"{NETWORK}."
    return {int(k.removeprefix(prefix)): v.decodings for k, v in fixed.items() if k.startswith(prefix)}


def decoded(task: Task, target: TargetSpec, outputs: Float64Array, decoding: Decoding) -> Float64Array:
    """Return probabilities ``n k``, or numbers ``n``."""
    values = task.kind(target).decode(target, outputs, decoding)
    return values[:, 0] if target.kind == "number" else values


def _point_block(fixed: Mapping[str, Calibrated], target: TargetSpec) -> OperatingPointBlock | None:
    point = fixed[NETWORK].points.get(target.name)
    if point is None:
        return None
    own = [fixed[f"{NETWORK}.{fold}"].points[target.name].threshold for fold in sorted(fold_decodings(fixed))]
    return OperatingPointBlock(
        threshold=point.threshold,
        rule=point.rule.value,
        samples=point.positives + point.negatives,
        sensitivity=point.sensitivity,
        specificity=point.specificity,
        folds=tuple(own),
    )


def _fold_factors(fixed: Mapping[str, Calibrated], target: TargetSpec) -> tuple[dict[str, float], ...]:
    own = fold_decodings(fixed)
    found = tuple(own[fold][target.name].class_factors for fold in sorted(own))
    return found if any(found) else ()


def _class_points(
    target: TargetSpec,
    rows: Rows,
    samples: Sequence[JudgedSample],
    *,
    task: Task,
    fixed: Mapping[str, Calibrated],
    options: JudgeOptions,
) -> dict[str, ClassPoint]:
    """Judge the network at each class's own threshold, each row at that of the fold's own member."""
    points = fixed[NETWORK].class_points.get(target.name, {})
    own = [of_model(fixed, NETWORK, fold).class_points.get(target.name, {}) for fold in sorted(fold_decodings(fixed))]
    if not points or set(points) != set(target.classes) or any(set(each) != set(points) for each in own):
        return {}
    of_row = [of_model(fixed, NETWORK, r.fold).class_points[target.name] for r in rows.rows]
    thresholds = np.array([[p[name].threshold for name in target.classes] for p in of_row], dtype=np.float64)
    found = judge_class_points(
        target,
        samples,
        answers(rows, target, task=task, fixed=fixed),
        thresholds=thresholds.reshape(len(of_row), len(target.classes)),
        options=options,
    )
    return {
        name: ClassPoint(
            threshold=point.threshold,
            rule=point.rule.value,
            positives=point.positives,
            negatives=point.negatives,
            folds=tuple(each[name].threshold for each in own),
            cases=found[name].cases,
            metrics=found[name].metrics,
        )
        for name, point in points.items()
    }


def merged(groups: Sequence[Rows]) -> Rows:
    """Return several groups of rows as one."""
    return Rows(tuple(r for g in groups for r in g.rows), tuple(r for g in groups for r in g.failed))

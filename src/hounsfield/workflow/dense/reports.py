"""Predict all judged parts from a sealed bundle, judge them, and compose the report."""

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.core.plan import Plan
from hounsfield.core.progress import Progress
from hounsfield.core.report import Baseline, OperatingPointBlock, Picture, Report, TargetReport
from hounsfield.science.statistics.segmentation.box_scores import BoxScores
from hounsfield.science.statistics.segmentation.over_cases import worst
from hounsfield.stages.evaluation.caveats import CaveatFacts, caveats
from hounsfield.stages.evaluation.comparing import recommend
from hounsfield.stages.evaluation.masks import MaskRows, beside, judge_masks
from hounsfield.workflow.dense.judging import OBSERVER, CaseRow, Part, judge_cases, judged_rows
from hounsfield.workflow.dense.model import DenseModel, folds_of, settled_of
from hounsfield.workflow.fitting import TRAINING
from hounsfield.workflow.reports import Ran, heading_of_run, shortcut_block

WORST = 8
FALSE = 3
"""Of them at most so many that hold nothing and in which something is marked."""
TYPICAL = 4
PER_CASE = ("dice", "iou", "hd95_mm", "assd_mm", "nsd", "volume_error", "true_ml", "predicted_ml")
"""Figures of a case that stand in ``predictions.csv``."""


def report_dense(
    contents: BundleContents, ran: Ran, *, elapsed: Callable[[], float], progress: Progress
) -> tuple[Report, str]:
    """Predict all judged parts from the sealed bundle, judge them, and compose the report.

    Parameters
    ----------
    contents : BundleContents
        As opened from disk.
    ran : Ran
    elapsed : callable
        Seconds since the command began.
    progress : Progress

    Returns
    -------
    (Report, str)
        The report and the text of ``predictions.csv``.
    """
    known, plan = ran.known, ran.plan
    parts = predicted_parts(contents, ran, progress)
    judged = "test" if "test" in parts else "cv"
    progress.say("Judging")
    targets = {
        t.name: judge_target(t, parts, plan=plan, contents=contents, groups=known.split.groups, judged=judged)
        for t in plan.targets
    }
    first = targets[plan.targets[0].name]
    report = Report(
        **heading_of_run(ran, contents, targets, judged=judged, seconds=elapsed()),
        shortcut=shortcut_block(known.audit),
        caveats=caveats(
            CaveatFacts(
                target=first.target,
                figures=first.parts[judged],
                judged_part=judged,
                audit=known.audit,
                patients_known=known.cohort.schema.patients_known,
                grouped=known.split.grouped,
                validation_samples=_settled_on(contents, plan, judged),
                stopped_by_clock=_stopped(contents),
            )
        ),
        errors=worst_cases(parts[judged], plan.targets[0]),
        typical=typical_cases(parts[judged], plan.targets[0]),
    )
    return report, written(parts.values(), plan.targets)


def predicted_parts(contents: BundleContents, ran: Ran, progress: Progress) -> dict[str, list[CaseRow]]:
    """Return judged cases by part: ``val`` and ``test``, or ``cv`` and an official ``test``.

    Parameters
    ----------
    contents : BundleContents
    ran : Ran
    progress : Progress

    Raises
    ------
    CohortError
        If no case of the judged part could be predicted.
    """
    known, plan = ran.known, ran.plan
    parts: dict[str, list[CaseRow]] = {}
    wanted = ["val", "test"]
    if ran.folds:
        pooled: list[CaseRow] = []
        for number in sorted(set(folds_of(contents))):
            model = DenseModel(contents, fold=number)
            held = known.samples(i for i, fold in ran.folds.items() if fold == number)
            pooled += judge_cases(
                model, plan, known.cohort, held, part=Part("cv", baselines=True, folds=ran.folds), progress=progress
            )
        parts["cv"] = pooled
        wanted = ["test"] if "test" in known.split.official else []
    if wanted:
        model = DenseModel(contents)
        for part in wanted:
            samples = known.samples(known.split.ids(part))
            if samples:
                parts[part] = judge_cases(
                    model, plan, known.cohort, samples, part=Part(part, baselines=part == "test"), progress=progress
                )
    parts = {name: rows for name, rows in parts.items() if any(r.scores for r in rows)}
    if not {"test", "cv"} & set(parts):
        raise CohortError(
            "No case of the test part could be predicted.",
            expected="a readable test part with masks",
            next_step="look at audit.json for what was set aside, and correct the files",
        )
    return parts


def judge_target(
    target: TargetSpec,
    parts: Mapping[str, Sequence[CaseRow]],
    *,
    plan: Plan,
    contents: BundleContents,
    groups: Mapping[str, str],
    judged: str,
) -> TargetReport:
    """Judge one target on all parts, and beside its baselines on the judged one.

    Parameters
    ----------
    target : TargetSpec
    parts : mapping of str to sequence of CaseRow
    plan : Plan
    contents : BundleContents
    groups : mapping of str to str
        Sample id to group, the unit of every interval.
    judged : str
        Name of the part that is judged.
    """
    figures = {}
    for name, rows in parts.items():
        found = judge_masks(mask_rows(rows, target, groups), seed=plan.seed, target=target.name)
        gone = {
            "not_run": sum(not r.scores for r in rows),
            "refused": sum(bool(r.refusal) and target.name in r.scores for r in rows),
        }
        figures[name] = found.model_copy(update=gone)
    own = judged_rows(parts[judged], target)
    ours = mask_rows(own, target, groups)
    shown: dict[str, Baseline] = {
        name: beside(ours, _beside(own, target, groups, name), seed=plan.seed, target=target.name)
        for name in (own[0].scores[target.name].beside if own else ())
    }
    recommended = recommend(target, shown)
    observed = [r for r in judged_rows(parts[judged], target) if r.scores[target.name].observer is not None]
    if observed:
        again = mask_rows(observed, target, groups)
        shown[OBSERVER] = beside(again, _observer(observed, target, groups), seed=plan.seed, target=target.name)
    return TargetReport(
        target=target,
        parts=figures,
        baselines=shown,
        operating_point=_point(contents, target),
        recommended=recommended,
    )


def mask_rows(rows: Sequence[CaseRow], target: TargetSpec, groups: Mapping[str, str]) -> MaskRows:
    """Return the judged cases of a target as evaluation takes them.

    Parameters
    ----------
    rows : sequence of CaseRow
    target : TargetSpec
    groups : mapping of str to str
    """
    own = judged_rows(rows, target)
    scores = [r.scores[target.name] for r in own]
    return MaskRows(
        units=tuple(groups.get(r.sample.id, r.sample.patient) for r in own),
        patients=tuple(r.sample.patient for r in own),
        figures={cls: [s.figures[cls] for s in scores] for cls in target.classes},
        pixels={cls: [s.pixels[cls] for s in scores] for cls in target.classes},
        quality={cls: [s.quality[k] for s in scores] for k, cls in enumerate(target.classes)},
        boxes=_boxes_of([s.boxes for s in scores], target),
        folds=tuple(r.fold for r in own),
    )


def _boxes_of(rows: Sequence[Mapping[str, BoxScores] | None], target: TargetSpec) -> dict[str, list[BoxScores]] | None:
    found = [one for one in rows if one is not None]
    if not found or len(found) < len(rows):
        return None
    return {cls: [one[cls] for one in found] for cls in target.classes}


def _observer(rows: Sequence[CaseRow], target: TargetSpec, groups: Mapping[str, str]) -> MaskRows:
    found = [(r, seen) for r in rows if (seen := r.scores[target.name].observer) is not None]
    return MaskRows(
        units=tuple(groups.get(r.sample.id, r.sample.patient) for r, _ in found),
        patients=tuple(r.sample.patient for r, _ in found),
        figures={cls: [seen[cls] for _, seen in found] for cls in target.classes},
    )


def _beside(rows: Sequence[CaseRow], target: TargetSpec, groups: Mapping[str, str], name: str) -> MaskRows:
    scores = [r.scores[target.name].beside[name] for r in rows]
    return MaskRows(
        units=tuple(groups.get(r.sample.id, r.sample.patient) for r in rows),
        patients=tuple(r.sample.patient for r in rows),
        figures={cls: [s[cls] for s in scores] for cls in target.classes},
        boxes=_boxes_of([r.scores[target.name].boxes_beside.get(name) for r in rows], target),
    )


def _point(contents: BundleContents, target: TargetSpec) -> OperatingPointBlock | None:
    plain = settled_of(contents, -1)[target.name]
    if not plain.cases or len(plain.thresholds) != 1:
        return None
    numbers = sorted(set(folds_of(contents)))
    own = [settled_of(contents, n)[target.name].thresholds[0] for n in numbers] if len(numbers) > 1 else []
    each = any(one is not None for one in plain.own)
    return OperatingPointBlock(
        threshold=plain.thresholds[0], rule="own" if each else "dice", samples=plain.cases, folds=tuple(own)
    )


def _settled_on(contents: BundleContents, plan: Plan, judged: str) -> int:
    name = plan.targets[0].name
    numbers = sorted(set(folds_of(contents))) if judged == "cv" else [-1]
    return min(settled_of(contents, n)[name].cases for n in numbers)


def _stopped(contents: BundleContents) -> bool:
    found = contents.documents.get(TRAINING)
    return isinstance(found, dict) and bool(found.get("stopped_by_clock"))


def worst_cases(rows: Sequence[CaseRow], target: TargetSpec) -> tuple[Picture, ...]:
    """Return the worst cases as pictures: truth green, prediction red.

    Parameters
    ----------
    rows : sequence of CaseRow
    target : TargetSpec

    Returns
    -------
    tuple of Picture
        Cases that hold the structure by their Dice, the lowest first and of equal ones the largest structure; then
        the largest marks in cases that hold nothing, at most `FALSE`, for each of them has a Dice of 0 and they would
        take all places.
    """
    own = judged_rows(rows, target)
    true, said = (
        [sum(s["tp"] + s[other] for s in r.scores[target.name].figures.values()) for r in own] for other in ("fn", "fp")
    )
    holding = sorted((n for n in range(len(own)) if true[n]), key=lambda n: -true[n])
    false = sorted((n for n in range(len(own)) if not true[n] and said[n]), key=lambda n: -said[n])
    false = false[: max(FALSE, WORST - len(holding))]
    lowest = worst([{"dice": _mean_dice(own[n], target)} for n in holding], count=WORST - len(false))
    return tuple(_picture(own[place], target) for place in [*(holding[n] for n in lowest), *false])


def typical_cases(rows: Sequence[CaseRow], target: TargetSpec) -> tuple[Picture, ...]:
    """Return cases around the median Dice as pictures, the one at the median first.

    Parameters
    ----------
    rows : sequence of CaseRow
        Looked at are those that hold something and are not refused; where there is none, all judged ones.
    target : TargetSpec
    """
    judged = judged_rows(rows, target)
    answered = [r for r in judged if not r.refusal]
    holding = [r for r in answered if any(f["tp"] + f["fn"] > 0 for f in r.scores[target.name].figures.values())]
    order = sorted(holding or answered or judged, key=lambda r: _mean_dice(r, target))
    middle = (len(order) - 1) // 2
    near = sorted(range(len(order)), key=lambda n: (abs(n - middle), n))[:TYPICAL]
    return tuple(_picture(order[n], target) for n in near)


def _mean_dice(row: CaseRow, target: TargetSpec) -> float:
    figures = row.scores[target.name].figures
    return sum(f["dice"] for f in figures.values()) / max(1, len(figures))


def _picture(row: CaseRow, target: TargetSpec) -> Picture:
    scores = row.scores[target.name]
    return Picture(
        sample=row.sample.id,
        part=row.part,
        truth=_sizes(scores.figures, "tp", "fn"),
        predicted=_sizes(scores.figures, "tp", "fp"),
        probability=_mean_dice(row, target),
        png=scores.picture,
    )


def _sizes(figures: Mapping[str, Mapping[str, float]], *names: str) -> str:
    parts = []
    for cls, own in figures.items():
        ml = own["true_ml"] if "fn" in names else own["predicted_ml"]
        size = f"{ml:.2f} ml" if math.isfinite(ml) else f"{sum(own[n] for n in names):.0f} px"
        parts.append(size if len(figures) == 1 else f"{cls} {size}")
    return ", ".join(parts)


def written(parts: Iterable[Sequence[CaseRow]], targets: Sequence[TargetSpec]) -> str:
    """Return ``predictions.csv`` of a run as text: a row for each case, its figures and what the model expected.

    Parameters
    ----------
    parts : iterable of sequence of CaseRow
    targets : sequence of TargetSpec
    """
    rows = [row for part in parts for row in part]
    with_fold = any(r.fold >= 0 for r in rows)
    header = ["sample", "patient", "part", *(["fold"] if with_fold else [])]
    columns = [(t, cls, n) for t in targets for cls in t.classes for n in (*PER_CASE, "expected_dice")]
    header += [n if len(targets) == 1 and len(t.classes) == 1 else f"{t.name}/{cls}/{n}" for t, cls, n in columns]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*header, "flags", "refusal"])
    for row in rows:
        cells = [
            row.sample.id,
            row.sample.patient,
            row.part,
            *([str(row.fold) if row.fold >= 0 else ""] if with_fold else []),
        ]
        for target, cls, name in columns:
            cells.append(_cell(row, target, cls, name))
        writer.writerow([*cells, "; ".join(row.flags), row.refusal])
    return file.getvalue()


def _cell(row: CaseRow, target: TargetSpec, cls: str, name: str) -> str:
    scores = row.scores.get(target.name)
    if scores is None:
        return ""
    value = scores.quality[target.classes.index(cls)] if name == "expected_dice" else scores.figures[cls][name]
    return "" if value is None or not math.isfinite(value) else f"{value:.6g}"

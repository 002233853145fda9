"""From rows of predictions to the judged targets of a report."""

from collections.abc import Mapping, Sequence

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import TargetSpec
from hounsfield.core.protocols import Decoding, Task
from hounsfield.core.report import Baseline, OperatingPointBlock, PartFigures, TargetReport
from hounsfield.core.types import Float64Array
from hounsfield.stages.evaluation.comparing import baseline_block, recommend
from hounsfield.stages.evaluation.judging import judge
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions
from hounsfield.workflow.fitting import NETWORK, Calibrated
from hounsfield.workflow.predictions import Rows


def calibrations(contents: BundleContents) -> dict[str, Calibrated]:
    """Return decoding and operating points of the network and of each baseline."""
    prefix = "calibration_"
    return {
        name.removeprefix(prefix): Calibrated.from_json(document)
        for name, document in contents.documents.items()
        if name.startswith(prefix)
    }


def judge_target(
    target: TargetSpec,
    parts: Mapping[str, Rows],
    *,
    task: Task,
    fixed: Mapping[str, Calibrated],
    judged_part: str,
    options: JudgeOptions,
) -> TargetReport:
    """Judge one target on all parts, and beside its baselines on the judged one.

    Parameters
    ----------
    target : TargetSpec
    parts : mapping of str to Rows
    task : Task
    fixed : mapping of str to Calibrated
        Of the network and of each baseline.
    judged_part : str
    options : JudgeOptions
    """
    network = fixed[NETWORK]
    decoding, point = network.decodings[target.name], network.points.get(target.name)
    figures: dict[str, PartFigures] = {}
    for name, rows in parts.items():
        outputs = rows.outputs(target.name)
        figures[name] = judge(
            target,
            judged_samples(rows, target),
            decoded(task, target, outputs, decoding),
            uncalibrated=(
                decoded(task, target, outputs, decoding.model_copy(update={"temperature": 1.0}))
                if target.kind != "number"
                else None
            ),
            operating_point=point,
            options=options,
        )
    baselines = _baselines(target, parts[judged_part], task=task, fixed=fixed, options=options)
    return TargetReport(
        target=target,
        parts=figures,
        baselines=baselines,
        operating_point=_point_block(network, target),
        temperature=decoding.temperature if target.kind != "number" else None,
        recommended=recommend(target, baselines),
    )


def _baselines(
    target: TargetSpec, rows: Rows, *, task: Task, fixed: Mapping[str, Calibrated], options: JudgeOptions
) -> dict[str, Baseline]:
    network = fixed[NETWORK]
    ours = decoded(task, target, rows.outputs(target.name), network.decodings[target.name])
    blocks = {}
    for name, other in fixed.items():
        if name != NETWORK:
            theirs = decoded(task, target, rows.outputs(target.name, name), other.decodings[target.name])
            blocks[name] = baseline_block(
                target,
                judged_samples(rows, target),
                network=ours,
                baseline=theirs,
                points=(network.points.get(target.name), other.points.get(target.name)),
                options=options,
            )
    return blocks


def judged_samples(rows: Rows, target: TargetSpec) -> list[JudgedSample]:
    """Return the rows beside their truth."""
    return [
        JudgedSample(r.sample.id, r.sample.patient, r.sample.targets.get(target.name), r.sample.attributes)
        for r in rows.rows
    ]


def decoded(task: Task, target: TargetSpec, outputs: Float64Array, decoding: Decoding) -> Float64Array:
    """Return probabilities ``n k``, or numbers ``n``."""
    values = task.kind(target).decode(target, outputs, decoding)
    return values[:, 0] if target.kind == "number" else values


def _point_block(network: Calibrated, target: TargetSpec) -> OperatingPointBlock | None:
    point = network.points.get(target.name)
    if point is None:
        return None
    return OperatingPointBlock(
        threshold=point.threshold,
        rule=point.rule.value,
        samples=point.positives + point.negatives,
        sensitivity=point.sensitivity,
        specificity=point.specificity,
    )


def merged(groups: Sequence[Rows]) -> Rows:
    """Return several groups of rows as one."""
    return Rows(tuple(r for g in groups for r in g.rows), tuple(r for g in groups for r in g.failed))

"""Each class against the rest, at a threshold of its own, as the page shows it."""

from collections.abc import Iterator

from hounsfield.core.report import TargetReport
from hounsfield.stages.reporting.numbers import written
from hounsfield.stages.reporting.table import Cell, Table, cell
from hounsfield.stages.reporting.words import Both, metric_words, say, say_or

SHOWN = ("sensitivity", "specificity", "ppv")
DEFAULT = "default"
NEVER = "> 1"
"""A threshold that no probability reaches."""


def class_points_words(judged: TargetReport) -> Iterator[Both]:
    """Yield what the table means, how its thresholds were chosen, and what of folds."""
    points = judged.class_points
    if not points:
        return
    chosen = sorted({point.rule for point in points.values()} - {DEFAULT})
    rule = say_or(f"rule_{chosen[0]}" if chosen else "rule_default", "".join(chosen))
    key = "class_points_labels" if judged.target.kind == "multilabel" else "class_points_text"
    yield say(key, rule=rule, samples=max(point.positives + point.negatives for point in points.values()))
    if chosen and any(point.rule == DEFAULT for point in points.values()):
        names = [name for name, point in points.items() if point.rule == DEFAULT]
        yield say("class_points_default", classes=Both(", ".join(names), "、".join(names)))
    if any(point.folds for point in points.values()):
        yield say("class_points_folds")


def class_points_table(judged: TargetReport) -> Table:
    """Return threshold, validation cases, judged cases and figures of each class."""
    if not judged.class_points:
        return Table((), ())
    heads = (
        say("class_points_threshold"),
        say("class_points_fixed_on"),
        say("sets_judged"),
        *(metric_words(name).name() for name in SHOWN),
    )
    rows = tuple(
        (
            Both.same(name),
            (
                Cell(written(point.threshold) if point.threshold <= 1.0 else NEVER),
                Cell(f"{point.positives} / {point.negatives}"),
                Cell(str(point.cases)),
                *(cell(metric, point.metrics.get(metric)) for metric in SHOWN),
            ),
        )
        for name, point in judged.class_points.items()
    )
    return Table(heads, rows)

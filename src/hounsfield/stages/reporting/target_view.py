"""Everything the page shows of one target: tables, charts, subgroups."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from hounsfield.core.report import MAIN_METRIC, Figure, PartFigures, Report, TargetReport
from hounsfield.stages.reporting.charts import (
    decision_chart,
    reliability_chart,
    roc_chart,
    scatter_chart,
    warning_chart,
)
from hounsfield.stages.reporting.class_points_view import class_points_table, class_points_words
from hounsfield.stages.reporting.forest import Forest, Row, forest
from hounsfield.stages.reporting.numbers import ABSENT, change, with_interval, written
from hounsfield.stages.reporting.opening import against, baseline_name, question, verdict
from hounsfield.stages.reporting.sets_view import SetLine, set_lines, set_words
from hounsfield.stages.reporting.table import Cell, Table, cell
from hounsfield.stages.reporting.words import Both, metric_words, say, say_or, vocabulary


@dataclass(frozen=True)
class Chart:
    """A picture with a title and a caption."""

    title: Both
    caption: Both
    svg: Markup


@dataclass(frozen=True)
class ConfusionCell:
    """One count, and its share of the row, for the shade."""

    count: int
    share: float


@dataclass(frozen=True)
class TargetView:
    """One target as the page shows it; an empty table or tuple is not shown."""

    report: TargetReport
    anchor: str
    question: Both
    main_metric: Both
    against: Forest
    verdict: Both
    figures: Table
    per_class: Table
    per_patient: Table
    patient_note: tuple[Both, ...]
    calibration: Table
    temperature: Both
    operating: tuple[Both, ...]
    class_points: Table
    class_points_words: tuple[Both, ...]
    confusion: tuple[tuple[str, tuple[ConfusionCell, ...]], ...]
    charts: tuple[Chart, ...]
    subgroups: tuple[tuple[str, Forest], ...]
    subgroup_table: Table
    folds: Table
    without_faulty: Table
    differences: Table
    set_words: tuple[Both, ...]
    set_lines: tuple[SetLine, ...]


def target_view(report: Report, judged: TargetReport, index: int) -> TargetView:
    """Return what the page shows of one target.

    Parameters
    ----------
    report : Report
        The whole, for the judged part and the shortcut probe.
    judged : TargetReport
        The target.
    index : int
        Its place, for the anchor.
    """
    part = judged.parts.get(report.judged_part) or PartFigures(samples=0, patients=0, metrics={})
    metric = MAIN_METRIC[judged.target.kind]
    parts = {name: figures.metrics for name, figures in judged.parts.items()}
    temperature = Both.same("")
    if judged.temperature is not None:
        temperature = say("temperature_is", value=f"{judged.temperature:.2f}")
    return TargetView(
        report=judged,
        anchor=f"target-{index}",
        question=question(judged.target),
        main_metric=metric_words(metric).name(),
        against=against(report, judged, part.metrics.get(metric) or Figure(value=None)),
        verdict=verdict(judged),
        figures=_by_part({name: _plain(metrics) for name, metrics in parts.items()}),
        per_class=_per_class(parts),
        per_patient=_by_part({name: _plain(f.patient_metrics) for name, f in judged.parts.items()}),
        patient_note=tuple(_patient_note(part)),
        calibration=_calibration(part),
        temperature=temperature,
        operating=tuple(_operating(judged)),
        class_points=class_points_table(judged),
        class_points_words=tuple(class_points_words(judged)),
        confusion=_confusion(judged, part),
        charts=tuple(_charts(judged, part)),
        subgroups=tuple(_subgroups(part, metric)),
        subgroup_table=_subgroup_table(part),
        folds=_folds(part),
        without_faulty=_columns(
            {"": _plain(part.metrics), "without_faulty": _plain(part.without_faulty)} if part.without_faulty else {},
            say_or(f"part_{report.judged_part}", report.judged_part),
        ),
        differences=_differences(judged),
        set_words=tuple(set_words(judged, part)),
        set_lines=set_lines(judged, part),
    )


def _plain(metrics: Mapping[str, Figure]) -> dict[str, Figure]:
    return {name: figure for name, figure in metrics.items() if ":" not in name}


def _ordered(names: Iterator[str] | list[str]) -> list[str]:
    place = {name: index for index, name in enumerate(vocabulary().metrics)}
    return sorted(dict.fromkeys(names), key=lambda name: place.get(name.partition(":")[0], len(place)))


def _change(name: str, figure: Figure) -> Cell:
    value, _, bounds = change(figure, metric_words(name)).partition(" ")
    return Cell(value, bounds, "" if bounds else figure.note)


def _by_part(parts: Mapping[str, Mapping[str, Figure]]) -> Table:
    shown = {name: metrics for name, metrics in parts.items() if metrics}
    names = _ordered([name for metrics in shown.values() for name in metrics])
    heads = tuple(say_or(f"part_{name}", name) for name in shown)
    rows = tuple(
        (metric_words(name).name(), tuple(cell(name, metrics.get(name)) for metrics in shown.values()))
        for name in names
    )
    return Table(heads, rows)


def _columns(columns: Mapping[str, Mapping[str, Figure]], first: Both) -> Table:
    names = _ordered([name for metrics in columns.values() for name in metrics])
    heads = tuple(say(name) if name else first for name in columns)
    rows = tuple((metric_words(n).name(), tuple(cell(n, m.get(n)) for m in columns.values())) for n in names)
    return Table(heads, rows)


def _per_class(parts: Mapping[str, Mapping[str, Figure]]) -> Table:
    several = len(parts) > 1
    named = {
        (part, *name.split(":", 1)): figure
        for part, metrics in parts.items()
        for name, figure in metrics.items()
        if ":" in name
    }
    metrics = _ordered([metric for _, metric, _ in named])
    rows = []
    for part, cls in dict.fromkeys((part, cls) for part, _, cls in named):
        label = Both.same(cls)
        if several:
            name = say_or(f"part_{part}", part)
            label = Both(f"{cls} · {name.en}", f"{cls} · {name.zh}")
        rows.append((label, tuple(cell(m, named.get((part, m, cls))) for m in metrics)))
    return Table(tuple(metric_words(metric).name() for metric in metrics), tuple(rows))


def _patient_note(part: PartFigures) -> Iterator[Both]:
    if part.patient_metrics:
        yield say("patient_note", patients=part.patients_judged)
    if part.patient_metrics and part.patients_skipped:
        yield say("patient_skipped", count=part.patients_skipped)


def _calibration(part: PartFigures) -> Table:
    if not part.uncalibrated:
        return Table((), ())
    rows = tuple(
        (metric_words(name).name(), (cell(name, figure), cell(name, part.metrics.get(name))))
        for name, figure in part.uncalibrated.items()
    )
    return Table((say("before_scaling"), say("after_scaling")), rows)


def _operating(judged: TargetReport) -> Iterator[Both]:
    if judged.target.kind == "categorical" and len(judged.target.classes) > 2:
        each = [f"{name} {written(factor, 'number')}" for name, factor in judged.class_factors.items()]
        factors = Both(", ".join(each), "、".join(each))
        yield say("operating_factors", factors=factors) if each else say("operating_likeliest")
    point = judged.operating_point
    if point is None:
        return
    rule = say_or(f"rule_{point.rule}", point.rule)
    yield say("operating_text", threshold=written(point.threshold), rule=rule, samples=point.samples)
    if point.sensitivity is not None and point.specificity is not None:
        yield say(
            "operating_val",
            sensitivity=written(point.sensitivity, "percent"),
            specificity=written(point.specificity, "percent"),
        )


def _confusion(judged: TargetReport, part: PartFigures) -> tuple[tuple[str, tuple[ConfusionCell, ...]], ...]:
    rows = []
    for name, counts in zip(judged.target.classes, part.confusion, strict=False):
        total = max(1, sum(counts))
        rows.append((name, tuple(ConfusionCell(count, count / total) for count in counts)))
    return tuple(rows)


def _charts(judged: TargetReport, part: PartFigures) -> Iterator[Chart]:
    drawn, auc = part.curves, part.metrics.get("auroc")
    if any(name == "roc" or name.startswith("roc:") for name in drawn):
        several = "roc" not in drawn
        caption = Both.same("") if several else say("roc_caption", auc=with_interval(auc))
        yield Chart(say("roc"), caption, roc_chart(part))
    if "reliability" in drawn:
        chart = reliability_chart(drawn["reliability"], drawn.get("reliability_uncalibrated"))
        yield Chart(say("reliability"), say("reliability_caption"), chart)
    if "decision" in drawn:
        chart = decision_chart(drawn["decision"], drawn.get("decision_all"))
        yield Chart(say("decision"), say("decision_caption"), chart)
    if "warning" in drawn:
        lines = {name.partition(":")[2]: curve for name, curve in drawn.items() if name.startswith("warning")}
        yield Chart(say("alarm_curve"), say("alarm_caption"), warning_chart(lines))
    if "scatter" in drawn:
        yield Chart(say("scatter"), say("scatter_caption"), scatter_chart(drawn["scatter"], judged.target.unit))


def _subgroups(part: PartFigures, metric: str) -> Iterator[tuple[str, Forest]]:
    whole = part.metrics.get(metric)
    for attribute in dict.fromkeys(group.attribute for group in part.subgroups):
        rows = [
            Row(
                Both.same(group.value),
                group.metrics.get(metric, Figure(value=None)),
                metric_words(metric).format,
                "other",
                say("samples_patients", samples=group.samples, patients=group.patients),
            )
            for group in part.subgroups
            if group.attribute == attribute
        ]
        yield attribute, forest(rows, reference=whole.value if whole else None)


def _subgroup_table(part: PartFigures) -> Table:
    names = _ordered([name for group in part.subgroups for name in group.metrics])
    rows = tuple(
        (Both.same(f"{group.attribute}: {group.value}"), tuple(cell(name, group.metrics.get(name)) for name in names))
        for group in part.subgroups
    )
    return Table(tuple(metric_words(name).name() for name in names), rows)


def _folds(part: PartFigures) -> Table:
    names = _ordered([name for fold in part.folds for name in fold])
    heads = tuple(say("fold") + Both.same(f" {number}") for number in range(1, len(part.folds) + 1))
    rows = tuple(
        (
            metric_words(name).name(),
            tuple(Cell(written(fold.get(name), metric_words(name).format)) for fold in part.folds),
        )
        for name in names
    )
    return Table(heads, rows)


def _differences(judged: TargetReport) -> Table:
    heads, columns = [], []
    for name, baseline in judged.baselines.items():
        label, minus = baseline_name(name), say("difference")
        heads += [label, minus]
        columns += [
            {metric: cell(metric, figure) for metric, figure in baseline.metrics.items()},
            {metric: _change(metric, figure) for metric, figure in baseline.difference.items()},
        ]
    names = _ordered([name for column in columns for name in column])
    rows = tuple(
        (metric_words(name).name(), tuple(column.get(name, Cell(ABSENT)) for column in columns)) for name in names
    )
    return Table(tuple(heads), rows)

"""The first block of the page: what was asked, how well, how sure, against what."""

from collections.abc import Iterator
from dataclasses import dataclass

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.report import LOWER_IS_BETTER, MAIN_METRIC, Baseline, Figure, PartFigures, Report, TargetReport
from hounsfield.stages.reporting.forest import Forest, Row, forest
from hounsfield.stages.reporting.in_words import CHANCE, in_words
from hounsfield.stages.reporting.numbers import change, in_unit, interval, written
from hounsfield.stages.reporting.words import Both, metric_words, say, say_or


@dataclass(frozen=True)
class Opening:
    """The first block.

    Parameters
    ----------
    question, from_where : Both
        What was asked.
    metric : Both
        Name of the main figure.
    value, bounds : Both
        The figure and its interval.
    words : tuple of Both
        The figure in words.
    sure : tuple of Both
        How sure it is.
    against : Forest
        Network, baselines and shortcut probe on one axis.
    verdict : Both
        What the comparison says.
    simpler : bool
        Whether a simpler model is recommended.
    """

    question: Both
    from_where: Both
    metric: Both
    value: Both
    bounds: Both
    words: tuple[Both, ...]
    sure: tuple[Both, ...]
    against: Forest
    verdict: Both
    simpler: bool


def opening(report: Report) -> Opening:
    """Return the first block of a report.

    Parameters
    ----------
    report : Report
        Judged; the primary target's part `judged_part` is spoken of.
    """
    target = report.target
    figures = report.parts.get(report.judged_part) or PartFigures(samples=0, patients=0, metrics={})
    words = metric_words(MAIN_METRIC[target.kind])
    main = figures.metrics.get(MAIN_METRIC[target.kind]) or Figure(value=None)
    judged = primary(report)
    return Opening(
        question=question(target),
        from_where=say("asked_from", name=target.name, cohort=report.cohort),
        metric=Both.same(words.short) if words.short else words.name(),
        value=in_unit(written(main.value, words.format), target.unit if words.format == "number" else ""),
        bounds=Both.same(interval(main, words.format)),
        words=tuple(in_words(target, figures, main)),
        sure=tuple(_how_sure(report, figures, main)),
        against=against(report, judged, main),
        verdict=verdict(judged),
        simpler=judged.recommended not in ("", "network"),
    )


def primary(report: Report) -> TargetReport:
    """Return the primary target's own report."""
    found = report.targets.get(report.target.name)
    return found or TargetReport(target=report.target, parts=report.parts, baselines=report.baselines)


def question(target: TargetSpec) -> Both:
    """Return what was asked, as a question."""
    classes = ", ".join(target.classes)
    if target.kind == "categorical" and len(target.classes) == 2 and target.positive in target.classes:
        negative = next(name for name in target.classes if name != target.positive)
        return say("asked_binary", positive=str(target.positive), negative=negative)
    if target.kind == "number":
        unit = say("of_unit", unit=target.unit) if target.unit else Both.same("")
        return say("asked_number", name=target.name, unit=unit)
    if target.kind == "forecast":
        return say("asked_forecast", name=target.name)
    if target.kind == "ordinal":
        return say("asked_ordinal", classes=" < ".join(target.classes))
    if target.kind == "mask":
        named = [name for name in target.classes if name != "background"] or [target.name]
        return say("asked_mask", name=Both(", ".join(named), "、".join(named)))
    if target.kind == "boxes":
        return say("asked_boxes", classes=Both(classes, "、".join(target.classes)))
    key = "asked_multilabel" if target.kind == "multilabel" else "asked_classes"
    return say(key, count=len(target.classes), classes=Both(classes, "、".join(target.classes)))


def baseline_name(name: str) -> Both:
    """Return what a baseline is called."""
    return say_or("network" if name == "network" else f"baseline_{name}", name)


def against(report: Report, judged: TargetReport, main: Figure) -> Forest:
    """Return the main figure of network, baselines and shortcut probe on one axis."""
    metric = MAIN_METRIC[judged.target.kind]
    words = metric_words(metric)
    rows = [Row(say("network"), main, words.format, "main")]
    for name, baseline in judged.baselines.items():
        if metric in baseline.metrics:
            remark = _difference(baseline, metric)
            rows.append(Row(baseline_name(name), baseline.metrics[metric], words.format, "other", remark))
    if report.shortcut is not None and metric == "auroc" and judged.target.name == report.target.name:
        rows.append(Row(say("shortcut_row"), report.shortcut.auroc, words.format, "probe"))
    return forest(rows, chance=CHANCE.get(metric))


def verdict(judged: TargetReport) -> Both:
    """Return what the comparison with the baselines says."""
    if not judged.baselines:
        return say("verdict_none")
    if judged.recommended not in ("", "network"):
        return say("verdict_simple", name=baseline_name(judged.recommended))
    metric = MAIN_METRIC[judged.target.kind]
    differences = [block.difference.get(metric) for block in judged.baselines.values()]
    if all(figure is not None and _side(figure, metric) == "better" for figure in differences):
        return say("verdict_network")
    return say("verdict_open")


def _side(figure: Figure, metric: str) -> str:
    if figure.low is None or figure.high is None or figure.low <= 0 <= figure.high:
        return "ties"
    return "better" if (figure.high < 0) == (metric in LOWER_IS_BETTER) else "worse"


def _difference(baseline: Baseline, metric: str) -> Both | None:
    figure = baseline.difference.get(metric)
    if figure is None or figure.value is None:
        return None
    side = say(_side(figure, metric))
    numbers = change(figure, metric_words(metric))
    return say("difference") + Both(f": {numbers}; {side.en}", f"：{numbers}；{side.zh}")


def _how_sure(report: Report, figures: PartFigures, main: Figure) -> Iterator[Both]:
    part = say_or(f"part_{report.judged_part}", report.judged_part)
    yield say("judged_on", part=part, samples=figures.samples, patients=figures.patients)
    if figures.classes:
        english = ", ".join(f"{count} {name}" for name, count in figures.classes.items())
        chinese = "，".join(f"{name} {count} 例" for name, count in figures.classes.items())
        yield say("judged_counts", counts=Both(english, chinese))
    how = metric_words(MAIN_METRIC[report.target.kind]).format
    if main.low is not None and main.high is not None:
        yield say("interval_words", low=written(main.low, how), high=written(main.high, how))
    elif main.value is not None:
        yield say("no_interval", reason=main.note or "–")
    if report.expected_interval:
        yield say("expected_words", text=report.expected_interval)
    if report.split_rule:
        yield say("split_words", rule=Both(report.split_rule, report.split_rule_zh or report.split_rule))

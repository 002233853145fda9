"""A report as plain lines for a terminal."""

import textwrap
from collections.abc import Iterator

from hounsfield.core.report import MAIN_METRIC, Report
from hounsfield.stages.reporting.numbers import change, minutes, with_interval
from hounsfield.stages.reporting.opening import opening, primary
from hounsfield.stages.reporting.repeated_view import repeated_lines
from hounsfield.stages.reporting.words import metric_words

WIDTH = 100


def summary_text(report: Report) -> str:
    """Return what a reader wants first, as plain English lines.

    Parameters
    ----------
    report : Report
        What to tell.
    """
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    block = opening(report)
    yield f"{block.question.en} {block.from_where.en}"
    yield ""
    bounds = f" (95% interval {block.bounds.en})" if block.bounds.en else ""
    yield f"{block.metric.en} {block.value.en}{bounds}, {block.sure[0].en[:1].lower()}{block.sure[0].en[1:]}"
    for words in block.words:
        yield from _wrapped(words.en, "  ")
    yield ""
    yield from _compared(report)
    yield from _wrapped(block.verdict.en, "  ")
    if report.repeated is not None:
        yield ""
        yield from repeated_lines(report.repeated)
    if len(report.targets) > 1:
        yield ""
        yield from _other_targets(report)
    if report.caveats:
        yield ""
        yield "What not to believe:"
        for caveat in report.caveats:
            yield from _wrapped(caveat.en, "  ! " if caveat.level == "warning" else "  - ")
    if report.cost.seconds is not None:
        yield ""
        yield f"Time {minutes(report.cost.seconds)} (predicted {minutes(report.cost.predicted_seconds)})."
    yield "Research software, not a medical device."


def _compared(report: Report) -> Iterator[str]:
    judged, metric = primary(report), MAIN_METRIC[report.target.kind]
    words = metric_words(metric)
    if judged.baselines:
        yield "Against:"
    for name, baseline in judged.baselines.items():
        figure, difference = baseline.metrics.get(metric), baseline.difference.get(metric)
        change_text = f"   network minus this {change(difference, words)}" if difference else ""
        yield f"  {name:<14} {with_interval(figure, words.format)}{change_text}"
    if report.shortcut is not None:
        yield f"  {'shortcut probe':<14} {with_interval(report.shortcut.auroc)}"


def _other_targets(report: Report) -> Iterator[str]:
    for name, judged in report.targets.items():
        metric = MAIN_METRIC[judged.target.kind]
        part = judged.parts.get(report.judged_part)
        words = metric_words(metric)
        figure = with_interval(part.metrics.get(metric) if part else None, words.format)
        yield f"  {name:<20} {words.short or words.en:<6} {figure}"


def _wrapped(text: str, start: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))

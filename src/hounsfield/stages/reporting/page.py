"""The page: one HTML file with everything in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hounsfield.core.errors import unknown_name
from hounsfield.core.report import MAIN_METRIC, Cost, Report, ShortcutBlock, TargetReport
from hounsfield.stages.reporting.charts import history_chart, learning_chart
from hounsfield.stages.reporting.forest import Forest, Row, forest
from hounsfield.stages.reporting.numbers import change, minutes, with_interval
from hounsfield.stages.reporting.opening import baseline_name, opening, primary
from hounsfield.stages.reporting.repeated_view import repeated_view
from hounsfield.stages.reporting.target_view import Chart, target_view
from hounsfield.stages.reporting.words import Both, metric_words, say, say_or

LANGUAGES = ("en", "zh")
MOST_LISTED = 200
MOST_HISTORY = 8


@dataclass(frozen=True)
class TargetLine:
    """One line of the overview of targets."""

    anchor: str
    name: str
    kind: Both
    figure: str
    metric: Both
    baseline: Both
    recommended: Both


def render_html(report: Report, *, lang: str = "en") -> str:
    """Return a report as one self-contained page.

    Parameters
    ----------
    report : Report
        What to show.
    lang : str
        ``en`` or ``zh``: the language that it opens in; the other is a click away.

    Returns
    -------
    str
        HTML without any reference to a network, a font or a script.

    Raises
    ------
    UnknownNameError
        If the language is neither.
    """
    if lang not in LANGUAGES:
        raise unknown_name("language", lang, LANGUAGES)
    views = [target_view(report, judged, index) for index, judged in enumerate(_targets(report))]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            lang=lang,
            opening=opening(report),
            views=views,
            overview=_overview(report) if len(views) > 1 else (),
            shortcut=shortcut_forest(report.shortcut),
            history=_history(report),
            learning=_learning(report),
            repeated=repeated_view(report.repeated),
            cost=_cost(report.cost),
            most=MOST_LISTED,
            part_name=lambda name: say_or(f"part_{name}", name),
        )
    )


def both(text: Both) -> Markup:
    """Return a text in both languages, of which the style sheet shows one; once where they are the same."""
    if text.en == text.zh:
        return Markup("{}").format(text.en)
    return Markup('<span class="en" lang="en">{}</span><span class="zh" lang="zh-Hans">{}</span>').format(
        text.en, text.zh
    )


def shortcut_forest(block: ShortcutBlock | None) -> Forest | None:
    """Return the cues of the shortcut probe on one axis, strongest first."""
    if block is None:
        return None
    cues = sorted(block.by.items(), key=lambda item: -(item[1].value or 0.0))
    rows = [Row(say("all_cues"), block.auroc, kind="main")]
    rows += [Row(Both.same(name), figure, kind="probe") for name, figure in cues]
    return forest(rows, chance=0.5)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("hounsfield.stages.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["both"] = both
    environment.globals["t"] = lambda key, **slots: both(say(key, **slots))
    environment.globals["pair"] = lambda en, zh: both(Both(en, zh))
    return environment


def _targets(report: Report) -> Sequence[TargetReport]:
    first = primary(report)
    return [first, *(judged for name, judged in report.targets.items() if name != report.target.name)]


def _overview(report: Report) -> tuple[TargetLine, ...]:
    lines = []
    for index, judged in enumerate(_targets(report)):
        metric = MAIN_METRIC[judged.target.kind]
        words = metric_words(metric)
        part = judged.parts.get(report.judged_part)
        known = {
            name: block.metrics[metric]
            for name, block in judged.baselines.items()
            if metric in block.metrics and block.metrics[metric].value is not None
        }
        sign = 1.0 if metric == "mae" else -1.0
        best = min(known, key=lambda name: sign * cast("float", known[name].value)) if known else ""
        text = f" {with_interval(known[best], words.format)}" if best else "–"
        lines.append(
            TargetLine(
                anchor=f"target-{index}",
                name=judged.target.name,
                kind=say(f"kind_{judged.target.kind}"),
                figure=with_interval(part.metrics.get(metric) if part else None, words.format),
                metric=Both.same(words.short) if words.short else words.name(),
                baseline=(baseline_name(best) if best else Both.same("")) + Both.same(text),
                recommended=baseline_name(judged.recommended or "–"),
            )
        )
    return tuple(lines)


def _history(report: Report) -> tuple[Chart, ...]:
    shown = [(name, values) for name, values in report.history.items() if len(values) > 1][:MOST_HISTORY]
    return tuple(Chart(Both.same(name), Both.same(""), history_chart(name, values)) for name, values in shown)


def _learning(report: Report) -> tuple[Chart, ...]:
    charts = []
    for curve in report.learning:
        words = metric_words(curve.metric)
        title = baseline_name(curve.model) + Both.same(" · ") + say_or(f"part_{curve.part}", curve.part)
        if curve.double.value is None or curve.fitted is None:
            caption = say("learning_open", reason=curve.double.note)
        else:
            caption = say(
                "learning_says",
                samples=round(curve.fitted.x[-1]),
                value=with_interval(curve.double, words.format),
                gain=change(curve.gain, words),
            )
        charts.append(Chart(title, caption, learning_chart(curve)))
    return tuple(charts)


def _cost(cost: Cost) -> tuple[tuple[Both, str, str], ...]:
    def mib(value: float | None) -> str:
        return "–" if value is None else f"{value:.0f} MiB"

    lines = (
        (say("cost_seconds"), minutes(cost.predicted_seconds), minutes(cost.seconds)),
        (say("cost_step"), minutes(cost.predicted_seconds_per_step), minutes(cost.seconds_per_step)),
        (say("cost_memory"), mib(cost.predicted_peak_mib), mib(cost.peak_mib)),
    )
    return (*lines, (say("cost_steps"), "", str(cost.steps))) if cost.steps else lines

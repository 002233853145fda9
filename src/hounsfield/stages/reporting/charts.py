"""The charts of a report as inline SVG: vector, without script, in the colours of the page."""

from collections.abc import Mapping

from markupsafe import Markup

from hounsfield.core.report import Curve, LearningCurve, PartFigures
from hounsfield.stages.reporting.numbers import significant
from hounsfield.stages.reporting.svg import HEIGHT, LEFT, RIGHT, TOP, WIDTH, Frame, element, picture, text
from hounsfield.stages.reporting.words import Both, metric_words, say, say_or

MOST_ROC = 8


def roc_chart(figures: PartFigures) -> Markup:
    """Return the ROC curve with its band and the operating point; one line per class where there are several."""
    frame = Frame(0, 1, 0, 1)
    drawn = frame.axes(say("x_fpr"), say("y_tpr")) + frame.line((0, 1), (0, 1), "reference")
    curve = figures.curves.get("roc")
    if curve is not None:
        if curve.low:
            drawn += frame.band(curve.x, curve.low, curve.high)
        drawn += frame.line(curve.x, curve.y, "line a")
        sensitivity, specificity = figures.metrics.get("sensitivity"), figures.metrics.get("specificity")
        if sensitivity and specificity and sensitivity.value is not None and specificity.value is not None:
            drawn += frame.dot(1 - specificity.value, sensitivity.value, "dot a", 5)
        return picture(drawn, say("roc"))
    several = [(name, line) for name, line in figures.curves.items() if name.startswith("roc:")][:MOST_ROC]
    for index, (name, line) in enumerate(several):
        drawn += frame.line(line.x, line.y, f"line s{index}")
        drawn += _key(index, Both.same(name.partition(":")[2]), f"line s{index}", of=len(several))
    return picture(drawn, say("roc"))


def reliability_chart(after: Curve, before: Curve | None) -> Markup:
    """Return observed against predicted, after temperature scaling with intervals, and before it."""
    frame = Frame(0, 1, 0, 1)
    drawn = frame.axes(say("x_predicted"), say("y_observed")) + frame.line((0, 1), (0, 1), "reference")
    if before is not None:
        drawn += frame.line(before.x, before.y, "line b thin")
        drawn += Markup().join(frame.dot(x, y, "dot b", 3) for x, y in zip(before.x, before.y, strict=True))
    for index, (x, y) in enumerate(zip(after.x, after.y, strict=True)):
        if after.low:
            at = frame.x(x)
            drawn += element(
                "line", x1=at, x2=at, y1=frame.y(after.low[index]), y2=frame.y(after.high[index]), class_="whisker"
            )
        drawn += frame.dot(x, y, "dot a", 4)
    drawn += frame.line(after.x, after.y, "line a")
    if before is not None:
        drawn += _key(1, say("after_scaling"), "line a", of=2) + _key(0, say("before_scaling"), "line b thin", of=2)
    return picture(drawn, say("reliability"))


def decision_chart(model: Curve, everybody: Curve | None) -> Markup:
    """Return the net benefit of the model, of acting on everybody, and of acting on nobody."""
    top = max([*model.y, *(everybody.y if everybody else ()), 0.01])
    frame = Frame(0, 1, -0.15 * top, 1.05 * top)
    drawn = frame.axes(say("x_threshold"), say("y_benefit")) + frame.line((0, 1), (0, 0), "reference")
    if everybody is not None:
        kept = [(x, y) for x, y in zip(everybody.x, everybody.y, strict=True) if y >= frame.y_low]
        drawn += frame.line(tuple(x for x, _ in kept), tuple(y for _, y in kept), "line b thin")
    shown = [(x, y) for x, y in zip(model.x, model.y, strict=True) if y >= frame.y_low]
    drawn += frame.line(tuple(x for x, _ in shown), tuple(y for _, y in shown), "line a")
    drawn += _key(0, say("line_model"), "line a", top=True) + _key(1, say("line_all"), "line b thin", top=True)
    return picture(drawn, say("decision"))


def warning_chart(lines: Mapping[str, Curve]) -> Markup:
    """Return onsets warned of against false alarms per hour: the network's (name ``""``) and the baselines'."""
    rates = sorted(x for curve in lines.values() for x in curve.x)
    most = max(0.01, rates[int(0.9 * (len(rates) - 1))] if rates else 1.0)
    frame = Frame(0, most, 0, 1)
    drawn = frame.axes(say("x_alarms"), say("y_warned"))
    for index, (name, curve) in enumerate(lines.items()):
        kept = sorted((x, y) for x, y in zip(curve.x, curve.y, strict=True) if x <= most)
        kind = "line a" if not name else f"line s{index}"
        drawn += frame.line(tuple(x for x, _ in kept), tuple(y for _, y in kept), kind)
        words = say_or(f"baseline_{name}", name) if name else say("line_model")
        drawn += _key(index, words, kind, of=len(lines))
    return picture(drawn, say("alarm_curve"))


def scatter_chart(curve: Curve, unit: str) -> Markup:
    """Return predictions against truths of a number."""
    values = [*curve.x, *curve.y] or [0.0, 1.0]
    margin = 0.04 * ((max(values) - min(values)) or 1.0)
    low, high = min(values) - margin, max(values) + margin
    frame = Frame(low, high, low, high)
    ending = Both(f" ({unit})", f"（{unit}）") if unit else Both.same("")
    drawn = frame.axes(say("x_truth") + ending, say("y_value") + ending)
    drawn += frame.line((low, high), (low, high), "reference")
    drawn += Markup().join(frame.dot(x, y, "point", 2.4) for x, y in zip(curve.x, curve.y, strict=True))
    return picture(drawn, say("scatter"))


def history_chart(name: str, values: tuple[float, ...]) -> Markup:
    """Return one training curve."""
    low, high = min(values), max(values)
    margin = 0.05 * ((high - low) or abs(high) or 1.0)
    frame = Frame(1, max(2, len(values)), low - margin, high + margin)
    xs = tuple(float(number) for number in range(1, len(values) + 1))
    drawn = frame.axes(say("x_epoch"), Both.same(name)) + frame.line(xs, values, "line a")
    drawn += frame.dot(xs[-1], values[-1], "dot a", 3.5)
    drawn += text(Both.same(significant(values[-1])), WIDTH - RIGHT - 4, TOP + 12, kind="tick", anchor="end")
    return picture(drawn, Both.same(name))


def learning_chart(curve: LearningCurve) -> Markup:
    """Return the figures of shares of the training part with intervals, the law through them, and twice the data."""
    metric = metric_words(curve.metric)
    name = Both.same(metric.short) if metric.short else metric.name()
    known = [p for p in curve.points if p.figure.value is not None]
    bounds = [v for p in known for v in (p.figure.value, p.figure.low, p.figure.high) if v is not None]
    law = curve.fitted
    bounds += [*law.low, *law.high, *law.y] if law else []
    low, high = (min(bounds), max(bounds)) if bounds else (0.0, 1.0)
    margin = 0.05 * ((high - low) or 0.1)
    ends = [float(p.samples) for p in curve.points] + (list(law.x) if law else [])
    frame = Frame(0, 1.02 * max(ends, default=1.0), low - margin, high + margin)
    drawn = frame.axes(say("x_training"), name)
    if law:
        drawn += frame.band(law.x, law.low, law.high)
        seen = float(curve.points[-1].samples)
        for kind, start, end in (("line a", 0.0, seen), ("line b thin", seen, float("inf"))):
            kept = [(x, y) for x, y in zip(law.x, law.y, strict=True) if start <= x <= end]
            drawn += frame.line(tuple(x for x, _ in kept), tuple(y for _, y in kept), kind)
        drawn += frame.dot(law.x[-1], law.y[-1], "dot b", 4)
    for point in known:
        at = frame.x(point.samples)
        figure = point.figure
        if figure.low is not None and figure.high is not None:
            drawn += element("line", x1=at, x2=at, y1=frame.y(figure.low), y2=frame.y(figure.high), class_="whisker")
        drawn += frame.dot(point.samples, figure.value or 0.0, "dot a", 4)
    return picture(drawn, say("learning"))


def _key(place: int, words: Both, kind: str, *, of: int = 1, top: bool = False) -> Markup:
    y = TOP + 16 + 17 * place if top else HEIGHT - 62 - 17 * (of - 1 - place)
    right = WIDTH - RIGHT - 8
    drawn = element("line", x1=right - 22, x2=right, y1=y - 4, y2=y - 4, class_=kind)
    return drawn + text(words, max(LEFT, right - 28), y, kind="key", anchor="end")

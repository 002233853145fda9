"""The page of explained forecasts: one HTML file with every picture in it."""

import base64
from collections import Counter
from collections.abc import Mapping

from hounsfield.core.errors import unknown_name
from hounsfield.stages.explaining.forecast_picture import ago
from hounsfield.stages.explaining.forecast_result import ExplainedForecast, ForecastExplanations, Moved
from hounsfield.stages.explaining.forecast_words import say
from hounsfield.stages.explaining.page import LANGUAGES, both, environment, percent
from hounsfield.stages.explaining.words import Both


def render_forecasts(found: ForecastExplanations, pictures: Mapping[str, bytes], *, lang: str = "en") -> str:
    """Return explained forecasts as one self-contained page.

    Parameters
    ----------
    found : ForecastExplanations
    pictures : mapping of str to bytes
        SVG by the name that `ExplainedForecast.picture` gives.
    lang : str
        ``en`` or ``zh``: the language that it opens in.

    Raises
    ------
    UnknownNameError
        If the language is neither.
    """
    if lang not in LANGUAGES:
        raise unknown_name("language", lang, LANGUAGES)
    return (
        environment()
        .get_template("forecast.html.j2")
        .render(
            found=found,
            pictures={name: base64.b64encode(data).decode("ascii") for name, data in pictures.items()},
            lang=lang,
            opening=opening(found),
            doubts=doubts(found),
            rows={one.picture: counted(one) for one in found.forecasts},
            named=lambda moved: both(part_words(moved, found.variable)),
            t=lambda key, **slots: both(say(key, **slots)),
        )
    )


def opening(found: ForecastExplanations) -> tuple[Both, ...]:
    """Return what a reader wants to know first."""
    leading = [name for name in map(leader, found.forecasts) if name]
    if not leading:
        return (say("nothing"),)
    name, _ = Counter(leading).most_common(1)[0]
    lines = [say("most", count=len(leading), all=len(found.forecasts), variable=name)]
    if len(leading) < len(found.forecasts):
        lines.append(say("alone", count=len(found.forecasts) - len(leading), all=len(found.forecasts)))
    return tuple(lines)


def leader(one: ExplainedForecast) -> str:
    """Return the variable that moves a forecast most, the present reading aside; ``""`` where none counts."""
    best, name = 0.0, ""
    for moved in (*one.wholes, *one.stretches):
        if one.is_present(moved):
            continue
        for place, question in enumerate(one.questions):
            share = abs(moved.moved[place]) / max(question.least, 1e-12)
            if moved.counts[place] and share > best:
                best, name = share, moved.variable
    return name


def doubts(found: ForecastExplanations) -> tuple[Both, ...]:
    """Return why a reader should doubt what is shown."""
    return (
        say("doubt_cause"),
        say("doubt_right"),
        say("doubt_sum"),
        say("doubt_replaced", variable=found.variable),
        say("doubt_least", share=percent(found.share), interval=percent(found.interval)),
    )


def counted(one: ExplainedForecast) -> tuple[Moved, ...]:
    """Return the parts that count for a question: whole variables first, each by how much it moves."""

    def size(moved: Moved) -> float:
        return -max(abs(m) / max(q.least, 1e-12) for m, q in zip(moved.moved, one.questions, strict=True))

    return tuple(
        moved for moves in (one.wholes, one.stretches) for moved in sorted(moves, key=size) if any(moved.counts)
    )


def part_words(moved: Moved, variable: str) -> Both:
    """Return what a variable or a stretch of it is called."""
    if moved.from_h is None or moved.to_h is None:
        return say("whole_own" if moved.variable == variable else "whole", variable=moved.variable)
    if moved.variable == variable and moved.to_h <= 0:
        return say("present_own", variable=variable)
    if moved.from_h <= 0:
        return say("present", variable=moved.variable)
    if moved.to_h <= 0:
        return say("newest", variable=moved.variable, first=ago(moved.from_h))
    return say("stretch", variable=moved.variable, first=ago(moved.from_h), last=ago(moved.to_h))

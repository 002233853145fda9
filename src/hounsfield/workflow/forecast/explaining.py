"""Explain: what a forecast rests on, by asking the forecaster again with variables and stretches of time hidden."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from hounsfield.bundle.plans import parse_plan
from hounsfield.bundle.run_folder import find_bundle
from hounsfield.core.errors import CohortError, HounsfieldError, InputError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import Float64Array
from hounsfield.learn.forecast.forecaster import Forecaster
from hounsfield.learn.forecast.moving import COUNTS, Move, Moves, least, moves
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.hiding import spans
from hounsfield.science.statistics.quantiles import share_below
from hounsfield.stages.explaining.forecast_page import render_forecasts
from hounsfield.stages.explaining.forecast_picture import Trail, draw_forecast
from hounsfield.stages.explaining.forecast_result import ExplainedForecast, ForecastExplanations, Moved, Question
from hounsfield.workflow.explaining import ExplainWishes, check_free, write_explained
from hounsfield.workflow.explaining_pictures import picture_name
from hounsfield.workflow.forecast.fitting import open_forecaster
from hounsfield.workflow.forecast.moments import Moment, judged_moments, last_moments, loose_series, own_part
from hounsfield.workflow.forecast.sections import ForecastSection, forecast_of
from hounsfield.workflow.opening import open_bundle
from hounsfield.workflow.planning import settle
from hounsfield.workflow.tasks import task_named
from hounsfield.workflow.wishes import Wishes


def is_forecast(bundle: str | Path) -> bool:
    """Return whether a bundle forecasts; False too where it cannot be read, which opening it says better."""
    try:
        plan = parse_plan((find_bundle(Path(bundle)) / "plan.yaml").read_text(encoding="utf-8"), "plan.yaml")
        return task_named(plan.task).road == "series"
    except (HounsfieldError, OSError, UnicodeDecodeError):
        return False


def explain_forecasts(
    bundle: str | Path,
    inputs: Sequence[str | Path],
    *,
    out: Path | None = None,
    wishes: Wishes = Wishes(),
    asked: ExplainWishes = ExplainWishes(),
    progress: Progress = SILENT,
) -> ForecastExplanations:
    """Explain what a bundle forecasts.

    Parameters
    ----------
    bundle : str or Path
        Run folder or bundle.
    inputs : sequence of str or Path
        The cohort that the bundle was trained on: of its test part the forecasts that were furthest off and some that
        were right; or other series, each forecast from its last reading.
    out : Path or None
        Folder for ``explain.json``, ``explain.html`` and a picture of each forecast; None writes nothing.
    wishes : Wishes
        Column overrides and ``lang``.
    asked : ExplainWishes
        Its `number`: how many of each kind; of other series twice as many.
    progress : Progress

    Raises
    ------
    BundleError
        If the bundle cannot be used.
    InputError
        If something is asked that only answers of other kinds have.
    CohortError
        If no series can be explained.
    RunExistsError
        If `out` holds explanations already.
    """
    began = time.perf_counter()
    check_free(out)
    _check(asked)
    settle(wishes)
    contents = open_bundle(bundle)
    section = forecast_of(contents.plan)
    forecaster, _ = open_forecaster(contents)
    own = own_part(contents, inputs, wishes, progress)
    cases = [(own, s) for s in own.samples] if own is not None else loose_series(contents, inputs, wishes)
    choosing = judged_moments if own is not None else last_moments
    moments, left, searched = choosing(contents.plan, forecaster, cases, asked.number)
    if not moments:
        raise CohortError(
            f"None of the {len(cases)} series can be forecast{f'; the first: {left[0].reason}' if left else '.'}",
            expected=f"series with readings of {section.variable}",
            next_step="check that this is the right model for the data",
        )
    found: list[ExplainedForecast] = []
    pictures: dict[str, bytes] = {}
    with progress.step("Explaining", float(len(moments))) as shown:
        for place, moment in enumerate(moments):
            one, picture = _explained(forecaster, section, moment, place)
            found.append(one)
            pictures[one.picture] = picture
            shown.advance()
    result = ForecastExplanations(
        hounsfield=contents.plan.hounsfield,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        cohort=cases[0][0].name,
        part="files" if own is None else "test",
        variable=section.variable,
        unit=contents.plan.targets[0].unit,
        limit=section.below,
        interval=round(section.levels[-1] - section.levels[0], 6),
        share=COUNTS,
        forecasts=tuple(found),
        series=len(cases),
        searched=searched,
        left_out=left,
        seconds=round(time.perf_counter() - began, 1),
    )
    if out is not None:
        write_explained(out, result, pictures, page=render_forecasts(result, pictures, lang=wishes.lang))
    return result


def _check(asked: ExplainWishes) -> None:
    given = {"--class": asked.answer is not None, "--method": bool(asked.methods), "--pointing": asked.pointing > 0}
    wrong = [option for option, there in given.items() if there]
    if wrong:
        raise InputError(
            f"{', '.join(wrong)} is of no meaning for a forecast: it has no classes, no maps and no outlines.",
            expected="hu explain RUN SERIES --out FOLDER, with --number if others than 4 of each kind are wanted",
            next_step=f"leave {', '.join(wrong)} out",
        )


def _explained(
    forecaster: Forecaster, section: ForecastSection, moment: Moment, place: int
) -> tuple[ExplainedForecast, bytes]:
    spec, known = forecaster.spec, moment.known
    found = moves(forecaster, known)
    smallest = least(found.quantiles)
    below = _below(section, found.quantiles)
    questions = tuple(
        Question(
            name=one.name,
            median=float(found.quantiles[k, spec.middle]),
            low=float(found.quantiles[k, 0]),
            high=float(found.quantiles[k, -1]),
            below=below[k],
            came=_known(moment.came[k]),
            least=float(smallest[k]),
            together=_known(found.together[k]),
        )
        for k, one in enumerate(section.asked)
    )
    one = ExplainedForecast(
        sample=moment.sample.id,
        picture=picture_name("signal", moment.sample.id, place),
        time_h=float(known.times_h[-1]),
        present=float(known.values[spec.target, -1]),
        readings=moment.readings,
        variable=section.variable,
        why=moment.why,
        questions=questions,
        wholes=tuple(_moved(found, m, known, section, spec.variables, all_of_it=True) for m in found.wholes),
        stretches=tuple(_moved(found, m, known, section, spec.variables, all_of_it=False) for m in found.stretches),
    )
    return one, _picture(one, known, forecaster, found)


def _moved(
    found: Moves,
    move: Move,
    known: Course,
    section: ForecastSection,
    variables: Sequence[str],
    *,
    all_of_it: bool,
) -> Moved:
    own, without = _below(section, found.quantiles), _below(section, move.quantiles)
    hidden, now = move.hidden, float(known.times_h[-1])
    return Moved(
        variable=variables[hidden.row],
        from_h=None if all_of_it else now - float(known.times_h[hidden.start]),
        to_h=None if all_of_it else now - float(known.times_h[hidden.stop - 1]),
        readings=hidden.readings(known),
        moved=tuple(found.moved(move).tolist()),
        below=tuple(None if a is None or b is None else a - b for a, b in zip(own, without, strict=True)),
        counts=tuple(found.counts(move).tolist()),
    )


def _below(section: ForecastSection, quantiles: Float64Array) -> list[float | None]:
    return [
        float(share_below(quantiles[k][None], section.levels, section.below)[0])
        if section.below is not None and one.kind == "lowest"
        else None
        for k, one in enumerate(section.asked)
    ]


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _picture(one: ExplainedForecast, known: Course, forecaster: Forecaster, found: Moves) -> bytes:
    spec, ages = forecaster.spec, known.times_h[-1] - known.times_h
    edges = [0.0]
    for start, _ in spans(known, spec.target):
        edges.append(float(ages[max(start - 1, 0)]))
    rows = dict.fromkeys([spec.target, *(m.hidden.row for m in found.stretches)])
    trails = [
        Trail(spec.variables[row], spec.unit if row == spec.target else "", ages, known.values[row]) for row in rows
    ]
    asked = sorted({0, len(one.questions) - 1})
    return draw_forecast(one, trails, edges, asked=asked).encode("utf-8")

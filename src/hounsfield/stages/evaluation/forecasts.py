"""Figures of forecasts: how far off, how often inside, beside cheap forecasts; and what warnings made of them do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.report import Figure
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.science.forecasting.outcomes import Outcome
from hounsfield.science.statistics.intervals import Interval
from hounsfield.science.statistics.per_patient import Sums, by_patient
from hounsfield.science.statistics.quantiles import covered, pinball, share_below
from hounsfield.science.statistics.warning import Warnings, Watched, warn
from hounsfield.stages.evaluation.forecast_figures import (
    ForecastFigures,
    MethodFigures,
    OutcomeFigures,
    RatePoint,
    WarningFigures,
)

RATES = (1 / 24, 1 / 12, 1 / 8, 1 / 4)
"""False alarms per hour that sensitivities are told at: one in 24, 12, 8 and 4 hours."""
THRESHOLDS, RAREST = 300, 1e-6
"""How many thresholds there are, and the smallest share of readings that one lets through: readings each second are
86,400 a day."""
POINTS = 60
CHANCE_DRAWS, CHANCE_THRESHOLDS = 3, 120
"""How often alarms that know nothing are drawn, and thresholds for them."""


@dataclass(frozen=True)
class Said:
    """One series at the readings of its target: what came, and what each method said.

    Parameters
    ----------
    patient : str
    times_h, values : numpy.ndarray
        ``m``: the readings.
    end_h : float
        Until when it was watched.
    truth : numpy.ndarray
        ``m k``; NaN where not known.
    quantiles : mapping of str to numpy.ndarray
        Method to ``m k q``.
    """

    patient: str
    times_h: Float64Array
    values: Float64Array
    end_h: float
    truth: Float64Array
    quantiles: Mapping[str, Float64Array]


@dataclass(frozen=True)
class Judging:
    """How forecasts are judged.

    Parameters
    ----------
    asked : tuple of Outcome
        k questions.
    levels : tuple of float
        q levels.
    method : str
        The method that is judged; all others are baselines.
    below : float or None
        A reading below this is the event that is warned of; None: nothing is warned of.
    unit : str
    seed : int
        For the bootstrap.
    """

    asked: tuple[Outcome, ...]
    levels: tuple[float, ...]
    method: str
    below: float | None = None
    unit: str = ""
    seed: int = 0


def judge_forecasts(judged: Sequence[Said], held: Sequence[Said], how: Judging) -> ForecastFigures:
    """Return all figures.

    Parameters
    ----------
    judged : sequence of Said
        Series of the judged part.
    held : sequence of Said
        Series that thresholds of warnings are fixed on; of other patients.
    how : Judging

    Raises
    ------
    InputError
        If no question of the judged part has an answer.
    """
    if not any(np.isfinite(one.truth).any() for one in judged):
        raise InputError(
            "No question of the judged series has a known answer.",
            expected="series with readings after others",
            next_step="judge on longer series, or ask for shorter horizons",
        )
    patients = np.concatenate([np.repeat(one.patient, len(one.values)) for one in judged])
    outcomes = [_outcome(judged, patients, place, how) for place in range(len(how.asked))]
    warnings: list[WarningFigures] = []
    if how.below is not None:
        places = [i for i, outcome in enumerate(how.asked) if outcome.kind == "lowest"]
        warnings = [_warnings(judged, held, place, how) for place in places]
    return ForecastFigures(method=how.method, unit=how.unit, series=len(judged), outcomes=outcomes, warnings=warnings)


def _outcome(judged: Sequence[Said], patients: AnyArray, place: int, how: Judging) -> OutcomeFigures:
    truth = np.concatenate([one.truth[:, place] for one in judged])
    now = np.concatenate([one.values for one in judged])
    name = how.asked[place].name
    known = np.isfinite(truth)
    errors: dict[str, Sums] = {}
    found: dict[str, MethodFigures] = {}
    for method in judged[0].quantiles:
        quantiles = np.concatenate([one.quantiles[method][:, place] for one in judged])
        errors[method] = by_patient(np.abs(truth - quantiles[:, how.levels.index(0.5)]), patients)
        found[method] = _method(truth, quantiles, patients, errors[method], (how, f"{name} {method}"))
    ends = (0, len(how.levels) - 1)
    said = np.concatenate([one.quantiles[how.method][:, place] for one in judged])
    inside = covered(truth, said, ends)
    groups: dict[str, BoolArray] = {}
    if how.below is not None:
        low = now < how.below + 10
        groups = {f"present reading under {how.below + 10:g}": low, f"at or over {how.below + 10:g}": ~low}
    one_each = np.ones((len(next(iter(errors.values())).total), 1))
    cheap = [m for m in errors if m != how.method]
    best = min(cheap, key=lambda m: float(errors[m].mean(one_each)[0])) if cheap else ""
    rng = stream(how.seed, f"forecast {name}")
    return OutcomeFigures(
        name=name,
        questions=int(known.sum()),
        patients=len(np.unique(patients[known])),
        methods=found,
        best_baseline=best,
        saved=_figure(errors[how.method].share_saved(errors[best], rng)) if best else None,
        less={m: _figure(errors[how.method].less(errors[m], rng)) for m in cheap},
        coverage_by={
            g: _figure(by_patient(np.where(mask, inside, np.nan), patients).interval(rng)) for g, mask in groups.items()
        },
    )


def _method(
    truth: Float64Array, quantiles: Float64Array, patients: AnyArray, errors: Sums, named: tuple[Judging, str]
) -> MethodFigures:
    how, name = named
    levels, rng = how.levels, stream(how.seed, f"forecast {name}")
    ends = (0, len(levels) - 1)
    inner = next(((levels.index(v), levels.index(1 - v)) for v in (0.25,) if v in levels and 1 - v in levels), None)
    width = quantiles[:, ends[1]] - quantiles[:, ends[0]]
    known = np.isfinite(truth)
    half = by_patient(covered(truth, quantiles, inner), patients).interval(rng) if inner else None
    return MethodFigures(
        mae=_figure(errors.interval(rng)),
        pinball=_figure(by_patient(pinball(truth, quantiles, levels), patients).interval(rng)),
        level=round(levels[-1] - levels[0], 6),
        coverage=_figure(by_patient(covered(truth, quantiles, ends), patients).interval(rng)),
        coverage_half=_figure(half) if half is not None else None,
        width=float(np.mean(width[known])) if known.any() else None,
        under={
            f"{v:g}": round(float((truth[known] <= quantiles[known, j]).mean()), 4)
            for j, v in enumerate(levels)
            if known.any()
        },
    )


def _warnings(judged: Sequence[Said], held: Sequence[Said], place: int, how: Judging) -> WarningFigures:
    below, within = float(how.below or 0.0), how.asked[place].hours
    at: dict[str, list[RatePoint]] = {}
    curves: dict[str, list[tuple[float, float]]] = {}
    onsets = unforeseen = again = 0
    hours = 0.0
    # what an alarm that always stands keeps can be had of any score: at such a rate everything is warned of
    always = _always(judged, place, below=below, within_h=within, how=how)
    rates = [rate for rate in RATES if rate * within < 1 and not rate >= always]
    for method in judged[0].quantiles:
        scored = _watched(judged, place, method, how)
        before = _watched(held, place, method, how)
        thresholds = _thresholds([*scored, *before])
        found = warn(scored, thresholds, below=below, within_h=within, patients=_people(judged))
        fixed = warn(before, thresholds, below=below, within_h=within, patients=_people(held)) if held else None
        at[method] = [_at(found, fixed, rate, how) for rate in rates]
        shown = np.unique(np.linspace(0, len(thresholds) - 1, POINTS).round().astype(int))
        rate, sensitivity = found.false_per_hour(), found.sensitivity()
        curves[method] = [(round(float(rate[i]), 5), round(float(sensitivity[i]), 5)) for i in shown]
        onsets, unforeseen, again = int(found.onsets.sum()), found.unforeseen, found.again
        hours = float(found.hours.sum())
    return WarningFigures(
        name=how.asked[place].name,
        below=below,
        onsets=onsets,
        unforeseen=unforeseen,
        again=again,
        hours=round(hours, 2),
        at=at,
        chance=_by_chance(judged, rates, below=below, within_h=within, how=how),
        curves=curves if onsets and hours else {},
    )


def _always(judged: Sequence[Said], place: int, *, below: float, within_h: float, how: Judging) -> float:
    """Return the false alarms per hour of an alarm that always stands; NaN where none can be judged."""
    series = _watched(judged, place, how.method, how)
    found = warn(series, np.array([-np.inf]), below=below, within_h=within_h, patients=_people(judged))
    return float(found.false_per_hour()[0])


def _by_chance(
    judged: Sequence[Said], rates: Sequence[float], *, below: float, within_h: float, how: Judging
) -> list[float | None]:
    """Return the sensitivity of alarms at random at each rate: at many false alarms onsets are met by chance."""
    thresholds = 1.0 - np.geomspace(RAREST, 1.0, CHANCE_THRESHOLDS)[::-1]
    drawn: list[list[float]] = [[] for _ in rates]
    plain = _watched(judged, 0, how.method, how)
    for number in range(CHANCE_DRAWS):
        rng = stream(how.seed, "alarms at random", 0, number)
        scored = [
            Watched(one.patient, one.times_h, one.values, rng.random(len(one.times_h)), one.end_h) for one in plain
        ]
        found = warn(scored, thresholds, below=below, within_h=within_h, patients=_people(judged))
        for values, rate in zip(drawn, rates, strict=True):
            place = found.place_of(rate)
            if place is not None:
                values.append(float(found.sensitivity()[place]))
    return [_number(float(np.mean(values))) if values else None for values in drawn]


def _at(found: Warnings, fixed: Warnings | None, rate: float, how: Judging) -> RatePoint:
    place = found.place_of(rate)
    held = fixed.place_of(rate) if fixed is not None and fixed.hours.sum() > 0 else None
    low, middle, high = found.lead_h(place) if place is not None else (np.nan, np.nan, np.nan)
    sensitivity, actual, precision = found.sensitivity(), found.false_per_hour(), found.precision()
    return RatePoint(
        per_hour=round(rate, 5),
        sensitivity=_figure(found.at_rate(rate, stream(how.seed, f"warning {rate:.4f}"))),
        precision=_number(precision[place]) if place is not None else None,
        lead_h=_number(middle),
        lead_quartiles_h=(_number(low), _number(high)),
        fixed_threshold=_number(found.thresholds[held]) if held is not None else None,
        fixed_sensitivity=_number(sensitivity[held]) if held is not None else None,
        fixed_per_hour=_number(actual[held]) if held is not None else None,
    )


def _watched(series: Sequence[Said], place: int, method: str, how: Judging) -> list[Watched]:
    names = {name: number for number, name in enumerate(sorted({one.patient for one in series}))}
    found = []
    for one in series:
        scores = share_below(one.quantiles[method][:, place], how.levels, float(how.below or 0.0))
        found.append(Watched(names[one.patient], one.times_h, one.values, scores, one.end_h))
    return found


def _people(series: Sequence[Said]) -> int:
    return len({one.patient for one in series})


def _thresholds(series: Sequence[Watched]) -> Float64Array:
    """Return thresholds from the least score to over the largest, closer together where alarms are rare."""
    scores = np.concatenate([one.scores[np.isfinite(one.scores)] for one in series])
    if not len(scores):
        return np.array([np.inf])
    steps = 1.0 - np.geomspace(RAREST, 1.0, THRESHOLDS)[::-1]
    return np.append(np.unique(np.quantile(scores, steps)), np.nextafter(scores.max(), np.inf))


def _figure(found: Interval) -> Figure:
    return Figure(value=_number(found.value), low=_number(found.low), high=_number(found.high), note=found.reason or "")


def _number(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None

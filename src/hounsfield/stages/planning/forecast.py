"""Rules for forecasts: what is asked, how far ahead, with which network, in how many steps."""

import math
from dataclasses import dataclass

from hounsfield.core.errors import InputError
from hounsfield.core.plan import Decision, PlanValue
from hounsfield.science.forecasting import FORECAST_BASELINES
from hounsfield.science.forecasting.horizons import hours_ahead
from hounsfield.science.forecasting.outcomes import NEAR, Outcome, span

WAVE_HZ = 5.0
"""A series that is sampled more often is a waveform: what comes within a second is asked of it."""
MOST_HZ = 50.0
RARE_H = 0.1
"""Readings further apart than six minutes are those of a chart, not of a monitor."""
CHART_H, MONITOR_H = (0.0, 1.0, 3.0), (5 / 60, 10 / 60, 30 / 60)
MOST_STEPS = 1500
HORIZONS_IN_A_PIECE = 8
"""Near the end of a piece it is not known what came: of so many horizons that is an eighth of it."""
LONGEST_PIECE = 20_000
EPOCHS = 60
LEAST_STEPS, MOST_TRAINING = 300, 4000
TREES_FROM = 1500
CELL_SECONDS = 1e-8
"""Growing trees, for each reading, number and round on one core; measured with scikit-learn 1.9."""
ECHO_SECONDS = 20.0
TREES_SHARE = 0.2
"""Of the minutes, at most, for the trees."""
LEVELS: list[PlanValue] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]


@dataclass(frozen=True)
class SeriesSeen:
    """What is known of the training series; nothing of it is an answer of another part.

    Parameters
    ----------
    name, unit : str
        The variable that is forecast.
    variables : tuple of str
    below, low, high : float or None
        See `hounsfield.tasks.prognose.variable.Variable`.
    series, readings : int
        Training series, and readings of the variable in them.
    gap_h : float
        Median time between readings of the variable, hours.
    rate_hz : float or None
        Median rate, at most `MOST_HZ`; None where times are irregular.
    missing_share : float
        Share of steps at which a variable was not measured, the mean over variables.
    aside : int
        Series of the training and validation part that cannot be used.
    between : (str, str) or None
        Two variables that it lies between when they are measured at the same time.
    units : tuple of str
        Of each variable, ``""`` where not known.
    most_steps : int
        See `longest_piece`.
    """

    name: str
    unit: str
    variables: tuple[str, ...]
    below: float | None
    low: float | None
    high: float | None
    series: int
    readings: int
    gap_h: float
    rate_hz: float | None
    missing_share: float
    aside: int = 0
    between: tuple[str, str] | None = None
    units: tuple[str, ...] = ()
    most_steps: int = MOST_STEPS


@dataclass(frozen=True)
class Asked:
    """What a user asked for.

    Parameters
    ----------
    ahead : tuple of str
    below : float or None
    """

    ahead: tuple[str, ...] = ()
    below: float | None = None


def draft_forecast(seen: SeriesSeen, asked: Asked) -> dict[str, dict[str, Decision]]:
    """Return the plan's sections by rule, before anything is measured.

    Parameters
    ----------
    seen : SeriesSeen
    asked : Asked

    Raises
    ------
    InputError
        If a horizon cannot be read, or a limit is asked for and no question could warn of it.
    """
    below = _below(seen, asked)
    questions = _questions(seen, asked, below)
    return {
        "forecast": {
            "variable": Decision(value=seen.name, rule="named, or the arterial pressure", evidence=seen.unit),
            "asked": questions,
            "below": _warned_of(seen, asked, below, questions),
            "levels": Decision(value=LEVELS, rule="the 90% interval, the quartiles and the median"),
        },
        "preparation": {
            "variables": Decision(
                value=list(seen.variables),
                rule="all that the training series have",
                evidence=f"{seen.series} series, {seen.aside} set aside",
            ),
            "units": _units(seen),
            "unit": Decision(value=seen.unit, rule="the series' own, of the forecast variable"),
            "low": Decision(value=seen.low, rule="readings under it are impossible and count as not measured"),
            "high": Decision(value=seen.high, rule="readings over it are impossible and count as not measured"),
            "between": _between(seen),
            "times": Decision(
                value=seen.rate_hz is None,
                rule="the network is told the times where they are irregular",
                evidence="irregular times" if seen.rate_hz is None else f"{seen.rate_hz:.4g} Hz",
            ),
            "rate_hz": _rate(seen),
            "most_steps": Decision(
                value=seen.most_steps,
                rule=f"longer series are learned from in pieces of so many steps: {MOST_STEPS}, or "
                f"{HORIZONS_IN_A_PIECE} times the longest horizon, {LONGEST_PIECE:,} at most",
            ),
        },
        "line": {
            "company": Decision(
                value=len(seen.variables) > 1,
                rule="what the network starts from hears the other variables too, where that saves at least .2% of the "
                "error on held-out training series",
                evidence=f"{len(seen.variables)} variables",
            )
        },
        "echo": _echo(seen),
        "trees": _trees(seen),
        "network": _network(seen),
        "optimisation": _optimisation(seen),
        "baselines": {
            "names": Decision(
                value=list(FORECAST_BASELINES), rule="what needs no network: the hardest to beat is often one of them"
            ),
            "lags": _lags(seen),
        },
    }


def longest_piece(steps_per_hour: float | None, ahead: tuple[str, ...]) -> int:
    """Return how many steps of a series are learned from together.

    Parameters
    ----------
    steps_per_hour : float or None
        Of the training series; None where not known.
    ahead : tuple of str
        Horizons that were asked for; empty for those by rule.

    Raises
    ------
    InputError
        If a waveform is asked for what lies further ahead than half a piece.

    Notes
    -----
    A piece that is shorter than a horizon knows no answer: half an hour of readings each second is longer than
    `MOST_STEPS`. Of a waveform what repeats itself is searched for in every piece, which takes the square of its
    length, so that it stays short.
    """
    if steps_per_hour is None:
        return MOST_STEPS
    if steps_per_hour >= WAVE_HZ * 3600:
        furthest = MOST_STEPS / steps_per_hour / 2
        if ahead and max(map(hours_ahead, ahead)) > furthest:
            raise InputError(
                f"--ahead {span(max(map(hours_ahead, ahead)))} is too far for a waveform of "
                f"{steps_per_hour / 3600:.4g} Hz, which is learned from in pieces of {span(2 * furthest)}.",
                expected=f"at most {span(furthest)}",
                next_step="look less far ahead, or give the pressures of beats or minutes",
            )
        return MOST_STEPS
    chart = steps_per_hour * RARE_H < 1
    longest = max(map(hours_ahead, ahead)) if ahead else (CHART_H if chart else MONITOR_H)[-1]
    return int(min(max(MOST_STEPS, math.ceil(HORIZONS_IN_A_PIECE * longest * steps_per_hour)), LONGEST_PIECE))


def _below(seen: SeriesSeen, asked: Asked) -> Decision:
    if asked.below is not None:
        return Decision(value=asked.below, rule="asked for", evidence=f"--below {asked.below:g}")
    return Decision(
        value=seen.below,
        rule="a mean arterial pressure under 65 mmHg is hypotension (Evans et al., Surviving Sepsis Campaign 2021); "
        "nothing is warned of where the variable is another one",
        evidence=f"{seen.name} {seen.unit}",
    )


def _warned_of(seen: SeriesSeen, asked: Asked, below: Decision, questions: Decision) -> Decision:
    """Return the limit, where the lowest reading within some time is asked for: that is what a warning is made of."""
    listed = questions.value if isinstance(questions.value, list) else []
    if below.value is None or any(isinstance(one, dict) and one["kind"] == "lowest" for one in listed):
        return below
    wave = seen.rate_hz is not None and seen.rate_hz >= WAVE_HZ
    why = f"{seen.name} is a waveform" if wave else "only the next reading is asked for"
    if asked.below is None:
        return Decision(value=None, rule="nothing is warned of without a time to warn within", evidence=why)
    raise InputError(
        f"--below {asked.below:g}: {why}, and nothing could be warned of.",
        expected="readings of a chart or a monitor, and a time to warn within",
        next_step="give the pressures of beats or minutes, or leave --below out"
        if wave
        else "add a time, such as --ahead next --ahead '1 h', or leave --below out",
    )


def _questions(seen: SeriesSeen, asked: Asked, below: Decision) -> Decision:
    wave = seen.rate_hz is not None and seen.rate_hz >= WAVE_HZ
    if asked.ahead:
        ahead = {span(one): one for one in map(hours_ahead, asked.ahead)}  # 20 min and 1200 s are one question
        hours, rule, told = sorted(ahead.values()), "asked for", ", ".join(asked.ahead)
    elif wave:
        hours, told = [s / 3600 for s in (0.2, 0.4, 0.6, 0.8, 1.0)], f"{seen.rate_hz:.4g} Hz"
        rule = "a waveform: the next second"
    elif seen.gap_h > RARE_H:
        hours, told = list(CHART_H), f"median gap {span(seen.gap_h)}"
        rule = "readings of a chart: the next one, and what comes within one and three hours"
    else:
        hours, told = list(MONITOR_H), f"median gap {span(seen.gap_h)}"
        rule = "readings of a monitor: what comes within 5, 10 and 30 minutes"
    if wave and seen.rate_hz is not None:
        before, hours = hours, sorted({_on_a_sample(one, seen.rate_hz) for one in hours})
        rule += "; moved to the nearest sample" if hours != before else ""
    found: list[Outcome] = []
    for one in hours:
        if one == 0.0:
            found.append(Outcome(kind="next"))
        elif wave:
            found.append(Outcome(kind="at", hours=one))
        else:
            found.append(Outcome(kind="mean", hours=one))
    if below.value is not None and not wave:
        found += [Outcome(kind="lowest", hours=one) for one in hours if one > 0]
        rule += "; the lowest reading too, since that is warned of"
    asked_of: list[PlanValue] = [{"kind": o.kind, "hours": o.hours} for o in found]
    return Decision(value=asked_of, rule=rule, evidence=told)


def _on_a_sample(hours: float, rate_hz: float) -> float:
    """Return a horizon at which there is a sample: the nearest one's, where that does not count as ``at`` it."""
    nearest = max(1, round(hours * 3600 * rate_hz)) / rate_hz / 3600
    return hours if hours == 0 or abs(nearest - hours) <= NEAR / 2 * hours else nearest


def _between(seen: SeriesSeen) -> Decision:
    if seen.between is None:
        return Decision(value=None, rule="no mean pressure with a diastolic and a systolic one beside it")
    return Decision(
        value=list(seen.between),
        rule="a mean pressure outside of the diastolic and the systolic one of the same time is no pressure of the "
        "patient (a flushed or damped line, a typing error) and counts as not measured",
        evidence=", ".join(seen.between),
    )


def _units(seen: SeriesSeen) -> Decision:
    held: list[PlanValue] = [*seen.units]
    told = ", ".join(f"{name} {unit}" for name, unit in zip(seen.variables, seen.units, strict=False) if unit)
    return Decision(
        value=held,
        rule="that of most training series, of pressures around the forecast one its own; values in another unit are "
        "converted, and a series whose values cannot be is set aside or refused",
        evidence=told or "no unit is told",
    )


def _echo(seen: SeriesSeen) -> dict[str, Decision]:
    wave = seen.rate_hz is not None and seen.rate_hz >= WAVE_HZ
    window = max(2, round(seen.rate_hz)) if wave and seen.rate_hz is not None else 0
    memory = round(ECHO_SECONDS * seen.rate_hz) if wave and seen.rate_hz is not None else 1000
    return {
        "window": Decision(
            value=window,
            rule="a waveform repeats itself: what followed where the last second looked as it does now; no chart does",
            evidence=f"{seen.rate_hz:.4g} Hz" if seen.rate_hz is not None else "irregular times",
        ),
        "nearest": Decision(value=5, rule="the mean of what followed five such places"),
        "memory": Decision(value=memory, rule=f"of a waveform the last {ECHO_SECONDS:g} seconds are searched"),
    }


def _trees(seen: SeriesSeen) -> dict[str, Decision]:
    enough = seen.readings >= TREES_FROM
    return {
        "rounds": Decision(
            value=200 if enough else 0,
            rule=f"at most, held-out training series choose; none below {TREES_FROM:,} readings. The validation part "
            "chooses between network, trees and the mean of both",
            evidence=f"{seen.readings} readings",
        ),
        "rate": Decision(value=0.06, rule="small steps, as many rounds as held-out series want"),
        "leaves": Decision(value=24, rule="as gradient boosting of tables usually has (Ke et al. 2017)"),
        "least": Decision(value=40, rule="readings of a leaf at least"),
        "penalty": Decision(value=1.0, rule="small beside forty readings"),
        "rows": Decision(value=60_000, rule="readings at most, thinned out evenly: more change little"),
    }


def _rate(seen: SeriesSeen) -> Decision:
    if seen.rate_hz is None:
        return Decision(value=None, rule="irregular times are kept as they are")
    return Decision(
        value=seen.rate_hz,
        rule=f"the training series' own, at most {MOST_HZ:g} Hz behind a causal filter: no sample knows a later one",
        evidence=f"{seen.rate_hz:.4g} Hz",
    )


def _network(seen: SeriesSeen) -> dict[str, Decision]:
    few = seen.readings < 20_000
    gaps = seen.rate_hz is None or seen.missing_share > 0.005
    evidence = f"{seen.readings} readings"
    return {
        "cell": Decision(value="gru", rule="one direction, so that nothing later is seen (Cho et al. 2014)"),
        "width": Decision(value=48 if few else 96, rule="48 below 20,000 readings, else 96", evidence=evidence),
        "layers": Decision(value=1, rule="one layer around a linear autoregression"),
        "missing": Decision(
            value="carried" if gaps else "mean",
            rule="with gaps: the value last seen, whether it is new, and how old it is",
            evidence=f"{seen.missing_share:.1%} of the values are missing",
        ),
        "hidden": Decision(value=48 if few else 64, rule="about the width of the state", evidence=evidence),
        "dropout": Decision(value=0.1, rule="a tenth of the last layer's inputs (Gal and Ghahramani 2016)"),
    }


def _optimisation(seen: SeriesSeen) -> dict[str, Decision]:
    batch = 64 if seen.series >= 640 else max(4, seen.series // 10)
    steps = max(LEAST_STEPS, min(MOST_TRAINING, EPOCHS * seen.series // batch))
    evidence = f"{seen.series} training series"
    return {
        "steps": Decision(
            value=steps, rule=f"{EPOCHS} times through the series, {LEAST_STEPS} to {MOST_TRAINING}", evidence=evidence
        ),
        "batch": Decision(value=batch, rule="64 from 640 series on, else a tenth of them", evidence=evidence),
        "learning_rate": Decision(value=3e-3, rule="usual for a small recurrent network with AdamW"),
        "weight_decay": Decision(value=0.01, rule="PyTorch's own for AdamW"),
        "clip": Decision(value=1.0, rule="gradients through many steps explode (Pascanu et al. 2013)"),
        "averaging": Decision(value=0.99, rule="the mean of the last hundred weights"),
        "validate_every": Decision(value=max(1, steps // 10), rule="ten looks at the validation part"),
        "selection": Decision(value="best", rule="the weights with the lowest pinball loss on the validation part"),
    }


def _lags(seen: SeriesSeen) -> Decision:
    if seen.rate_hz is None:
        return Decision(value=12, rule="the last dozen readings")
    if seen.rate_hz >= WAVE_HZ:
        return Decision(value=max(2, round(seen.rate_hz)), rule="the last second", evidence=f"{seen.rate_hz:.4g} Hz")
    return Decision(value=30, rule="the last thirty readings")


def tree_seconds(sections: dict[str, dict[str, Decision]], readings: int, numbers: int) -> float:
    """Return how long growing the trees takes, about.

    Parameters
    ----------
    sections : dict
    readings, numbers : int
        Training readings, and numbers that each of them is told by.
    """
    rounds, rows = (_count(sections["trees"][key]) for key in ("rounds", "rows"))
    asked = sections["forecast"]["asked"].value
    questions = len(asked) if isinstance(asked, list) else 1
    return CELL_SECONDS * questions * min(rows, readings) * numbers * rounds * 1.8  # twice: four fifths, then all


def with_trees(
    sections: dict[str, dict[str, Decision]], readings: int, numbers: int, *, minutes: float
) -> dict[str, dict[str, Decision]]:
    """Return sections with trees of as many readings as the minutes hold.

    Parameters
    ----------
    sections : dict
    readings, numbers : int
        See `tree_seconds`.
    minutes : float
        Of the whole run.
    """
    taken, most = tree_seconds(sections, readings, numbers), TREES_SHARE * 60 * minutes
    if taken <= most:
        return sections
    rows = int(min(_count(sections["trees"]["rows"]), readings) * most / taken)
    told = f"{TREES_SHARE:.0%} of {minutes:g} minutes; about {taken:.0f} s for all readings"
    fewer = {"rows": Decision(value=rows, rule="as many as the minutes hold", evidence=told)}
    if rows < TREES_FROM:
        fewer = {"rounds": Decision(value=0, rule="the minutes hold no trees", evidence=told)}
    return {**sections, "trees": {**sections["trees"], **fewer}}


def _count(decision: Decision) -> int:
    return decision.value if isinstance(decision.value, int) else 0


def with_steps(sections: dict[str, dict[str, Decision]], steps: int, evidence: str) -> dict[str, dict[str, Decision]]:
    """Return sections with fewer steps, since the minutes hold no more.

    Parameters
    ----------
    sections : dict
    steps : int
    evidence : str
    """
    held = sections["optimisation"]
    fewer = {
        "steps": Decision(value=steps, rule="as many as the minutes hold", evidence=evidence),
        "validate_every": held["validate_every"].model_copy(update={"value": max(1, steps // 10)}),
    }
    return {**sections, "optimisation": {**held, **fewer}}

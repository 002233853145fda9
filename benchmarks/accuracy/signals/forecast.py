"""Forecasts of blood pressure beside cheap ones: intensive care, pigs by animal, generated readings.

``python -m benchmarks.accuracy.signals.forecast`` measures all sets and writes each as
``results/signals-forecast-SET.json`` when it is done; ``--only icu`` (``beats``, ``beats_ended``, ``waves``,
``generated``) measures one. cinc2012_icu: four fifths of set a to learn, one to calibrate, set b to judge; generated
readings are divided alike. The pigs in four folds by animal, each judged by a model that never saw it. ``--inside``
judges a fifth of the part to learn from in place of the official test part; it, ``--shrink`` and ``--patients`` write
nothing among the results.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.accuracy.signals.plain_runs import keep
from benchmarks.accuracy.signals.pressure_sets import (
    ENDED,
    Pressures,
    generated,
    icu,
    pig_beats,
    pig_waves,
    some_of,
)
from benchmarks.record import provenance
from hounsfield.core.streams import stream
from hounsfield.core.types import BoolArray, IntArray
from hounsfield.learn.forecast.learner import draft, fit
from hounsfield.learn.loop import Optimisation
from hounsfield.learn.threads import settle_threads
from hounsfield.science.forecasting.course import Course
from hounsfield.stages.evaluation.forecast_figures import ForecastFigures
from hounsfield.stages.evaluation.forecasts import Judging, Said, judge_forecasts
from hounsfield.workflow.forecast.saying import METHOD, fit_baselines, said_of

COMMAND = "python -m benchmarks.accuracy.signals.forecast"
FOLDS = 4
MUST_SAVED, AIM_SAVED = 0.10, 0.20
"""Share of the best baseline's mean absolute error."""
COVERAGE = (0.87, 0.93)
Parts = tuple[IntArray, IntArray, IntArray]


@dataclass(frozen=True)
class Case:
    """One set and how it is learned.

    Parameters
    ----------
    read : callable
    steps, batch : int
    told : str
        What the figures are of.
    learning_rate : float
    """

    read: Callable[[], Pressures]
    steps: int
    batch: int
    told: str
    learning_rate: float = 3e-3


FOLDED = f"104 series of 52 animals, {FOLDS} folds by animal: nobody is judged by a model that saw him"
CASES = {
    "icu": Case(icu, 2500, 64, "cinc2012_icu, stays with an invasive mean pressure: set a to learn, set b to judge"),
    "beats": Case(
        pig_beats,
        600,
        16,
        f"PigArtPressure, mean of a beat asked .2 s after its foot, all told until then; {FOLDED}",
        2e-3,
    ),
    "beats_ended": Case(
        partial(pig_beats, ENDED), 600, 16, f"the same, told nothing of the beat that is asked for; {FOLDED}", 2e-3
    ),
    "waves": Case(pig_waves, 500, 16, f"PigArtPressure at 50 Hz, the pressure .2 to 1 s later; {FOLDED}"),
    "generated": Case(generated, 500, 32, "generated readings, one each minute: 300 patients to learn, 100 to judge"),
}


def measured(case: Case, *, seed: int, shrink: int = 1, inside: bool = False, patients: int = 0) -> dict[str, object]:
    """Return the figures of one set.

    Parameters
    ----------
    case : Case
    seed : int
    shrink : int
        Learn in so many times fewer steps: to see that it runs, not for a figure.
    inside : bool
        Leave an official test part alone, and judge a fifth of the rest.
    patients : int
        Of each official part, the first; 0 for all.
    """
    data = some_of(case.read(), patients) if patients else case.read()
    began = time.perf_counter()
    judged: list[Said] = []
    held: list[Said] = []
    for train, calibrate, test in divided(data, seed, inside=inside):
        settings = Optimisation(
            steps=max(20, case.steps // shrink),
            batch=case.batch,
            learning_rate=case.learning_rate,
            weight_decay=1e-2,
            clip=1.0,
            averaging=0.99,
            validate_every=max(20, case.steps // shrink) // 10,
            selection="best",
        )
        learned, kept = chosen(data, train), chosen(data, calibrate)
        spec = draft(learned, data.request)
        fitted = fit(spec, learned, kept, settings=settings, seed=seed)
        forecaster = fitted.forecaster
        cheap = fit_baselines(spec, learned, kept)
        judged += said_of(forecaster, cheap, chosen(data, test), [data.patients[i] for i in test])
        held += said_of(forecaster, cheap, kept, [data.patients[i] for i in calibrate])
        print(f"  {data.name}: {len(train)} + {len(calibrate)} series learned, {len(test)} to judge", flush=True)
        for way in fitted.tried:
            said = ", ".join(f"{v:.3f}{'*' if c else ''}" for v, c in zip(way.mae, way.chosen, strict=True))
            print(f"    MAE of {way.name} on the series to calibrate with (* chosen): {said}", flush=True)
        losses = ", ".join(f"{v:.4f}" for v in fitted.trained.history.get("val_loss", ()))
        print(f"    pinball loss of the series to calibrate with, as training went on: {losses}", flush=True)
    how = Judging(data.request.asked, data.request.levels, METHOD, data.below, data.request.unit, seed)
    figures = judge_forecasts(judged, held, how)
    for line in told(figures):
        print(line, flush=True)
    minutes = (time.perf_counter() - began) / 60
    return {"figures": figures.model_dump(mode="json"), "met": met(figures), "minutes": round(minutes, 1)}


def divided(data: Pressures, seed: int, *, inside: bool = False) -> list[Parts]:
    """Return rows to learn, to calibrate and to judge: once by the official parts, else in folds by patient."""
    names = np.array(data.patients)
    official = np.array(data.test)
    people = np.unique(names[~official])
    order = stream(seed, "forecast parts").permutation(len(people))
    if official.any():
        kept = people[order[: len(people) // 5]]
        outside = people[order[len(people) // 5 : 2 * (len(people) // 5)]] if inside else people[:0]
        away, held = np.isin(names, outside), np.isin(names, kept)
        judged = ~official & away if inside else official
        return [(_rows(~official & ~held & ~away), _rows(~official & held), _rows(judged))]
    found: list[Parts] = []
    for fold in range(FOLDS):
        test = people[order[fold::FOLDS]]
        rest = people[np.concatenate([order[other::FOLDS] for other in range(FOLDS) if other != fold])]
        kept, learned = rest[::3], np.setdiff1d(rest, rest[::3])
        found.append((_rows(np.isin(names, learned)), _rows(np.isin(names, kept)), _rows(np.isin(names, test))))
    return found


def _rows(which: BoolArray) -> IntArray:
    return np.flatnonzero(which).astype(np.int64)


def chosen(data: Pressures, rows: IntArray) -> Sequence[Course]:
    """Return some courses."""
    return [data.courses[i] for i in rows]


def told(figures: ForecastFigures) -> list[str]:
    """Return lines for a person who waits."""
    lines = []
    for outcome in figures.outcomes:
        mae = ", ".join(f"{name} {m.mae.value:.3f}" for name, m in outcome.methods.items())
        own, saved = outcome.methods[figures.method], outcome.saved
        lines.append(f"  {outcome.name} ({outcome.questions}): MAE {mae} {figures.unit}")
        share = f"{saved.value:+.1%}" if saved is not None and saved.value is not None else "-"
        lines.append(
            f"    saved {share}, {own.level:.0%} interval covers {own.coverage.value:.1%}, width {own.width:.1f}"
        )
    for warning in figures.warnings:
        for name, points in warning.at.items():
            said = ", ".join(f"{p.per_hour:.3f}/h {p.sensitivity.value}" for p in points)
            lines.append(f"  warning, {warning.name}, {name}: {said} ({warning.onsets} onsets)")
    return lines


def met(figures: ForecastFigures) -> dict[str, dict[str, bool]]:
    """Return which of the issue's figures each question meets."""
    found = {}
    for outcome in figures.outcomes:
        saved = outcome.saved.value if outcome.saved is not None else None
        covers = outcome.methods[figures.method].coverage.value
        found[outcome.name] = {
            "saved_10": saved is not None and saved >= MUST_SAVED,
            "saved_20": saved is not None and saved >= AIM_SAVED,
            "coverage": covers is not None and COVERAGE[0] <= covers <= COVERAGE[1],
        }
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=sorted(CASES), help="one set")
    parser.add_argument("--shrink", type=int, default=1, help="so many times fewer steps: a trial, no figures")
    parser.add_argument("--patients", type=int, default=0, help="of each part, the first: a trial, no figures")
    parser.add_argument("--inside", action="store_true", help="judge a part of set a: no figures of set b")
    arguments = parser.parse_args()
    settle_threads(1)
    shrink, inside, patients = arguments.shrink, arguments.inside, arguments.patients
    for name in [arguments.only] if arguments.only else list(CASES):
        case = CASES[name]
        found = measured(case, seed=arguments.seed, shrink=shrink, inside=inside, patients=patients)
        content = {
            **provenance(f"{COMMAND} --only {name} --seed {arguments.seed}"),
            "data": case.told,
            "seed": arguments.seed,
            "must": {"saved": MUST_SAVED, "coverage": list(COVERAGE)},
            "aim": {"saved": AIM_SAVED},
            **found,
        }
        keep(f"signals-forecast-{name}", content, trial=shrink > 1 or inside or patients > 0)


if __name__ == "__main__":
    main()

"""How much of the next reading can be known: forecasts that are also told what no forecast can know.

``python -m benchmarks.accuracy.signals.forecast_bound`` divides set a of cinc2012_icu as ``forecast --inside`` does and
writes ``results/signals-forecast-bound.json``. Of each reading the next one is asked; told are the readings before it,
and in the second row of each pair also the `LATER` readings after it. What that saves is what the surroundings of a
reading say of it from both sides; a forecast has one side of them.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.signals.forecast import chosen, divided
from benchmarks.accuracy.signals.plain_runs import keep
from benchmarks.accuracy.signals.pressure_sets import Pressures, icu, some_of
from benchmarks.record import provenance
from hounsfield.core.types import BoolArray, Float64Array
from hounsfield.learn.forecast.preparing import believed
from hounsfield.learn.series.boosting import Boosting
from hounsfield.learn.series.trees import grow
from hounsfield.learn.threads import settle_threads
from hounsfield.science.forecasting.autoregression import least_absolute
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.lookback import lookback, summaries
from hounsfield.science.forecasting.outcomes import windows

COMMAND = "python -m benchmarks.accuracy.signals.forecast_bound"
LATER = 4
HOW = Boosting(rounds=200, rate=0.06, leaves=24, least=40, penalty=1.0, share=1.0)
ROWS = 60_000


@dataclass(frozen=True)
class Rows:
    """Readings with a next one, `LATER` after it, and what is told of them.

    Parameters
    ----------
    past, told, later : numpy.ndarray
        ``n lags``, ``n f``, ``n LATER``.
    came : numpy.ndarray
        ``n``.
    doubted : numpy.ndarray
        ``n`` bool: this reading or the next one is no pressure of the patient, since no mean can be where it is.
    """

    past: Float64Array
    told: Float64Array
    later: Float64Array
    came: Float64Array
    doubted: BoolArray

    def thinned(self) -> "Rows":
        """Return `ROWS` of the rows at most, evenly."""
        step = max(1, -(-len(self.came) // ROWS))
        past, told, later, came = (one[::step] for one in (self.past, self.told, self.later, self.came))
        return Rows(past, told, later, came, self.doubted[::step])


def rows_of(courses: list[Course], data: Pressures, between: tuple[int, int] | None) -> Rows:
    """Return the rows of courses; readings outside of two others count as measured where `between` is None."""
    request, found = data.request, []
    for course in courses:
        limits = (request.low, request.high)
        one = believed(course, request.target, limits, between)
        strict = believed(course, request.target, limits, request.between)
        steps = one.readings(request.target)
        count = len(steps) - 1 - LATER
        if count < 1:
            continue
        values = one.values[request.target, steps]
        doubted = ~np.isfinite(strict.values[request.target, steps])
        later = np.stack([values[2 + j : 2 + j + count] for j in range(LATER)], axis=1)
        found.append(
            (windows(values, request.lags)[:count], summaries(lookback(one, request.target))[:count], later,
             values[1 : count + 1], doubted[:count] | doubted[1 : count + 1])
        )  # fmt: skip
    return Rows(*(np.concatenate([one[place] for one in found]) for place in range(5)))


def errors(train: Rows, test: Rows, *, grown: bool) -> dict[str, Float64Array]:
    """Return absolute errors of each way on the test rows."""
    found: dict[str, Float64Array] = {}
    for name, learned, judged in (
        ("line", train.past, test.past),
        ("line, later readings told", np.hstack([train.past, train.later]), np.hstack([test.past, test.later])),
    ):
        weights, constant = least_absolute(learned, train.came)
        found[name] = np.abs(test.came - judged @ weights - constant)
    if not grown:
        return found
    now, then = train.past[:, 0], test.past[:, 0]
    for name, learned, judged in (
        ("trees", train.told, test.told),
        (
            "trees, later readings told",
            np.hstack([train.told, train.later - now[:, None]]),
            np.hstack([test.told, test.later - then[:, None]]),
        ),
    ):
        trees = grow(learned, train.came - now, HOW, loss="absolute", rounds=HOW.rounds, seed=0)
        found[name] = np.abs(test.came - then - trees(judged)[:, 0])
    return found


def measured(data: Pressures, *, grown: bool) -> dict[str, object]:
    """Return what each way errs, with all readings and with those that no mean can be left out."""
    found: dict[str, object] = {}
    train, _, test = divided(data, 0, inside=True)[0]
    for name, between in (("all readings", None), ("believed readings", data.request.between)):
        learned = rows_of(list(chosen(data, train)), data, between)
        judged = rows_of(list(chosen(data, test)), data, between)
        off = errors(learned.thinned(), judged, grown=grown)
        line = off["line"]
        worst = np.sort(line)[::-1][: len(line) // 10].sum() / line.sum()
        told = {
            "questions": len(judged.came),
            "mae": {way: round(float(one.mean()), 3) for way, one in off.items()},
            "saved": {way: round(float(1 - one.mean() / line.mean()), 4) for way, one in off.items()},
            "median_error_of_line": round(float(np.median(line)), 3),
            "share_of_error_in_worst_tenth": round(float(worst), 3),
            "doubted": round(float(judged.doubted.mean()), 4),
            "share_of_error_of_doubted": round(float(line[judged.doubted].sum() / line.sum()), 4),
        }
        print(name, told, flush=True)
        found[name] = told
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", action="store_true", help="without trees; nothing is written")
    parser.add_argument("--patients", type=int, default=0, help="of set a, the first: a trial, nothing is written")
    arguments = parser.parse_args()
    settle_threads(1)
    data = some_of(icu(), arguments.patients) if arguments.patients else icu()
    found = measured(data, grown=not arguments.lines)
    content = {**provenance(COMMAND), "later": LATER, "sets": found}
    keep("signals-forecast-bound", content, trial=arguments.lines or arguments.patients > 0)


if __name__ == "__main__":
    main()

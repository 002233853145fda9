"""Blood pressure as courses with patients: cinc2012_icu, PigArtPressure by beat and by sample, generated readings."""

from dataclasses import dataclass, replace
from math import gcd

import numpy as np

from benchmarks.accuracy.signals.sets import read_stays
from benchmarks.record import data_root
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.learn.forecast.learner import Request
from hounsfield.learn.forecast.spec import EchoOptions, ForecastOptions, TreeOptions
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.generated import VARIABLES, pressure_course
from hounsfield.science.forecasting.outcomes import Outcome
from hounsfield.science.physiology.pressure import pressure_beats

PIG_HZ = 250.0
"""The archive does not tell the rate; at 250 Hz the animals' hearts beat some 90 times a minute."""
WAVE_HZ = 50.0
SEEN_S = 0.2
"""How long after its foot a beat is known to have begun."""
BEAT = ("MAP", "SysABP", "DiasABP", "interval", "rise", "rise of foot", "rise now")
ENDED = BEAT[:4]
"""Of the beat that has ended; and how far what is seen of the one that has begun lies over the same part of it."""
STAY_HOURS = 48.0
GENERATED_PATIENTS, GENERATED_LEARNED = 400, 300
"""The last hundred are judged. One division and no folds: thresholds of warnings are fixed on nobody who is judged."""
TREES = TreeOptions(rounds=200)


@dataclass(frozen=True)
class Pressures:
    """Courses to learn and to judge.

    Parameters
    ----------
    name : str
    courses : tuple of Course
    patients : tuple of str
    test : tuple of bool
        Whether a course is of the official test part; all False where there is none.
    request : Request
    below : float or None
        What is warned of.
    """

    name: str
    courses: tuple[Course, ...]
    patients: tuple[str, ...]
    test: tuple[bool, ...]
    request: Request
    below: float | None = None


def some_of(data: Pressures, count: int) -> Pressures:
    """Return the courses of so many patients of each official part: to see that all runs, not for a figure."""
    kept: set[str] = set()
    for part in (False, True):
        own = dict.fromkeys(p for p, t in zip(data.patients, data.test, strict=True) if t is part)
        kept |= set(list(own)[:count])
    rows = [row for row, patient in enumerate(data.patients) if patient in kept]
    return replace(
        data,
        courses=tuple(data.courses[row] for row in rows),
        patients=tuple(data.patients[row] for row in rows),
        test=tuple(data.test[row] for row in rows),
    )


def icu() -> Pressures:
    """Return the stays of cinc2012_icu with an invasive mean pressure; set a to learn, set b to judge."""
    series = read_stays()
    with np.load(data_root() / "cinc2012_icu" / "set_a.npz", allow_pickle=False) as z:
        names = tuple(str(v) for v in z["var_names"])
    values, target = series.inputs["stay"], names.index("MAP")
    official = set(series.test.tolist())
    courses: list[Course] = []
    patients: list[str] = []
    test: list[bool] = []
    for row in range(len(values)):
        times = values[row, 0].astype(np.float64)
        known = np.isfinite(times)
        found = values[row, 1:, known].T.astype(np.float64)  # fancy axes come first
        if np.isfinite(found[target]).sum() < 2:
            continue
        end = max(STAY_HOURS, float(times[known][-1]))
        courses.append(Course(times[known], found, end))
        patients.append(str(row))
        test.append(row in official)
    asked = (
        Outcome(kind="next"),
        Outcome(kind="mean", hours=1.0),
        Outcome(kind="mean", hours=3.0),
        Outcome(kind="lowest", hours=1.0),
        Outcome(kind="lowest", hours=3.0),
    )
    request = Request(
        variables=names, target=target, asked=asked, unit="mmHg", times=True, lags=12, low=20.0, high=200.0,
        between=(names.index("DiasABP"), names.index("SysABP")), trees=TREES,
    )  # fmt: skip
    return Pressures("cinc2012_icu", tuple(courses), tuple(patients), tuple(test), request, below=65.0)


def pig_series() -> tuple[list[Float64Array], list[str]]:
    """Return the pressure of each animal before and after bleeding, mmHg at `PIG_HZ`, three segments in a row.

    Notes
    -----
    The archive put the first 2000 samples of a series into its training part, the second and the third into its test
    part; all are of one animal, its class.
    """
    with np.load(data_root() / "ucr_medical" / "PigArtPressure.npz", allow_pickle=False) as z:
        first, first_pig = z["X_train"].astype(np.float64), z["y_train"]
        later, later_pig = z["X_test"].astype(np.float64), z["y_test"]
    series: list[Float64Array] = []
    pigs: list[str] = []
    for pig in np.unique(first_pig):
        begin, rest = first[first_pig == pig], later[later_pig == pig]
        for state in range(len(begin)):
            series.append(np.concatenate([begin[state], rest[2 * state], rest[2 * state + 1]]))
            pigs.append(str(int(pig)))
    return series, pigs


def pig_beats(variables: tuple[str, ...] = BEAT) -> Pressures:
    """Return the beats of PigArtPressure: mean, systolic and diastolic pressure, and length of each, and what is seen.

    Parameters
    ----------
    variables : tuple of str
        The first of `BEAT`, so many as are told.

    Notes
    -----
    A step is when a beat is known to have ended: `SEEN_S` after the foot of the next one, with what is found in the
    waveform up to then alone. What comes is the mean pressure of the beat that has begun. How far that beat lies over
    the one before so far, its mean, its foot and the pressure now, are variables: they are known when it is asked.
    Baselines hear mean pressures alone, as everywhere; the line that the model starts from hears all variables. With
    the first four of `BEAT` nothing of the beat that is asked for is told. When questions are asked is read from the
    whole waveform, what is told at them never.
    """
    series, pigs = pig_series()
    request = Request(
        variables=variables,
        target=0,
        asked=(Outcome(kind="next"),),
        unit="mmHg",
        times=False,
        lags=8,
        low=10.0,
        high=200.0,
        options=ForecastOptions(width=48, missing="carried", hidden=48),
        trees=TREES,
    )
    whole = [beat_course(wave) for wave in series]
    courses = tuple(Course(c.times_h, c.values[: len(variables)], c.end_h) for c in whole)
    return Pressures("PigArtPressure, beats", courses, tuple(pigs), (False,) * len(courses), request)


def beat_course(wave: Float64Array) -> Course:
    """Return the beats of one waveform, each as it was known when the next one had just begun."""
    seen = round(SEEN_S * PIG_HZ)
    feet = pressure_beats(wave, PIG_HZ).onset
    rows: list[tuple[float, ...]] = []
    times: list[float] = []
    told = -1
    for foot in feet[1:]:
        now = int(foot) + seen
        if now > len(wave):
            break
        past = pressure_beats(wave[:now], PIG_HZ)
        ended = np.flatnonzero(np.isfinite(past.mean))
        if len(ended) and past.onset[ended[-1]] > told:  # where none has ended since, nothing new is known
            last = int(ended[-1])
            told = int(past.onset[last])
            length = (past.onset[last + 1] - past.onset[last]) / PIG_HZ if last + 1 < len(past.onset) else np.nan
            begun = wave[past.onset[last + 1] : now] if last + 1 < len(past.onset) else wave[:0]
            before = wave[told : told + len(begun)]
            rise = begun - before
            over = (rise.mean(), rise[0], rise[-1]) if len(rise) else (np.nan,) * 3
            rows.append((past.mean[last], past.systolic[last], past.diastolic[last], length, *over))
            times.append(now / PIG_HZ / 3600)
    values = np.array(rows).T if rows else np.zeros((len(BEAT), 0))
    return Course(np.array(times), values, len(wave) / PIG_HZ / 3600)


def pig_waves() -> Pressures:
    """Return the waveforms of PigArtPressure at `WAVE_HZ`; what comes is the pressure 0.1 to 1 s later."""
    series, pigs = pig_series()
    request = Request(
        variables=("ABP",),
        target=0,
        asked=tuple(Outcome(kind="at", hours=round(s, 1) / 3600) for s in np.arange(0.2, 1.01, 0.2)),
        unit="mmHg",
        times=False,
        lags=50,
        options=ForecastOptions(width=96, missing="mean"),
        echo=EchoOptions(window=50),
        trees=TREES,
    )
    courses: list[Course] = []
    for wave in series:
        lowered = thinned(wave)
        times = np.arange(len(lowered)) / WAVE_HZ / 3600
        courses.append(Course(times, lowered[None], float(times[-1])))
    return Pressures("PigArtPressure, 1 s", tuple(courses), tuple(pigs), (False,) * len(courses), request)


def thinned(wave: Float64Array) -> Float64Array:
    """Return a waveform at `WAVE_HZ` behind a causal anti-aliasing filter: no sample knows a later one."""
    from scipy.signal import butter, sosfilt, sosfilt_zi

    factor = int(PIG_HZ) // gcd(int(PIG_HZ), int(WAVE_HZ))
    stages = butter(4, 0.8 * WAVE_HZ / 2, fs=PIG_HZ, output="sos")
    lowered, _ = sosfilt(stages, wave, zi=sosfilt_zi(stages) * wave[0])
    return np.asarray(lowered[::factor], np.float64)


def generated() -> Pressures:
    """Return generated readings, one each minute for twelve hours; what comes within 5, 10 and 30 minutes."""
    courses = tuple(pressure_course(12.0, stream(0, "generated pressure", 0, n)) for n in range(GENERATED_PATIENTS))
    minutes = (5, 10, 30)
    asked = (
        *(Outcome(kind="mean", hours=m / 60) for m in minutes),
        *(Outcome(kind="lowest", hours=m / 60) for m in minutes),
    )
    request = Request(
        variables=VARIABLES, target=0, asked=asked, unit="mmHg", times=False, lags=30, low=20.0, high=200.0,
        options=ForecastOptions(width=64, missing="mean"), trees=TREES,
    )  # fmt: skip
    people = tuple(str(n) for n in range(len(courses)))
    test = tuple(n >= GENERATED_LEARNED for n in range(len(courses)))
    return Pressures("generated", courses, people, test, request, below=65.0)

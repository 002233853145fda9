"""What followed before: by hand, against a plain search, and never with a look at what comes."""

import numpy as np

from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.echo import Echo, echoes, known_by
from hounsfield.science.forecasting.outcomes import Outcome, truths

ASKED = (Outcome(kind="at", hours=5.0), Outcome(kind="lowest", hours=3.0), Outcome(kind="next"))
HOW = Echo(window=4, nearest=3, memory=60)


def wave(steps: int, seed: int = 0) -> Course:
    """Return beats of 17 steps with noise, one step an hour."""
    t = np.arange(float(steps))
    values = 80 + 20 * np.sin(2 * np.pi * t / 17) ** 3 + stream(seed, "echo").normal(0, 0.5, steps)
    return Course(t, values[None], float(t[-1]))


def said(course: Course, how: Echo = HOW) -> Float64Array:
    """Return the echoes of a course without gaps."""
    return echoes(course.times_h, course.values[0], truths(course, 0, ASKED), ASKED, how)


def test_the_future_changes_nothing() -> None:
    one = wave(150)
    whole = said(one)
    assert np.isfinite(whole[40:]).all()
    for step in (3, 20, 77, 140):
        np.testing.assert_allclose(said(one.until(step)), whole[: step + 1], rtol=1e-12)
        values = one.values.copy()
        values[0, step + 1 :] = stream(step, "other").normal(80, 40, values.shape[1] - step - 1)
        moved = said(Course(one.times_h, values, one.end_h))
        np.testing.assert_allclose(moved[: step + 1], whole[: step + 1], rtol=1e-12)


def test_of_places_that_look_the_same_the_newest_are_taken_however_long_the_series_goes_on() -> None:
    one = wave(150)
    coarse = Course(one.times_h, np.round(one.values / 10) * 10, one.end_h)
    x, answers = coarse.values[0], truths(coarse, 0, ASKED)
    whole, late = said(coarse), known_by(coarse.times_h, ASKED).max(axis=1)
    ties = 0
    for i in (40, 77, 110, 140):
        places = [s for s in range(3, i) if late[s] <= i and s >= i - HOW.memory and np.isfinite(answers[s]).all()]
        apart = {s: float(((x[s - 3 : s + 1] - x[i - 3 : i + 1]) ** 2).sum()) for s in places}
        places.sort(key=lambda s: (apart[s], -s))
        ties += apart[places[HOW.nearest - 1]] == apart[places[HOW.nearest]]
        np.testing.assert_allclose(whole[i], answers[places[: HOW.nearest]].mean(axis=0))
        np.testing.assert_allclose(said(coarse.until(i))[i], whole[i])
    assert ties


def test_it_is_what_a_plain_search_finds() -> None:
    one = wave(120, seed=2)
    x, answers = one.values[0], truths(one, 0, ASKED)
    found = said(one)
    late = known_by(one.times_h, ASKED).max(axis=1)
    for i in (30, 75, 119):
        apart = [
            float(((x[max(s - 3, 0) : s + 1][-4:] - x[i - 3 : i + 1][-min(4, s + 1) :]) ** 2).sum()) for s in range(i)
        ]
        places = [s for s in range(3, i) if late[s] <= i and s >= i - HOW.memory and np.isfinite(answers[s]).all()]
        places.sort(key=apart.__getitem__)
        np.testing.assert_allclose(found[i], answers[places[:3]].mean(axis=0))
    few = echoes(one.times_h, x, answers, ASKED, HOW, at=np.array([75, 119]))
    np.testing.assert_allclose(few, found[[75, 119]])


def test_a_wave_that_repeats_itself_is_known_and_a_short_past_is_not() -> None:
    one = wave(300)
    off = np.abs(truths(one, 0, ASKED)[:, 0] - said(one)[:, 0])[60:-5]
    last = np.abs(truths(one, 0, ASKED)[:, 0] - one.values[0])[60:-5]
    assert off.mean() < 0.15 * last.mean()
    assert np.isnan(said(one)[:8]).all()
    assert np.isnan(said(one, Echo(window=0))).all()
    assert said(wave(3)).shape == (3, 3)

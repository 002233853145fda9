"""What came is what a loop over the readings says, and nothing that lies before."""

import numpy as np
import pytest
from pydantic import ValidationError

from hounsfield.core.errors import ReadError
from hounsfield.core.streams import stream
from hounsfield.science.forecasting.course import Course, plausible
from hounsfield.science.forecasting.outcomes import Outcome, span, truths, windows

ASKED = (
    Outcome(kind="next"),
    Outcome(kind="at", hours=0.5),
    Outcome(kind="mean", hours=1.0),
    Outcome(kind="lowest", hours=3.0),
)


def course(seed: int, *, count: int = 60) -> Course:
    """Return two variables at irregular times, each missing at some of them."""
    rng = stream(seed, "outcomes")
    times = np.cumsum(rng.choice([0.25, 0.5, 1.0, 4.0], count))
    values = rng.normal(80, 10, (2, count))
    values[rng.random((2, count)) < 0.3] = np.nan
    return Course(times, values, float(times[-1]) + 0.25)


def looked_up(one: Course, row: int, outcome: Outcome) -> list[float]:
    """Return the answers with plain loops."""
    readings = [(t, v) for t, v in zip(one.times_h, one.values[row], strict=True) if np.isfinite(v)]
    answers = []
    for t, v in zip(one.times_h, one.values[row], strict=True):
        later = [(u, w) for u, w in readings if u > t]
        inside = [w for u, w in later if u <= t + outcome.hours]
        answer = np.nan
        if not np.isfinite(v):
            pass
        elif outcome.kind == "next" and later:
            answer = later[0][1]
        elif outcome.kind == "at":
            near = [w for u, w in later if abs(u - t - outcome.hours) < 0.01]
            answer = near[0] if near else np.nan
        elif outcome.kind in ("mean", "lowest") and inside and t + outcome.hours <= one.end_h:
            answer = float(np.mean(inside)) if outcome.kind == "mean" else min(inside)
        answers.append(answer)
    return answers


@pytest.mark.parametrize("seed", range(4))
def test_truths_are_those_of_plain_loops(seed: int) -> None:
    one = course(seed)
    found = truths(one, 0, ASKED)
    for place, outcome in enumerate(ASKED):
        np.testing.assert_allclose(found[:, place], looked_up(one, 0, outcome), err_msg=outcome.name)
    assert np.isfinite(found).sum(axis=0).min() > 5


def test_no_answer_beyond_the_end_and_none_of_an_empty_series() -> None:
    one = Course(np.array([0.0, 1.0, 2.0]), np.array([[70.0, 60.0, 50.0]]), 2.5)
    found = truths(one, 0, (Outcome(kind="lowest", hours=1.0), Outcome(kind="next")))
    np.testing.assert_array_equal(found, [[60.0, 60.0], [50.0, 50.0], [np.nan, np.nan]])
    empty = Course(np.zeros(0), np.zeros((1, 0)), 0.0)
    assert truths(empty, 0, ASKED).shape == (0, 4)
    alone = Course(np.zeros(1), np.full((1, 1), 70.0), 9.0)
    assert np.isnan(truths(alone, 0, ASKED)).all()


def test_an_outcome_has_a_horizon_unless_it_is_the_next() -> None:
    for kind, hours in (("next", 1.0), ("mean", 0.0), ("lowest", -1.0), ("at", float("nan"))):
        with pytest.raises(ValidationError):
            Outcome.model_validate({"kind": kind, "hours": hours})
    assert [o.name for o in ASKED] == ["next reading", "value after 30 min", "mean within 1 h", "lowest within 3 h"]
    assert span(1 / 3600) == "1 s"
    assert span(0.2 / 3600) == "0.2 s"


def test_windows_look_back_and_repeat_the_first() -> None:
    np.testing.assert_array_equal(windows(np.array([1.0, 2.0, 3.0]), 2), [[1, 1], [2, 1], [3, 2]])


def test_times_that_do_not_rise_are_an_error() -> None:
    for times, end in (([0.0, 0.0], 1.0), ([1.0, 0.5], 2.0), ([0.0, np.nan], 1.0), ([0.0, 1.0], 0.5)):
        with pytest.raises(ReadError):
            Course(np.array(times), np.zeros((1, 2)), end)
    with pytest.raises(ReadError):
        Course(np.zeros(2), np.zeros((1, 3)), 1.0)


def test_impossible_readings_were_not_measured() -> None:
    np.testing.assert_array_equal(
        plausible(np.array([0.0, 20.0, 300.0, np.nan]), 20, 200), [np.nan, 20, np.nan, np.nan]
    )

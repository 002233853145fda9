"""What moved a forecast, against a line whose answer can be computed by hand."""

import numpy as np
import pytest

from hounsfield.core.types import Float64Array
from hounsfield.learn.forecast.forecaster import Forecaster
from hounsfield.learn.forecast.moving import COUNTS, Moves, last_said, least, moves
from hounsfield.learn.forecast.network import build
from hounsfield.learn.forecast.spec import ForecastOptions, ForecastSpec, Scaling
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.hiding import whole
from hounsfield.science.forecasting.outcomes import Outcome, windows

LEVELS = (0.1, 0.5, 0.9)
WEIGHTS = np.array([[0.7, 0.2], [0.2, 0.1], [0.05, 0.6]])
CONSTANT = np.array([3.0, 5.0])
COMPANY = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 0.0]])
MIDDLE, SPREAD = (80.0, 20.0, 5.0), (10.0, 4.0, 1.0)


def line_alone() -> Forecaster:
    """Return a forecaster whose network adds nothing to its line, so that it is linear."""
    spec = ForecastSpec(
        variables=("MAP", "HR", "Temp"),
        target=0,
        unit="mmHg",
        asked=(Outcome(kind="next"), Outcome(kind="lowest", hours=1.0)),
        levels=LEVELS,
        scaling=Scaling(middle=MIDDLE, spread=SPREAD),
        lags=3,
        weights=tuple(map(tuple, WEIGHTS.tolist())),
        constant=tuple(CONSTANT.tolist()),
        company=tuple(map(tuple, COMPANY.tolist())),
        scale=(2.0, 3.0),
        start=((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0)),
        options=ForecastOptions(width=4, hidden=4, dropout=0.0),
    )
    fresh = build(spec)  # says what the line says
    return Forecaster(spec, {n: v.numpy() for n, v in fresh.state_dict().items()}, np.zeros((2, 3)))


def course() -> Course:
    rng = np.random.default_rng(3)
    values = np.stack([80 + rng.normal(0, 8, 30), 20 + rng.normal(0, 4, 30), np.full(30, np.nan)])
    values[1, ::4] = np.nan
    values[0, 5:8] = np.nan
    return Course(np.cumsum(rng.uniform(0.1, 0.6, 30)), values, 20.0)


def by_hand(series: Course) -> Float64Array:
    past = series.values[0][np.isfinite(series.values[0])]
    heard = series.values[1][np.isfinite(series.values[1])]
    hr = (heard[-1] - MIDDLE[1]) / SPREAD[1] if len(heard) else 0.0
    told: Float64Array = windows(past, 3)[-1] @ WEIGHTS + CONSTANT + hr * COMPANY[1]
    return told


@pytest.fixture(scope="module")
def found() -> Moves:
    return moves(line_alone(), course())


def test_the_forecaster_is_the_line(found: Moves) -> None:
    np.testing.assert_allclose(found.quantiles[:, 1], by_hand(course()), atol=1e-4)


def test_moves_of_a_line_are_its_weights_times_what_was_replaced(found: Moves) -> None:
    before = course()
    assert {m.hidden.row for m in found.stretches} == {0, 1}  # the third was never measured
    for move in (*found.wholes, *found.stretches):
        values = before.values.copy()
        hidden = slice(move.hidden.start, move.hidden.stop)
        if move.hidden.row == 1:
            values[1, hidden] = np.nan
        else:
            known = np.isfinite(values[0])
            kept = known.copy()
            kept[hidden] = False
            values[0] = np.where(known, np.interp(before.times_h, before.times_h[kept], values[0, kept]), np.nan)
        np.testing.assert_allclose(
            found.moved(move), by_hand(before) - by_hand(Course(before.times_h, values, before.end_h)), atol=1e-4
        )


def test_only_what_the_line_looks_at_moves_it(found: Moves) -> None:
    for move in found.stretches:
        far = move.hidden.stop <= len(course().times_h) - 3
        if move.hidden.row == 0 and far:
            assert np.abs(found.moved(move)).max() < 1e-4
    (rate,) = (m for m in found.wholes if m.hidden.row == 1)
    assert abs(found.moved(rate)[0]) > 0.1
    assert abs(found.moved(rate)[1]) < 1e-4  # the second question does not hear it


def test_what_counts_is_measured_by_the_interval(found: Moves) -> None:
    np.testing.assert_allclose(least(found.quantiles), [COUNTS * 2.0, COUNTS * 6.0], atol=1e-4)
    for move in found.stretches:
        np.testing.assert_array_equal(found.counts(move), np.abs(found.moved(move)) >= least(found.quantiles))


def test_together_is_all_that_counts_at_once(found: Moves) -> None:
    from hounsfield.science.forecasting.hiding import without

    for k in range(2):
        chosen = [m.hidden for m in found.stretches if found.counts(m)[k]]
        assert chosen
        series = without(course(), 0, chosen, usual=MIDDLE[0])
        assert found.together[k] == pytest.approx(by_hand(series)[k], abs=1e-4)


def test_many_series_are_asked_in_batches() -> None:
    forecaster, series = line_alone(), course()
    found = last_said(forecaster, [series] * 70)
    assert len(found) == 70
    assert np.ptp(np.stack(found), axis=0).max() < 1e-5
    assert last_said(forecaster, []) == []


def test_a_reading_alone_has_nothing_before_it() -> None:
    alone = Course(np.array([1.0]), np.array([[70.0], [np.nan], [np.nan]]), 1.0)
    found = moves(line_alone(), alone)
    assert found.wholes == ()
    assert [m.hidden.row for m in found.stretches] == [0]
    assert whole(alone, 0, 0).readings(alone) == 0

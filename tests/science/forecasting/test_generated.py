import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.forecasting.generated import VARIABLES, pressure_course


def test_generated_readings_are_pressures() -> None:
    courses = [pressure_course(12.0, stream(0, "generated", 0, n)) for n in range(40)]
    mean, high, low, rate = (np.concatenate([c.values[row] for c in courses]) for row in range(len(VARIABLES)))
    assert courses[0].values.shape == (4, 720)
    assert 70 < mean.mean() < 85
    assert 0.03 < (mean < 65).mean() < 0.35
    assert (high > low).mean() > 0.99
    np.testing.assert_allclose((high + 2 * low).mean() / 3, mean.mean(), atol=1.0)
    assert 60 < rate.mean() < 110
    again = pressure_course(12.0, stream(0, "generated", 0, 3))
    np.testing.assert_array_equal(again.values, courses[3].values)


def test_the_heart_tells_of_a_fall_before_the_pressure() -> None:
    later, earlier = [], []
    for n in range(60):
        course = pressure_course(12.0, stream(1, "generated", 0, n))
        fall, rate = -np.diff(course.values[0][::10]), np.diff(course.values[3][::10])
        later.append(np.corrcoef(rate[:-1], fall[1:])[0, 1])
        earlier.append(np.corrcoef(rate[1:], fall[:-1])[0, 1])
    assert np.mean(later) > np.mean(earlier) + 0.1


def test_no_length_is_an_error() -> None:
    for hours, gap in ((0.0, 1.0), (1.0, 0.0), (0.01, 1.0)):
        with pytest.raises(InputError):
            pressure_course(hours, stream(0, "generated"), gap_min=gap)

"""Readings of a monitor, generated: pressures and heart rate with slow drifts and episodes of hypotension."""

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import Float64Array
from hounsfield.science.forecasting.course import Course

VARIABLES = ("MAP", "SysABP", "DiasABP", "HR")
"""Rows of a generated course: mmHg, mmHg, mmHg, 1/min."""
EPISODE_EVERY_H = 4.0
PRODROME_MIN = 15.0
RATE_LEADS_MIN = 5.0
"""The heart is faster so long before the pressure falls: what another variable can tell and the pressure cannot."""


def pressure_course(hours: float, rng: np.random.Generator, *, gap_min: float = 1.0) -> Course:
    """Return the readings of one generated patient.

    Parameters
    ----------
    hours : float
        Length, > 0.
    rng : numpy.random.Generator
        What draws.
    gap_min : float
        Minutes between readings, > 0.

    Returns
    -------
    Course
        `VARIABLES` at one rate.

    Raises
    ------
    InputError
        If length or gap is not positive, or there is room for fewer than two readings.

    Notes
    -----
    The mean pressure is a patient's own level (82, deviation 8 mmHg), two processes that return to it with time
    constants of 90 and 8 minutes (Ornstein-Uhlenbeck, deviations 4 and 2.5 mmHg), and episodes, on average one in four
    hours: the heart rate rises, five minutes later the pressure begins to fall by 15 to 35 mmHg within a quarter of an
    hour, stays there for 10 to 40 minutes and comes back. Readings have noise of 1.5 mmHg. Made to try forecasts on
    horizons that the public sets here do not have; nobody's physiology, and no evidence about patients.
    """
    if not (hours > 0 and gap_min > 0 and hours * 60 >= 2 * gap_min):
        raise InputError(
            f"Readings every {gap_min:g} min for {hours:g} h were asked for.", expected="at least two readings"
        )
    minutes = np.arange(0.0, hours * 60, gap_min)
    level = rng.normal(82.0, 8.0)
    slow = _returning(len(minutes), gap_min / 90.0, 4.0, rng)
    fast = _returning(len(minutes), gap_min / 8.0, 2.5, rng)
    fall, faster = _episodes(minutes, rng)
    mean = np.maximum(level + slow + fast - fall, 25.0)
    rate = rng.normal(80.0, 10.0) + _returning(len(minutes), gap_min / 60.0, 5.0, rng) + faster
    pulse = np.maximum(rng.normal(48.0, 6.0) + 0.3 * (slow + fast) - 0.4 * fall, 12.0)
    noise = rng.normal(0.0, 1.5, (3, len(minutes)))
    values = np.stack(
        [
            mean + noise[0],
            mean + pulse * 2 / 3 + noise[1],
            mean - pulse / 3 + noise[2],
            rate + rng.normal(0.0, 1.0, len(minutes)),
        ]
    )
    return Course(minutes / 60.0, values, float(minutes[-1] / 60.0))


def _returning(count: int, share: float, deviation: float, rng: np.random.Generator) -> Float64Array:
    """Return a stationary process that returns to 0: ``x_i = r x_(i-1) + e_i`` with ``r = exp(-share)``."""
    from scipy.signal import lfilter

    keep = float(np.exp(-share))
    drawn = rng.normal(0.0, deviation, count)
    drawn[1:] *= np.sqrt(1.0 - keep * keep)
    return np.asarray(lfilter([1.0], [1.0, -keep], drawn), np.float64)


def _episodes(minutes: Float64Array, rng: np.random.Generator) -> tuple[Float64Array, Float64Array]:
    """Return by how much the pressure is lower and the heart faster at each minute."""
    fall, faster = np.zeros(len(minutes)), np.zeros(len(minutes))
    begin = rng.exponential(EPISODE_EVERY_H * 60)
    while begin < minutes[-1]:
        depth, stay = rng.uniform(15.0, 35.0), rng.uniform(10.0, 40.0)
        corners = begin + np.cumsum([0.0, PRODROME_MIN, stay, 15.0])
        fall += np.interp(minutes, corners, [0.0, depth, depth, 0.0])
        faster += np.interp(minutes, corners - RATE_LEADS_MIN, np.array([0.0, 1.0, 1.0, 0.0]) * rng.uniform(12, 25))
        begin = corners[-1] + rng.exponential(EPISODE_EVERY_H * 60)
    return fall, faster

"""What followed before: places in the past of a series that looked as the present does, and what came after them."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.science.forecasting.outcomes import NEAR, Outcome

ALIKE = 1e-12
"""Sums of squared differences that differ by less than this share of the present window's own square are the same:
they are known no better than rounding lets them, and a search over a longer series rounds otherwise."""


@dataclass(frozen=True)
class Echo:
    """How the past is searched.

    Parameters
    ----------
    window : int
        Readings that are compared; 0: nothing is searched.
    nearest : int
        Places whose answers are averaged, at least 1.
    memory : int
        Readings that are looked back at.
    """

    window: int
    nearest: int = 5
    memory: int = 1000


def known_by(times_h: Float64Array, asked: tuple[Outcome, ...]) -> Float64Array:
    """Return when the answer at each reading is known for certain, ``m k`` hours; infinity where it is not yet.

    Parameters
    ----------
    times_h : numpy.ndarray
        ``m`` times of readings.
    asked : tuple of Outcome
        k questions.
    """
    following = np.append(times_h[1:], np.inf)[: len(times_h)]
    found = []
    for one in asked:
        late = one.hours * NEAR if one.kind == "at" else 0.0
        found.append(following if one.kind == "next" else times_h + one.hours + late)
    return np.stack(found, axis=1)


def echoes(
    times_h: Float64Array, values: Float64Array, answers: Float64Array, asked: tuple[Outcome, ...], how: Echo,
    *, at: IntArray | None = None,
) -> Float64Array:  # fmt: skip
    """Return the mean answer of the places of the past that looked most as each reading does.

    Parameters
    ----------
    times_h, values : numpy.ndarray
        ``m`` readings of one series.
    answers : numpy.ndarray
        ``m k``: what came after each, NaN where not known.
    asked : tuple of Outcome
    how : Echo
    at : numpy.ndarray, optional
        Readings that are asked at; all.

    Returns
    -------
    numpy.ndarray
        ``m k``, or as many rows as `at` has; NaN where the past has fewer than `nearest` such places.

    Notes
    -----
    Places are compared by the sum of squared differences of the last `window` readings, level included, since a
    pressure that stands higher falls further. A place is taken only when the answers to all questions at it were known
    at the present reading: nothing looks ahead. Of places that look the same, as they do in a record of whole numbers,
    the newest are taken, so that it does not matter how long the series goes on. This is forecasting by analogues, of
    use where a series repeats itself, as a pressure does from beat to beat.

    References
    ----------
    Lorenz EN. Atmospheric predictability as revealed by naturally occurring analogues. J Atmos Sci 1969;26:636-646.
    Farmer JD, Sidorowich JJ. Predicting chaotic time series. Phys Rev Lett 1987;59:845-848.
    """
    rows = np.arange(len(values)) if at is None else at
    found = np.full((len(rows), len(asked)), np.nan)
    count = len(values) - how.window + 1
    if how.window < 1 or count <= how.nearest:
        return found
    whole = np.lib.stride_tricks.sliding_window_view(values, how.window)
    places = np.arange(how.window - 1, len(values))
    told: BoolArray = np.asarray(np.isfinite(answers).all(axis=1), np.bool_)[places]
    known = np.where(told, known_by(times_h, asked).max(axis=1)[places], np.inf)
    centre = float(values[0])  # of the series itself and the same for all that is asked: only against rounding
    size = ((whole - centre) ** 2).sum(axis=1)
    asking = np.flatnonzero(rows >= how.window - 1)
    present = rows[asking] - (how.window - 1)
    apart = size[present][:, None] + size[None] - 2.0 * (whole[present] - centre) @ (whole - centre).T
    past = (known[None] <= times_h[rows[asking]][:, None] + 1e-9) & (places[None] >= rows[asking][:, None] - how.memory)
    scale = ALIKE * (size[present] + how.window * centre**2)
    alike = np.round(apart / np.where(scale > 0, scale, 1.0)[:, None])
    chosen, enough = _nearest(np.where(past, alike, np.inf), how.nearest)
    found[asking[enough]] = answers[places[chosen]].mean(axis=1)
    return found


def _nearest(apart: Float64Array, count: int) -> tuple[IntArray, BoolArray]:
    """Return the columns of the so many smallest of each row, ``r count``, of equal ones the last; and which rows.

    Parameters
    ----------
    apart : numpy.ndarray
        ``n m``; infinity where a column does not count.
    count : int
        Rows with fewer finite columns are left out.
    """
    chosen = np.argpartition(apart, count - 1, axis=1)[:, :count]
    limit = np.take_along_axis(apart, chosen, axis=1).max(axis=1)
    enough: BoolArray = np.isfinite(limit)
    tied = np.flatnonzero(enough & ((apart <= limit[:, None]).sum(axis=1) > count))
    rows, at = apart[tied], limit[tied, None]
    nearer, equal = rows < at, rows == at
    newest = equal[:, ::-1].cumsum(axis=1)[:, ::-1] <= count - nearer.sum(axis=1, keepdims=True)
    chosen[tied] = np.nonzero(nearer | (equal & newest))[1].reshape(-1, count)
    return chosen[enough].astype(np.int64), enough

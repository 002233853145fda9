"""How restless the rhythm around a beat is."""

import numpy as np

from hounsfield.core.types import Float64Array, IntArray

LAST, AROUND = 21, 8
SHORTEST_S, LONGEST_S = 0.2, 3.0
STEADY = 0.05
"""What is added to how much intervals vary, as a share of an interval: no rhythm is so steady that less tells."""


def unrest_rows(beats: IntArray, rate_hz: float) -> Float64Array:
    """Return how restless the rhythm is around each beat.

    Parameters
    ----------
    beats : numpy.ndarray
        ``n``, int64, sample numbers, rising.
    rate_hz : float

    Returns
    -------
    numpy.ndarray
        ``n 8`` float64. With x the logarithm of the interval that ends at a beat, held within 0.2 to 3 s (the first
        beat's is the record's median): log(0.01 + deviation of x) over the last 21 beats; log(0.01 + median of
        ``|x_i - x_(i-1)|``) over the last 20 steps and the next one; x of the beat before, of the beat, of the next and
        of the one after it, each less the median of x over the beat and 8 on either side; x of the beat and of the next
        less the record's median of x, over 0.05 + 1.4826 times the median distance from it. Beyond the ends the first
        and last interval stand.

    Notes
    -----
    In atrial fibrillation every beat is early or late; what is early against a steady rhythm is an extrasystole. The
    same share of an interval is much in one record and nothing in another, hence the quotients (MIT-BIH DS1 in four
    parts by record, one network on rows alone, mean of three seeds: with the quotients and without the intervals in
    seconds mean sensitivity .692 and jk .734, before .646 and .695).
    """
    if len(beats) < 2:
        return np.tile([np.log(0.01), np.log(0.01), *[0.0] * 6], (len(beats), 1))
    x = np.log(np.clip(np.diff(beats) / rate_hz, SHORTEST_S, LONGEST_S))
    x = np.concatenate([[np.median(x)], x])
    steps = np.abs(np.diff(x, append=x[-1]))  # step i leads from beat i to the next
    spread = _sliding(x, LAST - 1, 0).std(axis=1)
    jitter = np.median(_sliding(steps, LAST - 1, 0), axis=1)
    usual = np.median(_sliding(x, AROUND, AROUND), axis=1)
    near = _sliding(x, 1, 2) - usual[:, None]
    away = x - np.median(x)
    whole = _sliding(away, 0, 1) / (STEADY + 1.4826 * float(np.median(np.abs(away))))
    return np.column_stack([np.log(spread + 0.01), np.log(jitter + 0.01), near, whole])


def _sliding(values: Float64Array, before: int, after: int) -> Float64Array:
    padded = np.pad(values, (before, after), mode="edge")
    view: Float64Array = np.lib.stride_tricks.sliding_window_view(padded, before + 1 + after)
    return view

"""Ten numbers of each variable of an irregular series, over the whole of it and over each third."""

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.science.compiled import compiled

STATISTICS = ("first", "last", "min", "max", "mean", "std", "slope", "count", "since", "missing")
STRETCHES = ("whole", "first third", "middle third", "last third")


def width(channels: int, *, times: bool) -> int:
    """Return how many numbers `summaries` gives for series of so many channels."""
    return (channels - int(times)) * len(STRETCHES) * len(STATISTICS)


def summaries(values: AnyArray, *, times: bool) -> Float64Array:
    """Summarise series.

    Parameters
    ----------
    values : numpy.ndarray
        ``n c t``; what is not finite was not recorded.
    times : bool
        Whether channel 0 holds the times, in hours, never falling; else steps are counted.

    Returns
    -------
    numpy.ndarray
        ``n f`` float64: variable by variable, stretch by stretch, the numbers of `STATISTICS`. The slope is that of
        the least-squares line, per hour or step; ``count`` is the logarithm of 1 + the number of values; ``since`` is
        the time from the last value to the end of the stretch. Without any value all but ``count`` and ``missing``
        are NaN; one value alone has std and slope 0.

    Notes
    -----
    The thirds divide the time from the first to the last step of a series at which anything was recorded.
    """
    out = np.empty((len(values), width(values.shape[1], times=times)), dtype=np.float64)
    for row in range(len(values)):
        series = np.asarray(values[row], dtype=np.float32)
        clock = series[0].astype(np.float64) if times else np.arange(series.shape[1], dtype=np.float64)
        variables = np.ascontiguousarray(series[1:] if times else series)
        seen = np.flatnonzero(np.isfinite(variables).any(axis=0) & np.isfinite(clock))
        stop = int(seen[-1]) + 1 if len(seen) else 0
        start = int(seen[0]) if len(seen) else 0
        _summarise(variables[:, start:stop].copy(), clock[start:stop].copy(), out[row])
    return out


@compiled
def _summarise(series: Float32Array, clock: Float64Array, out: Float64Array) -> None:
    out[:] = np.nan
    at = 0
    steps = len(clock)
    begin = clock[0] if steps else 0.0
    end = clock[steps - 1] if steps else 0.0
    for c in range(series.shape[0]):
        for stretch in range(4):
            low, high = begin, end
            if stretch > 0:
                low = begin + (end - begin) * (stretch - 1) / 3.0
                high = begin + (end - begin) * stretch / 3.0
            count, total, squares, product, moments = 0, 0.0, 0.0, 0.0, 0.0
            least, most, first, last, late, mean_time = np.inf, -np.inf, np.nan, np.nan, np.nan, 0.0
            for t in range(steps):
                now, value = clock[t], float(series[c, t])
                # A value on the border belongs to the later stretch; the last one to the last.
                if now < low or now > high or (now == high and 0 < stretch < 3) or not np.isfinite(value + now):
                    continue
                count += 1
                if count == 1:
                    first = value
                last, late = value, now
                least, most = min(least, value), max(most, value)
                # Running means and moments (Welford): sums of squares of pressures would lose digits.
                step_value, step_time = value - total, now - mean_time
                total += step_value / count
                mean_time += step_time / count
                squares += step_value * (value - total)
                moments += step_time * (now - mean_time)
                product += step_time * (value - total)
            out[at + 7] = np.log1p(count)
            out[at + 9] = 1.0 if count == 0 else 0.0
            if count > 0:
                out[at], out[at + 1], out[at + 2], out[at + 3] = first, last, least, most
                out[at + 4] = total
                out[at + 5] = np.sqrt(max(squares, 0.0) / count)
                out[at + 6] = product / moments if moments > 1e-12 else 0.0
                out[at + 8] = high - late
            at += 10

"""Values of signals brought to another unit and another rate, of one signal or of many at once."""

import numpy as np

from hounsfield.core.errors import PlanError
from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.core.units import change


def in_unit(values: Float32Array, lead: str, *, have: str, want: str) -> AnyArray:
    """Return values of a lead in another unit, as they are where either unit is not known.

    Parameters
    ----------
    values : numpy.ndarray
        ``... t``, float32; where all are missing, their unit does not matter.
    lead : str
    have, want : str

    Raises
    ------
    PlanError
        If one cannot be converted to the other.
    """
    found = change(lead, have, want)
    if found is None:
        if not np.isfinite(values).any():
            return values
        raise PlanError(
            f"Lead {lead!r} is in {have[:20]}, the plan is for {want}.",
            expected=f"values in {want}, or in a unit that can be converted to it",
            next_step="convert the record, or correct its header",
        )
    if found.plus:
        return values.astype(np.float64) * found.times + found.plus
    return values * found.times


def at_rate(values: Float64Array, rate_hz: float, to_hz: float) -> Float64Array:
    """Return series at another rate; gaps are bridged for the filter and missing again behind it.

    Parameters
    ----------
    values : numpy.ndarray
        ``... t``, float64, NaN where nothing was recorded.
    rate_hz, to_hz : float

    Returns
    -------
    numpy.ndarray
        ``... t``, float64.

    Notes
    -----
    All series are filtered in one call: of a hundred thousand beats the calls would cost more than the filter.
    """
    from hounsfield.science.physiology.filters import resampled

    rows = values.reshape(-1, values.shape[-1])
    known = np.isfinite(rows)
    full, some = known.all(axis=1), known.any(axis=1)
    if full.all():
        return resampled(values, rate_hz, to_hz)
    if not some.any():
        count = int(np.ceil(values.shape[-1] * to_hz / rate_hz - 1e-9))
        return np.full((*values.shape[:-1], count), np.nan)
    places = np.arange(rows.shape[1])
    gapped = np.flatnonzero(some & ~full)
    bridged = rows.copy()
    for row in gapped:
        bridged[row] = np.interp(places, places[known[row]], rows[row, known[row]])
    found = resampled(bridged[some], rate_hz, to_hz)
    made = np.full((len(rows), found.shape[1]), np.nan)
    made[some] = found
    nearest = np.clip(np.rint(np.arange(found.shape[1]) * rate_hz / to_hz).astype(np.int64), 0, rows.shape[1] - 1)
    made[gapped] = np.where(known[gapped][:, nearest], made[gapped], np.nan)
    return made.reshape(*values.shape[:-1], -1)

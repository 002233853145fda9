"""Numbers of a sample for learners that look at a table: summaries of signals, rows as they are."""

from collections.abc import Mapping

import numpy as np

from hounsfield.core.errors import PlanError
from hounsfield.core.types import AnyArray, Float64Array, IntArray
from hounsfield.learn.learners.protocol import Job
from hounsfield.learn.prepare.row import RowPreparation
from hounsfield.learn.prepare.signal import SignalPreparation
from hounsfield.learn.series.summaries import summaries

ROWS_AT_A_TIME = 256
TAILS = (0.001, 0.999)
"""Values of a signal beyond these quantiles of the training part are drawn in: impossible values are written down."""


def timed(job: Job, name: str) -> bool:
    """Tell whether channel 0 of a signal holds its times; the preparation of its kind says so."""
    preparation = job.preparation.get(name)
    return isinstance(preparation, SignalPreparation) and preparation.times


def without_site(values: AnyArray, job: Job, name: str) -> AnyArray:
    """Return the values of an input without the site that a row may have behind them."""
    preparation = job.preparation.get(name)
    return preparation.values(values) if isinstance(preparation, RowPreparation) else values


def variables(inputs: Mapping[str, AnyArray], job: Job) -> dict[str, AnyArray]:
    """Return the inputs without the times of signals: what is measured alone."""
    return {n: v[:, 1:] if v.ndim == 3 and timed(job, n) else without_site(v, job, n) for n, v in inputs.items()}


def fit_limits(inputs: Mapping[str, AnyArray], chosen: IntArray, job: Job) -> dict[str, AnyArray]:
    """Return the limits of each signal's channels, ``limits/<input>`` ``2 c`` float32.

    Raises
    ------
    PlanError
        If an input is an image.
    """
    found: dict[str, AnyArray] = {}
    for name, values in inputs.items():
        if values.ndim not in (2, 3):
            raise PlanError(
                f"The input {name!r} is an image.",
                expected="signals and rows, for a learner that looks at a table",
                next_step="choose another learner",
            )
        if values.ndim == 3:
            limits = np.full((2, values.shape[1]), np.inf, dtype=np.float32)
            limits[0] = -np.inf
            for channel in range(int(timed(job, name)), values.shape[1]):
                seen = np.asarray(values[chosen, channel], dtype=np.float32)
                seen = seen[np.isfinite(seen)]
                if len(seen):
                    limits[:, channel] = np.quantile(seen, TAILS)
            found[f"limits/{name}"] = limits
    return found


def table(inputs: Mapping[str, AnyArray], limits: Mapping[str, AnyArray], job: Job) -> Float64Array:
    """Return the numbers of prepared samples.

    Parameters
    ----------
    inputs : mapping of str to numpy.ndarray
        Signals ``n c t`` and rows ``n c``.
    limits : mapping of str to numpy.ndarray
        From `fit_limits`.
    job : Job

    Returns
    -------
    numpy.ndarray
        ``n f`` float64, NaN missing: the summaries of each signal, the values of each row, in the order of inputs.
    """
    found = []
    for name, given in inputs.items():
        values = without_site(given, job, name)
        if values.ndim == 2:
            found.append(np.where(np.isfinite(values), values, np.nan).astype(np.float64))
            continue
        low, high = np.asarray(limits[f"limits/{name}"], dtype=np.float32)[:, None, :, None]
        parts = []
        for at in range(0, len(values), ROWS_AT_A_TIME):
            part = values[at : at + ROWS_AT_A_TIME].astype(np.float32)
            part = np.clip(np.where(np.isfinite(part), part, np.float32(np.nan)), low, high)
            parts.append(summaries(part, times=timed(job, name)))
        found.append(np.concatenate(parts))
    return np.concatenate(found, axis=1)

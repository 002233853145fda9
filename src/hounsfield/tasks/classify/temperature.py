"""One temperature, careful where it is fitted on little."""

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.science.statistics.calibration import fit_temperature

PRIOR_SAMPLES = 20
"""How many samples a belief in temperature 1 counts for."""


def careful_temperature(outputs: Float64Array, truth: AnyArray) -> float:
    """Fit a temperature and draw it towards 1 as if `PRIOR_SAMPLES` more samples had said so.

    Parameters
    ----------
    outputs : numpy.ndarray
        Raw outputs, as `hounsfield.science.statistics.calibration.fit_temperature` takes them.
    truth : numpy.ndarray
        Encoded answers.

    Returns
    -------
    float
        ``exp(log(T) n / (n + PRIOR_SAMPLES))`` with n labelled samples.

    Notes
    -----
    A handful of validation samples that happen to be told apart perfectly has its best temperature at the lower bound,
    which would turn every later doubt into certainty.
    """
    answers = np.asarray(truth, dtype=np.float64)
    known = answers >= 0
    count = int(known.any(axis=1).sum() if known.ndim == 2 else known.sum())
    share = count / (count + PRIOR_SAMPLES)
    return float(np.exp(np.log(fit_temperature(outputs, truth)) * share))

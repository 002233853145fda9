"""Photon noise of a CT measurement at a given dose."""

import numpy as np
import numpy.typing as npt

from hounsfield.core.errors import InputError

_LEAST_COUNT = 0.5


def measure_at_dose(
    line_integrals: npt.NDArray[np.floating],
    photons: float,
    *,
    rng: np.random.Generator,
    electronic_sd: float = 0.0,
) -> npt.NDArray[np.float32]:
    """Draw what a detector would measure of noise-free line integrals.

    Parameters
    ----------
    line_integrals : ndarray, any shape
        Attenuation times length, without unit, at least 0.
    photons : float
        Photons that enter towards each detector bin and view; the dose is proportional to it. Over 0.
    rng : numpy.random.Generator
        Source of the noise.
    electronic_sd : float, default 0
        Standard deviation of the detector's own noise, in photons.

    Returns
    -------
    ndarray of float32, same shape
        Noisy line integrals. Bins with no count left are read as half a photon (photon starvation).

    Raises
    ------
    InputError
        If `photons` is not over 0 or `electronic_sd` is under 0.

    Notes
    -----
    Beer-Lambert: the expected count is ``photons * exp(-p)``; counts are Poisson; the logarithm undoes the exponent.
    For large counts the result has mean p and variance ``exp(p) / photons``.

    References
    ----------
    Kak and Slaney, Principles of Computerized Tomographic Imaging, 1988, section 4.1 and 5.2.
    """
    if not photons > 0 or electronic_sd < 0:
        raise InputError(
            f"A dose of {photons} photons with electronic noise {electronic_sd}.",
            expected="photons > 0 and electronic_sd >= 0",
            next_step="give about 1e5 photons per bin for a chest slice",
        )
    counts = rng.poisson(photons * np.exp(-line_integrals.astype(np.float64))).astype(np.float64)
    if electronic_sd > 0:
        counts += rng.normal(0.0, electronic_sd, size=counts.shape)
    return -np.log(np.maximum(counts, _LEAST_COUNT) / photons).astype(np.float32)

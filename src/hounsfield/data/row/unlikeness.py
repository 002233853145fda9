"""How a beat differs from the usual one of its record, and by how much beats of the record do so as a rule."""

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.data.row.beat_windows import BEFORE_S

COMPLEX_S = (-0.1, 0.15)
"""Where the QRS complex lies about its mark."""
STRETCHES_S = ((-0.2, -0.07), (-0.07, 0.01), (0.01, 0.08), (0.08, 0.2), (0.2, 0.45))
"""P wave, first and second half of the QRS complex, ST segment, T wave, about."""
STRETCH_NAMES = ("p", "q", "s", "st", "t")
UNLIKE = 0.02
"""What is added to one less a correlation before its logarithm."""


def form_rows(windows: Float64Array, usual: Float64Array, rate_hz: float) -> Float64Array:
    """Return how beats differ from the usual one.

    Parameters
    ----------
    windows : numpy.ndarray
        ``n t`` float64, `BEFORE_S` before to `AFTER_S` after each beat, each less its baseline.
    usual : numpy.ndarray
        ``t``, the usual beat.
    rate_hz : float

    Returns
    -------
    numpy.ndarray
        ``n 12`` float64: log(1.02 - r) with r the correlation of the QRS complexes; the logarithm of the ratio of their
        sizes (root mean square about their means); then for each of `STRETCHES_S` log(0.05 + root mean square of the
        difference), and the mean difference, both in units of the usual beat's root mean square. NaN where the rate
        leaves a stretch without a sample.
    """
    at = (np.arange(len(usual)) - round(BEFORE_S * rate_hz)) / rate_hz
    unit = max(float(np.sqrt(np.mean(usual**2))), 1e-9)
    within = (at >= COMPLEX_S[0]) & (at < COMPLEX_S[1])
    own = windows[:, within] - windows[:, within].mean(axis=1, keepdims=True)
    theirs = usual[within] - usual[within].mean()
    sizes = np.linalg.norm(own, axis=1), float(np.linalg.norm(theirs))
    floor = 1e-2 * unit
    columns = [
        np.log(1.0 + UNLIKE - np.minimum(own @ theirs / (sizes[0] * sizes[1] + floor**2), 1.0)),
        np.log((sizes[0] + floor) / (sizes[1] + floor)),
    ]
    apart = (windows - usual) / unit
    stretches = [apart[:, (at >= first) & (at < last)] for first, last in STRETCHES_S]
    empty = np.full(len(windows), np.nan)
    columns += [np.log(0.05 + np.sqrt(np.mean(s**2, axis=1))) if s.shape[1] else empty for s in stretches]
    columns += [s.mean(axis=1) if s.shape[1] else empty for s in stretches]
    return np.column_stack(columns)


def usual_difference(windows: Float64Array, usual: Float64Array, rate_hz: float) -> tuple[Float64Array, Float64Array]:
    """Return by how much beats of a record differ from its usual one as a rule.

    Parameters
    ----------
    windows, usual, rate_hz
        As `form_rows` takes them.

    Returns
    -------
    middle : numpy.ndarray
        ``12`` float64: medians of the columns of `form_rows`.
    spread : numpy.ndarray
        ``12`` float64, positive: the lesser of the distances from the median to the 16th and the 84th percentile, plus
        0.3 for the logarithms of what is never negative (unlikeness, distances), plus 0.1 for what goes either way.

    Notes
    -----
    What noise, breathing and a changing axis add to every beat of a record is no sign of an odd beat. Odd beats, even
    if they are a third, stretch one side only: hence the lesser distance. MIT-BIH DS1 in four parts by record, one
    network on rows alone, mean of three seeds: accuracy .950, mean sensitivity .696, jk .743; less the medians and not
    over the spreads .941, .692, .734.
    """
    low, middle, high = np.percentile(form_rows(windows, usual, rate_hz), (16, 50, 84), axis=0)
    floor = np.full(len(middle), 0.1)
    floor[[0, *range(2, 2 + len(STRETCHES_S))]] = 0.3
    return middle, floor + np.minimum(middle - low, high - middle)

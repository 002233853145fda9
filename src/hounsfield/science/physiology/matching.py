"""Whether found beats are the annotated ones, as ANSI/AAMI EC57 counts them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array

TOLERANCE_S = 0.15
"""EC57: a beat is found if a detection lies within 150 ms of it."""
BEAT_SYMBOLS = frozenset("NLRBAaJSVrFejnE/fQ?")
"""Annotations that stand for a QRS complex (WFDB's ``isqrs``); ``!`` is a flutter wave and none."""


@dataclass(frozen=True)
class BeatMatch:
    """How found beats and annotated ones agree.

    Parameters
    ----------
    true_positives, false_negatives, false_positives : int
        Beats found, beats missed, detections without a beat.
    """

    true_positives: int
    false_negatives: int
    false_positives: int

    @property
    def sensitivity(self) -> float:
        """Share of the annotated beats that were found; NaN without any."""
        return _share(self.true_positives, self.false_negatives)

    @property
    def positive_predictivity(self) -> float:
        """Share of the detections that are beats; NaN without any."""
        return _share(self.true_positives, self.false_positives)

    def __add__(self, other: "BeatMatch") -> "BeatMatch":
        """Return the counts of both records together (gross figures, as EC57 calls them)."""
        return BeatMatch(
            self.true_positives + other.true_positives,
            self.false_negatives + other.false_negatives,
            self.false_positives + other.false_positives,
        )


def _share(part: int, rest: int) -> float:
    return part / (part + rest) if part + rest else float("nan")


def match_beats(
    reference: AnyArray, found: AnyArray, rate_hz: float, *, excluded: Sequence[tuple[float, float]] = ()
) -> BeatMatch:
    """Count beats that were found, missed and invented.

    Parameters
    ----------
    reference, found : numpy.ndarray
        Sample numbers of annotated and detected beats.
    rate_hz : float
    excluded : sequence of (start, stop)
        Sample numbers between which neither counts, such as ventricular flutter.

    Returns
    -------
    BeatMatch

    Notes
    -----
    One to one: each beat takes at most one detection and each detection at most one beat, in order of time, so that
    as many as possible are matched. A second detection within 150 ms is a false one.

    References
    ----------
    ANSI/AAMI EC57:2012, 4.3.
    """
    a = _outside(np.sort(np.asarray(reference, np.float64)), excluded)
    b = _outside(np.sort(np.asarray(found, np.float64)), excluded)
    reach = TOLERANCE_S * rate_hz
    i = j = matched = 0
    while i < len(a) and j < len(b):
        apart = b[j] - a[i]
        if abs(apart) <= reach:
            matched += 1
            i += 1
            j += 1
        elif apart < 0:
            j += 1
        else:
            i += 1
    return BeatMatch(matched, len(a) - matched, len(b) - matched)


def _outside(at: Float64Array, excluded: Sequence[tuple[float, float]]) -> Float64Array:
    inside = np.zeros(len(at), bool)
    for start, stop in excluded:
        inside |= (at >= start) & (at <= stop)
    return at[~inside]

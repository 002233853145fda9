"""What readers of a beat's variables have in common: they know all beats of a record, and are asked for some."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.row import Row, RowColumn
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.data.signal.windows import damaged


class OfBeats(ABC):
    """Reads variables of beat ``anchor`` (a sample number) of the record that a ref's path names."""

    columns: ClassVar[tuple[RowColumn, ...]]

    @abstractmethod
    def beats(self, cohort: Cohort, ref: Ref) -> tuple[IntArray, Float64Array]:
        """Return all beats of the record, ``m`` int64 rising, and the variables of each, ``m c`` float64."""

    def read(self, cohort: Cohort, ref: Ref) -> Row:
        """Return the row of one beat; ReadError where the ref names none."""
        parts = dict(ref.part)
        try:
            anchor = int(parts["anchor"])
        except (KeyError, ValueError):
            raise damaged(ref, "the ref does not say which beat.", "a part anchor=...", "correct the cohort") from None
        return Row(tuple(c.name for c in self.columns), self.rows(cohort, ref, np.array([anchor], np.int64))[0])

    def rows(self, cohort: Cohort, ref: Ref, anchors: IntArray) -> Float64Array:
        """Return the same for many beats of one record, as `AnchoredRowReader` says."""
        return of_beats(*self.beats(cohort, ref), anchors, ref)

    def around(self, cohort: Cohort, ref: Ref, anchors: IntArray, beats: int) -> Float64Array:
        """Return the rows around anchors; beyond the ends of the record the first and the last beat stand."""
        places, values = self.beats(cohort, ref)
        at = beats_at(places, anchors, ref)[:, None] + np.arange(-beats, beats + 1)
        found: Float64Array = values[np.clip(at, 0, len(places) - 1)]
        return found


def of_beats(beats: IntArray, values: Float64Array, anchors: IntArray, ref: Ref) -> Float64Array:
    """Return the values at anchors out of those at all beats, ``n c``, a copy.

    Parameters
    ----------
    beats : numpy.ndarray
        ``m``, int64, rising.
    values : numpy.ndarray
        ``m c``, float64.
    anchors : numpy.ndarray
        ``n``, int64.
    ref : Ref

    Raises
    ------
    ReadError
        If there is no beat at an anchor.
    """
    return values[beats_at(beats, anchors, ref)]


def beats_at(beats: IntArray, anchors: IntArray, ref: Ref) -> IntArray:
    """Return which beats lie at anchors, ``n`` int64.

    Parameters
    ----------
    beats : numpy.ndarray
        ``m``, int64, rising.
    anchors : numpy.ndarray
        ``n``, int64.
    ref : Ref

    Raises
    ------
    ReadError
        If there is no beat at an anchor.
    """
    at = np.searchsorted(beats, anchors)
    there = at < len(beats)
    there[there] = beats[at[there]] == anchors[there]
    if not there.all():
        missing = int(anchors[~there][0])
        raise damaged(ref, f"there is no beat at sample {missing}.", "the sample of a beat", "correct the cohort")
    return at

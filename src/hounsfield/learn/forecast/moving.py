"""What moved a forecast: the same series with a variable, or a stretch of one, hidden."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array
from hounsfield.learn.forecast.forecaster import Forecaster
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.hiding import Stretch, spans, whole, without

COUNTS = 0.1
"""A move counts from this share of half the forecast's outermost interval on: less is lost in its own doubt."""
CLOSELY = 6
"""Other variables of which stretches are hidden one by one: those that move the forecast most as a whole."""
TOGETHER = 64
"""Series that are asked at once."""


@dataclass(frozen=True)
class Move:
    """What is said with something hidden.

    Parameters
    ----------
    hidden : Stretch
    quantiles : numpy.ndarray
        ``k q`` without it, in the target's unit.
    """

    hidden: Stretch
    quantiles: Float64Array


@dataclass(frozen=True)
class Moves:
    """A forecast and what moved it.

    Parameters
    ----------
    quantiles : numpy.ndarray
        ``k q``: what is said of the series as it is, from its last step on.
    wholes : tuple of Move
        Each variable that was measured; of the forecast one everything before the present reading.
    stretches : tuple of Move
        Of the forecast variable and of those that moved it most, newest first.
    together : numpy.ndarray
        ``k``: the median without all stretches that count for a question at once; NaN where none does.
    middle : int
        Place of the median among the quantiles.
    """

    quantiles: Float64Array
    wholes: tuple[Move, ...]
    stretches: tuple[Move, ...]
    together: Float64Array
    middle: int

    def moved(self, move: Move) -> Float64Array:
        """Return by how much the median is higher because of what `move` hides, ``k``."""
        found: Float64Array = self.quantiles[:, self.middle] - move.quantiles[:, self.middle]
        return found

    def counts(self, move: Move) -> BoolArray:
        """Return for which questions that is more than the forecast's own doubt, ``k``."""
        found: BoolArray = np.abs(self.moved(move)) >= least(self.quantiles)
        return found


def least(quantiles: Float64Array) -> Float64Array:
    """Return the smallest move that counts for each question, ``k``, from quantiles ``k q``."""
    found: Float64Array = COUNTS * 0.5 * (quantiles[:, -1] - quantiles[:, 0])
    return found


def moves(forecaster: Forecaster, course: Course) -> Moves:
    """Return what moves the forecast at the end of a series.

    Parameters
    ----------
    forecaster : Forecaster
    course : Course
        Clean; its last step is a reading of the target.

    Notes
    -----
    This is occlusion along time (Zeiler MD, Fergus R. ECCV 2014:818-833), with replacements that a series could have
    (`hounsfield.science.forecasting.hiding.without`). The forecaster itself is asked again each time, line, network and
    trees together: nothing is estimated. Moves do not add up where stretches say the same; `Moves.together` tells.
    """
    spec = forecaster.spec
    usual = spec.scaling.middle[spec.target]
    rows = [row for row in range(len(spec.variables)) if len(course.readings(row))]

    def said(chosen: Iterable[Sequence[Stretch]]) -> list[Float64Array]:
        hidden = (without(course, spec.target, one, usual=usual) for one in chosen)
        return last_said(forecaster, hidden)

    (own,) = last_said(forecaster, [course])
    whole_ones = [one for one in (whole(course, row, spec.target) for row in rows) if one.readings(course)]
    wholes = [Move(h, q) for h, q in zip(whole_ones, said([[h] for h in whole_ones]), strict=True)]
    strength = {m.hidden.row: _strength(own, m.quantiles, spec.middle) for m in wholes}
    others = sorted((r for r in strength if r != spec.target), key=lambda r: (-strength[r], r))
    close = [spec.target, *(r for r in others[:CLOSELY] if strength[r] > 0)]
    parts = [Stretch(row, start, stop) for row in close for start, stop in spans(course, spec.target)]
    parts = [one for one in parts if one.readings(course)]
    stretches = [Move(h, q) for h, q in zip(parts, said([[h] for h in parts]), strict=True)]
    found = Moves(own, tuple(wholes), tuple(stretches), np.full(len(own), np.nan), spec.middle)
    sets = [[m.hidden for m in stretches if found.counts(m)[k]] for k in range(len(own))]
    asked = [k for k, chosen in enumerate(sets) if chosen]
    together = found.together.copy()
    for k, quantiles in zip(asked, said([sets[k] for k in asked]), strict=True):
        together[k] = quantiles[k, spec.middle]
    return Moves(own, found.wholes, found.stretches, together, spec.middle)


def last_said(forecaster: Forecaster, courses: Iterable[Course]) -> list[Float64Array]:
    """Return what is said at the last step of each course, ``k q``, of a few at a time."""
    found: list[Float64Array] = []
    batch: list[Course] = []
    for course in courses:
        batch.append(course)
        if len(batch) == TOGETHER:
            found += [one[-1] for one in forecaster.of_clean(batch)]
            batch = []
    return found + [one[-1] for one in forecaster.of_clean(batch)] if batch else found


def _strength(own: Float64Array, other: Float64Array, middle: int) -> float:
    return float((np.abs(own[:, middle] - other[:, middle]) / np.maximum(least(own), 1e-12)).max())

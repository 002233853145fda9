"""Levels with an order: grades, stages, scores."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.fingerprint import TargetFacts
from hounsfield.core.prediction import TargetPrediction
from hounsfield.core.protocols import Decoding
from hounsfield.core.types import AnyArray, Float64Array, TargetValue
from hounsfield.science.statistics.calibration import Link, apply_temperature
from hounsfield.science.statistics.figures_of_values import median_level
from hounsfield.tasks.classify.temperature import careful_temperature


class Ordinal:
    """Cumulative log-odds that fall from level to level: a score first, then the gaps between thresholds.

    References
    ----------
    Cao, Mirjalili, Raschka, "Rank consistent ordinal regression for neural networks" (CORAL),
    Pattern Recognition Letters 140, 2020.
    """

    name = "ordinal"
    loss = "ordinal"

    def width(self, target: TargetSpec) -> int:
        """Return the number of levels less one."""
        return max(len(target.classes) - 1, 1)

    def encode(self, target: TargetSpec, values: Sequence[TargetValue]) -> AnyArray:
        """Return level indices, ``n`` int64, -1 where missing."""
        index = {name: i for i, name in enumerate(target.classes)}
        return np.array([index.get(str(v), -1) if v is not None else -1 for v in values], dtype=np.int64)

    def start(self, target: TargetSpec, facts: TargetFacts) -> Decoding:
        """Return temperature 1."""
        del target, facts
        return Decoding()

    def calibrate(self, target: TargetSpec, outputs: Float64Array, truth: AnyArray, decoding: Decoding) -> Decoding:
        """Fit the temperature on validation outputs."""
        levels = np.arange(self.width(target))
        known = np.asarray(truth, dtype=np.int64)[:, None]
        above = np.where(known < 0, np.nan, (known > levels[None, :]).astype(np.float64))
        return decoding.model_copy(update={"temperature": careful_temperature(cumulative(outputs), above)})

    def decode(self, target: TargetSpec, outputs: Float64Array, decoding: Decoding) -> Float64Array:
        """Return level probabilities, ``n k``: differences of the cumulative ones, which never rise."""
        del target
        above = apply_temperature(cumulative(outputs), decoding.temperature, link=Link.SIGMOID)
        ends = np.hstack([np.ones((len(above), 1)), above, np.zeros((len(above), 1))])
        shares: Float64Array = ends[:, :-1] - ends[:, 1:]
        return shares

    def say(self, target: TargetSpec, row: Float64Array, decoding: Decoding) -> TargetPrediction:
        """Return the median level, which loses least when the loss grows with the distance."""
        del decoding
        return TargetPrediction(
            value=target.classes[int(median_level(row[None])[0])],
            probabilities={n: float(p) for n, p in zip(target.classes, row, strict=True)},
        )


def cumulative(outputs: Float64Array) -> Float64Array:
    """Return the log-odds that the level is above j, ``n k-1``, from score and raw gaps, ``n k-1``.

    Notes
    -----
    ``a_0 = s``, ``a_j = a_(j-1) - softplus(r_j)``: the loss in `hounsfield.learn.losses.ordinal` reads a head alike.
    """
    gaps = np.logaddexp(0.0, outputs[:, 1:])
    return np.hstack([outputs[:, :1], outputs[:, :1] - np.cumsum(gaps, axis=1)])


ORDINAL = Ordinal()

"""Whether a map is better than maps that know nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import Float64Array

LEVEL = 0.05
"""A map is shown where random ones do as well less often than this."""
RANDOM = 24
"""Random maps for each coarseness; the smallest p is 1 / (RANDOM + 1) = .04."""


@dataclass(frozen=True)
class Curves:
    """Answers while an image is hidden and while it is uncovered.

    Parameters
    ----------
    deletion, insertion : numpy.ndarray
        ``s + 1`` answers at equal steps from none to all places, highest values of the map first.
    """

    deletion: Float64Array
    insertion: Float64Array

    @property
    def faithfulness(self) -> float:
        """Area under insertion less area under deletion: the larger, the better the map knows what matters."""
        return area(self.insertion) - area(self.deletion)


@dataclass(frozen=True)
class Verdict:
    """A map beside random ones.

    Parameters
    ----------
    deletion, insertion, faithfulness : float
        Areas, and their difference.
    random_mean, random_std : float
        Of the random maps' faithfulness.
    z : float or None
        Distance from their mean in their deviations; None where they do not differ.
    p : float
        One-sided: ``(1 + random maps at least as faithful) / (1 + random maps)``.
    centre : float
        Faithfulness of a blob in the middle.
    """

    deletion: float
    insertion: float
    faithfulness: float
    random_mean: float
    random_std: float
    z: float | None
    p: float
    centre: float

    @property
    def better_than_random(self) -> bool:
        """Whether chance explains the map badly enough."""
        return self.p < LEVEL


def area(curve: Float64Array) -> float:
    """Return the area under a curve on [0, 1] by the trapezoid rule."""
    inner = float(curve[1:-1].sum()) + 0.5 * float(curve[0] + curve[-1])
    return inner / (len(curve) - 1)


def compare(own: Curves, random: Sequence[Curves], *, centre: Curves) -> Verdict:
    """Set a map beside random ones of its coarseness.

    Parameters
    ----------
    own : Curves
    random : sequence of Curves
        Of at least 20 random maps, or p can never fall below `LEVEL`.
    centre : Curves
        Of a blob in the middle.

    References
    ----------
    Petsiuk, Das, Saenko, "RISE", BMVC 2018 (deletion, insertion). Phipson, Smyth, "Permutation p-values should never be
    zero", 2010.
    """
    others = np.array([c.faithfulness for c in random])
    value, spread = own.faithfulness, float(others.std(ddof=1))
    return Verdict(
        deletion=area(own.deletion),
        insertion=area(own.insertion),
        faithfulness=value,
        random_mean=float(others.mean()),
        random_std=spread,
        z=(value - float(others.mean())) / spread if spread > 0 else None,
        p=chance(value, others),
        centre=centre.faithfulness,
    )


def chance(value: float, others: Float64Array) -> float:
    """Return how often something that knows nothing does as well: a one-sided Monte Carlo p-value."""
    return float((1 + np.sum(others >= value)) / (1 + len(others)))

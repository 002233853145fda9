"""Each case's own threshold: the one whose mask has the highest Dice to be expected of its probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from hounsfield.core.types import AnyArray, BoolArray, Float64Array

EDGES = np.round(np.arange(-12.0, 12.05, 0.1), 1)
"""Log-odds between which voxels are counted; beyond them they are as sure as can be."""
TEMPERATURES = (0.7, 1.0, 1.25, 1.5, 2.0, 3.0)
"""By which log-odds are divided before they are believed; above 1 where the network is too sure of itself."""
GATES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6)
"""Expected Dice below which nothing is marked at all."""
FEWEST = 20
"""Cases with the structure from which it is fitted."""
LEAST_GAIN = 0.005
"""Mean Dice by which it must be better than one threshold for all cases."""
PRICE = 0.02
"""Dice that may be paid at most for marking nothing where nothing is."""
AT_ONCE = 1 << 20
"""Voxels that are counted at once."""


class OwnThreshold(BaseModel):
    """How each case's threshold is found from its own probabilities.

    Attributes
    ----------
    temperature : float
        Log-odds are divided by it before an expected Dice is made of them.
    gate : float
        Expected Dice below which nothing is marked.
    dice : float
        Mean Dice over the cases with the structure that it was fitted to.
    false_positives : float or None
        Share of the cases without it in which something was marked; None where there were none.
    cases : int
        With the structure.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    temperature: float = Field(gt=0)
    gate: float = Field(ge=0, le=1)
    dice: float
    false_positives: float | None = None
    cases: int

    def of(self, probability: AnyArray) -> float:
        """Return the threshold of one case, 0 to 1; above 1 where nothing is to be marked.

        Parameters
        ----------
        probability : numpy.ndarray
            ``y x`` or ``z y x``, 0 to 1.
        """
        place, expected = _best(_counts(probability), self.temperature)
        return _threshold(place) if expected >= self.gate else NOTHING


NOTHING = 2.0
"""A threshold that no probability reaches."""


@dataclass(frozen=True)
class Counted:
    """One case as voxels by log-odds.

    Parameters
    ----------
    every : numpy.ndarray
        ``n``, of the whole map: what the threshold is found from.
    inside, outside : numpy.ndarray
        ``n``, of the region that counts: in the true mask, and not.
    """

    every: Float64Array = field(repr=False)
    inside: Float64Array = field(repr=False)
    outside: Float64Array = field(repr=False)


def counted_case(probability: AnyArray, truth: BoolArray, region: BoolArray | None = None) -> Counted:
    """Count the voxels of one judged case.

    Parameters
    ----------
    probability : numpy.ndarray
        ``y x`` or ``z y x``, 0 to 1.
    truth : numpy.ndarray
        Bool, of the same shape.
    region : numpy.ndarray or None
        Bool, of the same shape: where it counts.
    """
    every = _counts(probability)
    use = truth if region is None else truth & region
    inside = _counts(probability, use)
    rest = every if region is None else _counts(probability, region)
    return Counted(every, inside, rest - inside)


def fit_own_threshold(cases: Sequence[Counted], *, fixed: float) -> OwnThreshold | None:
    """Fit temperature and gate to judged cases.

    Parameters
    ----------
    cases : sequence of Counted
        With the structure and without it.
    fixed : float
        Mean Dice, over the cases with the structure, that one threshold for all of them reaches.

    Returns
    -------
    OwnThreshold or None
        None where fewer than `FEWEST` cases have the structure, or where it is not better than `fixed` by
        `LEAST_GAIN`.

    Notes
    -----
    Of all masks that are cut from probabilities p, the one of the k voxels with the highest has the Dice
    ``2 sum_k p / (k + sum p)`` to be expected (Dai B, Li C. RankSEG: a consistent ranking-based framework for
    segmentation. J Mach Learn Res 2023;24:1-50, by the ratio of means). Its threshold is half of that Dice (Lipton ZC,
    Elkan C, Naryanaswamy B. Optimal thresholding of classifiers to maximize F1 measure. ECML PKDD 2014): an image that
    leaves doubt is cut lower than one that does not. Such a mask is never empty, therefore the gate: among
    temperatures and gates within `PRICE` of the best mean Dice those with the fewest marks where nothing is are taken,
    and of these the ones with the highest Dice.
    """
    holding = [c for c in cases if c.inside.sum()]
    empty = [c for c in cases if not c.inside.sum()]
    if len(holding) < FEWEST:
        return None
    tried: list[tuple[float, float, float, float]] = []
    for temperature in TEMPERATURES:
        found = [_best(c.every, temperature) for c in holding]
        dice = np.array([_dice(c, place) for c, (place, _) in zip(holding, found, strict=True)])
        sure = np.array([expected for _, expected in found])
        false = np.array([_best(c.every, temperature)[1] for c in empty])
        for gate in GATES:
            wrong = float((false >= gate).mean()) if empty else 0.0
            tried.append((wrong, -float(np.where(sure >= gate, dice, 0.0).mean()), temperature, gate))
    best = max(-t[1] for t in tried)
    if best < fixed + LEAST_GAIN:
        return None
    price = PRICE if empty else 0.0
    wrong, negative, temperature, gate = min(t for t in tried if -t[1] >= best - price)
    return OwnThreshold(
        temperature=temperature,
        gate=gate,
        dice=round(-negative, 6),
        false_positives=round(wrong, 6) if empty else None,
        cases=len(holding),
    )


def _counts(probability: AnyArray, where: BoolArray | None = None) -> Float64Array:
    made = np.zeros(len(EDGES) + 1)
    thick = max(1, AT_ONCE // max(1, int(np.prod(probability.shape[1:]))))
    for first in range(0, probability.shape[0], thick):
        part = np.asarray(probability[first : first + thick], dtype=np.float32)
        if where is not None:
            part = part[where[first : first + thick]]
        made += np.bincount(np.digitize(part.ravel(), _LIMITS), minlength=len(made))
    return made


_LIMITS = (1.0 / (1.0 + np.exp(-EDGES))).astype(np.float32)
_MIDDLES = np.concatenate([[EDGES[0]], (EDGES[1:] + EDGES[:-1]) / 2, [EDGES[-1]]])


def _best(every: Float64Array, temperature: float) -> tuple[int, float]:
    """Return from which place on voxels are marked, and the Dice to be expected of it."""
    believed = 1.0 / (1.0 + np.exp(-_MIDDLES / temperature))
    mass = np.cumsum((every * believed)[::-1])[::-1]
    size = np.cumsum(every[::-1])[::-1]
    expected = 2.0 * mass / (size + mass[0])
    place = int(np.argmax(np.where(size > 0, expected, -1.0)))
    return place, float(expected[place])


def _threshold(place: int) -> float:
    return float(_LIMITS[place - 1]) if place else 0.0


def _dice(case: Counted, place: int) -> float:
    right = case.inside[place:].sum()
    return float(2.0 * right / (right + case.outside[place:].sum() + case.inside.sum()))

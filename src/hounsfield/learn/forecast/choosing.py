"""Which of network and trees is followed, and by how much quantiles are moved, on held-out series."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.learn.forecast.forecaster import Forecaster, mixed, placed, raw_quantiles
from hounsfield.learn.forecast.preparing import clean, expected, prepare
from hounsfield.learn.forecast.trees import grown_at
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.outcomes import truths
from hounsfield.science.statistics.quantiles import pinball, shifted, shifts

SHARES = {"network": 0.0, "network and trees": 0.5, "trees": 1.0}
"""How far the trees are followed; no others, since held-out series that choose also calibrate."""
LINE = "line"


@dataclass(frozen=True)
class Tried:
    """One way to answer, on the series to calibrate with.

    Parameters
    ----------
    name : str
    mae, pinball : tuple of float
        k: mean absolute error of the median, mean pinball loss after calibration; in the target's unit.
    chosen : tuple of bool
        k: whether a question is answered so.
    """

    name: str
    mae: tuple[float, ...]
    pinball: tuple[float, ...]
    chosen: tuple[bool, ...]


def calibrated(fresh: Forecaster, courses: Sequence[Course]) -> tuple[Forecaster, tuple[Tried, ...]]:
    """Return the forecaster with the share of its trees and the shifts of its quantiles.

    Parameters
    ----------
    fresh : Forecaster
        Without both.
    courses : sequence of Course
        Of patients that nothing was fitted to.

    Returns
    -------
    forecaster : Forecaster
        Each question is answered in the one of `SHARES` with the smallest pinball loss.
    tried : tuple of Tried
        The line alone, and each share.

    Raises
    ------
    InputError
        If a question has too few known answers in the courses.
    """
    spec, asked = fresh.spec, range(len(fresh.spec.asked))
    cleaned = [clean(course, spec) for course in courses]
    raw = raw_quantiles(fresh.network(), prepare(cleaned, spec))
    offsets = np.concatenate([r[: len(c.times_h)] for r, c in zip(raw, cleaned, strict=True)]).astype(np.float64)
    line = np.concatenate([expected(c, spec) for c in cleaned])
    truth = np.concatenate([truths(c, spec.target, spec.asked) for c in cleaned])
    ways = {LINE: np.broadcast_to(np.array(spec.start), offsets.shape), "network": offsets}
    if fresh.trees:
        grown = np.concatenate([grown_at(fresh.trees, c, spec) for c in cleaned])
        for name, part in SHARES.items():
            ways[name] = mixed(offsets, grown, replace(fresh, share=(part,) * len(spec.asked)))
    moved: dict[str, Float64Array] = {}
    losses: dict[str, list[float]] = {}
    errors: dict[str, list[float]] = {}
    for name, one in ways.items():
        said = placed(np.asarray(one), line, spec)
        moved[name] = np.stack([shifts(truth[:, k], said[:, k], spec.levels) for k in asked])
        final = shifted(said, moved[name])
        losses[name] = [float(np.nanmean(pinball(truth[:, k], final[:, k], spec.levels))) for k in asked]
        errors[name] = [float(np.nanmean(np.abs(truth[:, k] - final[:, k, spec.middle]))) for k in asked]
    mixes = [name for name in ways if name != LINE]
    best = [mixes[int(np.argmin([losses[name][k] for name in mixes]))] for k in asked]
    told = tuple(Tried(name, tuple(errors[name]), tuple(losses[name]), tuple(b == name for b in best)) for name in ways)
    share = tuple(SHARES[name] for name in best) if fresh.trees else ()
    return replace(fresh, shifts=np.stack([moved[b][k] for k, b in enumerate(best)]), share=share), told

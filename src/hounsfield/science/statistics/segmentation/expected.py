"""The Dice to be expected of a mask, from what the probabilities it was cut from say; learned on judged cases."""

from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.core.types import AnyArray, BoolArray, Float32Array, Float64Array
from hounsfield.geometry.components import label, sizes

FEATURES = (
    "soft_dice",
    "certainty",
    "peak",
    "log_size",
    "log_size_squared",
    "edge_doubt",
    "elsewhere",
    "steadiness",
    "pieces",
    "largest",
    "roughness",
)
"""What the estimate is made of, in this order; see `quality_features`."""
AT_ONCE = 1 << 20
"""Voxels that are worked on at once."""
LEAST = 10
"""Cases with a mark from which an estimate is fitted."""
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Of the ridge regression; the one with the least leave-one-out error is taken."""
USUAL_LOG_SIZE = -3.0
"""Logarithm of the share of the image that the square of the size is taken about: 5%."""


class Quality(BaseModel):
    """A linear estimate of the Dice of a mask from `quality_features`.

    Attributes
    ----------
    mean, scale, weights : list of float
        The features are centred, scaled, weighted and summed.
    bias : float
    low, high : float
        Estimates are cut to what was seen.
    penalty : float
        Of the ridge regression that was chosen.
    error : float
        Root mean square of its leave-one-out errors.
    cases : int
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    mean: list[float]
    scale: list[float]
    weights: list[float]
    bias: float
    low: float = 0.0
    high: float = 1.0
    penalty: float = 1.0
    error: float = 0.0
    cases: int = 0

    def of(self, features: Float64Array) -> float:
        """Return the Dice to be expected, 0 to 1."""
        scaled = (features - np.array(self.mean)) / np.array(self.scale)
        return float(np.clip(scaled @ np.array(self.weights) + self.bias, self.low, self.high))


def quality_features(probability: AnyArray, marked: BoolArray, *, threshold: float = 0.5) -> Float64Array:
    """Return what a probability map says of how good a mask is.

    Parameters
    ----------
    probability : numpy.ndarray
        ``y x`` or ``z y x``, 0 to 1, of one structure.
    marked : numpy.ndarray
        Bool, of the same shape, with something marked.
    threshold : float
        From which pixels were marked.

    Returns
    -------
    numpy.ndarray
        `FEATURES`, float64. ``soft_dice``: the Dice to be expected if the probabilities were right,
        ``2 sum_m p / (sum p + sum m)``. ``certainty``: mean probability of what is marked; ``peak``: its 95th
        percentile. ``log_size``: logarithm of the marked share of the image, and its square about `USUAL_LOG_SIZE`, for
        the smallest and the largest marks are the worst. ``edge_doubt``: logarithm of the doubt ``sum 4 p (1 - p)``
        over the square root (in volumes the power 2/3) of the size. ``elsewhere``: share of probability outside.
        ``steadiness``: what would be marked halfway from the threshold to 1 over what would be halfway to 0: near 1
        where edges are sharp. ``pieces``: logarithm of their number; ``largest``: the share of the largest one.
        ``roughness``: logarithm of the marked voxels at the rim over that power of the size.

    Notes
    -----
    Sums are taken slab by slab along the first axis, pieces and rim in the box around what is marked: in between,
    memory grows with the mark and not with the volume.
    """
    total = doubt = 0.0
    wide = narrow = 0
    for rows in _slabs(probability.shape):
        value: Float32Array = np.asarray(probability[rows], dtype=np.float32)
        total += float(value.sum(dtype=np.float64))
        doubt += 4.0 * float((value * (np.float32(1.0) - value)).sum(dtype=np.float64))
        wide += int(np.count_nonzero(value >= 0.5 * threshold))
        narrow += int(np.count_nonzero(value >= 0.5 * (1.0 + threshold)))
    size = max(1, int(np.count_nonzero(marked)))
    box = _around(marked)
    mask = marked[box]
    own = probability[box][mask].astype(np.float32) if mask.any() else np.zeros(1, dtype=np.float32)
    inside = float(own.sum(dtype=np.float64))
    rim = size ** (0.5 if probability.ndim == 2 else 2.0 / 3.0)
    log_size = float(np.log(size / probability.size))
    numbers, count = label(mask)
    largest = int(sizes(numbers, count).max()) if count else 0
    return np.array(
        [
            2.0 * inside / max(total + size, 1e-6),
            inside / size,
            float(np.percentile(own, 95)),
            log_size,
            (log_size - USUAL_LOG_SIZE) ** 2,
            float(np.log1p(doubt / rim)),
            1.0 - inside / max(total, 1e-6),
            narrow / max(wide, 1),
            float(np.log(max(count, 1))),
            largest / size,
            float(np.log(max(1, _rim(mask)) / rim)),
        ],
        dtype=np.float64,
    )


def fit_quality(features: Sequence[Float64Array], dice: AnyArray) -> Quality | None:
    """Fit an estimate to judged cases.

    Parameters
    ----------
    features : sequence of numpy.ndarray
        Of cases in which something is marked, whether it should be or not.
    dice : array (n,)
        Their true Dice: 0 where nothing should have been marked.

    Returns
    -------
    Quality or None
        None of fewer than `LEAST` cases.

    Notes
    -----
    Ridge regression on standardised features. Its penalty is the one of `PENALTIES` with the least leave-one-out
    error, which a linear smoother with hat matrix H has in closed form: ``e_i / (1 - H_ii)``.

    References
    ----------
    Hoerl AE, Kennard RW. Ridge regression. Technometrics 1970;12:55-67. Allen DM. The relationship between variable
    selection and data augmentation and a method for prediction. Technometrics 1974;16:125-127.
    """
    scores = np.asarray(dice, dtype=np.float64)
    if len(features) < LEAST:
        return None
    values = np.stack(list(features))
    mean, scale = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-3)
    scaled = (values - mean) / scale
    best: tuple[float, float, Float64Array] | None = None
    for penalty in PENALTIES:
        error, weights = _ridge(scaled, scores, penalty)
        if best is None or error < best[0]:
            best = (error, penalty, weights)
    if best is None:
        return None
    error, penalty, weights = best
    return Quality(
        mean=_rounded(mean),
        scale=_rounded(scale),
        weights=_rounded(weights),
        bias=round(float(scores.mean()), 8),
        low=round(float(scores.min()), 8),
        high=round(float(scores.max()), 8),
        penalty=penalty,
        error=round(error, 6),
        cases=len(scores),
    )


def _ridge(scaled: Float64Array, scores: Float64Array, penalty: float) -> tuple[float, Float64Array]:
    """Return the leave-one-out error, the mean left out with the case, and the weights."""
    count, width = scaled.shape
    solved = np.linalg.solve(scaled.T @ scaled + penalty * np.eye(width), scaled.T)
    weights: Float64Array = solved @ (scores - scores.mean())
    # features are centred, so that the mean adds 1 / n to every leverage
    leverage = np.einsum("nf,fn->n", scaled, solved) + 1.0 / count
    left_out = (scores - scores.mean() - scaled @ weights) / np.maximum(1.0 - leverage, 1e-6)
    return float(np.sqrt((left_out**2).mean())), weights


def _slabs(shape: tuple[int, ...]) -> Iterator[slice]:
    thick = max(1, AT_ONCE // max(1, int(np.prod(shape[1:]))))
    for first in range(0, shape[0], thick):
        yield slice(first, min(first + thick, shape[0]))


def _around(mask: BoolArray) -> tuple[slice, ...]:
    """Return the box of what is marked and of its neighbours, as far as the image goes; of nothing an empty one."""
    box = []
    for axis, length in enumerate(mask.shape):
        found = np.flatnonzero(mask.any(axis=tuple(n for n in range(mask.ndim) if n != axis)))
        box.append(slice(max(0, int(found[0]) - 1), min(length, int(found[-1]) + 2)) if len(found) else slice(0, 0))
    return tuple(box)


def _rim(mask: BoolArray) -> int:
    """Return how many marked voxels have an unmarked neighbour across a face; the border of the image is none."""
    inner = mask.copy()
    for axis in range(mask.ndim):
        for step in (slice(None, -1), slice(1, None)):
            here = [slice(None)] * mask.ndim
            there = [slice(None)] * mask.ndim
            here[axis], there[axis] = step, slice(1, None) if step == slice(None, -1) else slice(None, -1)
            inner[tuple(here)] &= mask[tuple(there)]
    return int(np.count_nonzero(mask & ~inner))


def _rounded(values: Float64Array) -> list[float]:
    return [round(float(v), 8) for v in values]

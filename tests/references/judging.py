"""Figures of a report, each as its formula."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


# --8<-- [start:auroc]
def auroc(truth: npt.NDArray[np.bool_], score: Array) -> float:
    """Share of pairs (positive, negative) in the right order; a tie counts half."""
    positive, negative = score[truth][:, None], score[~truth][None, :]
    return float(np.mean((positive > negative) + 0.5 * (positive == negative)))


# --8<-- [end:auroc]


# --8<-- [start:average_precision]
def average_precision(truth: npt.NDArray[np.bool_], score: Array) -> float:
    """Mean precision at the score of each positive (no two scores equal)."""
    ranked = truth[np.argsort(-score)]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean())


# --8<-- [end:average_precision]


# --8<-- [start:kappa]
def quadratic_kappa(truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], *, levels: int) -> float:
    """One minus observed over expected squared distance of grades."""
    distance = (np.arange(levels)[:, None] - np.arange(levels)[None, :]) ** 2
    table = np.zeros((levels, levels))
    np.add.at(table, (truth, predicted), 1)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(1.0 - (distance * table).sum() / (distance * expected).sum())


# --8<-- [end:kappa]


# --8<-- [start:calibration]
def calibration_error(truth: npt.NDArray[np.bool_], probability: Array, *, bins: int = 10) -> float:
    """Root mean squared gap between probability and frequency in bins of equal mass, chance subtracted."""
    total = 0.0
    for members in np.array_split(np.argsort(probability, kind="stable"), bins):
        n, frequency = len(members), truth[members].mean()
        gap = (probability[members].mean() - frequency) ** 2
        chance = frequency * (1.0 - frequency) / (n - 1)
        total += n / len(truth) * (gap - chance)
    return float(np.sqrt(max(total, 0.0)))


# --8<-- [end:calibration]


# --8<-- [start:temperature]
def negative_log_likelihood(logits: Array, truth: npt.NDArray[np.int64], temperature: float) -> float:
    """What temperature scaling minimises, on validation predictions; logits (n k), truth (n,)."""
    scaled = logits / temperature
    log_sum = np.log(np.exp(scaled - scaled.max(axis=1, keepdims=True)).sum(axis=1)) + scaled.max(axis=1)
    return float(np.mean(log_sum - scaled[np.arange(len(truth)), truth]))


# --8<-- [end:temperature]


# --8<-- [start:bootstrap]
def bootstrap_weights(patients: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw one replicate: how often each sample (n,) counts when whole patients are drawn with replacement."""
    names, place = np.unique(patients, return_inverse=True)
    drawn = np.bincount(rng.integers(0, len(names), size=len(names)), minlength=len(names))
    return drawn[place]


# --8<-- [end:bootstrap]

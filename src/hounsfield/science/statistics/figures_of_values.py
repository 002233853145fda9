"""Figures of targets that have an order: ordinal (grades) and number."""

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array, IntArray
from hounsfield.science.statistics.figures import Figures, Replicates, mean_of_rows, plain_values
from hounsfield.science.statistics.inputs import class_truth, finite, ratio
from hounsfield.science.statistics.weighted_ranks import weighted_spearman
from hounsfield.science.statistics.weighted_sums import class_figures, number_figures, sums, weighted_kappa


def ordinal(truth: AnyArray, probability: AnyArray, *, predicted: AnyArray | None = None) -> Figures:
    """Prepare the figures of a target whose classes are grades.

    Parameters
    ----------
    truth : array (n,)
        Grade index; -1 or NaN where the answer is missing.
    probability : float array (n k)
        Probability of each grade.
    predicted : array (n,), optional
        The grade that is said; the most probable one when left out.

    Returns
    -------
    Figures
        quadratic_kappa, mae (in grades), accuracy, balanced_accuracy.
    """
    shares = np.asarray(probability, dtype=np.float64)
    index = class_truth(truth, shares.shape[1])
    shares = finite(shares, shape=(len(index), shares.shape[1]), name="probability")
    said = shares.argmax(axis=1) if predicted is None else class_truth(predicted, shares.shape[1])
    known = index >= 0
    grade, guess = index[known], said[known]
    grades = np.unique(grade)

    def evaluate(weights: Float64Array) -> Replicates:
        drawn = weights[known]
        total, right, apart = sums([np.ones(len(grade)), grade == guess, np.abs(grade - guess)], drawn)
        recalls = class_figures(grade, guess, drawn, classes=shares.shape[1])["sensitivity"]
        return {
            "quadratic_kappa": weighted_kappa(grade.astype(np.float64), guess.astype(np.float64), drawn),
            "mae": ratio(apart, total),
            "accuracy": ratio(right, total),
            "balanced_accuracy": mean_of_rows([recalls[g] for g in grades], weights),
        }

    return Figures(len(index), plain_values(evaluate, len(index)), evaluate, {"accuracy": known})


def median_level(probability: AnyArray) -> IntArray:
    """Return the median grade of each row, which loses least when the loss grows with the distance.

    Parameters
    ----------
    probability : float array (n k)
        Probability of each grade, in their order.

    Returns
    -------
    int array (n,)
        The lowest grade up to which at least half of the probability lies.
    """
    shares = np.asarray(probability, dtype=np.float64)
    reached = np.cumsum(shares, axis=1) >= 0.5
    reached[:, -1:] = True
    level: IntArray = reached.argmax(axis=1).astype(np.int64)
    return level


def number(truth: AnyArray, predicted: AnyArray) -> Figures:
    """Prepare the figures of a target that is a number.

    Parameters
    ----------
    truth : array (n,)
        In the target's unit; NaN where the answer is missing.
    predicted : float array (n,)
        In the target's unit.

    Returns
    -------
    Figures
        mae, rmse, r2, spearman.
    """
    answers = np.asarray(truth, dtype=np.float64)
    guesses = finite(predicted, shape=answers.shape, name="prediction")
    known = np.isfinite(answers)
    right, guess = answers[known], guesses[known]

    def evaluate(weights: Float64Array) -> Replicates:
        drawn = weights[known]
        return {**number_figures(right, guess, drawn), "spearman": weighted_spearman(right, guess, drawn)}

    return Figures(len(answers), plain_values(evaluate, len(answers)), evaluate)


def figures_ordinal(truth: AnyArray, probability: AnyArray, *, predicted: AnyArray | None = None) -> dict[str, float]:
    """Return the values of `ordinal`, whose parameters it takes."""
    return dict(ordinal(truth, probability, predicted=predicted).values)


def figures_number(truth: AnyArray, predicted: AnyArray) -> dict[str, float]:
    """Return the values of `number`, whose parameters it takes."""
    return dict(number(truth, predicted).values)

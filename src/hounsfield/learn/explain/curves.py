"""Curves of the answer while an image or a signal is hidden, or uncovered, in the order of a map."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import Float32Array, Float64Array, IntArray
from hounsfield.learn.explain.view import View

STEPS = 20
"""Steps from the whole input to the hidden one."""


@dataclass(frozen=True)
class Ends:
    """The whole input and the one without content, and what is said of both.

    Parameters
    ----------
    hidden : numpy.ndarray
        ``c ...``.
    whole, blank : float
        Scores of the input and of the hidden one.
    """

    hidden: Float32Array
    whole: float
    blank: float


def ends_of(view: View) -> Ends:
    """Return both ends of every curve of an input."""
    hidden = view.hiding.hidden(view.image)
    whole, blank = (float(s) for s in view.scores([view.image, hidden]))
    return Ends(hidden, whole, blank)


def curves(view: View, ends: Ends, values: Float64Array, *, steps: int = STEPS) -> tuple[Float64Array, Float64Array]:
    """Return the answer while the places of highest value are hidden first, and while they are uncovered first.

    Parameters
    ----------
    view : View
    ends : Ends
        Of the same view.
    values : numpy.ndarray
        A map at the input's size; only its order counts.
    steps : int

    Returns
    -------
    tuple of numpy.ndarray
        Deletion and insertion, each ``steps + 1`` probabilities of the answer (or numbers), from none to all places.

    References
    ----------
    Petsiuk, Das, Saenko, "RISE: randomized input sampling for explanation", BMVC 2018.
    """
    rank = ranks(values)
    count = rank.size
    copies: list[Float32Array] = []
    for step in range(1, steps):
        first = rank < round(count * step / steps)
        copies.append(view.hiding.mixed(view.image, ends.hidden, first))
        copies.append(view.hiding.mixed(view.image, ends.hidden, ~first))
    found = view.scores(copies)
    deletion = np.concatenate([[ends.whole], found[0::2], [ends.blank]])
    insertion = np.concatenate([[ends.blank], found[1::2], [ends.whole]])
    return view.question.linked(deletion), view.question.linked(insertion)


def ranks(values: Float64Array) -> IntArray:
    """Return the place of each value in falling order, 0 for the largest; equal values in the array's order."""
    rank = np.empty(values.size, dtype=np.int64)
    rank[np.argsort(-values, axis=None, kind="stable")] = np.arange(values.size)
    return rank.reshape(values.shape)

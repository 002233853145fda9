"""Which of several classes is called where some are rare: probabilities times a factor of each class."""

from collections.abc import Mapping, Sequence

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import Float64Array, IntArray

LEAST = 10
"""A class of fewer training samples is taken for one of so many: how frequent it is, a few do not say."""


def class_factors(counts: Mapping[str, int], *, tau: float, weights: Sequence[float] = ()) -> dict[str, float]:
    """Return by what the probability of each class is multiplied before the largest is called.

    Parameters
    ----------
    counts : mapping of str to int
        Class to its training samples.
    tau : float
        0: the most probable class is called. 1: the class that the sample is most like, as if all were as frequent,
        which gives the highest mean sensitivity where probabilities are right. Between them, in between.
    weights : sequence of float
        Of each class in the loss that the probabilities come from; all alike where empty.

    Returns
    -------
    dict of str to float
        ``(h_max / h_k)^tau`` with ``h_k = weight_k count_k``: 1 for the class that was heard most, more for others;
        1 too for a class that was never heard, since nothing is known of it. Counts below `LEAST` count as `LEAST`.

    Raises
    ------
    InputError
        If `tau` is not from 0 to 1, or the weights are not one for each class, or one of them is negative.

    References
    ----------
    Menon AK et al. Long-tail learning via logit adjustment. ICLR 2021: post-hoc adjustment, eq. 9; here the prior is
    the one that a weighted loss shows to the network.
    """
    if not 0.0 <= tau <= 1.0:
        raise InputError(f"The strength of the logit adjustment is {tau}.", expected="a number from 0 to 1")
    given = list(weights) or [1.0] * len(counts)
    if len(given) != len(counts) or any(w < 0 for w in given):
        raise InputError(
            f"There are {len(given)} class weights for {len(counts)} classes.", expected="one for each, none negative"
        )
    at_least = {name: max(count, LEAST) if count else 0 for name, count in counts.items()}
    heard = {name: weight * count for (name, count), weight in zip(at_least.items(), given, strict=True)}
    most = max(heard.values(), default=0.0)
    return {name: (most / share) ** tau if share > 0 else 1.0 for name, share in heard.items()}


def called(probability: Float64Array, factors: Float64Array | None = None) -> IntArray:
    """Return the index of the class that is called, int64 ``n``; of one sample (k,), its own.

    Parameters
    ----------
    probability : float64 array (n k)
    factors : float64 array (k,) or (n k), or None
        From `class_factors`, in the order of the classes; the most probable class is called without.
    """
    shares = probability if factors is None else probability * factors
    found: IntArray = np.asarray(shares.argmax(axis=-1), dtype=np.int64)
    return found

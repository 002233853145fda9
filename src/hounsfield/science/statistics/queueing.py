"""Which unlabelled cases would teach most: those that the model is unsure of, and that are unlike each other."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array


@dataclass(frozen=True)
class Queued:
    """One case in the queue.

    Parameters
    ----------
    index : int
        Its row.
    uncertainty : float
        As it was given.
    distance : float
        To the nearest case that is labelled or stands before it in the queue, in standard deviations; infinite for the
        first where nothing is labelled.
    """

    index: int
    uncertainty: float
    distance: float


def queue(
    embeddings: AnyArray,
    uncertainty: AnyArray,
    count: int,
    *,
    labelled: AnyArray | None = None,
    weight: float = 1.0,
) -> tuple[Queued, ...]:
    """Return the cases to be labelled next, the most instructive first.

    Parameters
    ----------
    embeddings : array (n d)
        What the model makes of each unlabelled case.
    uncertainty : array (n,)
        0 or more, larger where the model is less sure; only ratios count.
    count : int
        How many are wanted; all where there are fewer.
    labelled : array (m d) or None
        Of the cases that have labels already.
    weight : float
        Exponent of the uncertainty: 0 looks for unlike cases only, and the larger it is the less likeness matters.

    Returns
    -------
    tuple of Queued

    Raises
    ------
    InputError
        If shapes do not fit, or a value is not finite or an uncertainty below 0.

    Notes
    -----
    Greedy k-centre selection, each distance multiplied by the uncertainty raised to `weight`: the next case is the one
    with the largest product. The greedy choice covers the cases at most twice as badly as the best choice would (for
    equal uncertainties). Each dimension is divided by its standard deviation first. Where nothing is labelled, the
    least sure case comes first. Of equal cases the one with the smaller index comes first; copies of a case come last.

    References
    ----------
    Gonzalez TF. Clustering to minimize the maximum intercluster distance. Theor Comput Sci 1985;38:293-306.
    Sener O, Savarese S. Active learning for convolutional neural networks: a core-set approach. ICLR 2018.
    """
    pool, held, unsure = _checked(embeddings, labelled, uncertainty)
    scale = np.concatenate([pool, held]).std(axis=0) if len(pool) else np.ones(pool.shape[1])
    used = scale > 0
    pool, held = pool[:, used] / scale[used], held[:, used] / scale[used]
    nearest = _nearest(pool, held)
    gain = unsure**weight
    left = np.ones(len(pool), dtype=np.bool_)
    chosen: list[Queued] = []
    for _ in range(min(count, len(pool))):
        score = gain if np.isinf(nearest).all() else gain * nearest
        # among equal products, as of copies at distance 0, the least sure comes first
        best = np.flatnonzero(left & (score == score[left].max()))
        place = int(best[np.argmax(unsure[best])])
        chosen.append(Queued(place, float(unsure[place]), float(nearest[place])))
        left[place] = False
        nearest = np.minimum(nearest, np.linalg.norm(pool - pool[place], axis=1))
    return tuple(chosen)


def expected_dice(probability: AnyArray, *, threshold: float = 0.5) -> float:
    """Return the Dice that a mask should have if the probabilities it was cut from are right.

    Parameters
    ----------
    probability : array
        Of one structure at every pixel, 0 to 1.
    threshold : float
        From which pixels are marked.

    Returns
    -------
    float
        2 sum(p m) / (sum(p) + sum(m)) with the mask m, 0 to 1; where nothing is marked one less the largest
        probability, for the empty mask is right where nothing is there. One less this is an uncertainty that does not
        grow with the empty part of an image.

    Notes
    -----
    The ratio of expectations, not the expectation of the ratio; for many pixels they are close. Of an empty mask, that
    nothing is there is as likely as that the likeliest pixel holds nothing: the pixels of a structure come together.
    Overconfident probabilities make it too high: a rank among cases, not a promise.
    """
    value = np.asarray(probability, dtype=np.float64)
    mask = value >= threshold
    if not mask.any():
        return 1.0 - float(value.max()) if value.size else 1.0
    return 2 * float(value[mask].sum()) / (float(value.sum()) + float(mask.sum()))


def _checked(
    embeddings: AnyArray, labelled: AnyArray | None, uncertainty: AnyArray
) -> tuple[Float64Array, Float64Array, Float64Array]:
    pool = np.asarray(embeddings, dtype=np.float64)
    unsure = np.asarray(uncertainty, dtype=np.float64)
    width = pool.shape[1] if pool.ndim == 2 else 0
    held = np.zeros((0, width)) if labelled is None else np.asarray(labelled, dtype=np.float64)
    if pool.ndim != 2 or held.ndim != 2 or held.shape[1] != width or unsure.shape != (len(pool),):
        raise InputError(
            f"Embeddings of the shape {pool.shape} meet labelled ones of {held.shape} and "
            f"uncertainties of {unsure.shape}.",
            expected="one row and one uncertainty for each case, of one width",
        )
    if not (np.isfinite(pool).all() and np.isfinite(held).all() and np.isfinite(unsure).all()) or (unsure < 0).any():
        raise InputError(
            "An embedding or an uncertainty is not finite, or an uncertainty is below 0.",
            expected="finite numbers, uncertainties from 0 on",
            next_step="leave such cases out of the queue",
        )
    return pool, held, unsure


def _nearest(pool: Float64Array, held: Float64Array) -> Float64Array:
    """Return how far the nearest of the labelled cases is from each; infinite where there is none."""
    nearest: Float64Array = np.full(len(pool), np.inf)
    for row in held:
        nearest = np.minimum(nearest, np.linalg.norm(pool - row, axis=1))
    return nearest

"""Boxes judged: which of them are right, and average precision over many pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.boxes import Box
from hounsfield.core.types import BoolArray, Float64Array
from hounsfield.geometry.boxes import box_iou
from hounsfield.science.statistics.inputs import ratio

OVERLAPS = (0.3, 0.5)
"""Intersections over union from which a box is right. .3 is what finding a lesion asks for, .5 what outlining does."""

_BLOCK = 64


@dataclass(frozen=True)
class BoxScores:
    """The boxes of one class in one picture.

    Parameters
    ----------
    truths : int
        Boxes that a reader drew.
    scores : numpy.ndarray
        Of the boxes that were said, float64, the surest first.
    right : mapping of float to numpy.ndarray
        For each of `OVERLAPS` bool: which of them are right.
    given : numpy.ndarray
        Bool: which of them are handed out, at the operating point.
    """

    truths: int
    scores: Float64Array = field(repr=False)
    right: dict[float, BoolArray] = field(repr=False)
    given: BoolArray = field(repr=False)


def box_scores(said: Sequence[Box], truth: Sequence[Box], *, least: float) -> BoxScores:
    """Judge the boxes of one class in one picture.

    Parameters
    ----------
    said, truth : sequence of Box
    least : float
        Score from which a box is handed out.

    Notes
    -----
    The surest box comes first and takes the free true box that it overlaps most, if it does so enough; a true box is
    found once, a second box on it is wrong.

    References
    ----------
    Everingham et al., "The Pascal visual object classes (VOC) challenge", Int J Comput Vis 88, 2010.
    """
    order = sorted(said, key=lambda b: -b.score)
    overlap = box_iou(order, truth)
    right = {}
    for enough in OVERLAPS:
        free = np.ones(len(truth), dtype=np.bool_)
        found = np.zeros(len(order), dtype=np.bool_)
        for n in range(len(order)):
            able = np.where(free, overlap[n], -1.0)
            best = int(able.argmax()) if len(able) else -1
            if best >= 0 and able[best] >= enough:
                free[best], found[n] = False, True
        right[enough] = found
    scores = np.array([b.score for b in order], dtype=np.float64)
    return BoxScores(len(truth), scores, right, np.asarray(scores >= least))


def best_score(cases: Sequence[BoxScores], *, enough: float = OVERLAPS[0]) -> float:
    """Return the score from which boxes should be handed out for the highest F1, .5 where nothing tells.

    Parameters
    ----------
    cases : sequence of BoxScores
        Of validation pictures, never of those that are judged.
    enough : float
        One of `OVERLAPS`.
    """
    scores = np.concatenate([c.scores for c in cases]) if cases else np.zeros(0)
    total = sum(c.truths for c in cases)
    if not len(scores) or not total:
        return 0.5
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(np.concatenate([c.right[enough] for c in cases])[order])
    f1 = 2.0 * hits / (np.arange(1, len(order) + 1) + total)
    best = int(f1.argmax())
    below = scores[order[best + 1]] if best + 1 < len(order) else 0.0
    return float(round(0.5 * (scores[order[best]] + below), 4))


class BoxTable:
    """Figures of boxes of one class over many pictures.

    Parameters
    ----------
    rows : sequence of BoxScores
    """

    def __init__(self, rows: Sequence[BoxScores]) -> None:
        self._truths = np.array([r.truths for r in rows], dtype=np.float64)
        case = np.concatenate([np.full(len(r.scores), n) for n, r in enumerate(rows)] or [np.zeros(0)]).astype(np.int64)
        scores = np.concatenate([r.scores for r in rows] or [np.zeros(0)])
        order = np.argsort(-scores, kind="stable")
        self._case = case[order]
        self._right = {
            e: np.concatenate([r.right[e] for r in rows] or [np.zeros(0, dtype=np.bool_)])[order] for e in OVERLAPS
        }
        self._given = np.concatenate([r.given for r in rows] or [np.zeros(0, dtype=np.bool_)])[order]

    def evaluate(self, weights: Float64Array) -> dict[str, Float64Array]:
        """Return every figure in every replicate.

        Parameters
        ----------
        weights : numpy.ndarray
            ``n r``: how often each picture was drawn.

        Returns
        -------
        dict of str to numpy.ndarray
            ``box_ap30 box_ap50``: area below the precision that is reached at each recall or a higher one, boxes of all
            pictures ranked together; ``box_sensitivity``, ``box_precision`` of the boxes that are handed out, at the
            lower overlap. NaN where no picture holds a box (a precision: where none is given).
        """
        blocks = [self._block(weights[:, n : n + _BLOCK]) for n in range(0, weights.shape[1], _BLOCK)]
        return {name: np.concatenate([b[name] for b in blocks]) for name in blocks[0]}

    def _block(self, weights: Float64Array) -> dict[str, Float64Array]:
        drawn: Float64Array = weights[self._case]
        total = self._truths @ weights
        found = {}
        for enough, name in zip(OVERLAPS, ("box_ap30", "box_ap50"), strict=True):
            hits = np.cumsum(drawn * self._right[enough][:, None], axis=0)
            said = np.cumsum(drawn, axis=0)
            precision = np.divide(hits, said, out=np.zeros_like(hits), where=said > 0)
            reached = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
            gained = drawn * self._right[enough][:, None]
            found[name] = ratio((gained * reached).sum(axis=0), total)
        given = drawn * self._given[:, None]
        hits = (given * self._right[OVERLAPS[0]][:, None]).sum(axis=0)
        return found | {"box_sensitivity": ratio(hits, total), "box_precision": ratio(hits, given.sum(axis=0))}

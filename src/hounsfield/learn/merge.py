"""How the raw outputs of a bundle's members become one: a weighted sum within a fold, a mean over folds."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.types import Float64Array

MERGE = "merge"
"""Name of the bundle's document that holds a `Merge`."""


class Merge(BaseModel):
    """Fold and weights of each member.

    Attributes
    ----------
    folds : list of int
        Fold of each member; members of one fold form one model.
    weights : dict of str to list of float
        By target, the weight of each member within its own fold's model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    folds: list[int]
    weights: dict[str, list[float]]

    def whole(self) -> dict[str, list[float]]:
        """Return by target the weight of each member in the mean of all folds' models."""
        count = max(1, len(set(self.folds)))
        return {name: [w / count for w in found] for name, found in self.weights.items()}

    def members(self, fold: int) -> list[int]:
        """Return the places of a fold's members."""
        return [place for place, own in enumerate(self.folds) if own == fold]

    def of(self, fold: int) -> "Merge":
        """Return the same for one fold's model alone."""
        places = self.members(fold)
        return Merge(
            folds=[fold] * len(places), weights={name: [w[p] for p in places] for name, w in self.weights.items()}
        )


def merge_of(contents: BundleContents) -> Merge | None:
    """Return how a bundle's members are merged; None for one that has no such document: their plain mean."""
    found = contents.documents.get(MERGE)
    return Merge.model_validate(found) if found is not None else None


def merged(
    outputs: Sequence[Mapping[str, Float64Array]], weights: Mapping[str, Sequence[float]] | None = None
) -> dict[str, Float64Array]:
    """Return the weighted sum of raw outputs by target; the plain mean of what has no weights.

    Parameters
    ----------
    outputs : sequence of mapping of str to numpy.ndarray
        One mapping per member, target to ``n w`` float64. Names that not all members put out, or not in
        one width (embeddings of networks that differ), are left out.
    weights : mapping of str to sequence of float or None
        By target, one per member. A member of weight 0 is not read.

    Returns
    -------
    dict of str to numpy.ndarray
        Target to ``n w`` float64.
    """
    result: dict[str, Float64Array] = {}
    for name in outputs[0]:
        own = (weights or {}).get(name)
        found = [o[name] for o in outputs if name in o]
        if own is None:
            if len(found) == len(outputs) and len({f.shape for f in found}) == 1:
                result[name] = np.mean(found, axis=0)
            continue
        result[name] = np.sum([w * o[name] for w, o in zip(own, outputs, strict=True) if w], axis=0)
    return result

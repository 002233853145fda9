"""Pictures that occur twice: exactly, or re-encoded, shifted a little, brighter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.audit import Duplicate
from hounsfield.core.cohort import PARTS, Sample, TargetSpec
from hounsfield.core.types import BoolArray, Float32Array, Float64Array, IntArray, TargetValue
from hounsfield.stages.auditing.likeness import coarse_signatures, likeness
from hounsfield.stages.auditing.thumbnails import IMAGE, Glance
from hounsfield.stages.auditing.volume_likeness import NEAR_VOLUME, compare_volumes

NEAR = 0.88
"""Likeness from which two pictures are taken for one."""

NEAR_SMALL = 0.985
"""The same for pictures with a side under 64 pixels: they have less that could differ."""

SAME = 0.9
"""Likeness from which two different answers to a near pair contradict each other."""

_SMALL_SIDE = 64
_CANDIDATE = 0.35
_CANDIDATES_PER_SAMPLE = 3
_LEAST_CANDIDATES = 5000
_BLOCK = 2048
_LOOSE = 6
_CHAIN_STEP = 0.01


@dataclass(frozen=True)
class Repeats:
    """Pairs and clusters of repeated pictures.

    Parameters
    ----------
    pairs : tuple of Duplicate
        In the cohort's order. Of pictures that occur k times exactly, k - 1 pairs: each with the first of them.
    clusters : tuple of tuple of str
        Sample ids joined by pairs, largest first.
    contradictions : tuple of (str, str)
        Pairs of one picture under different answers.
    """

    pairs: tuple[Duplicate, ...]
    clusters: tuple[tuple[str, ...], ...]
    contradictions: tuple[tuple[str, str], ...]


def find_repeats(samples: Sequence[Sample], glances: Sequence[Glance], *, target: TargetSpec | None) -> Repeats:
    """Find repeated pictures inside and across parts.

    Parameters
    ----------
    samples : sequence of Sample
        In the cohort's order; only ids, parts and answers are used, never a name's meaning.
    glances : sequence of Glance
        Of these samples; samples without one are not compared.
    target : TargetSpec or None
        Whose answers may contradict each other.

    Returns
    -------
    Repeats

    Notes
    -----
    Exact repeats share the hash of their pixels. Near repeats are proposed by a matrix product of short signatures
    and decided by the aligned, band-passed correlation of 96-pixel pictures (see `likeness`), of volumes by that of
    small volumes (see `volume_likeness`). Which pictures are
    repeats never depends on an answer.
    """
    known = {g.sample: g for g in glances if not g.fault}
    kept = [s for s in samples if s.id in known]
    order = sorted(range(len(kept)), key=lambda i: (_rank(kept[i]), i))
    firsts: dict[str, int] = {}
    found: list[tuple[int, int, float, bool]] = []
    for i in order:
        first = firsts.setdefault(known[kept[i].id].digest, i)
        if first != i:
            found.append((first, i, 1.0, True))
    singles = sorted(firsts.values())
    singles = [i for i in singles if known[kept[i].id].kind == IMAGE]  # of other kinds exact repeats are found only
    near = _near_pairs([known[kept[i].id] for i in singles])
    found.extend((singles[a], singles[b], value, False) for a, b, value in near)
    found = [(min(a, b), max(a, b), value, exact) for a, b, value, exact in found]
    found.sort(key=lambda pair: pair[:2])
    pairs = tuple(_duplicate(kept[a], kept[b], value, exact, target) for a, b, value, exact in found)
    return Repeats(
        pairs, clusters_of(pairs, [s.id for s in kept]), contradictory(pairs, {s.id: s.patient for s in kept})
    )


def contradictory(pairs: Sequence[Duplicate], patients: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs that show one picture under different answers.

    Parameters
    ----------
    pairs : sequence of Duplicate
    patients : mapping of str to str
        Patient of each sample. Two neighbouring slices of one patient may look nearly alike and rightly differ in
        their answer, so within a patient only an exact repeat is a contradiction.
    """
    return tuple(
        (p.a, p.b)
        for p in pairs
        if p.same_answer is False and (p.kind == "exact" or (p.similarity >= SAME and patients[p.a] != patients[p.b]))
    )


def clusters_of(pairs: Sequence[Duplicate], order: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return sample ids joined by pairs, each cluster in the given order, largest cluster first."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    index = {name: i for i, name in enumerate(order)}
    ends = np.array([(index[p.a], index[p.b]) for p in pairs], dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(order), len(order)))
    _, labels = connected_components(graph, directed=False)
    members: dict[int, list[str]] = {}
    for at in np.unique(ends):
        members.setdefault(int(labels[at]), []).append(order[int(at)])
    return tuple(tuple(m) for m in sorted(members.values(), key=lambda m: (-len(m), index[m[0]])))


def same_answer(left: TargetValue, right: TargetValue) -> bool | None:
    """Return whether two answers agree; None where one is missing."""
    if left is None or right is None:
        return None
    if isinstance(left, tuple) and isinstance(right, tuple):
        return set(left) == set(right)
    return left == right


def _rank(sample: Sample) -> int:
    return PARTS.index(sample.part) if sample.part else 0


def _duplicate(a: Sample, b: Sample, value: float, exact: bool, target: TargetSpec | None) -> Duplicate:  # noqa: FBT001
    answers: Mapping[str, TargetValue] = a.targets if target else {}
    agree = same_answer(answers.get(target.name), b.targets.get(target.name)) if target else None
    return Duplicate(
        a=a.id,
        b=b.id,
        kind="exact" if exact else "near",
        similarity=round(value, 4),
        part_a=a.part or "",
        part_b=b.part or "",
        same_answer=agree,
    )


def _near_pairs(glances: list[Glance]) -> list[tuple[int, int, float]]:
    if len(glances) < 2:
        return []
    left, right = _candidates(coarse_signatures(glances))
    deep = np.array([g.volume is not None for g in glances])
    both = deep[left] & deep[right]
    values = np.zeros(len(left))
    values[both] = _volumes(glances, deep, left[both], right[both])
    if not both.all():
        values[~both] = likeness(glances).compare(left[~both], right[~both])
    small = np.array([len(g.size) == 3 or min(g.size) < _SMALL_SIDE for g in glances])
    wanted = np.where(both, NEAR_VOLUME, np.where(small[left] | small[right], NEAR_SMALL, NEAR))
    near = values >= wanted
    return _without_chains(left[near], right[near], values[near])


def _volumes(glances: list[Glance], deep: BoolArray, left: IntArray, right: IntArray) -> Float64Array:
    """Compare pairs of volumes as such."""
    if not len(left):
        return np.zeros(0)
    place = np.cumsum(deep) - 1
    return compare_volumes(np.stack([g.volume for g in glances if g.volume is not None]), place[left], place[right])


def _candidates(signatures: Float32Array) -> tuple[IntArray, IntArray]:
    """Return the pairs whose signatures agree best, at most a few per sample on average."""
    count = len(signatures)
    limit = max(_LEAST_CANDIDATES, _CANDIDATES_PER_SAMPLE * count)
    lefts: list[IntArray] = []
    rights: list[IntArray] = []
    scores: list[Float32Array] = []
    for top in range(0, count, _BLOCK):
        for side in range(top, count, _BLOCK):
            product = signatures[top : top + _BLOCK] @ signatures[side : side + _BLOCK].T
            rows, columns = np.nonzero(product > _CANDIDATE)
            upper = rows + top < columns + side
            rows, columns = rows[upper], columns[upper]
            score = product[rows, columns]
            best = _highest(score, limit)
            lefts.append((rows + top)[best])
            rights.append((columns + side)[best])
            scores.append(score[best])
            if sum(map(len, scores)) > 2 * limit:  # blocks are as many as the square of the samples
                left, right, score = _best_of(lefts, rights, scores, limit=limit)
                lefts, rights, scores = [left], [right], [score]
    left, right, _ = _best_of(lefts, rights, scores, limit=limit)
    return left, right


def _best_of(
    lefts: Sequence[IntArray], rights: Sequence[IntArray], scores: Sequence[Float32Array], *, limit: int
) -> tuple[IntArray, IntArray, Float32Array]:
    """Join blocks and keep the highest scores, the earlier pair where they are equal; the order stays."""
    left, right, score = np.concatenate(lefts), np.concatenate(rights), np.concatenate(scores)
    best = _highest(score, limit)
    return left[best], right[best], score[best]


def _highest(score: Float32Array, limit: int) -> IntArray:
    """Return the places of the highest scores, in ascending order of place."""
    if len(score) <= limit:
        return np.arange(len(score))
    return np.sort(np.argsort(-score, kind="stable")[:limit])


def _without_chains(left: IntArray, right: IntArray, values: Float64Array) -> list[tuple[int, int, float]]:
    """Drop the weakest pairs of large clusters that are chains rather than one picture.

    A cluster of more than a few pictures whose members are mostly unlike each other has grown along a chain of
    neighbours. Its weakest pairs are dropped until what remains is small or dense.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(left):
        return []
    size = int(max(left.max(), right.max())) + 1
    keep = np.ones(len(left), dtype=np.bool_)
    floor = float(values.min())
    while True:
        graph = coo_array((keep[keep], (left[keep], right[keep])), shape=(size, size))
        _, labels = connected_components(graph, directed=False)
        members = np.bincount(labels, minlength=size)
        edges = np.bincount(labels[left[keep]], minlength=size)
        loose = (members > _LOOSE) & (edges < 0.5 * members * (members - 1) / 2)
        if not loose.any():
            break
        floor += _CHAIN_STEP
        keep &= ~(loose[labels[left]] & (values < floor))
    return [(int(a), int(b), float(v)) for a, b, v in zip(left[keep], right[keep], values[keep], strict=True)]

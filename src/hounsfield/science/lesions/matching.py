"""The same lesions in two visits: by overlap, and by the distance of centres where nothing overlaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.geometry import affines
from hounsfield.science.lesions.measuring import Lesion, checked


@dataclass(frozen=True)
class Visit:
    """What was outlined at one visit.

    Parameters
    ----------
    labels : numpy.ndarray
        ``z y x`` of whole numbers, one for each lesion, 0 elsewhere.
    affine_ras : numpy.ndarray
        4 x 4, from indices x y z to RAS mm.
    """

    labels: AnyArray
    affine_ras: Float64Array


@dataclass(frozen=True)
class Match:
    """Lesions of two visits that are one.

    Parameters
    ----------
    before, after : tuple of int
        Labels. One and one as a rule; several after where a lesion fell apart, several before where lesions grew
        together; none after where it is gone, none before where it is new.
    by : str
        ``"overlap"``, ``"distance"``, or ``""`` for a lesion that is gone or new.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    by: str = ""

    @property
    def kind(self) -> str:
        """``same``, ``split``, ``merged``, ``regrouped``, ``gone`` or ``new``."""
        counts = (min(len(self.before), 2), min(len(self.after), 2))
        names = {(1, 1): "same", (1, 2): "split", (2, 1): "merged", (2, 2): "regrouped", (1, 0): "gone", (0, 1): "new"}
        return names[counts]


@dataclass(frozen=True)
class Change:
    """How much lesions changed.

    Parameters
    ----------
    match : Match
    volume_before_mm3, volume_after_mm3 : float
        Sums over the match's lesions.
    long_before_mm, long_after_mm, short_before_mm, short_after_mm : float
        Sums of diameters: RECIST adds up the parts of a lesion that fell apart.
    """

    match: Match
    volume_before_mm3: float
    volume_after_mm3: float
    long_before_mm: float
    long_after_mm: float
    short_before_mm: float
    short_after_mm: float

    @property
    def volume_ratio(self) -> float:
        """Volume after by volume before; infinite for a new lesion."""
        return self.volume_after_mm3 / self.volume_before_mm3 if self.volume_before_mm3 else float("inf")


def matched(
    before: Visit,
    after: Visit,
    *,
    to_before: Float64Array | None = None,
    least_overlap: float = 0.1,
    most_apart_mm: float = 15.0,
) -> tuple[Match, ...]:
    """Find lesions of a visit again in another one.

    Parameters
    ----------
    before, after : Visit
        Grids may differ.
    to_before : numpy.ndarray or None
        4 x 4, from RAS mm of the later visit to RAS mm of the earlier one, as a rigid registration gives it; None where
        both lie in one frame.
    least_overlap : float
        Of the smaller lesion's volume, above 0 to 1: lesions that share so much are one.
    most_apart_mm : float
        Lesions that overlap with none are paired if their centres lie no further apart, nearest pairs in sum.

    Returns
    -------
    tuple of Match
        Each label once: first by the labels before, then new ones.

    Raises
    ------
    InputError
        If a label map is none, an affine is no 4 x 4, or a number is out of range.

    Notes
    -----
    Overlap is counted at the voxel centres of either visit, and the larger count is taken, so that a lesion smaller
    than the other grid's voxels is seen too. Without registration, breathing moves lung lesions by more than their
    size: what is matched by distance deserves a look.
    """
    if not (0 < least_overlap <= 1 and most_apart_mm >= 0):
        raise InputError(
            f"Lesions were to be matched from an overlap of {least_overlap} and within {most_apart_mm} mm.",
            expected="an overlap above 0 and up to 1, a distance of 0 or more",
            next_step="Leave both out for 0.1 and 15 mm.",
        )
    moved = np.eye(4) if to_before is None else np.asarray(to_before, dtype=np.float64)
    if moved.shape != (4, 4):
        raise InputError(
            f"A registration of shape {moved.shape} was given.",
            expected="a 4 x 4 matrix in RAS mm",
            next_step="Turn a file of ITK, which is in LPS, with geometry.affines.lps_to_ras first.",
        )
    # of the later visit all is placed in the frame of the earlier one, so that volumes are counted alike
    brought = Visit(after.labels, moved @ np.asarray(after.affine_ras, dtype=np.float64))
    old, new = _places(before), _places(brought)
    shared = _shared(before, brought)
    for (b, a), volume in _shared(brought, before).items():
        shared[a, b] = max(shared.get((a, b), 0.0), volume)
    pairs = [
        (b, a)
        for (b, a), volume in sorted(shared.items())
        if volume >= least_overlap * min(old[b].volume_mm3, new[a].volume_mm3)
    ]
    found = _joined(pairs)
    seen = {b for g in found for b in g.before}, {a for g in found for a in g.after}
    left = [n for n in old if n not in seen[0]], [n for n in new if n not in seen[1]]
    near = _nearest({n: old[n] for n in left[0]}, {n: new[n] for n in left[1]}, most_apart_mm)
    paired = {m.before[0] for m in near}, {m.after[0] for m in near}
    gone = [Match((n,), ()) for n in left[0] if n not in paired[0]]
    fresh = [Match((), (n,)) for n in left[1] if n not in paired[1]]
    return (*sorted((*found, *near, *gone), key=lambda m: m.before), *fresh)


def changes(matches: tuple[Match, ...], before: tuple[Lesion, ...], after: tuple[Lesion, ...]) -> tuple[Change, ...]:
    """Return how volume and diameters changed from match to match."""
    old, new = {x.label: x for x in before}, {x.label: x for x in after}
    made = []
    for match in matches:
        was, now = [old[n] for n in match.before], [new[n] for n in match.after]
        made.append(
            Change(
                match,
                volume_before_mm3=sum(x.volume_mm3 for x in was),
                volume_after_mm3=sum(x.volume_mm3 for x in now),
                long_before_mm=sum(x.long_mm for x in was),
                long_after_mm=sum(x.long_mm for x in now),
                short_before_mm=sum(x.short_mm for x in was),
                short_after_mm=sum(x.short_mm for x in now),
            )
        )
    return tuple(made)


def _shared(on: Visit, other: Visit) -> dict[tuple[int, int], float]:
    """Return the volume that lesions share, mm3, counted at the voxel centres of `other`: (label on, label other)."""
    labels, others = checked(on.labels), checked(other.labels)
    z, y, x = np.nonzero(others)
    if z.size == 0:
        return {}
    placed = affines.apply(np.asarray(other.affine_ras, dtype=np.float64), np.stack([x, y, z], axis=1).astype(float))
    back = affines.apply(affines.inverse(np.asarray(on.affine_ras, dtype=np.float64)), placed)
    at = np.floor(back[:, ::-1] + 0.5).astype(np.int64)
    inside = np.all((at >= 0) & (at < labels.shape), axis=1)
    found = labels[tuple(at[inside].T)]
    theirs = others[z[inside], y[inside], x[inside]]
    pairs, counts = np.unique(np.stack([found, theirs])[:, found > 0], axis=1, return_counts=True)
    voxel = abs(float(np.linalg.det(np.asarray(other.affine_ras)[:3, :3])))
    return {(int(b), int(a)): float(n) * voxel for (b, a), n in zip(pairs.T, counts, strict=True)}


def _joined(pairs: list[tuple[int, int]]) -> list[Match]:
    """Join pairs that have a lesion in common."""
    if not pairs:
        return []
    old, new = (sorted({p[side] for p in pairs}) for side in (0, 1))
    place = {n: i for i, n in enumerate(old)}, {n: i for i, n in enumerate(new)}
    part = _parts([place[0][b] for b, _ in pairs], [place[1][a] for _, a in pairs], len(old), len(new))
    groups: dict[int, tuple[list[int], list[int]]] = {}
    for side, labels, of in ((0, old, part[: len(old)]), (1, new, part[len(old) :])):
        for label, number in zip(labels, of, strict=True):
            groups.setdefault(int(number), ([], []))[side].append(label)
    return [Match(tuple(b), tuple(a), "overlap") for b, a in groups.values()]


@dataclass(frozen=True)
class _Place:
    """Where a lesion lies and how large it is."""

    centroid_mm: Float64Array
    volume_mm3: float


def _places(visit: Visit) -> dict[int, _Place]:
    labels = checked(visit.labels)
    affine = np.asarray(visit.affine_ras, dtype=np.float64)
    at = np.nonzero(labels)
    names, which, counts = np.unique(labels[at], return_inverse=True, return_counts=True)
    means = [np.bincount(which, weights=axis, minlength=names.size) / counts for axis in reversed(at)]
    centres = affines.apply(affine, np.stack(means, axis=1))
    voxel = abs(float(np.linalg.det(affine[:3, :3])))
    return {int(n): _Place(c, float(k) * voxel) for n, c, k in zip(names, centres, counts, strict=True)}


def _nearest(old: Mapping[int, _Place], new: Mapping[int, _Place], most_apart_mm: float) -> list[Match]:
    """Pair lesions one to one, as many as lie near enough, and those with the least sum of distances."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial import cKDTree

    if not old or not new:
        return []
    names = list(old), list(new)
    here, there = (np.array([x.centroid_mm for x in of.values()]) for of in (old, new))
    near = cKDTree(here).sparse_distance_matrix(cKDTree(there), most_apart_mm, output_type="ndarray")
    part = _parts(near["i"], near["j"], len(old), len(new))
    found = []
    for number in np.unique(part[near["i"]]):
        # lesions far from all others need not be looked at together
        rows, columns = np.flatnonzero(part[: len(old)] == number), np.flatnonzero(part[len(old) :] == number)
        apart = np.linalg.norm(here[rows][:, None] - there[columns], axis=2)
        too_far = apart > most_apart_mm
        # a pair too far apart costs more than all others together, so none is taken in place of one that is near
        cost = np.where(too_far, 1 + most_apart_mm * (rows.size + columns.size), apart)
        for b, a in zip(*linear_sum_assignment(cost), strict=True):
            if not too_far[b, a]:
                found.append(Match((names[0][rows[b]],), (names[1][columns[a]],), "distance"))
    return found


def _parts(rows: Sequence[int], columns: Sequence[int], high: int, wide: int) -> npt.NDArray[np.int32]:
    """Return which connected part of a two-sided graph each node belongs to, rows first."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    at = (np.asarray(rows), np.asarray(columns) + high)
    graph = coo_array((np.ones(len(at[0])), at), shape=(high + wide, high + wide))
    found: npt.NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return found


def sizes_after(
    targets: Mapping[str, int],
    matches: tuple[Match, ...],
    after: tuple[Lesion, ...],
    *,
    nodes: frozenset[str] = frozenset(),
) -> dict[str, float]:
    """Return what targets measure at the later visit, for RECIST.

    Parameters
    ----------
    targets : mapping of str to int
        Names and their labels at the earlier visit.
    matches : tuple of Match
    after : tuple of Lesion
    nodes : frozenset of str
        Names of lymph nodes, whose short axis counts; of other lesions the longest diameter does.

    Returns
    -------
    dict of str to float
        mm; 0 for a target that is gone. Parts of a lesion that fell apart are added up; lesions that grew together are
        measured once, at the first of them in order of names.

    Raises
    ------
    InputError
        If a target's label is in no match.
    """
    new = {x.label: x for x in after}
    counted: set[int] = set()
    found = {}
    for name in sorted(targets):
        match = next((m for m in matches if targets[name] in m.before), None)
        if match is None:
            raise InputError(
                f"A target has label {targets[name]}, which no match has.",
                expected="labels of the earlier visit's label map",
                next_step="Match the label map in which the targets were chosen.",
            )
        parts = [new[label] for label in match.after if label not in counted]
        counted |= set(match.after)
        found[name] = float(sum(x.short_mm if name in nodes else x.long_mm for x in parts))
    return found

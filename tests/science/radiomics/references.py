"""The matrices and their features written down a second time, voxel by voxel, from the IBSI manual's definitions."""

from collections import Counter
from itertools import product

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, IntArray

Place = tuple[int, int, int]


def steps(*, planar: bool) -> list[Place]:
    found = [(z, y, x) for z, y, x in product((-1, 0, 1), repeat=3) if (z, y, x) != (0, 0, 0)]
    return [s for s in found if not planar or s[0] == 0]


def half(*, planar: bool) -> list[Place]:
    return [s for s in steps(planar=planar) if s > (0, 0, 0)]


def at(levels: IntArray, place: Place) -> int:
    """Return the level at a place, 0 outside the array."""
    if any(not 0 <= p < n for p, n in zip(place, levels.shape, strict=True)):
        return 0
    return int(levels[place])


def moved(place: Place, step: Place, times: int = 1) -> Place:
    z, y, x = (p + times * s for p, s in zip(place, step, strict=True))
    return z, y, x


def voxels(levels: IntArray) -> list[Place]:
    return [(int(z), int(y), int(x)) for z, y, x in np.argwhere(levels)]


def pairs(levels: IntArray, step: Place) -> Float64Array:
    """Return the symmetric co-occurrence matrix of one direction, not divided."""
    matrix = np.zeros((levels.max() + 1,) * 2)
    for v in voxels(levels):
        a, b = at(levels, v), at(levels, moved(v, step))
        if b:
            matrix[a, b] += 1
            matrix[b, a] += 1
    return matrix[1:, 1:]


def pair_features(matrix: Float64Array, number: int) -> dict[str, float]:
    p = matrix / matrix.sum()
    i, j = np.meshgrid(np.arange(1, len(p) + 1), np.arange(1, len(p) + 1), indexing="ij")
    px = p.sum(axis=1)
    mu = float((i * p).sum())
    variance = float(((i - mu) ** 2 * p).sum())
    sums = np.array([p[i + j == k].sum() for k in range(2, 2 * len(p) + 1)])
    gaps = np.array([p[abs(i - j) == k].sum() for k in range(len(p))])
    ks, kd = np.arange(2, 2 * len(p) + 1), np.arange(len(p))
    hxy, hx = entropy(p), entropy(px)
    outer = np.outer(px, px)
    with np.errstate(divide="ignore", invalid="ignore"):
        hxy1 = -np.nansum(p * np.log2(np.where(p > 0, outer, 1)))
        hxy2 = -np.nansum(np.where(outer > 0, outer * np.log2(np.where(outer > 0, outer, 1)), 0))
    off = i != j
    return {
        "joint_max": p.max(),
        "joint_avg": mu,
        "joint_var": variance,
        "joint_entr": hxy,
        "diff_avg": (kd * gaps).sum(),
        "diff_var": ((kd - (kd * gaps).sum()) ** 2 * gaps).sum(),
        "diff_entr": entropy(gaps),
        "sum_avg": (ks * sums).sum(),
        "sum_var": ((ks - (ks * sums).sum()) ** 2 * sums).sum(),
        "sum_entr": entropy(sums),
        "energy": (p**2).sum(),
        "contrast": ((i - j) ** 2 * p).sum(),
        "dissimilarity": (abs(i - j) * p).sum(),
        "inv_diff": (p / (1 + abs(i - j))).sum(),
        "inv_diff_norm": (p / (1 + abs(i - j) / number)).sum(),
        "inv_diff_mom": (p / (1 + (i - j) ** 2)).sum(),
        "inv_diff_mom_norm": (p / (1 + (i - j) ** 2 / number**2)).sum(),
        "inv_var": (p[off] / ((i - j)[off] ** 2)).sum(),
        "corr": ((i - mu) * (j - mu) * p).sum() / variance if variance else np.nan,
        "auto_corr": (i * j * p).sum(),
        "clust_tend": ((i + j - 2 * mu) ** 2 * p).sum(),
        "clust_shade": ((i + j - 2 * mu) ** 3 * p).sum(),
        "clust_prom": ((i + j - 2 * mu) ** 4 * p).sum(),
        "info_corr1": (hxy - hxy1) / hx if hx else np.nan,
        "info_corr2": np.sqrt(max(0.0, 1 - np.exp(-2 * (hxy2 - hxy)))),
    }


def entropy(p: Float64Array) -> float:
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


def runs(levels: IntArray, step: Place) -> list[tuple[int, int]]:
    found = []
    for v in voxels(levels):
        a = at(levels, v)
        if at(levels, moved(v, step, -1)) != a:
            n = 1
            while at(levels, moved(v, step, n)) == a:
                n += 1
            found.append((a, n))
    return found


def zones(levels: IntArray, distance: IntArray, *, planar: bool) -> list[tuple[int, int, int]]:
    """Return level, size and distance of each zone, by growing sets until they grow no more."""
    left, found = set(voxels(levels)), []
    while left:
        zone = {left.pop()}
        grown = True
        while grown:
            near = {moved(v, s) for v in zone for s in steps(planar=planar)} & left
            new = {v for v in near if levels[v] == levels[next(iter(zone))]}
            zone |= new
            left -= new
            grown = bool(new)
        found.append((int(levels[next(iter(zone))]), len(zone), min(int(distance[v]) for v in zone)))
    return found


def distances(mask: BoolArray, *, planar: bool) -> IntArray:
    """Return steps across faces to the outside, by peeling layers off."""
    out, left, n = np.zeros(mask.shape, dtype=np.int64), mask.copy(), 0
    faces = [s for s in steps(planar=planar) if sum(map(abs, s)) == 1]
    while left.any():
        n += 1
        peel = [
            v for v in voxels(left.astype(np.int64)) if any(not at(left.astype(np.int64), moved(v, s)) for s in faces)
        ]
        for v in peel:
            out[v] = n
        for v in peel:
            left[v] = False
    return out


def dependences(levels: IntArray, *, planar: bool) -> list[tuple[int, int]]:
    return [
        (at(levels, v), 1 + sum(at(levels, moved(v, s)) == at(levels, v) for s in steps(planar=planar)))
        for v in voxels(levels)
    ]


def size_features(items: list[tuple[int, int]], voxel_count: float) -> list[float]:
    """Return the seventeen features of a matrix of levels and sizes, in the order of the columns."""
    counted = Counter(items)
    i, j, s = (np.array(v, dtype=np.float64) for v in zip(*((a, b, n) for (a, b), n in counted.items()), strict=True))
    total, p = s.sum(), s / s.sum()
    by_level = np.array([s[i == k].sum() for k in np.unique(i)])
    by_size = np.array([s[j == k].sum() for k in np.unique(j)])
    return [
        (p / j**2).sum(), (p * j**2).sum(), (p / i**2).sum(), (p * i**2).sum(), (p / (i * j) ** 2).sum(),
        (p * i**2 / j**2).sum(), (p * j**2 / i**2).sum(), (p * (i * j) ** 2).sum(), (by_level**2).sum() / total,
        (by_level**2).sum() / total**2, (by_size**2).sum() / total, (by_size**2).sum() / total**2, total / voxel_count,
        (p * (i - (p * i).sum()) ** 2).sum(), (p * (j - (p * j).sum()) ** 2).sum(), entropy(p), (p**2).sum(),
    ]  # fmt: skip


def tone_features(levels: IntArray, places: list[Place], *, planar: bool) -> list[float]:
    s: dict[int, float] = {}
    n: dict[int, int] = {}
    for v in places:
        near = [at(levels, moved(v, step)) for step in steps(planar=planar)]
        held = [b for b in near if b]
        if held:
            a = at(levels, v)
            s[a] = s.get(a, 0.0) + abs(a - sum(held) / len(held))
            n[a] = n.get(a, 0) + 1
    total, g = sum(n.values()), sorted(n)
    p = {a: n[a] / total for a in g}
    both = list(product(g, g))
    coarse = sum(p[a] * s[a] for a in g)
    busy = sum(abs(a * p[a] - b * p[b]) for a, b in both)
    if len(g) < 2:
        return [1 / coarse if coarse else np.nan, *[np.nan] * 4]
    return [
        1 / coarse,
        sum(p[a] * p[b] * (a - b) ** 2 for a, b in both) / (len(g) * (len(g) - 1)) * sum(s.values()) / total,
        coarse / busy if busy else np.nan,
        sum(abs(a - b) * (p[a] * s[a] + p[b] * s[b]) / (p[a] + p[b]) for a, b in both) / total,
        sum((p[a] + p[b]) * (a - b) ** 2 for a, b in both) / sum(s.values()),
    ]

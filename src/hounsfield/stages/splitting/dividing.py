"""Dividing groups into parts of given shares, each with its fair share of every tag."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array

_SCARCE = 4


def divide(
    ids: Sequence[str],
    groups: Mapping[str, str],
    strata: Mapping[str, Sequence[str]],
    *,
    shares: Sequence[float],
    seed: int,
) -> dict[str, int]:
    """Divide samples into parts; groups stay whole, and every tag is spread by the shares.

    Parameters
    ----------
    ids : sequence of str
        Samples to divide. Their order does not matter beyond breaking ties.
    groups : mapping of str to str
        Sample id to group.
    strata : mapping of str to sequence of str
        Sample id to tags; see `strata_of`.
    shares : sequence of float
        Share of each part, summing to 1.
    seed : int
        Of the order among equals.

    Returns
    -------
    dict of str to int
        Sample id to number of its part, in the order of `ids`.

    Notes
    -----
    Greedy: groups with scarce tags first, then the largest, equals in random order; each goes to the part where the
    squared deviation from the wanted shares, relative to them, then is least. For single samples with one tag this
    is stratified sampling; for several tags it is close to iterative stratification.

    References
    ----------
    Sechidis K, Tsoumakas G, Vlahavas I. On the stratification of multi-label data. ECML PKDD 2011.
    """
    names, counts = _count(ids, groups, strata)
    wanted = np.asarray(shares, dtype=np.float64)
    totals = np.maximum(counts.sum(axis=0), 1.0)
    parts_of: dict[str, int] = {}
    held = np.zeros((len(wanted), counts.shape[1]))
    for at in _order(counts, parts=len(wanted), seed=seed):
        portion = counts[at] / totals
        deviation = held / totals - wanted[:, None]
        cost = ((portion * (portion + 2.0 * deviation)) / wanted[:, None]).sum(axis=1)
        best = int(np.lexsort((-wanted, np.round(cost, 12)))[0])
        held[best] += counts[at]
        parts_of[names[at]] = best
    return {name: parts_of[groups[name]] for name in ids}


def carve(
    ids: Sequence[str],
    groups: Mapping[str, str],
    strata: Mapping[str, Sequence[str]],
    *,
    share: float,
    seed: int,
) -> tuple[str, ...]:
    """Return about a share of the samples, in whole groups and with their share of every tag.

    Parameters
    ----------
    ids : sequence of str
        Samples to carve from, such as the training samples of a fold.
    groups, strata : mapping
        See `divide`.
    share : float
        Wanted share, above 0 and below 1.
    seed : int
        Of the order among equals.

    Returns
    -------
    tuple of str
        In the order of `ids`. The only group that holds a tag always stays behind.
    """
    holders: dict[str, set[str]] = defaultdict(set)
    for name in ids:
        for tag in strata[name]:
            holders[tag].add(groups[name])
    staying = {next(iter(owners)) for owners in holders.values() if len(owners) == 1}
    free = [name for name in ids if groups[name] not in staying]
    if not free:
        return ()
    scaled = min(0.9, share * len(ids) / len(free))
    parts = divide(free, groups, strata, shares=(1.0 - scaled, scaled), seed=seed)
    return tuple(name for name in free if parts[name] == 1)


def completed(
    carved: Sequence[str],
    ids: Sequence[str],
    groups: Mapping[str, str],
    strata: Mapping[str, Sequence[str]],
    *,
    wanted: Sequence[str],
) -> tuple[str, ...]:
    """Return a carved part with a whole group for each wanted tag that it lacks though several groups hold it.

    Parameters
    ----------
    carved : sequence of str
        As `carve` returns it: whole groups.
    ids, groups, strata
        As `carve` was given them.
    wanted : sequence of str
        Tags that the part should hold.

    Returns
    -------
    tuple of str
        In the order of `ids`.

    Notes
    -----
    Of two patients with a rare class the fair share of a part is less than half of one, and none would be given. Of
    the holders the one with least of the tag goes, so that most of it is still learned from; none goes that is the last
    one left with a wanted tag.
    """
    names, counts = _count(ids, groups, {name: [t for t in strata[name] if t in wanted] for name in ids})
    tags = sorted({tag for name in ids for tag in strata[name] if tag in wanted})
    holds = counts > 0
    inside = np.isin(names, [groups[name] for name in carved])
    for tag in (tags.index(name) for name in wanted if name in tags):
        if holds[inside, tag].any():
            continue
        lonely = holds[~inside].sum(axis=0) == 1
        free = np.flatnonzero(~inside & holds[:, tag] & ~holds[:, lonely].any(axis=1))
        if len(free):
            inside[free[np.lexsort((counts.sum(axis=1)[free], counts[free, tag]))[0]]] = True
    chosen = {name for name, own in zip(names, inside, strict=True) if own}
    return tuple(name for name in ids if groups[name] in chosen)


def _count(
    ids: Sequence[str], groups: Mapping[str, str], strata: Mapping[str, Sequence[str]]
) -> tuple[list[str], Float64Array]:
    """Return the groups in order of appearance and how often each holds each tag (g, t)."""
    names = list(dict.fromkeys(groups[name] for name in ids))
    tags = sorted({tag for name in ids for tag in strata[name]})
    row, column = {g: i for i, g in enumerate(names)}, {t: i for i, t in enumerate(tags)}
    counts = np.zeros((len(names), len(tags)))
    for name in ids:
        for tag in strata[name]:
            counts[row[groups[name]], column[tag]] += 1.0
    return names, counts


def _order(counts: Float64Array, *, parts: int, seed: int) -> list[int]:
    """Return group numbers: holders of scarce tags first, then by size, equals at random."""
    owners = (counts > 0).sum(axis=0)
    rarity = np.where(counts > 0, owners, np.inf).min(axis=1)
    scarce = np.where(rarity <= _SCARCE * parts, rarity, np.inf)
    chance = stream(seed, "split").permutation(len(counts))
    return [int(at) for at in np.lexsort((chance, -counts.sum(axis=1), scarce))]

"""Official parts: kept as they are, with training giving way where a group lies in two of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_RANK = {"train": 0, "val": 1, "test": 2}
_NAMES = {"train": "training", "val": "validation", "test": "test"}
_MOST_LOST = 0.5


@dataclass(frozen=True)
class GivingWay:
    """What an official division loses so that no group lies in two parts.

    Parameters
    ----------
    out : dict of str to str
        Sample id to reason.
    kept_straddling : int
        Groups that stay in two parts because leaving them out would cost too much.
    """

    out: dict[str, str]
    kept_straddling: int


def give_way(
    parts: Mapping[str, str],
    groups: Mapping[str, str],
    strata: Mapping[str, Sequence[str]],
    *,
    demand: Sequence[str],
) -> GivingWay:
    """Decide which samples of training and validation give way to a later part that holds their group.

    Parameters
    ----------
    parts : mapping of str to str
        Sample id to official part, for the samples in use.
    groups, strata : mapping
        Group and tags of each sample.
    demand : sequence of str
        Classes that training and validation must keep.

    Returns
    -------
    GivingWay

    Notes
    -----
    The test part is never changed, and its answers are not looked at. Where giving way would empty a class or take
    more than half of a part, that part is kept whole and the claim "no patient in two parts" is given up.
    """
    highest: dict[str, str] = {}
    for name, part in parts.items():
        known = highest.setdefault(groups[name], part)
        if _RANK[part] > _RANK[known]:
            highest[groups[name]] = part
    out: dict[str, str] = {}
    kept: set[str] = set()
    for part in ("train", "val"):
        members = [name for name, where in parts.items() if where == part]
        leaving = [name for name in members if highest[groups[name]] != part]
        if _too_dear(members, leaving, strata, demand):
            kept.update(groups[name] for name in leaving)
            continue
        for name in leaving:
            out[name] = f"its patient or picture also lies in the {_NAMES[highest[groups[name]]]} part"
    return GivingWay(out, len(kept))


def _too_dear(
    members: Sequence[str], leaving: Sequence[str], strata: Mapping[str, Sequence[str]], demand: Sequence[str]
) -> bool:
    if not leaving:
        return False
    if len(leaving) > _MOST_LOST * len(members):
        return True
    gone = set(leaving)
    before: dict[str, int] = defaultdict(int)
    after: dict[str, int] = defaultdict(int)
    for name in members:
        for tag in strata[name]:
            before[tag] += 1
            after[tag] += name not in gone
    return any(before[tag] and not after[tag] for tag in demand)

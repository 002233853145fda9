"""The split of a cohort into parts and folds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hounsfield.core.audit import Audit
from hounsfield.core.cohort import INSIDE_KINDS, Cohort, Sample, SetAside, TargetSpec
from hounsfield.core.errors import CohortError, SplitError
from hounsfield.core.split import Split
from hounsfield.stages.splitting.dividing import carve, completed, divide
from hounsfield.stages.splitting.grouping import join_groups
from hounsfield.stages.splitting.official import give_way
from hounsfield.stages.splitting.saying import (
    Said,
    carved,
    gave_way,
    in_folds,
    joined,
    kept_parts,
    own_parts,
    straddling,
)
from hounsfield.stages.splitting.strata import demanded, strata_of

SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}
"""Shares of the parts where the data brings none."""

_CARVED = 0.2
_CARVED_LARGE = 0.15
_LARGE = 2000
_CROWDED = 20
"""Samples of each group from which a part is carved by group, if two classes come along, though another class then
stays in training whole: beats of one record are so alike that nearly the same ones would be learned and judged."""


@dataclass(frozen=True)
class _Scene:
    """What every way of dividing needs."""

    target: TargetSpec | None
    groups: Mapping[str, str]
    strata: Mapping[str, tuple[str, ...]]
    seed: int
    everyone: tuple[Sample, ...]


@dataclass(frozen=True)
class _Division:
    """Parts, what was left out, whether groups are whole, how parts were made, and what official ones lost."""

    parts: dict[str, str]
    out: dict[str, str]
    grouped: bool
    made: tuple[Said, ...]
    lost: tuple[Said, ...] = ()


def split(cohort: Cohort, audit: Audit, *, seed: int, folds: int = 0) -> Split:
    """Divide a cohort into training, validation and test parts.

    Parameters
    ----------
    cohort : Cohort
        With all its samples.
    audit : Audit
        Of this cohort; tells clusters, cases set aside and samples that training does without.
    seed : int
        Of the order among equals.
    folds : int
        0, or the number of grouped, stratified folds over all samples outside an official test part, at least 2.

    Returns
    -------
    Split

    Raises
    ------
    CohortError
        If no sample is left, or all answers are of one class.
    SplitError
        If a class has too few groups (patients joined with duplicates) for the parts or folds.

    Notes
    -----
    Official parts are kept; a part that is missing is carved from training. What training consists of does not
    depend on any answer of an official test part. Without official parts: 60 / 20 / 20 percent, grouped and
    stratified by the primary target. With folds the rule says what the folds do: parts other than an official test
    part are then made only so that a training set of that size can be planned for.
    """
    target = cohort.schema.targets[0] if cohort.schema.targets else None
    left = {a.sample: a.reason for a in (*audit.unreadable, *audit.removed_from_training)}
    samples = [s for s in cohort.samples if s.id not in left]
    scene = _Scene(
        target, join_groups(cohort.samples, audit.clusters), strata_of(samples, target), seed, cohort.samples
    )
    official = any(s.part for s in cohort.samples)
    _check_answers(samples, target, official=official)
    division = _official(samples, scene) if official else _own(samples, scene)
    reasons = {name: left.get(name) or division.out.get(name) for name in scene.groups}
    found = {name: division.parts.get(name, "out") for name in scene.groups}
    brought = tuple(p for p in ("train", "val", "test") if any(s.part == p for s in cohort.samples))
    made = (in_folds(folds, target, seed, official=brought),) if folds else division.made
    rule = joined([made[0], *division.lost, *made[1:]])
    return Split(
        parts=found,
        groups=dict(scene.groups),
        folds=_folds(samples, found, scene, folds=folds, official=official) if folds else {},
        left_out=tuple(SetAside(sample=n, reason=reasons[n] or "left out") for n, p in found.items() if p == "out"),
        official=brought,
        grouped=division.grouped,
        rule=rule.en,
        rule_zh=rule.zh,
    )


def _own(samples: Sequence[Sample], scene: _Scene) -> _Division:
    _check_groups(samples, scene, needed=len(SHARES), what="parts")
    ids = [s.id for s in samples]
    names = list(SHARES)
    placed = divide(ids, scene.groups, scene.strata, shares=list(SHARES.values()), seed=scene.seed)
    parts = {name: names[number] for name, number in placed.items()}
    _check_held(samples, parts, scene, wanted=names)
    return _Division(parts, {}, grouped=True, made=(own_parts(scene.target, scene.seed),))


def _official(samples: Sequence[Sample], scene: _Scene) -> _Division:
    parts = {s.id: str(s.part) for s in samples if s.part}
    out = {s.id: "the table gives it no part" for s in samples if not s.part}
    if "train" not in parts.values():
        if any(s.part == "train" for s in scene.everyone):
            raise CohortError(
                "No sample of the official training part is left: all were set aside or repeat a held-out picture.",
                expected="readable training images that are not those of the validation and test parts",
                next_step="see with hu inspect what was left out and why",
            )
        raise SplitError(
            f"The official division has no training part, only {', '.join(sorted(set(parts.values()))) or 'nothing'}.",
            expected="a part named train",
            next_step="name the column of parts with --split, or remove it so that the parts are made here",
        )
    demand = demanded([s for s in samples if s.part != "test"], scene.target)
    gave = give_way(parts, scene.groups, scene.strata, demand=demand)
    out.update(gave.out)
    parts = {name: part for name, part in parts.items() if name not in gave.out}
    made = [kept_parts([p for p in SHARES if p in parts.values()])]
    grouped = gave.kept_straddling == 0
    lost = [gave_way(len(gave.out))] if gave.out else []
    lost += [] if grouped else [straddling(gave.kept_straddling)]
    for missing in ("test", "val"):
        if missing not in parts.values():
            whole = _carve_part(samples, parts, scene, missing=missing)
            grouped = grouped and whole
            made.append(carved(missing, scene.target, scene.seed, whole=whole))
    _check_training(samples, parts, scene)
    return _Division(parts, out, grouped=grouped, made=tuple(made), lost=tuple(lost))


def _carve_part(samples: Sequence[Sample], parts: dict[str, str], scene: _Scene, *, missing: str) -> bool:
    """Move a share of training to a missing part in place; return whether groups could be kept whole."""
    inside = [s for s in samples if parts.get(s.id) == "train"]
    ids = [s.id for s in inside]
    share = _CARVED if len(ids) < _LARGE else _CARVED_LARGE
    carved = carve(ids, scene.groups, scene.strata, share=share, seed=scene.seed)
    counts, demand = _group_counts(inside, scene), demanded(inside, scene.target)
    whole = all(counts[tag] >= 2 for tag in demand)
    if not whole and len(ids) >= _CROWDED * len({scene.groups[name] for name in ids}):
        whole = len({tag for name in carved for tag in scene.strata[name]}.intersection(demand)) > 1
    if whole:
        carved = completed(carved, ids, scene.groups, scene.strata, wanted=demand)
    else:
        carved = carve(ids, {name: name for name in ids}, scene.strata, share=share, seed=scene.seed)
    for name in carved:
        parts[name] = missing
    return whole


def _folds(
    samples: Sequence[Sample], parts: Mapping[str, str], scene: _Scene, *, folds: int, official: bool
) -> dict[str, int]:
    """Divide what lies outside an official test part into folds."""
    if folds < 2:
        raise SplitError(
            f"{folds} fold was asked for.", expected="at least 2 folds", next_step="give --folds 5, or leave it out"
        )
    fixed = official and any(s.part == "test" for s in samples)
    inside = [s for s in samples if parts[s.id] != "out" and not (fixed and parts[s.id] == "test")]
    _check_groups(inside, scene, needed=folds, what="folds")
    ids = [s.id for s in inside]
    return divide(ids, scene.groups, scene.strata, shares=[1.0 / folds] * folds, seed=scene.seed)


def _check_answers(samples: Sequence[Sample], target: TargetSpec | None, *, official: bool) -> None:
    inside = [s for s in samples if s.part != "test"] if official else list(samples)
    if not inside:
        raise CohortError(
            "No sample is left to learn from.",
            expected="readable images with an answer",
            next_step="see what was set aside with hu inspect, and correct the files or the table",
        )
    if target is None or target.kind in (*INSIDE_KINDS, "multilabel"):
        return
    values = {s.targets.get(target.name) for s in inside} - {None}
    if len(values) < 2:
        only = f"all are {str(next(iter(values)))!r}" if values else "there is none"
        raise CohortError(
            f"The answers in {target.name!r} do not differ: {only}.",
            expected="at least two classes or values",
            next_step="choose another column with --target, or add samples of another class",
        )


def _check_training(samples: Sequence[Sample], parts: Mapping[str, str], scene: _Scene) -> None:
    """Refuse an official training part with one class: there is nothing to tell apart in it."""
    held = demanded([s for s in samples if parts.get(s.id) == "train"], scene.target)
    if scene.target is not None and len(held) == 1:
        raise CohortError(
            f"The official training part has one class of {scene.target.name!r} only: {held[0]!r}.",
            expected="at least two classes in the training part",
            next_step="name another column of parts with --split, or remove it so that the parts are made here",
        )


def _group_counts(samples: Sequence[Sample], scene: _Scene) -> Counter[str]:
    held = {(tag, scene.groups[s.id]) for s in samples for tag in scene.strata[s.id]}
    return Counter(tag for tag, _ in held)


def _check_groups(samples: Sequence[Sample], scene: _Scene, *, needed: int, what: str) -> None:
    counts = _group_counts(samples, scene)
    number = Counter(tag for s in samples for tag in scene.strata[s.id])
    for tag in demanded(samples, scene.target):
        if counts[tag] < needed:
            fewer = ", or ask for fewer folds" if what == "folds" else ", or bring parts along in a column (--split)"
            raise SplitError(
                f"Class {tag!r} has {number[tag]} samples of {counts[tag]} patients or groups, "
                f"too few for {needed} {what}.",
                expected=f"at least {needed} patients of each class",
                next_step=f"add patients of this class, join it with another or leave it out{fewer}",
            )
    if len({scene.groups[s.id] for s in samples}) < needed:
        raise SplitError(
            f"The cohort has fewer than {needed} patients or groups.",
            expected=f"at least {needed}, one for each of the {what}",
            next_step="add patients; if samples of one patient may be separated, choose another --group column",
        )


def _check_held(samples: Sequence[Sample], parts: Mapping[str, str], scene: _Scene, *, wanted: Sequence[str]) -> None:
    """Refuse a division that leaves a part without a class: large groups can make that unavoidable."""
    held = {(parts[s.id], tag) for s in samples for tag in scene.strata[s.id]}
    for tag in demanded(samples, scene.target):
        for part in wanted:
            if (part, tag) not in held:
                raise SplitError(
                    f"Class {tag!r} could not be spread over all parts without separating a patient's samples: "
                    f"{part} would have none.",
                    expected="each class in training, validation and test",
                    next_step="add patients of this class, or bring parts along in a column (--split)",
                )

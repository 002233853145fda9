"""Cheap ways to mark a structure, fitted, bundled and judged as the network is."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from hounsfield.bundle.checkpoints import load_checkpoint, save_checkpoint
from hounsfield.bundle.sealed import BundleContents, Member
from hounsfield.core.image import Image
from hounsfield.core.plan import Plan
from hounsfield.core.streams import stream
from hounsfield.core.structures import Structures
from hounsfield.core.types import AnyArray, BoolArray, Float32Array, Json
from hounsfield.learn.dense.cases import DenseFeed
from hounsfield.learn.dense.preparing import DensePreparation, put_back
from hounsfield.science.baselines import MASK_BASELINES
from hounsfield.science.baselines.cases import Case, Cases, Fitted

MOST = 120
"""Training cases that a baseline is fitted to at most: more change it little and cost time that the network needs."""


class MaskBaseline(Protocol):
    """A module of `MASK_BASELINES`."""

    def fit(self, cases: Cases, *, rng: np.random.Generator) -> Fitted:
        """Fit to training cases."""

    def apply(self, fitted: Fitted, image: AnyArray) -> Float32Array:
        """Return probabilities of each class, ``k ...``."""


def baseline(name: str) -> MaskBaseline:
    """Return a baseline by its name."""
    return cast(MaskBaseline, MASK_BASELINES.resolve(name))


def names_of(plan: Plan) -> list[str]:
    """Return the baselines of a plan."""
    found = plan.value("baselines", "names")
    return [str(n) for n in found] if isinstance(found, list) else []


def grey(image: AnyArray) -> Float32Array:
    """Return the one channel that a baseline looks at: the mean of a prepared case's channels, ``...`` float32."""
    found: Float32Array = np.asarray(image, dtype=np.float32).mean(axis=0)
    return found


def fit_baseline(name: str, feed: DenseFeed, structures: Mapping[str, Structures], *, seed: int) -> Member:
    """Fit one baseline to the training cases of a feed, for all targets.

    Parameters
    ----------
    name : str
    feed : DenseFeed
    structures : mapping of str to Structures
    seed : int
    """
    chosen = feed.train
    if len(chosen) > MOST:
        chosen = np.sort(stream(seed, "baseline cases").permutation(chosen)[:MOST])
    arrays: dict[str, AnyArray] = {}
    facts: dict[str, Json] = {}
    first = 0
    for place, (target, one) in enumerate(structures.items()):
        planes = slice(first, first + one.planes)
        first += one.planes

        def cases(planes: slice = planes, one: Structures = one) -> Iterator[Case]:
            for row in chosen:
                yield Case(grey(feed.cases.image(int(row))), one.masks(np.asarray(feed.cases.label(int(row))[planes])))

        found = baseline(name).fit(cases, rng=stream(seed, f"baseline {name}", 0, place))
        facts[target] = dict(found.json)
        arrays |= {f"{place}/{key}": np.asarray(value) for key, value in found.arrays.items()}
    return Member(name, arrays, facts)


def fitted_baselines(
    plan: Plan, feed: DenseFeed, structures: Mapping[str, Structures], *, fold: int, work: Path
) -> dict[str, Member]:
    """Fit all baselines of a plan to one fold; what a killed run had fitted is not fitted again.

    Parameters
    ----------
    plan : Plan
    feed : DenseFeed
        With the fold's parts.
    structures : mapping of str to Structures
    fold : int
    work : Path
        Folder for what is fitted.
    """
    made = {}
    for name in names_of(plan):
        kept = work / f"baseline-{name}-{fold}.safetensors"
        found = load_checkpoint(kept)
        if found is None:
            member = fit_baseline(name, feed, structures, seed=plan.seed * 1000 + fold)
            save_checkpoint(kept, member.arrays, member.json)
        else:
            member = Member(name, dict(found[0]), found[1])
        made[name] = member
    return made


def apply_baseline(
    members: Sequence[Member],
    prepared: AnyArray,
    image: Image,
    *,
    preparation: DensePreparation,
    structures: Mapping[str, Structures],
) -> dict[str, BoolArray]:
    """Return what a baseline marks in one case, bool ``k ...`` on the image's own grid by target.

    Parameters
    ----------
    members : sequence of Member
        One, or one for each fold: their probabilities are averaged.
    prepared : numpy.ndarray
        ``c ...``, as the network sees the case.
    image : Image
    preparation : DensePreparation
    structures : mapping of str to Structures
    """
    seen = grey(prepared)
    marked = {}
    for place, target in enumerate(structures):
        total = np.mean([applied(m, target, place, seen) for m in members], axis=0).astype(np.float32)
        back = put_back(total, image, preparation)
        masks = back >= 0.5
        if structures[target].layout == "exclusive":
            best = back.argmax(axis=0)
            masks &= np.stack([best == k for k in range(len(back))])
        marked[target] = np.asarray(masks, dtype=np.bool_)
    return marked


def applied(member: Member, target: str, place: int, seen: Float32Array) -> Float32Array:
    """Return what a fitted baseline says of one target of a grey case, ``k ...``."""
    facts = member.json.get(target) if isinstance(member.json, dict) else None
    prefix = f"{place}/"
    arrays = {k.removeprefix(prefix): v for k, v in member.arrays.items() if k.startswith(prefix)}
    return baseline(member.learner).apply(Fitted(facts if isinstance(facts, dict) else {}, arrays), seen)


def bundled(contents: BundleContents, *, fold: int) -> dict[str, list[Member]]:
    """Return the baselines of a bundle by name: of one fold, or of all for -1."""
    found: dict[str, list[Member]] = {}
    for key, member in contents.baselines.items():
        name, _, number = key.rpartition(".")
        if fold < 0 or int(number) == fold:
            found.setdefault(name, []).append(member)
    return found

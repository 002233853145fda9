"""Samples of a DICOM disk with their masks: segmentations and structure sets as answers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hounsfield.core.cohort import Cohort, Listing, Ref, Sample, SetAside, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.marked import Marked
from hounsfield.data.dicom.mask_reader import mask_ref
from hounsfield.data.dicom.naming import structure_key
from hounsfield.data.layouts.cases import MOST
from hounsfield.data.layouts.described import MASK
from hounsfield.data.layouts.dicom_disk import Disk
from hounsfield.data.layouts.dicom_masks import Answer, Drawn, Home, answers_of

BACKGROUND = "background"
_OPINION = f"{MASK} (another reader)"
_SHOWN = 12


@dataclass(frozen=True)
class _Found:
    """What the samples have: by sample id its structures, how each is spelled, and the series that they look at."""

    answers: Mapping[str, dict[str, Answer]] = field(repr=False)
    spellings: Mapping[str, Counter[str]] = field(repr=False)
    homes: frozenset[Home] = field(repr=False)

    @property
    def counts(self) -> Counter[str]:
        """Samples that have each structure."""
        return Counter(key for held in self.answers.values() for key in held)

    def name(self, key: str) -> str:
        """Return what a structure is called: its most frequent spelling."""
        counted = self.spellings[key]
        return min(counted, key=lambda word: (-counted[word], word))


def with_masks(cohort: Cohort, disk: Disk, drawn: Drawn, asked: Sequence[str] = ()) -> Cohort:
    """Return a cohort whose samples have the masks that were drawn on their images.

    Parameters
    ----------
    cohort : Cohort
        Of the disk.
    disk : Disk
    drawn : Drawn
        Its masks.
    asked : sequence of str
        Structures that the user named; ``mask`` means those that nearly all have. Without any, the same.

    Returns
    -------
    Cohort
        With a target ``mask``, a channel for each structure, which may overlap; where there is one structure the
        classes are the background and it. A sample without one of the structures has no mask: what a file does not
        name was not looked for, while a segment without voxels says that there is none. Without other answers, samples
        without masks are set aside.

    Raises
    ------
    CohortError
        If no sample has the structures that the user named.
    """
    if not drawn.files:
        return cohort
    keys = [structure_key(a) for a in asked if a.casefold() != MASK]
    found = _found(cohort, disk, drawn, keys)
    listed = replace(cohort, listings=(*cohort.listings, *_listings(found, drawn)))
    kept = keys or _usual(found)
    whole = {i: held for i, held in found.answers.items() if kept and all(k in held for k in kept)}
    if not whole:
        if asked:
            raise CohortError(
                f"No sample has a mask of {', '.join(asked)} on the series that is used.",
                expected="a structure that is drawn on a series that is looked at",
                next_step="look at hu inspect, and choose the series with --series",
            )
        return replace(listed, set_aside=(*listed.set_aside, *drawn.aside))
    names = [found.name(k) for k in kept]
    spec = TargetSpec(name=MASK, kind="mask", classes=tuple(names) if len(names) > 1 else (BACKGROUND, *names))
    samples = tuple(_with_mask(s, whole.get(s.id), kept) for s in cohort.samples)
    others = cohort.schema.targets
    aside = list(drawn.aside)
    if not others:
        aside += [
            SetAside(sample=s.id, reason=_why(found.answers.get(s.id), kept, found)) for s in samples if not s.masks
        ]
        samples = tuple(s for s in samples if s.masks)
    schema = cohort.schema.model_copy(
        update={
            "targets": (*others, spec),
            "notes": (*cohort.schema.notes, *_notes(found, whole, kept, drawn)),
            "unsure": (*cohort.schema.unsure, *_doubts(found, kept), *_by_programs(whole, kept)),
        }
    )
    return replace(listed, samples=samples, schema=schema, set_aside=(*listed.set_aside, *aside))


def with_structures_listed(cohort: Cohort, disk: Disk, drawn: Drawn) -> Cohort:
    """Return a cohort that lists the structures of a disk's masks, which are not what the user asked for."""
    if not drawn.files:
        return cohort
    return replace(cohort, listings=(*cohort.listings, *_listings(_found(cohort, disk, drawn, ()), drawn)))


def _found(cohort: Cohort, disk: Disk, drawn: Drawn, keys: Sequence[str]) -> _Found:
    by_place: dict[tuple[str, str], Entry] = {(e.path, e.member): e for e in disk.index.entries}
    answers: dict[str, dict[str, Answer]] = {}
    spellings: dict[str, Counter[str]] = {}
    homes: set[Home] = set()
    for sample in cohort.samples:
        home, marked = _drawn_on(_image(sample), by_place, drawn)
        if home is None or not marked:
            continue
        homes.add(home)
        answers[sample.id] = answers_of(marked, keys)
        for one in marked:
            for structure in one.structures:
                key = next((k for k in structure.keys if k in keys), structure.keys[0])
                spellings.setdefault(key, Counter())[structure.name if key == structure.keys[0] else key.title()] += 1
    return _Found(answers, spellings, frozenset(homes))


def _image(sample: Sample) -> Ref:
    return next(iter(sample.inputs.values()))[-1].ref


def _drawn_on(ref: Ref, by_place: Mapping[tuple[str, str], Entry], drawn: Drawn) -> tuple[Home | None, list[Marked]]:
    """Return the series that a ref means, all or one picture of it, and the files that were drawn on it."""
    told = dict(ref.part)
    entry = by_place.get((ref.path, str(told.get("member", ""))))
    if ref.reader != "dicom" or entry is None:
        return None, []
    home = (entry.patient_id, entry.issuer, entry.series_uid)
    marked = drawn.by_series.get(home, ())
    return home, [m for m in marked if "series" in told or not m.images or entry.sop_uid in m.images]


def _usual(found: _Found) -> list[str]:
    """Return the structure that most samples have, and those that nearly all samples with it have too, by name."""
    counts = found.counts
    if not counts:
        return []
    first = min(counts, key=lambda k: (-counts[k], k))
    pool = [held for held in found.answers.values() if first in held]
    beside = Counter(key for held in pool for key in held)
    return sorted((k for k, n in beside.items() if n >= MOST * len(pool)), key=found.name)


def _with_mask(sample: Sample, held: Mapping[str, Answer] | None, kept: Sequence[str]) -> Sample:
    if held is None:
        return sample
    image = _image(sample)
    masks = {**sample.masks, MASK: mask_ref(image, [held[k].drawings for k in kept])}
    if not all(held[k].opinion for k in kept):
        return replace(sample, masks=masks)
    other = mask_ref(image, [held[k].opinion for k in kept])
    return replace(sample, masks=masks, opinions={**sample.opinions, _OPINION: other})


def _why(held: Mapping[str, Answer] | None, kept: Sequence[str], found: _Found) -> str:
    if not held:
        return "no mask on the series that is used"
    lacking = [found.name(k) for k in kept if k not in held]
    return f"its masks do not name {', '.join(lacking)}" if lacking else "no mask"


def _notes(found: _Found, whole: Mapping[str, object], kept: Sequence[str], drawn: Drawn) -> list[str]:
    counts = found.counts
    told = ", ".join(f"{found.name(k)} ({counts[k]})" for k in kept[:_SHOWN])
    more = f" and {len(kept) - _SHOWN} more" if len(kept) > _SHOWN else ""
    notes = [
        f"Samples with masks: {len(found.answers)}; with all structures that are asked for: {len(whole)}; {told}{more}."
    ]
    several = {k: c for k in kept if len(c := found.spellings[k]) > 1}
    notes += [
        f"{', '.join(sorted(c))} are one structure; it is called {found.name(k)}."
        for k, c in list(several.items())[:_SHOWN]
    ]
    reasons = Counter(a.reason for held in found.answers.values() for k, a in held.items() if k in kept and a.reason)
    notes += [f"{n} structures are in several files; one is used: {reason}." for reason, n in reasons.most_common()]
    opinions = sum(any(a.opinion for a in held.values()) for held in found.answers.values())
    if opinions:
        notes.append(
            f"{opinions} series have masks of another author too: opinions, for agreement and not for training."
        )
    unused = len(set(drawn.by_series) - found.homes)
    if unused:
        notes.append(f"{unused} more series have masks and are not looked at.")
    return notes


def _doubts(found: _Found, kept: Sequence[str]) -> list[str]:
    counts = found.counts
    others = sorted((k for k in counts if k not in kept), key=lambda k: (-counts[k], k))
    if not others:
        return []
    told = ", ".join(f"{found.name(k)} ({counts[k]})" for k in others[:_SHOWN])
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    return [f"Structures that are not asked for: {told}{more}; say --target NAME for those that are meant."]


def _by_programs(whole: Mapping[str, Mapping[str, Answer]], kept: Sequence[str]) -> list[str]:
    """Say how many masks nobody drew: to learn from them is to learn another program's errors, or one's own."""
    count = sum(any(held[k].automatic for k in kept) for held in whole.values())
    if not count:
        return []
    return [
        f"Masks of {count} of {len(whole)} samples were drawn by a program, as their files say: use them as answers "
        "only if a person has corrected them."
    ]


def _listings(found: _Found, drawn: Drawn) -> list[Listing]:
    """Return the structures with how many series have them, used or not."""
    every: dict[str, Counter[str]] = {}
    series: Counter[str] = Counter()
    for several in drawn.by_series.values():
        held: set[str] = set()
        for marked in several:
            for structure in marked.structures:
                held.add(structure.keys[0])
                every.setdefault(structure.keys[0], Counter())[structure.name] += 1
        series.update(held)
    counts = found.counts
    rows = tuple(
        (", ".join(sorted(every[k])), str(series[k]), str(counts[k]))
        for k in sorted(every, key=lambda k: (-series[k], k))
    )
    listed = [Listing("Structures in masks", ("structure, as it is spelled", "series", "of them used"), rows)]
    if drawn.aside:
        reasons = Counter(a.reason for a in drawn.aside)
        told = tuple((reason, str(n)) for reason, n in reasons.most_common())
        listed.append(Listing("Masks that are not used", ("because", "files"), told))
    return [one for one in listed if one.rows]

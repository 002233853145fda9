"""Masks on the grid of their image: read so, and checked by their headers before anything is read."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, Ref, Sample, SetAside
from hounsfield.core.errors import CohortError, ReadError, case_id
from hounsfield.core.image import Image
from hounsfield.core.types import BoolArray
from hounsfield.data.readers import read
from hounsfield.data.volume.facts import READERS, volume_facts
from hounsfield.geometry.masks import CHANGED, LOST, Frame, changed_share, lost_share, onto, relation

REMEDY = "expected is one on the image's grid, or affines that say how it lies: write the mask again on it"

NO_MASK = "no mask: nothing to learn from, left to be annotated"
"""Why a case without a mask is set aside where others have one."""


def read_mask(cohort: Cohort, ref: Ref, image: Image) -> Image:
    """Return a mask on the grid of its image.

    Parameters
    ----------
    cohort : Cohort
    ref : Ref
        Of the mask.
    image : Image
        What it outlines.

    Returns
    -------
    Image
        Labels, ``c y x`` or ``c z y x``, of the image's size, on its grid.

    Raises
    ------
    ReadError
        If it cannot be read, or lies on another grid and the affines do not say how to bring it there.
    """
    mask = read(cohort, ref)
    frame, there = _frame(mask), _frame(image)
    found = relation(there, frame)
    case = case_id(ref.path)
    if found.match == "refused":
        raise _mismatch(case, found.reason)
    array = mask.array
    if found.match == "moved":
        lost = lost_share(array.max(axis=0), frame, there)
        if lost > LOST:
            raise _mismatch(case, f"by the affines {lost:.0%} of the outlined voxels lie outside the image")
        array = np.stack([onto(one, frame, there) for one in array])
        changed = changed_share(mask.array.max(axis=0), array.max(axis=0), frame=frame, image=there)
        if changed > CHANGED:
            raise _mismatch(case, f"brought to the image's grid, the outlined volume changes by {changed:.0%}")
    elif array.shape[1:] != image.size:
        array = array.reshape(array.shape[0], *image.size)
    return Image(array, image.grid)


def read_region(cohort: Cohort, sample: Sample, image: Image) -> BoolArray | None:
    """Return where a sample counts, bool ``y x`` or ``z y x`` on its image's grid; None: everywhere.

    Parameters
    ----------
    cohort : Cohort
    sample : Sample
        All of its regions count together: what lies in each of them.
    image : Image

    Raises
    ------
    ReadError
        If a region cannot be read, or does not lie on the image.
    """
    found: BoolArray | None = None
    for ref in sample.regions.values():
        inside = np.asarray((read_mask(cohort, ref, image).array != 0).any(axis=0), dtype=np.bool_)
        found = inside if found is None else found & inside
    return found


def with_matching_masks(cohort: Cohort) -> Cohort:
    """Return a cohort without the cases whose masks cannot lie on their images.

    Parameters
    ----------
    cohort : Cohort
        Only masks and images that are volumes of formats with affines are compared, by their headers.

    Raises
    ------
    CohortError
        If no case is left.
    """
    if not any(sample.masks for sample in cohort.samples):
        return cohort
    kept: list[Sample] = []
    aside: list[SetAside] = []
    said: Counter[str] = Counter()
    compared = 0
    for sample in cohort.samples:
        matches = [_header_match(cohort, sample, ref) for ref in sample.masks.values()]
        compared += any(m is not None for m in matches)
        reason = next((r for kind, r in filter(None, matches) if kind == "refused"), "")
        if reason:
            aside.append(SetAside(sample=sample.id, reason=f"{reason}; {REMEDY}"))
            continue
        kept.append(sample)
        said.update({f"{kind}: {r}" for kind, r in filter(None, matches) if kind in ("moved", "assumed")})
    if not compared:
        return cohort
    if not kept:
        reason = aside[0].reason.removesuffix(f"; {REMEDY}")
        raise CohortError(
            f"None of the {len(cohort)} cases can be used: {reason}.",
            expected="masks on the grid of their images, or affines that say how they lie",
            next_step="write the masks again on the grid of their images",
        )
    words = {"moved": "it is brought to the image's grid by the affines", "assumed": "they are taken for one grid"}
    notes = [
        f"{count} of {compared} masks: {why}; {words[kind]}."
        for (kind, _, why), count in sorted((text.partition(": "), n) for text, n in said.items())
    ]
    notes += [f"{n} cases are set aside: {r}." for r, n in Counter(a.reason for a in aside).most_common()]
    if not notes:
        return cohort
    schema = cohort.schema.model_copy(update={"notes": (*cohort.schema.notes, *notes)})
    return replace(cohort, samples=tuple(kept), schema=schema, set_aside=(*cohort.set_aside, *aside))


def _header_match(cohort: Cohort, sample: Sample, mask: Ref) -> tuple[str, str] | None:
    """Return how a mask lies to the sample's first input; None where their headers cannot be compared."""
    ref = next(iter(sample.inputs.values()))[-1].ref
    if ref.reader not in READERS or mask.reader not in READERS:
        return None
    try:
        image, outline = (volume_facts(Path(cohort.root), r) for r in (ref, mask))
    except ReadError:
        return None
    found = relation(Frame(image.size, image.affine_ras), Frame(outline.size, outline.affine_ras))
    return found.match, found.reason


def _frame(image: Image) -> Frame:
    return Frame(image.size, image.grid.affine_ras if image.grid is not None else None)


def _mismatch(case: str, reason: str) -> ReadError:
    return ReadError(
        f"Case {case}: {reason}.",
        expected="a mask on its image's grid, or affines that say how it lies",
        next_step="write the mask again on the grid of its image",
    )

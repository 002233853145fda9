"""What the headers of many volumes say, without their voxels: for layouts and the audit of geometry."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.types import Float64Array
from hounsfield.data.volume.stored import Stored

READERS = ("nifti", "nrrd", "metaimage")
"""Readers of `hounsfield.data.readers` whose headers place their voxels."""
_NAMES = {"nifti": "NIfTI", "nrrd": "NRRD", "metaimage": "MetaImage"}


class _Reader(Protocol):
    def stored(self, root: Path, ref: Ref) -> Stored: ...


@dataclass(frozen=True)
class VolumeFacts:
    """What the header of one volume says.

    Parameters
    ----------
    size : tuple of int
        ``z y x``, or ``y x`` of a single plane.
    channels, moments : int
        Lengths of the axes of channels and of time.
    affine_ras : float64 array 4 x 4, or None
    notes : tuple of str
    """

    size: tuple[int, ...]
    channels: int
    moments: int
    affine_ras: Float64Array | None
    notes: tuple[str, ...] = ()


def volume_facts(root: Path, ref: Ref) -> VolumeFacts:
    """Return what the header of a volume says.

    Parameters
    ----------
    root : pathlib.Path
        Folder that the ref is relative to.
    ref : Ref
        Of one of `READERS`.

    Raises
    ------
    ReadError
        If the header cannot be read or believed.
    """
    from hounsfield.data.readers import reader

    told = cast("_Reader", reader(ref.reader)).stored(root, ref).as_told(dict(ref.part))
    channels = 1 if "channel" in dict(ref.part) else told.length("c")
    return VolumeFacts(told.size, channels, told.length("t"), told.affine_ras, told.notes)


@dataclass(frozen=True)
class Headers:
    """What the headers of a cohort's volumes have in common, and what a person should know of them.

    Parameters
    ----------
    ndim : int
        2 or 3, whichever most volumes have.
    notes, unsure : tuple of str
    """

    ndim: int
    notes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


def headers_of(root: Path, refs: Sequence[Ref]) -> Headers:
    """Read the headers of volumes and sum them up; those that cannot be read are left to the one who reads the voxels.

    Parameters
    ----------
    root : pathlib.Path
    refs : sequence of Ref
        Of `READERS`; others are not looked at.
    """
    facts: list[VolumeFacts] = []
    for ref in refs:
        if ref.reader in READERS:
            try:
                facts.append(volume_facts(root, ref))
            except ReadError:
                continue
    if not facts:
        return Headers(3)
    readers = Counter(ref.reader for ref in refs if ref.reader in READERS)
    notes = [f"The images are {' and '.join(_NAMES[r] for r in sorted(readers))} files."]
    unsure = [_of(count, len(facts), note) for note, count in Counter(n for f in facts for n in f.notes).most_common()]
    moments = sum(f.moments > 1 for f in facts)
    if moments:
        most = max(f.moments for f in facts)
        unsure.append(_of(moments, len(facts), f"a series over time of up to {most} volumes"))
    several = Counter(f.channels for f in facts)
    if len(several) > 1 or max(several) not in (1, 3, 4):
        shown = ", ".join(f"{c} in {n}" for c, n in sorted(several.items()))
        unsure.append(f"The volumes have several channels ({shown}); what the plan makes of them is in `channels`.")
    dims = Counter(len(f.size) for f in facts)
    if len(dims) > 1:
        unsure.append(f"{dims[2]} of {len(facts)} files are single planes, the others volumes.")
    return Headers(max(dims, key=lambda d: (dims[d], d)), tuple(notes), tuple(unsure))


def _of(count: int, whole: int, what: str) -> str:
    return f"{count} of {whole} headers: {what}."

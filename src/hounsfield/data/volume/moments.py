"""Moments: the volumes along a fourth axis of time or b-values, what they are called, and which of them is used."""

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError
from hounsfield.data.files import escapes
from hounsfield.data.volume.facts import READERS, volume_facts

_ENDING = re.compile(r"\.(nii|nii\.gz|img|hdr|nrrd|nhdr|mha|mhd)$", re.IGNORECASE)
_B_STEP = 50.0
"""Scanners state 995 and 1005 for directions of one b-value."""
_LARGEST_TABLE = 1 << 20
_TIME = ("axis4", "time")


@dataclass(frozen=True)
class Moments:
    """The volumes of one file.

    Parameters
    ----------
    names : dict of str to int
        What each is called (``phase_1``, ``b_1000``) and its place; of several directions of one b-value the first.
    count : int
        How many there are.
    used : int
        Place of the one that is used where a person asks for one image.
    reason : str
        Why that one.
    """

    names: dict[str, int]
    count: int
    used: int
    reason: str


def moments_of(root: Path, ref: Ref, *, asked: bool = False) -> Moments | None:
    """Return the volumes over time or b-values that a ref means; None where it means one volume.

    Parameters
    ----------
    root : pathlib.Path
        Folder that the ref is relative to.
    ref : Ref
    asked : bool
        Whether a person asked for phases: then a fourth axis that the header does not explain counts as time.

    Notes
    -----
    By the rules for DICOM series: the highest b-value, where a ``.bval`` file of as many numbers lies beside the image,
    else the first moment.
    """
    if ref.reader not in READERS or {"volume", "channel"} & set(dict(ref.part)):
        return None
    try:
        plain = volume_facts(root, ref)
        if plain.moments < 2 and not asked and not (root / _beside(ref.path)).is_file():
            return None
        over_time = plain if plain.moments > 1 else volume_facts(root, _over_time(ref))
    except ReadError:
        return None  # whoever reads it tells why
    count = over_time.moments
    if count < 2:
        return None
    b_values = _b_values(root, ref.path, count)
    if not b_values:
        if plain.moments < 2 and not asked:
            return None
        names = {f"phase_{n + 1}": n for n in range(count)}
        return Moments(names, count, 0, f"the first of {count} moments")
    named: dict[str, int] = {}
    for place, value in enumerate(b_values):
        named.setdefault(f"b_{value:g}", place)
    ordered = dict(sorted(named.items(), key=lambda item: b_values[item[1]]))
    used = b_values.index(max(b_values))
    told = f"b = {b_values[used]:g} s/mm2: the highest of {len(ordered)} b-values in {count} volumes"
    return Moments(ordered, count, used, told)


def moment(root: Path, ref: Ref, place: int) -> Ref:
    """Return the ref of one volume of a file."""
    told = ref if volume_facts(root, ref).moments > 1 else _over_time(ref)
    return replace(told, part=(*told.part, ("volume", place)))


def _over_time(ref: Ref) -> Ref:
    return replace(ref, part=(_TIME, *(p for p in ref.part if p[0] != _TIME[0])))


def _beside(path: str) -> str:
    return _ENDING.sub("", path) + ".bval"


def _b_values(root: Path, path: str, count: int) -> list[float]:
    """Return the b-values in the file beside an image, s/mm2, rounded; none where it has not one for each volume."""
    beside = _beside(path)
    place = root / beside
    try:
        if escapes(beside, root.resolve()) or not place.is_file() or place.stat().st_size > _LARGEST_TABLE:
            return []
        numbers = [float(word) for word in place.read_text(encoding="ascii").split()]
    except (OSError, ValueError):
        return []
    if len(numbers) != count or not all(math.isfinite(n) and n >= 0 for n in numbers):
        return []
    return [round(n / _B_STEP) * _B_STEP for n in numbers]

"""Phases: volumes of one series that show one place at several times, b-values or echoes, and which of them is used."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hounsfield.data.dicom.assembling import Volume
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.query import Query

_Value = Callable[[Volume], float | tuple[int, ...] | str]


def _set_number(volume: Volume) -> int:
    told = next((w for w in volume.what if w.startswith("set ")), "set 0")
    return int(told.split()[1])


_AXES: tuple[tuple[str, str, str, _Value], ...] = (
    ("b-value", "b", " s/mm2", lambda v: -1.0 if v.planes[0].b_value is None else v.planes[0].b_value),
    ("echo time", "echo", " ms", lambda v: v.planes[0].echo_ms or 0.0),
    ("stack", "echo", "", lambda v: v.planes[0].stack),
    ("temporal position", "phase", "", lambda v: float(v.planes[0].temporal or 0)),
    ("trigger time", "phase", " ms", lambda v: v.planes[0].trigger_ms or 0.0),
    ("acquisition", "phase", "", lambda v: float(v.planes[0].acquisition or 0)),
    ("dimension", "phase", "", lambda v: v.planes[0].dimensions),
    ("set", "phase", "", _set_number),
)
"""What tells phases apart, as `splitting` words it; the name of one of them; its unit; its value."""


_PLAIN = frozenset({"M", "MAGNITUDE", "W", "WATER"})
_BESIDE = frozenset({"P", "PHASE", "PHASE MAP", "F", "FAT", "R", "REAL", "I", "IMAGINARY"})
"""Words of an image type: what one looks at, and what is made beside it."""


@dataclass(frozen=True)
class Phases:
    """Volumes of one place and one kind, in the order of what tells them apart.

    Parameters
    ----------
    axes : tuple of str
        What tells them apart: ``b-value``, ``echo time``, ``temporal position``, ``trigger time``, ``acquisition``,
        ``dimension``, ``stack`` or ``set`` (by the order of their numbers alone).
    volumes : tuple of Volume
        Ascending, the first axis first.
    """

    axes: tuple[str, ...]
    volumes: tuple[Volume, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.volumes)

    @property
    def told(self) -> str:
        """How many there are and what tells them apart, in a few words: ``3 phases by b-value (0 to 1000 s/mm2)``."""
        span = _span(self.axes[0], self.volumes)
        return f"{len(self)} phases by {' and '.join(self.axes)}{span}"

    def first_axis(self) -> dict[str, Volume]:
        """Return the name of each value of the first axis and the first volume that has it: ``b_0``, ``phase_1``."""
        _, word, _, value = _axis(self.axes[0])
        found: dict[object, Volume] = {}
        for volume in self.volumes:
            found.setdefault(value(volume), volume)
        if word == "b":
            return {b_name(v.planes[0].b_value): v for v in found.values()}
        return {f"{word}_{n}": v for n, v in enumerate(found.values(), start=1)}


@dataclass(frozen=True)
class Picked:
    """The volume of a series that is used.

    Parameters
    ----------
    volume : Volume
    reason : str
        Why this one; empty where there is only one.
    phases : Phases or None
        Those it is one of.
    """

    volume: Volume
    reason: str = ""
    phases: Phases | None = None


def b_name(b_value: float | None) -> str:
    """Return what images of a b-value are called as an input: ``b_1000``."""
    return "b_unknown" if b_value is None else f"b_{b_value:g}"


def phases_of(volumes: Sequence[Volume]) -> tuple[Phases, ...]:
    """Return the groups of volumes of one series that are phases of one place; single volumes are in none.

    Parameters
    ----------
    volumes : sequence of Volume
        Of one series, as `assembling.assemble` gives them.
    """
    groups: dict[object, list[Volume]] = {}
    for volume in volumes:
        groups.setdefault(_kind(volume), []).append(volume)
    found = []
    for members in groups.values():
        axes = [a for a in _AXES if len({a[3](v) for v in members}) > 1 and any(_names(v, a[0]) for v in members)]
        if any(a[0] == "echo time" for a in axes):
            axes = [a for a in axes if a[0] != "stack"]  # the number of an echo says its time again
        if len(members) > 1 and axes:
            ordered = sorted(members, key=lambda v: (*(_sortable(a[3](v)) for a in axes), v.number))
            found.append(Phases(tuple(a[0] for a in axes), tuple(ordered)))
    return tuple(found)


def pick(volumes: Sequence[Volume], query: Query | None = None) -> Picked | None:
    """Return the volume that is used where a person asks for one image of a series; None where there is none.

    Parameters
    ----------
    volumes : sequence of Volume
        Of one series.
    query : Query or None
        What the user asked for; volumes that it does not mean are left out where it means some.

    Notes
    -----
    The volume of the most slices; of several magnitude or water, since phase and fat are made to be seen beside them;
    of its phases those of the highest b-value, which is what a diffusion series is
    acquired for, and of these the first: the shortest echo, the earliest time. A query chooses another one:
    ``DiffusionBValue == 0``, ``EchoTime > 80``, ``TemporalPositionIdentifier == 3``.
    """
    meant = [v for v in volumes if query is None or query.matches(entry_of(v))] or list(volumes)
    if not meant:
        return None
    best = max(meant, key=lambda v: (len(v.planes), _plain(v), -v.number))
    wanted = {id(v) for v in meant}
    whole = next((p for p in phases_of(volumes) if any(v is best for v in p.volumes)), None)
    if whole is None:
        told = f"{', '.join(best.what)}: " if best.what else ""
        largest = sum(len(v.planes) == len(best.planes) for v in meant)
        how = "the one of the most slices" if largest == 1 else f"chosen among {largest} of as many slices"
        return Picked(best, f"{told}{how}, of {len(volumes)} volumes" if len(volumes) > 1 else "")
    able = [v for v in whole.volumes if id(v) in wanted and len(v.planes) == len(best.planes)]
    if whole.axes[0] == "b-value":
        highest = max(v.planes[0].b_value or 0.0 for v in able)
        able = [v for v in able if (v.planes[0].b_value or 0.0) == highest]
    chosen = able[0]
    if any(id(v) not in wanted for v in whole.volumes):
        how = "asked for by --series"
    else:
        how = "the highest b-value" if whole.axes[0] == "b-value" else "the first"
    return Picked(chosen, f"{', '.join(chosen.what) or 'one phase'}: {how} of {whole.told}", whole)


def entry_of(volume: Volume) -> Entry:
    """Return the first file's entry with what is said of the volume itself, where a file holds several."""
    plane = volume.planes[0]
    said = {
        "b_value": plane.b_value,
        "echo_time_ms": plane.echo_ms,
        "temporal_position": plane.temporal,
        "trigger_time_ms": plane.trigger_ms,
        "image_type": plane.image_type or None,
    }
    return replace(plane.entry, **{k: v for k, v in said.items() if v is not None})  # type: ignore[arg-type]  # fields


def _axis(name: str) -> tuple[str, str, str, _Value]:
    return next(a for a in _AXES if a[0] == name)


def _plain(volume: Volume) -> int:
    """Return how plain a picture a volume is by its image type, more for plainer."""
    words = {w.upper() for w in volume.planes[0].image_type[2:]}
    return 1 if words & _PLAIN else -1 if words & _BESIDE else 0


def _names(volume: Volume, axis: str) -> bool:
    return any(w.startswith(axis + " ") for w in volume.what)


def _kind(volume: Volume) -> object:
    """Return what phases of one place share: grid, kind of image, frame of reference."""
    plane = volume.planes[0]
    grid = tuple(np.round(volume.affine_ras, 1).ravel().tolist()) if len(volume.planes) > 1 else plane.position_lps
    kinds = tuple(w.upper() for w in plane.image_type)
    return (grid, plane.size, kinds, plane.entry.kernel, plane.entry.frame_of_reference, plane.entry.photometric)


def _span(axis: str, volumes: Sequence[Volume]) -> str:
    _, _, unit, value = _axis(axis)
    numbers = sorted({v for v in map(value, volumes) if isinstance(v, float) and v >= 0})
    return f" ({numbers[0]:g} to {numbers[-1]:g}{unit})" if unit and len(numbers) > 1 else ""


def _sortable(value: float | tuple[int, ...] | str) -> tuple[int, float, str]:
    if isinstance(value, tuple):
        return (1, 0.0, ".".join(f"{n:09d}" for n in value))
    return (0, float(value), "") if isinstance(value, int | float) else (1, 0.0, value)

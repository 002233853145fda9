"""Splitting: which planes of a series belong to one volume and which to another echo, phase, direction or patient."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from hounsfield.core.types import AnyArray
from hounsfield.data.dicom.planes import Plane, parallel
from hounsfield.data.dicom.stacking import places, stack

Pixels = Callable[[Plane], AnyArray]
"""Reads the pixels of a plane, to tell a repeated image from a second phase."""


@dataclass(frozen=True)
class Group:
    """Planes of one volume.

    Parameters
    ----------
    planes : tuple of Plane
        No two at the same place.
    what : tuple of str
        What tells it from the other volumes of its series: ``("echo time 4.6 ms",)``, ``("set 2 of 10",)``.
    notes : tuple of str
        What was decided without the header's help.
    """

    planes: tuple[Plane, ...]
    what: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Trait:
    """Something that images of one volume share."""

    name: str
    value: Callable[[Plane], Hashable]
    shown: Callable[[Plane], str]


_MANY = 64
"""Groups of different directions from which on not every one is compared with each plane."""
_SERIES: tuple[Callable[[Plane], Hashable], ...] = (
    lambda p: (p.entry.patient_id, p.entry.issuer),
    lambda p: p.entry.study_uid,
    lambda p: p.entry.series_uid,
    lambda p: p.entry.modality,
)
_FIRM = (
    _Trait("frame of reference", lambda p: p.entry.frame_of_reference, lambda p: ""),
    _Trait("matrix", lambda p: p.size, lambda p: f"{p.size[0]} x {p.size[1]} pixels"),
    _Trait("image type", lambda p: tuple(w.upper() for w in p.image_type), lambda p: "/".join(p.image_type[2:])),
    _Trait(
        "echo time", lambda p: None if p.echo_ms is None else round(p.echo_ms, 3), lambda p: f"{p.echo_ms or 0:g} ms"
    ),
    _Trait("b-value", lambda p: p.b_value, lambda p: "none" if p.b_value is None else f"{p.b_value:g} s/mm2"),
    _Trait("kernel", lambda p: p.entry.kernel, lambda p: p.entry.kernel),
    _Trait("stack", lambda p: p.stack, lambda p: p.stack),
    _Trait("photometric", lambda p: (p.entry.photometric, p.entry.samples), lambda p: p.entry.photometric),
)
"""Images that differ in one of these never share a volume."""
_LOOSE = (
    _Trait("temporal position", lambda p: p.temporal, lambda p: f"{p.temporal}"),
    _Trait("acquisition", lambda p: p.acquisition, lambda p: f"{p.acquisition}"),
    _Trait("dimension", lambda p: p.dimensions, lambda p: ".".join(map(str, p.dimensions))),
    _Trait("trigger time", lambda p: p.trigger_ms, lambda p: f"{p.trigger_ms or 0:g} ms"),
)
"""These often differ from slice to slice of one volume: they split only where places repeat, and if that helps."""


def by_series(planes: Iterable[Plane]) -> list[list[Plane]]:
    """Return the planes of each series of each patient, in an order that does not depend on the order given."""
    groups: dict[tuple[Hashable, ...], list[Plane]] = defaultdict(list)
    for plane in planes:
        groups[tuple(key(plane) for key in _SERIES)].append(plane)
    return [sorted(groups[key], key=lambda p: str(p.order)) for key in sorted(groups, key=str)]


def split(planes: Sequence[Plane], pixels: Pixels | None = None) -> tuple[list[Group], list[tuple[Plane, str]]]:
    """Split the planes of one series into volumes.

    Parameters
    ----------
    planes : sequence of Plane
        Of one series.
    pixels : callable or None
        Reads the pixels of a plane; called only for planes at one place that no header tells apart. None where files
        must not be opened: such planes are then taken for phases.

    Returns
    -------
    tuple
        The groups, and the planes left out with the reason (repeated images).
    """
    firm = _split_firmly(list(planes))
    done: list[Group] = []
    left_out: list[tuple[Plane, str]] = []
    for members, what in firm:
        kept, repeated = _without_repeats(members, pixels)
        left_out += repeated
        done += [g for part in _split_loosely(Group(tuple(kept), what)) for g in _split_uneven(part)]
    return done, left_out


def _split_firmly(planes: list[Plane]) -> list[tuple[list[Plane], tuple[str, ...]]]:
    parts: list[tuple[list[Plane], tuple[str, ...]]] = [(planes, ())]
    for trait in _FIRM:
        next_parts = []
        for members, what in parts:
            groups = _grouped(members, trait.value)
            for number, group in enumerate(groups, start=1):
                shown = trait.shown(group[0]) or f"{number} of {len(groups)}"
                told = (f"{trait.name} {shown}",) if len(groups) > 1 else ()
                next_parts.append((group, what + told))
        parts = next_parts
    turned = []
    for members, what in parts:
        groups = _parallel(members)
        for number, group in enumerate(groups, start=1):
            told = (f"orientation or spacing {number} of {len(groups)}",) if len(groups) > 1 else ()
            turned.append((group, what + told))
    return turned


def _parallel(planes: list[Plane]) -> list[list[Plane]]:
    """Return groups of planes with the same directions and spacing, compared with the first of each group.

    Where there are very many directions, as in a series that turns around an axis, only groups whose rounded direction
    is the same are compared: the time would grow with the square of the planes.
    """
    groups: list[list[Plane]] = []
    near: dict[tuple[float, ...], list[list[Plane]]] = defaultdict(list)
    for plane in planes:
        key = tuple(round(v, 2) + 0.0 for v in plane.orientation_lps)
        able = groups if len(groups) < _MANY else near[key]
        group = next((g for g in able if parallel(g[0], plane)), None)
        if group is None:
            groups.append([plane])
            near[key].append(groups[-1])
        else:
            group.append(plane)
    return groups


def _without_repeats(planes: list[Plane], pixels: Pixels | None) -> tuple[list[Plane], list[tuple[Plane, str]]]:
    """Leave out planes that are the same image again: same identifier and place, or same place and same pixels."""
    kept: list[Plane] = []
    out: list[tuple[Plane, str]] = []
    identifiers: set[tuple[object, ...]] = set()
    for plane in planes:
        key = (plane.entry.sop_uid, plane.frame, plane.tile, plane.position_lps)
        if plane.entry.sop_uid and key in identifiers:
            out.append((plane, "the same image is there twice (same identifier)"))
        else:
            identifiers.add(key)
            kept.append(plane)
    if pixels is None or len(kept) < 2:
        return kept, out
    by_place: dict[tuple[Hashable, ...], list[Plane]] = defaultdict(list)
    for plane, place in zip(kept, places(kept), strict=True):
        by_place[(place, *(trait.value(plane) for trait in _LOOSE))].append(plane)
    again = {id(p) for same in by_place.values() if len(same) > 1 for p in _same_pixels(same, pixels)}
    out += [(p, "the same image is there twice (same place, same pixels)") for p in kept if id(p) in again]
    return [p for p in kept if id(p) not in again], out


def _same_pixels(planes: list[Plane], pixels: Pixels) -> list[Plane]:
    import hashlib

    seen: set[bytes] = set()
    again = []
    for plane in planes:
        digest = hashlib.sha256(pixels(plane).tobytes()).digest()
        if digest in seen:
            again.append(plane)
        seen.add(digest)
    return again


def _split_loosely(group: Group) -> list[Group]:
    """Split where places repeat, by the first trait that helps, until none does; then by order."""
    most = _most_at_a_place(group.planes)
    if most < 2:
        return [group]
    for trait in _LOOSE:
        parts = _grouped(list(group.planes), trait.value)
        if _helps(parts, most, len(set(places(group.planes)))):
            told = [
                Group(tuple(part), (*group.what, f"{trait.name} {trait.shown(part[0])}"), group.notes) for part in parts
            ]
            return [g for part in told for g in _split_loosely(part)]
    return _by_order(group, most)


def _helps(parts: list[list[Plane]], most: int, count: int) -> bool:
    """Tell whether parts repeat fewer places than the whole and still look like volumes, not like shreds."""
    if len(parts) < 2:
        return False
    fewer = max(_most_at_a_place(p) for p in parts) < most
    covered = sum(len(set(places(p))) for p in parts) / len(parts)
    return fewer and covered >= 0.3 * count and min(len(p) for p in parts) >= min(2, count)


def _by_order(group: Group, most: int) -> list[Group]:
    ranks: dict[int, int] = defaultdict(int)
    parts: dict[int, list[Plane]] = defaultdict(list)
    in_order = sorted(group.planes, key=lambda p: (p.temporal or 0, p.acquisition or 0, p.trigger_ms or 0.0, p.order))
    number_of = dict(zip(map(id, group.planes), places(group.planes), strict=True))
    for plane in in_order:
        place = number_of[id(plane)]
        parts[ranks[place]].append(plane)
        ranks[place] += 1
    uneven = len(set(ranks.values())) > 1
    note = (
        "several images lie at each place and nothing in the headers groups them: taken in the order of their numbers"
    )
    notes = (note, *(("some places have fewer images than others",) if uneven else ()))
    return [
        Group(tuple(parts[n]), (*group.what, f"set {n + 1} of {most}"), (*group.notes, *notes)) for n in sorted(parts)
    ]


def _split_uneven(group: Group) -> list[Group]:
    """Split unevenly spaced slices by acquisition where that makes every part even: two regions in one series."""
    if len(group.planes) < 4 or stack(group.planes).regular:
        return [group]
    parts = _grouped(list(group.planes), lambda p: p.acquisition)
    if len(parts) < 2 or min(len(p) for p in parts) < 2 or not all(stack(p).regular for p in parts):
        return [group]
    return [Group(tuple(p), (*group.what, f"acquisition {p[0].acquisition}"), group.notes) for p in parts]


def _most_at_a_place(planes: Sequence[Plane]) -> int:
    return max(Counter(places(planes)).values())


def _grouped(planes: list[Plane], key: Callable[[Plane], Hashable]) -> list[list[Plane]]:
    groups: dict[Hashable, list[Plane]] = defaultdict(list)
    for plane in planes:
        groups[key(plane)].append(plane)
    return [groups[k] for k in sorted(groups, key=_sortable)]


def _sortable(key: Hashable) -> tuple[int, float, str]:
    return (0, float(key), "") if isinstance(key, int | float) else (1, 0.0, str(key))

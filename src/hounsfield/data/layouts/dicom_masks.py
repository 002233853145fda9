"""Masks on a DICOM disk: which structures are drawn on which series, and by which file each of them is answered."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hounsfield.core.cohort import SetAside
from hounsfield.core.errors import ReadError
from hounsfield.data.dicom.apart import is_mask, reason_no_picture
from hounsfield.data.dicom.entries import place_of
from hounsfield.data.dicom.groups import Series
from hounsfield.data.dicom.index import Index
from hounsfield.data.dicom.marked import Marked, Structure, clause_of, marked_by
from hounsfield.data.dicom.mask_reader import Drawing
from hounsfield.data.dicom.naming import structure_key

_DAY = 8
Home = tuple[str, str, str]
"""Patient, issuer and series: what a mask was drawn on."""


@dataclass(frozen=True)
class Drawn:
    """The masks of a disk.

    Parameters
    ----------
    by_series : mapping of Home to tuple of Marked
        Files by the series that they were drawn on.
    aside : tuple of SetAside
        Files that cannot be used, each with the reason.
    """

    by_series: Mapping[Home, tuple[Marked, ...]] = field(default_factory=dict, repr=False)
    aside: tuple[SetAside, ...] = ()

    @property
    def series(self) -> frozenset[str]:
        """UIDs of the series that masks were drawn on."""
        return frozenset(uid for _, _, uid in self.by_series)

    @property
    def files(self) -> int:
        """How many files with masks there are."""
        return len(self.aside) + sum(len(m) for m in self.by_series.values())

    def structures(self) -> "Iterable[Structure]":
        """Return every structure of every file."""
        return (s for marked in self.by_series.values() for m in marked for s in m.structures)

    def shown(self) -> list[str]:
        """Return the names of all structures, each spelling once."""
        return sorted({s.name for s in self.structures()})

    def names(self, asked: str) -> bool:
        """Tell whether a structure has this name, however it is spelled, or coded type."""
        key = structure_key(asked)
        return bool(key) and any(key in s.keys for s in self.structures())


@dataclass(frozen=True)
class Answer:
    """One structure of one series.

    Parameters
    ----------
    drawings : tuple of Drawing
        Several where a file draws it in several parts.
    reason : str
        Why this file and not another one; empty where there is no other.
    opinion : tuple of Drawing
        What another author drew; empty where nobody did.
    automatic : bool
        Whether a program drew it, as the file says.
    """

    drawings: tuple[Drawing, ...]
    reason: str = ""
    opinion: tuple[Drawing, ...] = ()
    automatic: bool = False


def drawn_on_disk(index: Index, root: Path) -> Drawn:
    """Read what the segmentations and structure sets of a disk mark, and find the series of each.

    Parameters
    ----------
    index : Index
    root : pathlib.Path
        Folder that its paths are relative to.

    Notes
    -----
    A mask belongs to the series that holds most of the images that it names; without any of them on the disk, to the
    series that it names; else to the only series of its patient in its frame of reference. Masks are never carried
    from one patient to another.
    """
    entries = list(
        {(e.patient_id, e.issuer, e.sop_uid or e.path + e.member): e for e in index.entries if is_mask(e)}.values()
    )
    if not entries:
        return Drawn()
    finder = _Finder(index)
    found: dict[Home, list[Marked]] = {}
    aside = []
    for entry in entries:
        try:
            marked = marked_by(root, entry)
        except ReadError as error:
            aside.append(SetAside(sample=place_of(entry), reason=clause_of(error)))
            continue
        home = finder.home(marked)
        if home is None:
            aside.append(SetAside(sample=place_of(entry), reason="a mask of images that are not on the disk"))
        else:
            found.setdefault(home, []).append(marked)
    return Drawn({home: tuple(several) for home, several in found.items()}, tuple(aside))


class _Finder:
    """Finds the series that a mask was drawn on."""

    def __init__(self, index: Index) -> None:
        self._of_image: dict[tuple[str, str, str], Home] = {}
        self._by_uid: dict[Home, int] = {}
        self._by_frame: dict[tuple[str, str, str], set[Home]] = {}
        for series in index.series():
            self._learn(series)

    def _learn(self, series: Series) -> None:
        home = (series.patient, series.issuer, series.uid)
        pictures = [e for e in series.entries if e.frames > 0 and not reason_no_picture(e)]
        for entry in pictures:
            self._of_image[series.patient, series.issuer, entry.sop_uid] = home
            if entry.frame_of_reference:
                key = (series.patient, series.issuer, entry.frame_of_reference)
                self._by_frame.setdefault(key, set()).add(home)
        if pictures:
            self._by_uid[home] = len(pictures)

    def home(self, marked: Marked) -> Home | None:
        who = (marked.entry.patient_id, marked.entry.issuer)
        counts = Counter(h for uid in marked.images if (h := self._of_image.get((*who, uid))) is not None)
        if counts:
            return min(counts, key=lambda h: (-counts[h], h))
        named = [h for uid in marked.series if (h := (*who, uid)) in self._by_uid]
        if named:
            return min(named, key=lambda h: (-self._by_uid[h], h))
        sharing = self._by_frame.get((*who, marked.frame), set()) if marked.frame else set()
        return next(iter(sharing)) if len(sharing) == 1 else None


def answers_of(marked: Sequence[Marked], asked: Sequence[str] = ()) -> dict[str, Answer]:
    """Return by which file each structure of a series is answered, by the structure's key.

    Parameters
    ----------
    marked : sequence of Marked
        Files drawn on one series.
    asked : sequence of str
        Keys that the user asked for: they may be coded types. Without them structures go by their names.

    Notes
    -----
    Rules, the first that tells two files apart decides: drawn by a person before drawn by a program; the later day;
    a segmentation before contours, which have to be filled; the later time. What another author drew of the same
    structure is an opinion: the best of his by the same rules.
    """
    by_key: dict[str, list[tuple[Marked, tuple[Structure, ...]]]] = {}
    for one in marked:
        held: dict[str, list[Structure]] = {}
        for structure in one.structures:
            held.setdefault(structure.keys[0], []).append(structure)
        if asked:
            held = {key: found for key in asked if (found := held.get(key) or _coded(one, key))}
        for key, several in held.items():
            by_key.setdefault(key, []).append((one, tuple(several)))
    return {key: _answer(several) for key, several in by_key.items()}


def _coded(marked: Marked, key: str) -> list[Structure]:
    """Return the structures of a coded type, where none is called so."""
    return [s for s in marked.structures if key in s.keys]


def _answer(several: list[tuple[Marked, tuple[Structure, ...]]]) -> Answer:
    ranked = sorted(several, key=lambda c: _identity(c[0]))
    ranked.sort(key=_rank, reverse=True)
    best = ranked[0]
    others = [c for c in ranked[1:] if c[0].author != best[0].author and c[0].author and best[0].author]
    return Answer(
        _drawings(best),
        _reason(best, ranked[1:]) if len(ranked) > 1 else "",
        _drawings(others[0]) if others else (),
        all(s.automatic for s in best[1]),
    )


def _rank(candidate: tuple[Marked, tuple[Structure, ...]]) -> tuple[bool, str, bool, str]:
    marked, structures = candidate
    by_hand = not all(s.automatic for s in structures)
    return by_hand, marked.when[:_DAY], not marked.contours, marked.when


def _reason(best: tuple[Marked, tuple[Structure, ...]], others: Sequence[tuple[Marked, tuple[Structure, ...]]]) -> str:
    mine, its = _rank(best), _rank(others[0])
    words = (
        "drawn by a person, the other by a program",
        "the latest day",
        "a segmentation, which needs no filling as contours do",
        "the latest time",
    )
    why = next((word for word, a, b in zip(words, mine, its, strict=True) if a != b), "alike; the first by its UID")
    return f"{why} (of {len(others) + 1} files)"


def _identity(marked: Marked) -> tuple[str, str, str]:
    return marked.entry.sop_uid, marked.entry.path, marked.entry.member


def _drawings(candidate: tuple[Marked, tuple[Structure, ...]]) -> tuple[Drawing, ...]:
    marked, structures = candidate
    return tuple(Drawing(marked.entry.path, marked.entry.member, s.number) for s in structures)

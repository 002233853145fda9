"""The index of a tree: every DICOM file in it, told by its content, without reading pixels.

What was found before is kept in memory for as long as the process lives and, where a file for it is named, in that
file; only what is new or has changed is looked at again.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from hounsfield.core.cohort import SetAside
from hounsfield.core.errors import CohortError, ReadError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.data.dicom.archives import archive_kind, member_bytes, members
from hounsfield.data.dicom.cache import Cache, Found
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.fileset import FILE_NAME, MOST_BYTES, dangling, references
from hounsfield.data.dicom.filling import DICOMDIR
from hounsfield.data.dicom.groups import Patient, Series, Study, patients_of, series_of, studies_of
from hounsfield.data.dicom.headers import NotDicomError, read_header
from hounsfield.data.dicom.windows import Stream
from hounsfield.data.files import DICOM_ENDINGS, ending, inside, is_ignored

_DAMAGED = "its name says DICOM, its content does not"
_NOT_READ = {
    -1: "it cannot be opened",
    -2: "the link leads outside the folder",
    -3: "it is no file: a pipe, socket or device",
}
"""Why a path is not looked into, by the number that stands for its size."""
_MOST_DANGLING = 200
_TOGETHER = 50
_REMEMBERED = 4


@dataclass(frozen=True)
class Index:
    """What a tree holds.

    Parameters
    ----------
    entries : tuple of Entry
        In the order of their paths; file-set directories (DICOMDIR) are hints and stand not among them.
    problems : tuple of SetAside
        Files that cannot be used, or only in part, by path, with the reason.
    """

    entries: tuple[Entry, ...] = field(repr=False)
    problems: tuple[SetAside, ...] = field(default=(), repr=False)

    @cached_property
    def _series(self) -> tuple[Series, ...]:
        return series_of(self.entries)

    def series(self) -> tuple[Series, ...]:
        """Return the series, in the order in which they come first."""
        return self._series

    def studies(self) -> tuple[Study, ...]:
        """Return the studies, in the order in which they come first."""
        return studies_of(self._series)

    def patients(self) -> tuple[Patient, ...]:
        """Return the patients, in the order in which they come first."""
        return patients_of(self.studies())


_known: dict[Path, tuple[dict[str, Found], Index]] = {}
"""Of the last few trees: what was found in each file, and the index of them all."""


def index_tree(root: Path, *, cache: Path | None = None, progress: Progress = SILENT) -> Index:
    """Return the index of a folder, or of one archive or file.

    Parameters
    ----------
    root : pathlib.Path
        A folder; or a file, whose entries then have its name as their path.
    cache : pathlib.Path, optional
        File that what was found is kept in. Made where it is not there; an index that was cut short is continued, and
        a file of the same size and time is not read again. Without it nothing is written anywhere.
    progress : Progress

    Raises
    ------
    CohortError
        If there is no such folder or file.
    InputError
        If `cache` is something else than such a file.
    """
    if not root.exists():
        raise CohortError("The path does not exist.", expected="a folder of DICOM files", next_step="check the path")
    base = root.resolve()
    before = _known.get(base, ({}, None))[0]
    folder = base if base.is_dir() else base.parent
    now: dict[str, Found] = {}
    with closing(Cache(cache)) if cache is not None else nullcontext() as store:
        with progress.step("Indexing", None) as shown:
            for number, (path, size, changed) in enumerate(_files(base, cache), start=1):
                found = store.get(path) if store is not None else None
                kept = found is not None and (found.size, found.changed_ns) == (size, changed)
                if not kept:
                    found = before.get(path)
                if found is None or (found.size, found.changed_ns) != (size, changed):
                    found = _look(folder, path, size, changed)
                if store is not None and not kept:
                    store.put(path, found)
                now[path] = found
                if number % _TOGETHER == 0:
                    shown.advance(_TOGETHER, f"{number:,} files")
        if store is not None:
            store.keep_only(now)
    index = _index(dict(sorted(now.items())))
    _known.pop(base, None)
    _known[base] = (now, index)
    while len(_known) > _REMEMBERED:
        del _known[next(iter(_known))]
    return index


def forget() -> None:
    """Forget what this process knows of trees; files that indexes are kept in stay."""
    _known.clear()


def index_of(root: Path) -> Index:
    """Return the last index of a folder in this process, without looking whether it is still right; else make it.

    Notes
    -----
    For whoever reads one series after the other: a walk over a large tree for each would take longer than the reading.
    """
    known = _known.get(root.resolve())
    return known[1] if known is not None else index_tree(root)


def series_entries(root: Path, path: str, series_uid: str) -> tuple[Entry, ...]:
    """Return the entries of the series that a file belongs to.

    Parameters
    ----------
    root : pathlib.Path
        Folder that `path` is relative to.
    path : str
        A file of the series, or the archive that holds it.
    series_uid : str

    Notes
    -----
    An archive is indexed by itself where the folder has not been: what else lies beside a disk image is not looked at.
    """
    base = root.resolve()
    if base not in _known and archive_kind(inside(root, path)):
        base = base / path
    return tuple(e for s in index_of(base).series() if s.uid == series_uid for e in s.entries)


def source_of(root: Path, entry: Entry) -> Path | bytes:
    """Return what a file is opened from: its path, or its content where it lies in an archive.

    Raises
    ------
    ReadError
        If it leads outside the root, or the archive cannot be read.
    """
    place = inside(root, entry.path) if root.is_dir() else root
    return member_bytes(place, entry.member) if entry.member else place


def _files(base: Path, cache: Path | None) -> Iterator[tuple[str, int, int]]:
    """Yield path, size and time of the files of a tree in a stable order, without following links out of it."""
    if base.is_file():
        found = base.stat()
        yield base.name, found.st_size, found.st_mtime_ns
        return
    beside = {cache.resolve(), cache.resolve().with_name(cache.name + "-journal")} if cache is not None else set()
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(base / folder) as scan:
                listed = sorted((e for e in scan if not is_ignored(e.name)), key=lambda e: e.name)
        except OSError:
            yield folder, -1, 0
            continue
        prefix = folder + "/" if folder else ""
        waiting += [prefix + e.name for e in reversed(listed) if e.is_dir(follow_symlinks=False)]
        for item in listed:
            if item.is_dir(follow_symlinks=False) or (item.is_symlink() and item.is_dir()):
                continue
            if item.is_symlink() and not Path(item.path).resolve().is_relative_to(base):
                yield prefix + item.name, -2, 0
                continue
            try:
                about = item.stat()
            except OSError:
                yield prefix + item.name, -1, 0
                continue
            if not stat.S_ISREG(about.st_mode):
                yield prefix + item.name, -3, 0
            elif Path(item.path) not in beside:
                yield prefix + item.name, about.st_size, about.st_mtime_ns


def _look(folder: Path, path: str, size: int, changed: int) -> Found:
    """Look into one file."""
    if size < 0:
        return Found(size, changed, problems=(SetAside(sample=path, reason=_NOT_READ[size]),))
    place = folder / path
    finds = _Finds(path)
    try:
        entry = read_header(place, path=path, size=size)
    except NotDicomError:
        kind = archive_kind(place)
        if kind:
            _look_into(place, kind, finds)
        elif ending(path) in DICOM_ENDINGS and size > 0:
            finds.problem(path, _DAMAGED)
        elif ending(path) in DICOM_ENDINGS:
            finds.problem(path, "the file is empty")
    except ReadError as error:
        finds.problem(path, _clause(error))
    else:
        finds.add(entry, place)
    return Found(size, changed, tuple(finds.entries), tuple(finds.problems), finds.references)


def _look_into(place: Path, kind: str, finds: "_Finds") -> None:
    """Look into every member of an archive."""
    names: list[str] = []
    try:
        for member in members(place, kind):
            names.append(member.name)
            if member.stream is None:
                finds.problem(f"{finds.path}/{member.name}", member.fault)
                continue
            source: Stream | bytes = member.stream
            if member.name.rpartition("/")[2].partition(".")[0].upper() == FILE_NAME:
                source = member.stream.read(MOST_BYTES)
            try:
                finds.add(read_header(source, path=finds.path, member=member.name, size=member.size), source)
            except NotDicomError:
                if ending(member.name) in DICOM_ENDINGS:
                    finds.problem(f"{finds.path}/{member.name}", _DAMAGED)
            except ReadError as error:
                finds.problem(f"{finds.path}/{member.name}", _clause(error))
    except ReadError as error:
        finds.problem(finds.path, _clause(error))
    for name in dangling(finds.references, names)[:_MOST_DANGLING]:
        finds.problem(f"{finds.path}/{name}", "a DICOMDIR names it, but it is not there")
    finds.references = ()


class _Finds:
    """What is being found in one file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self.problems: list[SetAside] = []
        self.references: tuple[str, ...] = ()

    def problem(self, name: str, reason: str) -> None:
        self.problems.append(SetAside(sample=name, reason=reason))

    def add(self, entry: Entry, source: Path | Stream | bytes) -> None:
        if entry.sop_class != DICOMDIR:
            self.entries.append(entry)
            if entry.problem:
                self.problem(f"{self.path}/{entry.member}" if entry.member else self.path, entry.problem)
            return
        content = b""
        if isinstance(source, Path):
            with source.open("rb") as file:
                content = file.read(MOST_BYTES)
        elif isinstance(source, bytes):
            content = source
        folder = (entry.member or entry.path).rpartition("/")[0]
        self.references += tuple(f"{folder}/{name}" if folder else name for name in references(content))


def _clause(error: ReadError) -> str:
    text = error.found.rstrip(".")
    return text[:1].lower() + text[1:]


def _index(found: dict[str, Found]) -> Index:
    problems = [p for f in found.values() for p in f.problems]
    named = [name for f in found.values() for name in f.references]
    if named:
        lost = dangling(named, found)
        problems += [
            SetAside(sample=name, reason="a DICOMDIR names it, but it is not there") for name in lost[:_MOST_DANGLING]
        ]
        if len(lost) > _MOST_DANGLING:
            more = len(lost) - _MOST_DANGLING
            problems.append(SetAside(sample=FILE_NAME, reason=f"{more} more files that it names are not there"))
    return Index(tuple(e for f in found.values() for e in f.entries), tuple(problems))

"""What an index found in each file, kept in one SQLite file, so that the next run looks only at what has changed.

It holds the identifiers of the headers: it belongs beside the data, not into a report.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from sys import intern

from hounsfield.core.cohort import SetAside
from hounsfield.core.errors import InputError
from hounsfield.data.dicom.entries import Entry

_MARK = 0x48551D  # application_id: "HU index"
_READER = 1
_VERSION = f"{_READER}|" + ",".join(f.name for f in fields(Entry))
_TOGETHER = 500
_VALUES = attrgetter(*(f.name for f in fields(Entry)))
_TUPLES = tuple(
    i for i, f in enumerate(fields(Entry)) if f.name in ("image_type", "position_lps", "orientation_lps", "spacing_mm")
)


@dataclass(frozen=True, slots=True)
class Found:
    """What one file holds.

    Parameters
    ----------
    size, changed_ns : int
        By which it is known to be the same file.
    entries : tuple of Entry
    problems : tuple of SetAside
    references : tuple of str
        Files that it names, where it is a DICOMDIR.
    """

    size: int
    changed_ns: int
    entries: tuple[Entry, ...] = ()
    problems: tuple[SetAside, ...] = ()
    references: tuple[str, ...] = ()


class Cache:
    """One SQLite file; what was found is written every few hundred files, so that a run cut short is continued.

    Parameters
    ----------
    path : pathlib.Path
        Made where it is not there.

    Raises
    ------
    InputError
        If the file is something else, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._base = sqlite3.connect(path, timeout=60.0)
            self._prepare()
        except sqlite3.Error as error:
            raise _unusable(error, path.name) from error
        self._name = path.name
        self._waiting = 0

    def _prepare(self) -> None:
        mark = self._base.execute("PRAGMA application_id").fetchone()[0]
        tables = {row[0] for row in self._base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and mark != _MARK:
            self._base.close()
            raise sqlite3.DatabaseError("it is a database of something else")
        if "about" in tables and self._base.execute("SELECT version FROM about").fetchone() == (_VERSION,):
            return
        with self._base:
            for table in tables & {"about", "files"}:
                self._base.execute(f"DROP TABLE {table}")  # one of two constants
            self._base.execute(f"PRAGMA application_id = {_MARK}")
            self._base.execute("CREATE TABLE about (version TEXT)")
            self._base.execute("INSERT INTO about VALUES (?)", (_VERSION,))
            self._base.execute(
                "CREATE TABLE files (path BLOB PRIMARY KEY, size INTEGER, changed INTEGER, found TEXT) WITHOUT ROWID"
            )

    def get(self, path: str) -> Found | None:
        """Return what was found in a file, None where it is not known or was not written whole.

        Raises
        ------
        InputError
            If the index is damaged.
        """
        with self._whole():
            row = self._base.execute(
                "SELECT size, changed, found FROM files WHERE path = ?", (os.fsencode(path),)
            ).fetchone()
        if row is None:
            return None
        size, changed, text = row
        try:
            content = json.loads(text)
            return Found(
                size,
                changed,
                tuple(_entry(values) for values in content["entries"]),
                tuple(SetAside(sample=s, reason=r) for s, r in content["problems"]),
                tuple(content["references"]),
            )
        except (ValueError, TypeError, KeyError, IndexError, RecursionError):
            return None  # not as it was written: the file is looked into again

    @contextmanager
    def _whole(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _unusable(error, self._name) from error

    def put(self, path: str, found: Found) -> None:
        """Remember what was found in a file.

        Raises
        ------
        InputError
            If the index is damaged or cannot be written to.
        """
        content = {
            "entries": [_VALUES(e) for e in found.entries],
            "problems": [[p.sample, p.reason] for p in found.problems],
            "references": found.references,
        }
        row = (os.fsencode(path), found.size, found.changed_ns, json.dumps(content, separators=(",", ":")))
        with self._whole():
            self._base.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", row)
            self._waiting += 1
            if self._waiting >= _TOGETHER:
                self._base.commit()
                self._waiting = 0

    def keep_only(self, paths: Iterable[str]) -> None:
        """Forget the files that are not there any more."""
        there = {os.fsencode(p) for p in paths}
        with self._whole():
            gone = [(p,) for (p,) in self._base.execute("SELECT path FROM files") if p not in there]
            self._base.executemany("DELETE FROM files WHERE path = ?", gone)

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        with self._whole():
            try:
                self._base.commit()
            finally:
                self._base.close()


def _unusable(error: sqlite3.Error, name: str) -> InputError:
    return InputError(
        f"{name} cannot be used as an index ({error}).",
        expected="an index that was written before, or a name that is free",
        next_step="name another file, or remove this one",
    )


def _entry(values: list[object]) -> Entry:
    for i in _TUPLES:
        value = values[i]
        if isinstance(value, list):
            values[i] = tuple(value)
    return Entry(*(intern(v) if type(v) is str else v for v in values))  # type: ignore[arg-type]  # as they were written

"""A table that names DICOM files or folders: their names may lack the ending, or have one that the files lack."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hounsfield.data.dicom.entries import Entry, place_of
from hounsfield.data.dicom.labels import Join
from hounsfield.data.files import DICOM_ENDINGS, clean_path, ending, folded
from hounsfield.data.table import Column, Sheet
from hounsfield.data.words import is_image, tokens

FILE, FOLDER = "file", "folder"
_ENOUGH = 0.5
_LEAST = 3
_FOLDER_WORDS = frozenset({"folder", "dir", "directory", "path", "dicom", "series", "study"})


@dataclass(frozen=True)
class NamedJoin:
    """How rows name files or folders.

    Parameters
    ----------
    join : Join
        Its level is ``file`` or ``folder``, its values are their paths.
    plain : bool
        Whether the cells are paths beyond doubt, or the column is called so, and no keys that happen to be names.
    """

    join: Join
    plain: bool


def join_named(sheets: Sequence[Sheet], entries: Iterable[Entry], *, column: str | None = None) -> NamedJoin | None:
    """Find the column of a table whose cells name DICOM files, or folders of them.

    Parameters
    ----------
    sheets : sequence of Sheet
        Tables that may be meant.
    entries : iterable of Entry
        The files.
    column : str or None
        The only column to look at, where the user named one.

    Returns
    -------
    NamedJoin or None
        The column that names the most of them; None where no column does for half of its cells and different ones.

    Notes
    -----
    A cell means a file or folder by its whole path, or the end of a path, whichever way its case and slashes are
    written; one that several end alike means none of them.
    """
    places = _Places(entries)
    found: list[tuple[int, bool, NamedJoin]] = []
    for sheet in sheets:
        table_folder = clean_path(sheet.name).rpartition("/")[0]
        for name, cells in sheet.columns.items():
            if column is None or name == column:
                made = _named(sheet, name, cells, places=places, folder=table_folder)
                if made is not None:
                    found.append((made.join.matched, made.plain, made))
    return max(found, key=lambda f: f[:2])[2] if found else None


class _Places:
    """Files and folders by the ends of their paths."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.kinds: dict[str, str] = {}
        self._ends: dict[str, dict[str, None]] = {}
        for entry in entries:
            place = place_of(entry)
            if place in self.kinds:
                continue
            self._put(place, FILE)
            parts = place.split("/")
            for depth in range(len(parts) - 1, 0, -1):
                folder = "/".join(parts[:depth])
                if folder in self.kinds:
                    break
                self._put(folder, FOLDER)

    def _put(self, place: str, kind: str) -> None:
        self.kinds[place] = kind
        name = folded(place)
        for form in {name, _bare(name)} if kind == FILE else {name}:
            self._ends.setdefault(form.rpartition("/")[2], {})[place] = None

    def meant(self, cell: str, folder: str) -> list[str]:
        """Return the places that a cell may mean."""
        text = folded(clean_path(cell)).strip("/")
        if not text:
            return []
        forms = dict.fromkeys((text, _bare(text)))
        for form in forms:
            able = [p for p in self._ends.get(form.rpartition("/")[2], ()) if form in (folded(p), _bare(folded(p)))]
            beside = f"{folded(folder)}/{form}"
            able = able or [p for p in self._ends.get(form.rpartition("/")[2], ()) if folded(p) == beside]
            if len(able) == 1:
                return able
        for form in forms:
            able = [p for p in self._ends.get(form.rpartition("/")[2], ()) if _ends_in(folded(p), form)]
            if able:
                return able
        return []


def _bare(name: str) -> str:
    end = ending(name)
    return name[: -len(end)] if end in DICOM_ENDINGS else name


def _ends_in(place: str, form: str) -> bool:
    return any(own == form or own.endswith("/" + form) for own in (place, _bare(place)))


def _named(sheet: Sheet, column: str, cells: Column, *, places: _Places, folder: str) -> NamedJoin | None:
    filled = [c for c in cells if c is not None]
    values: list[str | None] = []
    unmatched: list[tuple[int, str]] = []
    for row, cell in enumerate(cells):
        able = places.meant(cell, folder) if cell is not None else []
        values.append(able[0] if len(able) == 1 else None)
        if len(able) != 1:
            why = "no file named" if cell is None else "several files or folders have this name" if able else ""
            unmatched.append((row, why or "no such DICOM file or folder"))
    hits = {v for v in values if v is not None}
    kinds = [places.kinds[v] for v in hits]
    level = FILE if kinds.count(FILE) >= kinds.count(FOLDER) else FOLDER
    values = [v if v is not None and places.kinds[v] == level else None for v in values]
    hits = {v for v in values if v is not None}
    plain = any("/" in clean_path(c) for c in filled) or is_image(column) or bool(_FOLDER_WORDS & set(tokens(column)))
    # a class 0 or a site A may be a folder's name by chance: names are different in most rows
    least = 1 if plain else _LEAST
    if len(hits) < least or len(hits) < _ENOUGH * len(filled):
        return None
    missing = _missing(hits, places) if level == FOLDER else ()
    joined = Join(sheet, column, f"name of {level}", level, tuple(values), tuple(unmatched), missing)
    return NamedJoin(joined, plain)


def _missing(hits: set[str], places: _Places) -> tuple[str, ...]:
    """Return the folders beside those that are named, which no row names."""
    parents = {h.rpartition("/")[0] for h in hits}
    beside = (p for p, kind in places.kinds.items() if kind == FOLDER and p.rpartition("/")[0] in parents)
    return tuple(sorted(p for p in beside if p not in hits))

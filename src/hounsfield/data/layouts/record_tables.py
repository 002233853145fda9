"""What tables, folders, lists and headers say of records, as one table with a row for each record."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hounsfield.core.cohort import Roles
from hounsfield.data.file_columns import FileColumn, resolve_column
from hounsfield.data.files import ending, stem
from hounsfield.data.layouts.class_folders import folder_levels
from hounsfield.data.layouts.manifest import named_table, read_tables
from hounsfield.data.layouts.records import RecordFiles, record_name
from hounsfield.data.part_columns import part_word
from hounsfield.data.table import Column, Sheet
from hounsfield.data.words import group_strength, target_strength, tokens

KEY = "record"
FOLDERS, LISTS, NAMES, HEADERS = "(folders)", "(lists of records)", "(names of tables)", "(header)"
_PERSON = re.compile(r"(patient|subject|sub|person|participant)[_-]?\d+|p\d{2,}", re.IGNORECASE)
_PERHAPS = re.compile(rf"{_PERSON.pattern}|s\d{{2,}}", re.IGNORECASE)
"""Folders of subjects, or of the studies of each."""
_MOST_LIST_BYTES = 1 << 22


@dataclass(frozen=True)
class RecordTable:
    """One row for each record.

    Parameters
    ----------
    sheet : Sheet
        Its column `key` names the records.
    key : str
    places : tuple of ((str, int) or None)
        Table and row in it that each row is from.
    side : tuple of str
        Tables that say nothing of the records.
    sources : dict of str to str
        Column to where it comes from, where that is not the table itself.
    """

    sheet: Sheet
    key: str
    places: tuple[tuple[str, int] | None, ...] = field(default=(), repr=False)
    side: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)


def record_table(
    files: RecordFiles, roles: Roles, *, said: Mapping[str, Mapping[str, str]] | None = None, source: str = HEADERS
) -> RecordTable:
    """Join everything that is said of records.

    Parameters
    ----------
    files : RecordFiles
    roles : Roles
    said : mapping of str to mapping of str to str, optional
        Path of a record to what its own header says; a key that fewer than half of the records have is left out.
    source : str
        Where that is from.

    Notes
    -----
    The table that names the most records comes first; other tables with a row for each of some records (a list of
    patients) add their columns, folders add ``class``, ``split`` and ``patient``, lists of records ``split``.
    """
    sheets, faults = read_tables(files)
    if roles.labels is not None:
        chosen = named_table(files.root, roles.labels, sheets)
        sheets = [chosen, *(s for s in sheets if s.name != chosen.name)]
    sheets = [files.by_record(s) for s in sheets]
    keyed = _joined_alike([_Keyed.of(s, k) for s in sheets if (k := key_column(s, files)) is not None])
    keyed.sort(key=lambda k: (k.sheet.name != roles.labels, -len(k.key.used)))
    used = {name for k in keyed for name in k.names}
    side = tuple(s.name for s in sheets if s.name not in used)
    notes: list[str] = []
    places: list[tuple[str, int] | None] = []
    if keyed:
        base, key = keyed[0].sheet, keyed[0].key
        columns: dict[str, Column] = dict(base.columns)
        rows, name, places = list(key.paths), key.column, list(keyed[0].places)
        title, notes = base.name, list(base.notes)
        others = [p for p in files.records if p not in key.used]
        if others:
            notes.append(f"{len(others)} of {len(files.records)} records have no row in {base.name}.")
        rows += others
        places += [None] * len(others)
        columns = {c: (*v, *(others if c == name else [None] * len(others))) for c, v in columns.items()}
    else:
        rows, name, title = list(files.records), KEY, "(records)"
        columns = {KEY: tuple(files.records)}
    joined = _Joined(columns, rows, {keyed[0].told: NAMES} if keyed and keyed[0].told else {})
    for other in keyed[1:]:
        joined.add_table(other.sheet, other.key)
    told = _from_folders(files, roles)
    if not files.sorted_by_hand or any(target_strength(c) >= 2.0 for c in joined.columns):
        told.pop("class", None)  # a table beats folder names
    joined.add(told, FOLDERS)
    lists, names, doubts = _from_lists(files)
    notes += [*(f"{fault.rstrip('.')}: it is not used." for fault in faults if ".txt'" not in fault), *doubts]
    joined.add(lists, LISTS)
    if said:
        most = Counter(k for about in said.values() for k in about)
        kept = [k for k, n in most.items() if 2 * n >= len(said)]
        joined.add({k: {p: about[k] for p, about in said.items() if k in about} for k in kept}, source)
    sheet = Sheet(title, {c: joined.patients(c, cells) for c, cells in joined.columns.items()}, tuple(notes))
    left = tuple(s for s in side if s not in names)
    return RecordTable(sheet, name, tuple(places), left, joined.sources)


def tells_patients(table: RecordTable) -> bool:
    """Tell whether a column says whose the records are."""
    return any(group_strength(c) == 2 for c in table.sheet.columns)


@dataclass(frozen=True)
class _Keyed:
    """A table, its column of records, and where its rows are from."""

    sheet: Sheet
    key: FileColumn
    places: tuple[tuple[str, int], ...]
    names: tuple[str, ...]
    told: str = ""

    @classmethod
    def of(cls, sheet: Sheet, key: FileColumn) -> "_Keyed":
        if _folder(sheet):  # its cells may be relative to its own folder, and mean that where it is joined to others
            cells = tuple(p or c for p, c in zip(key.paths, sheet.columns[key.column], strict=True))
            sheet = replace(sheet, columns={**sheet.columns, key.column: cells})
        return cls(sheet, key, tuple((sheet.name, i) for i in range(sheet.rows)), (sheet.name,))


def _joined_alike(keyed: list[_Keyed]) -> list[_Keyed]:
    """Join tables with the same columns and other records: ``stays_a`` and ``stays_b``, ``train`` and ``test``.

    What tells their names apart becomes a column: ``split`` where it says parts, else ``set``.
    """
    groups: dict[tuple[str, ...], list[_Keyed]] = {}
    for one in keyed:
        groups.setdefault((one.key.column, *one.sheet.columns), []).append(one)
    found: list[_Keyed] = []
    for group in groups.values():
        apart = len(set().union(*(k.key.used for k in group))) == sum(len(k.key.used) for k in group)
        found += [_join(group)] if len(group) > 1 and apart else group
    return found


def _join(group: list[_Keyed]) -> _Keyed:
    names = [stem(k.sheet.name) for k in group]
    if len(set(names)) < len(names):
        names = [k.sheet.name.rpartition(".")[0].replace("/", "_") for k in group]
    words = _differing(names)
    parts = [part_word(w) for w in words]
    head = "set" if None in parts or len(set(parts)) < len(parts) else "split"
    heads = list(group[0].sheet.columns)
    columns: dict[str, Column] = {h: tuple(c for k in group for c in k.sheet.columns[h]) for h in heads}
    if head not in columns:
        columns[head] = tuple(w for w, k in zip(words, group, strict=True) for _ in range(k.sheet.rows))
    name = " + ".join(k.sheet.name for k in group)
    note = f"{len(group)} tables with the same columns were joined; {head!r} says which a row is from."
    key = FileColumn(group[0].key.column, tuple(p for k in group for p in k.key.paths), explicit=False, share=1.0)
    places = tuple(p for k in group for p in k.places)
    told = head if head not in heads else ""
    return _Keyed(Sheet(name, columns, (note,)), key, places, tuple(n for k in group for n in k.names), told)


def _differing(names: list[str]) -> list[str]:
    """Return what tells names apart, word by word: ``a`` and ``b`` of ``stays_a`` and ``stays_b``."""
    words = [re.split(r"[_\-. ]+", n.rsplit("/", 1)[-1]) for n in names]
    head = _common(words)
    tail = _common([w[head:][::-1] for w in words])
    short = ["_".join(w[head : len(w) - tail]) for w in words]
    return short if all(short) and len(set(short)) == len(short) else names


def _common(words: list[list[str]]) -> int:
    """Return how many first words all lists share."""
    differ = (i for i, own in enumerate(zip(*words, strict=False)) if len(set(own)) > 1)
    return next(differ, min(map(len, words)))


def key_column(sheet: Sheet, files: RecordFiles) -> FileColumn | None:
    """Return the column of a table that names records, most of them and each once; None where there is none.

    Of records of one name in several folders those in the table's own folder are meant.
    """
    best: FileColumn | None = None
    folder = _folder(sheet)
    hints = (folder.rpartition("/")[2],) * sheet.rows if folder else None
    for name, cells in sheet.columns.items():
        found = resolve_column(name, cells, files=files, folder=folder, hints=hints)
        filled = sum(p is not None for p in found.paths)
        if found.share < 0.5 or filled == 0 or len(found.used) < 0.95 * filled:
            continue
        if best is None or (len(found.used), found.share) > (len(best.used), best.share):
            best = found
    return best


def _folder(sheet: Sheet) -> str:
    return sheet.name.rpartition("/")[0]


@dataclass
class _Joined:
    columns: dict[str, Column]
    rows: list[str | None]
    sources: dict[str, str]

    def add(self, said: Mapping[str, Mapping[str, str]], source: str) -> None:
        """Add columns that are not there yet: name to path of a record to text."""
        for name, texts in said.items():
            if name not in self.columns:
                self.columns[name] = tuple(texts.get(p) if p is not None else None for p in self.rows)
                self.sources[name] = source

    def add_table(self, sheet: Sheet, key: FileColumn) -> None:
        place = {p: i for i, p in reversed(list(enumerate(key.paths))) if p is not None}
        for name, cells in sheet.columns.items():
            if name != key.column:
                self.add({name: {p: c for p, i in place.items() if (c := cells[i]) is not None}}, sheet.name)

    def patients(self, name: str, cells: Column) -> Column:
        """Return a column of patients where a record that none is told of is a patient of its own."""
        if group_strength(name) < 2 or None not in cells or all(c is None for c in cells):
            return cells
        own = [record_name(p) if p is not None else None for p in self.rows]
        return tuple(c if c is not None else o for c, o in zip(cells, own, strict=True))


def _from_folders(files: RecordFiles, roles: Roles) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    whose = _persons(files.records)
    if whose:
        found["patient"] = whose
    levels = folder_levels(list(files.records), roles)
    for name, at in (("class", levels.target), ("split", levels.part), ("patient", levels.patient)):
        if at is not None and name not in found:
            names = {p: p.split("/")[at] for p in files.records}
            if names != found.get("patient"):
                found[name] = names
    return found


def _persons(records: Sequence[str]) -> dict[str, str]:
    """Return record to the folder of its patient; nothing where no level of folders is of patients.

    Notes
    -----
    Below the folders of patients lie those of their studies (``p10001725/s41420867``), which are no patients. A level
    below another of the same kind counts where its names begin with those above it: ``p100`` holds ``p10001725``.
    """
    found: dict[str, str] = {}
    certain = False
    for level in range(min((p.count("/") for p in records), default=0)):
        names = {p: p.split("/")[level] for p in records}
        sure = all(_PERSON.fullmatch(n) for n in names.values())
        if len(set(names.values())) < 2 or not (sure or all(_PERHAPS.fullmatch(n) for n in names.values())):
            continue
        inside = all(n.casefold().startswith(found[p].casefold()) for p, n in names.items()) if found else True
        if inside or (sure and not certain):
            found, certain = names, sure or certain
    return found


def _from_lists(files: RecordFiles) -> tuple[dict[str, dict[str, str]], set[str], list[str]]:
    """Return parts that lists of record names say (``DS1``, ``RECORDS-test``), the lists of use, what to tell."""
    parts: dict[str, str] = {}
    used: set[str] = set()
    notes: list[str] = []
    own = set(files.records)
    for path in files.paths:
        part = _part_in(path)
        if part is None or path in own or ending(path) not in ("", ".txt", ".lst", ".list"):
            continue
        found = _listed(files.root / path, files)
        twice = sum(parts.get(p, part) != part for p in found)
        if twice:
            notes.append(f"{path} is not used: another list has {twice} of its records in another part.")
        elif found:
            parts |= dict.fromkeys(found, part)
            used.add(path)
    return ({"split": parts} if len(set(parts.values())) > 1 else {}), used, notes


def _part_in(path: str) -> str | None:
    name = stem(path.rsplit("/", 1)[-1])
    words = [name, *re.split(r"[^A-Za-z0-9]+", name), *tokens(name)]
    return next((p for w in words if (p := part_word(w))), None)


def _listed(place: Path, files: RecordFiles) -> list[str]:
    """Return the records that a text file names line by line; none where any line is something else."""
    try:
        if place.stat().st_size > _MOST_LIST_BYTES:
            return []
        lines = [s for line in place.read_text("utf-8").splitlines() if (s := line.strip())]
    except (OSError, UnicodeError):
        return []
    found: list[str] = []
    for line in lines:
        several = files.candidates(line)
        if len(several) != 1:
            return []
        found.append(several[0])
    return found

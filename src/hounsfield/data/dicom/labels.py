"""A table of answers and the files it is about: joined by the DICOM key whose values overlap."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hounsfield.data.dicom.apart import is_mask
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.files import plain_key
from hounsfield.data.table import Column, Sheet
from hounsfield.data.words import tokens

KEYS = {
    "SOPInstanceUID": ("sop_uid", "image"),
    "SeriesInstanceUID": ("series_uid", "series"),
    "StudyInstanceUID": ("study_uid", "study"),
    "AccessionNumber": ("accession", "study"),
    "PatientID": ("patient_id", "patient"),
}
"""DICOM key to field of `Entry` and level, the finest first."""
_ENOUGH = 0.5
_ALIKE = 0.9
_NAMES = {
    "SOPInstanceUID": {"sop", "instance"},
    "SeriesInstanceUID": {"series"},
    "StudyInstanceUID": {"study"},
    "AccessionNumber": {"accession", "acc"},
    "PatientID": {"patient", "mrn", "pid", "subject"},
}


@dataclass(frozen=True)
class Join:
    """How the rows of a table belong to DICOM files.

    Parameters
    ----------
    sheet : Sheet
        The table.
    column : str
        Its column with the key.
    key : str
        DICOM keyword of the key, or that it is a path.
    level : str
        ``image``, ``series``, ``study`` or ``patient``; where rows name paths, ``file`` or ``folder``.
    values : tuple of (str or None)
        Row by row the key as the files have it, None where no file or several different keys are meant.
    unmatched : tuple of (int, str)
        Rows without files, and why.
    missing : tuple of str
        Keys of files that no row names.
    """

    sheet: Sheet = field(repr=False)
    column: str
    key: str
    level: str
    values: Column = field(repr=False)
    unmatched: tuple[tuple[int, str], ...] = field(default=(), repr=False)
    missing: tuple[str, ...] = field(default=(), repr=False)

    @property
    def matched(self) -> int:
        """Rows that have files."""
        return sum(v is not None for v in self.values)


def tolerant_key(text: str) -> str:
    """Return the form in which keys are compared.

    Notes
    -----
    Spreadsheets lose leading zeros, make floats of numbers, add spaces and marks for "this is text".
    """
    return plain_key(text.replace("\u00a0", " ").strip().lstrip("'").replace(",", "") if _grouped(text) else
                     text.replace("\u00a0", " ").strip().lstrip("'"))  # fmt: skip


def _grouped(text: str) -> bool:
    """Tell whether a number was written with marks between its thousands."""
    first, *others = text.strip().split(",")
    return bool(others) and first.isdigit() and len(first) <= 3 and all(len(o) == 3 and o.isdigit() for o in others)


def join(sheets: Sequence[Sheet], entries: Iterable[Entry]) -> Join | None:
    """Find the table, its column and the DICOM key that belong together.

    Parameters
    ----------
    sheets : sequence of Sheet
        Tables that may be meant.
    entries : iterable of Entry
        The files.

    Returns
    -------
    Join or None
        The join that gives the most rows their files; of those nearly as good the finest key. None where no column's
        values are keys of files.
    """
    files = list(entries)
    known = _known(files)
    masks = {getattr(e, name) for e in files if is_mask(e) for name in ("sop_uid", "series_uid")}
    found: list[tuple[int, int, Join]] = []
    for sheet in sheets:
        for column, cells in sheet.columns.items():
            for order, key in enumerate(KEYS):
                made = _joined(sheet, column, cells, key=key, known=known[key])
                if made is not None:
                    made = replace(made, missing=tuple(v for v in made.missing if v not in masks))
                    found.append((made.matched, -order, made))
    if not found:
        return None
    most = max(n for n, _, _ in found)
    able = [f for f in found if f[0] >= _ALIKE * most]
    return max(able, key=lambda f: (_named(f[2].column, f[2].key), f[1], f[0]))[2]


def _known(entries: Iterable[Entry]) -> dict[str, dict[str, list[str]]]:
    """Return of each key its tolerant form and the different values that have it."""
    known: dict[str, dict[str, dict[str, None]]] = {key: {} for key in KEYS}
    for entry in entries:
        for key, (name, _) in KEYS.items():
            value: str = getattr(entry, name)
            if value:
                known[key].setdefault(tolerant_key(value), {})[value] = None
    return {key: {plain: list(values) for plain, values in found.items()} for key, found in known.items()}


def _named(column: str, key: str) -> bool:
    words = set(tokens(column))
    return bool(words & _NAMES[key]) and not (key == "StudyInstanceUID" and "accession" in words)


def _joined(sheet: Sheet, column: str, cells: Column, *, key: str, known: Mapping[str, Sequence[str]]) -> Join | None:
    filled = {tolerant_key(c) for c in cells if c is not None}
    hits = filled & set(known)
    named = _named(column, key)
    # values such as 0 and 1 are met among identifiers by chance: without a telling name, most must be keys
    if not hits or not (named or (len(hits) >= _ENOUGH * len(filled) and len(hits) >= min(3, len(known)))):
        return None
    if not named and len(filled) < _ENOUGH * sum(c is not None for c in cells) and key != "PatientID":
        return None
    values, unmatched = [], []
    for row, cell in enumerate(cells):
        several = known.get(tolerant_key(cell), ()) if cell is not None else ()
        value = cell if cell in several else several[0] if len(several) == 1 else None
        values.append(value)
        if value is None:
            why = "no key" if cell is None else f"several files' {key}s are written alike" if several else ""
            unmatched.append((row, why or f"no file has this {key}"))
    used = set(values)
    missing = tuple(v for found in known.values() for v in found if v not in used)
    return Join(sheet, column, key, KEYS[key][1], tuple(values), tuple(unmatched), missing)

"""Tables that lie beside the manifest: named, and what being listed in one could give away."""

from collections.abc import Sequence
from dataclasses import dataclass

from hounsfield.data.files import clean_path, plain_key, stem
from hounsfield.data.table import Column, Sheet

_SHARE = 0.5
_PAIR_SHARE = 0.8


@dataclass(frozen=True)
class Presence:
    """Which rows of the manifest a side table lists.

    Parameters
    ----------
    table, column, key : str
        The side table, its key column, and the manifest's column with the same keys.
    listed : tuple of bool
        Row by row of the manifest.
    """

    table: str
    column: str
    key: str
    listed: tuple[bool, ...]


def is_pair_list(sheet: Sheet, keys: Sequence[Column]) -> bool:
    """Tell whether a table lists pairs of samples, as lists of duplicates do: two columns of the same keys."""
    for cells in keys:
        known = _keys(cells)
        hits = [c for c in sheet.columns.values() if _share(c, known) >= _PAIR_SHARE and _distinct(c)]
        if len(hits) >= 2 and any(a != b for a, b in zip(hits[0], hits[1], strict=True)):
            return True
    return False


def presence(side: Sheet, manifest: Sheet, unique: Sequence[str]) -> Presence | None:
    """Return which rows a side table lists, by the key column that fits best, or None where none fits.

    Parameters
    ----------
    side, manifest : Sheet
        The tables.
    unique : sequence of str
        Columns of the manifest that tell one sample from another; they are preferred to patients.
    """
    best: tuple[tuple[int, bool, float], Presence] | None = None
    for key, cells in manifest.columns.items():
        known = _keys(cells)
        if len(known) < 2:
            continue
        for column, texts in side.columns.items():
            share = _share(texts, known)
            if share < _SHARE or not _distinct(texts):
                continue
            here = _keys(texts)
            listed = tuple(c is not None and _key(c) in here for c in cells)
            rank = (sum(listed), key in unique, share)
            if best is None or rank > best[0]:
                best = (rank, Presence(side.name, column, key, listed))
    return best[1] if best else None


def _key(text: str) -> str:
    return plain_key(stem(clean_path(text)))


def _keys(cells: Column) -> set[str]:
    return {_key(c) for c in cells if c is not None}


def _distinct(cells: Column) -> bool:
    """Tell whether a column can be a key at all: several values, and not a handful repeated."""
    present = [c for c in cells if c is not None]
    different = len(set(present))
    return different >= 2 and different > max(10, len(present) // 10) if len(present) > 20 else different >= 2


def _share(cells: Column, known: set[str]) -> float:
    present = {_key(c) for c in cells if c is not None}
    return len(present & known) / len(present) if present else 0.0

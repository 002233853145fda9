"""Tables of answers: CSV, TSV, Excel and Parquet, every cell kept as the text it was."""

import csv
import gzip
import io
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path

from hounsfield.core.errors import CohortError
from hounsfield.data.files import IMAGE_ENDINGS, ending

MAX_BYTES = 512 << 20
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "#n/a", "<na>", "nat"})
_DELIMITERS = (",", ";", "\t", "|")

_COMMA = re.compile(r"[-+]?\d+,\d+")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_PAIR, _COMMON = re.compile(rb"(?s)[\x81-\xff]."), re.compile(rb"[\xa1-\xa9\xb0-\xd7][\xa1-\xfe]")
"""What may be a character of GB18030; signs and level 1 of GB 2312, the 3,755 characters in common use."""
COMMON_SHARE, MOST_PAIRS = 0.25, 10_000
REMEMBERED = 1 << 16
"""Cells whose meaning is remembered: a column is looked at a dozen times."""

Column = tuple[str | None, ...]


@dataclass(frozen=True)
class Sheet:
    """One table in memory.

    Parameters
    ----------
    name : str
        POSIX path relative to the cohort's root.
    columns : dict of str to tuple of (str or None)
        Cells as text, stripped; None where missing. Leading zeros survive.
    notes : tuple of str
        What was remarkable about reading it.
    """

    name: str
    columns: dict[str, Column] = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def take(self, rows: Sequence[int]) -> "Sheet":
        """Return the sheet with some rows only."""
        return Sheet(self.name, {k: tuple(v[i] for i in rows) for k, v in self.columns.items()}, self.notes)


def read_table(path: Path, name: str = "") -> Sheet:
    """Read a table, finding out its encoding and its delimiter from its content.

    Parameters
    ----------
    path : pathlib.Path
        ``.csv .tsv .txt`` (also ``.gz``), ``.xlsx`` or ``.parquet``.
    name : str
        Name in messages; the file name by default.

    Raises
    ------
    CohortError
        If it cannot be read as a table.
    """
    name = name or path.name
    kept = _KEPT.get()
    if kept is None:
        return _read(path, name)
    try:
        stat = path.stat()
    except OSError:
        return _read(path, name)
    key = (str(path), name, stat.st_mtime_ns, stat.st_size)
    if key not in kept:
        kept[key] = _read(path, name)
    return kept[key]


@contextmanager
def tables_kept() -> Iterator[None]:
    """Keep every table that is read inside, so that none is read twice: each layout asks what a folder's tables are."""
    token = _KEPT.set({})
    try:
        yield
    finally:
        _KEPT.reset(token)


_KEPT: "ContextVar[dict[tuple[str, str, int, int], Sheet] | None]" = ContextVar("tables kept", default=None)


def _read(path: Path, name: str) -> Sheet:
    end = ending(path.name)
    try:
        if end in (".xlsx", ".xlsm"):
            return _sheet(name, _excel_rows(path))
        if end == ".parquet":
            return _parquet(path, name)
        text = decode(_bytes(path, name))
        return _sheet(name, _csv_rows(text, name))
    except CohortError:
        raise
    except Exception as error:  # foreign parsers raise what they like on damaged files
        raise CohortError(
            f"The table {name!r} cannot be read ({type(error).__name__}).",
            expected="a CSV, TSV, Excel (.xlsx) or Parquet file",
            next_step="save it again as CSV in UTF-8",
        ) from error


def decode(data: bytes) -> str:
    """Return text from bytes: byte order marks, UTF-16, UTF-8; then GB18030 where it looks like it, Latin-1 else.

    Notes
    -----
    Nearly all Latin-1 is valid GB18030 too (``\u00b5V`` is a rare character there). Chinese text is known by its common
    characters, each of two high bytes; in western text a high byte stands alone between letters, and two neighbours
    are hardly ever such a pair.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    if data[:200].count(0) > len(data[:200]) // 4:
        little = data[1:200:2].count(0) > data[0:200:2].count(0)
        return data.decode("utf-16-le" if little else "utf-16-be")
    return plain_text(data)


def plain_text(data: bytes) -> str:
    """Return text from bytes of one or more bytes a character, whatever they are: see `decode`."""
    for encoding in ("utf-8-sig", "gb18030" if _chinese(data) else "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _chinese(data: bytes) -> bool:
    """Tell whether enough of the pairs of bytes that begin with a high one are common characters of GB 2312."""
    pairs = [m.group() for m in islice(_PAIR.finditer(data), MOST_PAIRS)]
    return sum(_COMMON.fullmatch(p) is not None for p in pairs) > COMMON_SHARE * len(pairs)


@lru_cache(maxsize=REMEMBERED)
def parse_number(text: str | None) -> float | None:
    """Return a cell as a finite number, or None; a decimal comma is understood."""
    if text is None:
        return None
    if "," in text and _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) != float("inf") else None


def is_missing(text: str) -> bool:
    """Tell whether a cell says that there is no value."""
    return text.strip().casefold() in _MISSING


def _bytes(path: Path, name: str) -> bytes:
    with gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise CohortError(
            f"The table {name!r} is larger than {MAX_BYTES >> 20} MiB.",
            expected="a table of answers",
            next_step="name the right table with --labels",
        )
    return bytes(data)


def delimiter_of(text: str) -> str:
    """Return the delimiter that cuts the first lines into the most fields, equally often."""
    lines = [line for line in text.splitlines()[:40] if line.strip()][:20]
    best, best_score = ",", 0.0
    for mark in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=mark) if row]
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            score = widths[0] * (sum(w == widths[0] for w in widths) / len(widths)) ** 2
            if score > best_score:
                best, best_score = mark, score
    return best


def _csv_rows(text: str, name: str) -> list[list[str]]:
    if "\0" in text:
        raise CohortError(
            f"The table {name!r} holds binary data.",
            expected="a CSV, TSV, Excel or Parquet file",
            next_step="give the file its right ending, or name the table with --labels",
        )
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    return [r for r in rows if any(c.strip() for c in r)]


def _excel_rows(path: Path) -> list[list[str]]:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        rows = [[_cell(v) for v in row] for row in sheet.iter_rows(values_only=True)]
    finally:
        book.close()
    return [r for r in rows if any(r)]


def _parquet(path: Path, name: str) -> Sheet:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    columns = {str(n): table.column(i).to_pylist() for i, n in enumerate(table.column_names)}
    heads = list(columns)
    rows = [[_cell(columns[h][i]) for h in heads] for i in range(table.num_rows)]
    return _sheet(name, [heads, *rows])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, list | tuple):
        return ";".join(_cell(v) for v in value)
    return str(value)


def _sheet(name: str, rows: list[list[str]]) -> Sheet:
    if not rows:
        raise CohortError(
            f"The table {name!r} is empty.", expected="a header and one row per case", next_step="fill it or remove it"
        )
    notes: list[str] = []
    if any(ending(c.strip()) in IMAGE_ENDINGS for c in rows[0]):
        notes.append(f"{name} has no header: its columns are called column_1, column_2, ...")
        rows = [[f"column_{i + 1}" for i in range(len(rows[0]))], *rows]
    heads = _heads(rows[0])
    width = len(heads)
    for number, row in enumerate(rows[1:], start=2):
        if any(c.strip() for c in row[width:]):
            raise CohortError(
                f"Row {number} of {name!r} has {len(row)} fields where the header has {width}.",
                expected="as many fields as columns",
                next_step="put texts that hold the delimiter into quotes",
            )
    body = rows[1:]
    columns: dict[str, Column] = {}
    for i, head in enumerate(heads):
        columns[head] = tuple(_text(row[i]) if i < len(row) else None for row in body)
    named = {k: v for k, v in columns.items() if not (k.startswith("unnamed") and all(c is None for c in v))}
    return Sheet(name, named, tuple(notes))


def _text(cell: str) -> str | None:
    text = cell.strip()
    return None if is_missing(text) else text


def _heads(cells: list[str]) -> list[str]:
    heads: list[str] = []
    for i, cell in enumerate(cells):
        head = " ".join(cell.split()) or f"unnamed_{i + 1}"
        unique, copy = head, 2
        while unique in heads:
            unique, copy = f"{head}.{copy}", copy + 1
        heads.append(unique)
    return heads

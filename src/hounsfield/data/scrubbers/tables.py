"""CSV, TSV, Excel and Parquet: columns that identify get pseudonyms or go, what is measured stays as it was."""

import csv
import gzip
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from hounsfield.core.errors import ReadError
from hounsfield.data.files import ending
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.known import KnownKeys
from hounsfield.data.scrubbers.naming import is_harmless, named_words, pseudonymous_path
from hounsfield.data.scrubbers.order import ScrubOrder
from hounsfield.data.scrubbers.refs import pseudonymous_refs, refs_told
from hounsfield.data.scrubbers.shifting import reads_month_first, shifted
from hounsfield.data.scrubbers.table_columns import (
    Meaning,
    identifies_alone,
    is_header,
    is_standard_uid,
    meaning_of,
)
from hounsfield.data.table import decode, delimiter_of, parse_number
from hounsfield.data.words import group_strength

SHIFT_DATES = "shift-dates"
MAX_BYTES = 512 << 20
_TEXT_ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_EXCEL_ENDINGS = (".xlsx", ".xlsm")
_OLDEST = 89
_CORE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<cp:coreProperties '
    'xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'
)
_HASHED = frozenset({Meaning.PATIENT, Meaning.ACCESSION, Meaning.UID, Meaning.CODE, Meaning.PATH, Meaning.REF})
_GONE = frozenset({Meaning.BIRTH, Meaning.NAME, Meaning.PHONE, Meaning.MAIL, Meaning.ADDRESS, Meaning.TEXT})

Cell = object
"""What a cell holds: a text, a number, a date, None."""


@dataclass
class _Told:
    removed: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    coded: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)


class TableScrubber:
    """Treats each column by what it tells of a person, and says for each what was done.

    Notes
    -----
    Patients, accession numbers, UIDs and file names get the pseudonyms they get everywhere, so that tables still join
    images, also where Excel has eaten the zeros in front of a number; a column whose cells are keys of the images is
    known as such whatever its name. UIDs of DICOM itself, such as that of CT Image Storage, stay. Dates are moved with
    the patient of their row, where `shift-dates` is chosen and a column names the patient; else they go. Ages above 89
    become 90. A column of texts that nearly all differ goes, whatever its name.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell Parquet by its signature, the others by their endings and no binary content."""
        end = ending(name)
        if head[:4] == b"PAR1":
            return True
        if end in _EXCEL_ENDINGS:
            return head[:4] == b"PK\x03\x04"
        return end in _TEXT_ENDINGS and (end.endswith(".gz") or b"\0\0\0" not in head)

    def scrub(self, source: Path, order: ScrubOrder) -> Scrubbed:
        """Return the table; raise ReadError where it cannot be read."""
        if source.stat().st_size > MAX_BYTES:
            return Scrubbed(None, withheld="a table of more than 512 MiB")
        told = _Told()
        end = ending(source.name)
        try:
            if end in _TEXT_ENDINGS:
                content = _text_table(source, order, told)
            elif end in _EXCEL_ENDINGS:
                content = _excel(source, order, told)
            else:
                content = _parquet(source, order, told)
        except ReadError:
            raise
        except Exception as error:  # foreign parsers raise what they like on damaged files
            raise ReadError(
                "The table cannot be read.", expected="CSV, Excel or Parquet", next_step="save it again as CSV in UTF-8"
            ) from error
        kept = tuple(dict.fromkeys(told.identifiers))
        texts = tuple(dict.fromkeys(told.texts))
        stays = (tuple(sorted(told.coded)), tuple(sorted(told.kept)))
        return Scrubbed(content, "", tuple(told.removed), kept, texts, *stays)


def _text_table(source: Path, order: ScrubOrder, told: _Told) -> bytes:
    raw = source.read_bytes()
    zipped = source.name.lower().endswith(".gz")
    if zipped:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise ReadError("The table is larger than 512 MiB.", expected="a smaller one", next_step="leave it out")
    text = decode(raw)
    if "\0" in text:
        raise ReadError("The table holds binary data.", expected="a text table", next_step="leave it out")
    mark = delimiter_of(text)
    rows: list[list[Cell]] = [list(r) for r in csv.reader(io.StringIO(text, newline=""), delimiter=mark)]
    out = io.StringIO()
    end = "\r\n" if "\r\n" in text[:65536] else "\n"
    csv.writer(out, delimiter=mark, lineterminator=end).writerows(_scrubbed_rows(rows, order, told))
    made = out.getvalue().encode()
    return gzip.compress(made, mtime=0) if zipped else made


def _scrubbed_rows(rows: list[list[Cell]], order: ScrubOrder, told: _Told, *, sheet: str = "") -> list[list[Cell]]:
    width = max((len(r) for r in rows), default=0)
    rows = [r + [None] * (width - len(r)) for r in rows]
    first = next((i for i, r in enumerate(rows) if any(_as_text(c) for c in r)), 0)
    headed = bool(rows) and is_header([_as_text(c) for c in rows[first]])
    heads = [_as_text(c) for c in rows[first]] if headed else [""] * width
    begin = first + 1 if headed else 0
    columns = [[r[i] for r in rows[begin:]] for i in range(width)]
    made = _columns(heads, columns, order, told, sheet=sheet)
    top: list[list[Cell]] = [[None] * width for _ in range(first)] if headed else []
    if headed:
        top.append([_head(h, i) for i, h in enumerate(heads)])
        told.coded.update(_head(h, i) for i, h in enumerate(heads))
        told.texts += [h for i, h in enumerate(heads) if _head(h, i) != h]
        told.texts += [_as_text(c) for r in rows[:first] for c in r if _as_text(c)]
    return [*top, *([list(r) for r in zip(*made, strict=True)] if made else [])]


def _columns(
    heads: Sequence[str], columns: list[list[Cell]], order: ScrubOrder, told: _Told, *, sheet: str = ""
) -> list[list[Cell]]:
    known = order.known or KnownKeys()
    meanings = [_meaning(h, [t for t in map(_as_text, c) if t], known) for h, c in zip(heads, columns, strict=True)]
    patient = _patients(heads, columns, meanings)
    made = []
    for number, (cells, meaning) in enumerate(zip(columns, meanings, strict=True), start=1):
        said = meaning.value
        if meaning is Meaning.DATE:
            made.append(_moved(cells, patient, order))
            said += ", shifted" if any(c is not None for c in made[-1]) else ", removed"
        elif meaning is Meaning.KEEP:
            made.append([None if isinstance(c, str) and identifies_alone(c.strip()) else c for c in cells])
            told.identifiers += [
                _as_text(c) for c, m in zip(cells, made[-1], strict=True) if m is None and c is not None
            ]
            told.kept.update(c for c in made[-1] if isinstance(c, str))
        elif meaning is Meaning.AGE:
            made.append([_aged(c) for c in cells])
        elif meaning in _GONE:
            made.append([None] * len(cells))
        else:
            made.append([_pseudonym(meaning, c, order) for c in cells])
        if meaning not in (Meaning.KEEP, Meaning.AGE):
            values = [t for t in map(_as_text, cells) if t and not is_standard_uid(t)]
            if meaning is Meaning.PATH:
                told.texts += [w for v in values for w in named_words(v)]
                told.coded.update(w for v in values for w in re.split(r"[/\\]", v) if is_harmless(w))
            elif meaning is Meaning.REF:
                told.texts += [w for v in values for w in refs_told(v)]
            else:
                (told.texts if meaning is Meaning.TEXT else told.identifiers).extend(values)
        if meaning is not Meaning.KEEP:
            told.removed.append(f"{sheet}column {number}: {said}")
    return made


def _patients(heads: Sequence[str], columns: list[list[Cell]], meanings: Sequence[Meaning]) -> list[Cell] | None:
    """Return the column whose patients the dates of a row move with: the one whose header says so most clearly."""
    able = [n for n, meaning in enumerate(meanings) if meaning is Meaning.PATIENT]
    return columns[max(able, key=lambda n: group_strength(heads[n]))] if able else None


def _meaning(head: str, cells: list[str], known: KnownKeys) -> Meaning:
    """Return what a column tells: a key of the images, where its cells are theirs, else what header and cells say."""
    meaning = meaning_of(head, cells)
    if meaning in (Meaning.UID, Meaning.PATH, Meaning.REF, Meaning.BIRTH, Meaning.AGE):
        return meaning
    joins = known.kind_of(cells)
    return meaning if joins is None else Meaning.PATIENT if joins == "patient" else Meaning.ACCESSION


def _pseudonym(meaning: Meaning, cell: Cell, order: ScrubOrder) -> Cell:
    text, pseudonyms = _as_text(cell), order.pseudonyms
    if meaning is Meaning.UID and is_standard_uid(text):
        return cell
    makers: dict[Meaning, Callable[[str], str]] = {
        Meaning.PATIENT: lambda t: pseudonyms.patient(_patient(t, order)),
        Meaning.UID: pseudonyms.uid,
        Meaning.ACCESSION: lambda t: pseudonyms.code(
            "accession", (order.known or KnownKeys()).spelling("accession", t)
        ),
        Meaning.CODE: lambda t: pseudonyms.code("number", t),
        Meaning.PATH: lambda t: pseudonymous_path(t, pseudonyms),
        Meaning.REF: lambda t: pseudonymous_refs(t, pseudonyms),
    }
    return makers[meaning](text) if text else None


def _patient(text: str, order: ScrubOrder) -> str:
    """Return a patient's number as the images write it."""
    return (order.known or KnownKeys()).spelling("patient", text)


def _moved(cells: list[Cell], patients: list[Cell] | None, order: ScrubOrder) -> list[Cell]:
    if patients is None or not order.asks(SHIFT_DATES):
        return [None] * len(cells)
    month_first = reads_month_first([_as_text(c) for c in cells])
    made: list[Cell] = []
    for cell, patient in zip(cells, patients, strict=True):
        who = _patient(_as_text(patient), order)
        days = order.pseudonyms.days(who) if who else None
        if days is None or not _as_text(cell):
            made.append(None)
        elif isinstance(cell, date):
            try:
                made.append(cell + timedelta(days=days))
            except OverflowError:
                made.append(None)
        else:
            made.append(shifted(_as_text(cell), days, month_first=month_first) or None)
    return made


def _aged(cell: Cell) -> Cell:
    number = parse_number(_as_text(cell))
    if number is None or number <= _OLDEST:
        return cell if number is not None or not _as_text(cell) else None
    return "90" if isinstance(cell, str) else 90


def _head(head: str, number: int) -> str:
    """Return a column's name, or its number where the name looks like a value."""
    return f"column_{number + 1}" if identifies_alone(head) or sum(c.isdigit() for c in head) > 5 else head


def _as_text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ") if cell.time() != datetime.min.time() else cell.date().isoformat()
    return str(cell).strip()


def _excel(source: Path, order: ScrubOrder, told: _Told) -> bytes:
    import openpyxl

    book = openpyxl.load_workbook(source, data_only=True)
    made = openpyxl.Workbook(write_only=True)
    _properties(book, told)
    for number, sheet in enumerate(book.worksheets, start=1):
        title = sheet.title if is_harmless(sheet.title) else f"Sheet{number}"
        if sheet.title not in (title, f"Sheet{number}"):
            told.texts.append(sheet.title)
        rows: list[list[Cell]] = [list(row) for row in sheet.iter_rows(values_only=True)]
        told.texts += [c.comment.text for row in sheet.iter_rows() for c in row if c.comment]
        out = made.create_sheet(title)
        prefix = f"sheet {number}, " if len(book.worksheets) > 1 else ""
        for row in _scrubbed_rows(rows, order, told, sheet=prefix):
            out.append(row)
    book.close()
    stream = io.BytesIO()
    made.save(stream)
    told.removed.append("comments, properties and formats of the workbook")
    return _undated(stream.getvalue())


def _properties(book: object, told: _Told) -> None:
    properties = getattr(book, "properties", None)
    for name in ("creator", "lastModifiedBy", "title", "subject", "description", "keywords", "category"):
        value = getattr(properties, name, None)
        if isinstance(value, str) and value and value != "openpyxl":
            told.texts.append(value)


def _undated(book: bytes) -> bytes:
    """Return a workbook without the time and the program of its making, so that the same input gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            data = _CORE.encode() if entry.filename == "docProps/core.xml" else old.read(entry)
            new.writestr(zipfile.ZipInfo(entry.filename, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _parquet(source: Path, order: ScrubOrder, told: _Told) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(source)
    names = [str(n) for n in table.column_names]
    columns: list[list[Cell]] = [table.column(i).to_pylist() for i in range(len(names))]
    made = _columns(names, columns, order, told)
    arrays, heads = [], []
    for number, (name, old, new) in enumerate(zip(names, columns, made, strict=True)):
        same = all(a is b for a, b in zip(old, new, strict=True))
        arrays.append(_plain(table.column(number)) if same else pa.array(new, type=_type(table, number, new)))
        heads.append(_head(name, number))
    if table.schema.metadata:
        told.removed.append("metadata of the table")
    plain = pa.table(dict(zip(heads, arrays, strict=True)))
    stream = io.BytesIO()
    # gzip, which the second pass can look into; the statistics would repeat the extreme values
    pq.write_table(plain, stream, compression="gzip", write_statistics=False, store_schema=False)
    return stream.getvalue()


def _plain(column: object) -> object:
    """Return a column without a dictionary, in which values may stand that no row has."""
    import pyarrow as pa

    whole = column.combine_chunks()  # type: ignore[attr-defined]  # pyarrow has no type information
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def _type(table: object, number: int, new: list[Cell]) -> object:
    import pyarrow as pa

    old = table.schema.field(number).type  # type: ignore[attr-defined]  # pyarrow has no type information
    return pa.string() if any(isinstance(c, str) for c in new) else old

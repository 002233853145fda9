"""Columns that identify go or get pseudonyms, figures stay; csv, openpyxl and pyarrow are the reference. No PDF."""

import csv
import io
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data_room.scrubbers.told import PSEUDONYMS, order, scrub, written

ROWS = [
    ["patient_id", "name", "birth_date", "age", "area_mm2", "diagnosis"],
    ["PID-778899", "Zofia Kowalewska", "23.09.1951", "93", "12.5", "benign"],
    ["PID-112233", "Ulrich Feldmann", "01.02.1960", "51", "17.25", "malignant"],
    ["PID-778899", "Zofia Kowalewska", "23.09.1951", "93", "3", "benign"],
]


def _check(rows: list[list[str]]) -> None:
    assert rows[0] == ROWS[0]
    assert [r[4:] for r in rows] == [r[4:] for r in ROWS]
    assert [r[0] for r in rows[1:]] == [PSEUDONYMS.patient(r[0]) for r in ROWS[1:]]
    assert [r[3] for r in rows[1:]] == ["90", "51", "90"]
    assert not any(r[1] or r[2] for r in rows[1:])


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ","), ("a.tsv", "\t")])
def test_text_tables(tmp_path: Path, name: str, mark: str) -> None:
    stream = io.StringIO()
    csv.writer(stream, delimiter=mark).writerows(ROWS)
    result = scrub(tmp_path, name, stream.getvalue().encode())
    _check(list(csv.reader(io.StringIO(written(result).decode()), delimiter=mark)))
    assert "Zofia Kowalewska" in result.identifiers


def test_excel(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.properties.creator = "Feldmann"
    sheet = book.active
    sheet.title = "Kowalewska"
    for row in ROWS:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    made = openpyxl.load_workbook(io.BytesIO(written(scrub(tmp_path, "a.xlsx", out.getvalue()))))
    _check([["" if c is None else str(c) for c in row] for row in made.worksheets[0].iter_rows(values_only=True)])


def test_parquet(tmp_path: Path) -> None:
    columns = {head: [row[i] for row in ROWS[1:]] for i, head in enumerate(ROWS[0])}
    out = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata({"author": "Feldmann"}), out)
    made = pq.read_table(io.BytesIO(written(scrub(tmp_path, "a.parquet", out.getvalue()))))
    assert not made.schema.metadata
    body = [[c or "" for c in row.values()] for row in made.to_pylist()]
    _check([made.column_names, *body])


def test_pdf_is_withheld_unless_asked_for(tmp_path: Path) -> None:
    content = b"%PDF-1.4\n1 0 obj <<>> endobj\n%%EOF\n"
    assert "PDF" in scrub(tmp_path, "a.pdf", content).withheld
    assert scrub(tmp_path, "a.pdf", content, order("documents")).content == content
    assert "encrypted" in scrub(tmp_path, "a.pdf", content + b"/Encrypt", order("documents")).withheld

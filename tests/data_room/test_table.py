"""Tables: encodings, delimiters, formats, and keys that stay text."""

import gzip
from pathlib import Path

import pytest

from hounsfield.core.errors import CohortError
from hounsfield.data.cohorts import understand
from hounsfield.data.file_columns import file_columns
from hounsfield.data.files import Files, list_files, plain_key
from hounsfield.data.table import Sheet, delimiter_of, parse_number, read_table, tables_kept

TEXT = "编号,label,note\n007,阳性,a b\n008,,x\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(TEXT.encode(encoding))
    sheet = read_table(path)
    assert sheet.columns == {"编号": ("007", "008"), "label": ("阳性", None), "note": ("a b", "x")}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252"])
@pytest.mark.parametrize(
    "words",
    [
        ("EKG (\u00b5V)", "Pl\u00e9th"),
        ("Fr\u00fch", "Sp\u00e4t"),
        ("Gr\u00f6\u00dfe", "S\u00fc\u00df"),
        ("Temp \u00b0C", "cm\u00b2"),
        ("\u00e9t\u00e9", "no\u00ebl"),
        ("Sm\u00f6rg\u00e5s", "\u00c5land"),
        ("sant\u00e9", "\u00bfs\u00ed?"),
    ],
)
def test_western_text_is_not_taken_for_chinese(tmp_path: Path, encoding: str, words: tuple[str, str]) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(f"id,{words[0]}\n1,{words[1]}\n2,{words[1]}\n".encode(encoding))
    assert read_table(path).columns == {"id": ("1", "2"), words[0]: (words[1], words[1])}


@pytest.mark.parametrize(
    "words",
    [
        ("\u5fc3\u7535(\u03bcV)", "\u6b63\u5e38"),
        ("\u7ec4", "\u7532"),
        ("\u6e29\u5ea6\u2103", "\u5bb9\u5668"),
        ("ECG(\u03bcV)", "\u03b1"),
    ],
)
def test_chinese_text_is_still_known(tmp_path: Path, words: tuple[str, str]) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(f"id,{words[0]}\n1,{words[1]}\n2,b\n".encode("gb18030"))
    assert read_table(path).columns == {"id": ("1", "2"), words[0]: (words[1], "b")}


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_delimiters_are_found_by_content(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f'id{mark}text{mark}y\n1{mark}"a,b;c"{mark}0\n2{mark}"d,e;f"{mark}1\n', encoding="utf-8")
    assert delimiter_of(path.read_text(encoding="utf-8")) == mark
    assert list(read_table(path).columns) == ["id", "text", "y"]
    assert read_table(path).columns["text"][0] == "a,b;c"


def test_gz_excel_parquet(tmp_path: Path) -> None:
    import openpyxl
    import pyarrow as pa
    import pyarrow.parquet as pq

    with gzip.open(tmp_path / "t.csv.gz", "wb") as stream:
        stream.write(b"id,y\n007,1\n")
    assert read_table(tmp_path / "t.csv.gz").columns == {"id": ("007",), "y": ("1",)}
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["id", "y", "z"], ["007", 1.0, None], [8, 2.5, "x"]):
        sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    assert read_table(tmp_path / "t.xlsx").columns == {"id": ("007", "8"), "y": ("1", "2.5"), "z": (None, "x")}
    pq.write_table(pa.table({"id": ["007"], "y": [3], "l": [["a", "b"]]}), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").columns == {"id": ("007",), "y": ("3",), "l": ("a;b",)}


def test_heads(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,a,,b \n1,2,,3\n", encoding="utf-8")
    assert list(read_table(path).columns) == ["a", "a.2", "b"]
    path.write_text("x.png,1\ny.png,0\n", encoding="utf-8")
    sheet = read_table(path)
    assert sheet.columns == {"column_1": ("x.png", "y.png"), "column_2": ("1", "0")}
    assert "no header" in sheet.notes[0]


def test_bad_tables(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("", encoding="utf-8")
    with pytest.raises(CohortError, match="is empty"):
        read_table(path)
    path.write_text("a,b\n1,2\n1,2,3\n", encoding="utf-8")
    with pytest.raises(CohortError, match="Row 3"):
        read_table(path)
    (tmp_path / "t.xlsx").write_text("no", encoding="utf-8")
    with pytest.raises(CohortError, match="cannot be read"):
        read_table(tmp_path / "t.xlsx")


def test_keys_and_numbers() -> None:
    assert plain_key("007") == plain_key("7") == plain_key("7.0") == "7"
    assert plain_key("000") == "0"
    assert plain_key("A07") != plain_key("A7")
    assert parse_number("1,5") == 1.5
    assert parse_number("1e3") == 1000.0
    assert parse_number("1e999") is None
    assert parse_number("7 mm") is None


def test_a_table_is_read_once_while_tables_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,2\n")
    assert read_table(path) is not read_table(path)
    with tables_kept():
        first = read_table(path)
        assert read_table(path) is first
        assert read_table(path, "other").name == "other"
        path.write_text("x,y\n1,2\n3,4\n")
        assert read_table(path).rows == 2
    assert read_table(path) is not first


def test_plain_tables_without_images_are_not_looked_up_cell_by_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(25):
        (tmp_path / f"t{i}.csv").write_text(f"a{i},b\n" + "".join(f"{k},w{k}\n" for k in range(300)))
    asked: list[str] = []
    looked = Files.candidates

    def counted(files: Files, text: str, folder: str = "") -> list[str]:
        asked.append(text)
        return looked(files, text, folder)

    monkeypatch.setattr(Files, "candidates", counted)
    with pytest.raises(CohortError):
        understand(tmp_path)
    assert not asked
    sheet = read_table(tmp_path / "t0.csv")
    named = Sheet("n.csv", {**sheet.columns, "file": tuple(f"{k}.png" for k in range(300))})
    assert set(file_columns(named, list_files(tmp_path))) == {"file"}

from pathlib import Path

import pytest

from hounsfield.core.errors import StorageError
from hounsfield.data.annotations.colours import colour
from hounsfield.data.annotations.files import stem, write_whole
from hounsfield.data.writers import FOLDERS, TABLES, WRITERS, writer
from tests.data_room.annotations.making import answer, labels, source


def test_names_of_files_are_safe_and_never_shared() -> None:
    assert stem("case_01.a-b") == "case_01.a-b"
    assert stem("病例1") == "病例1"
    assert stem("a/b") != stem("a_b") != stem("a b")
    assert "/" not in stem("../../etc/passwd")
    assert not stem("..").startswith(".")
    assert len(stem("x" * 500)) < 100
    assert stem("") != ""


def test_files_are_whole_or_not_there(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b.txt", b"one")
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"one"
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError):
        write_whole(tmp_path / "folder", b"two")
    assert [p.name for p in tmp_path.iterdir()] == sorted(["a", "folder"]) or not list(tmp_path.glob(".*"))


def test_a_hundred_classes_have_colours_of_their_own() -> None:
    found = [colour(n) for n in range(100)]
    assert len(set(found)) == 100
    assert all(0 <= part <= 255 for c in found for part in c)


def test_writers_write_where_the_table_says(tmp_path: Path) -> None:
    where = source((20, 24))
    made = answer(where, labels((20, 24)))
    for name in WRITERS:
        one = writer(name)
        if not one.accepts(made, where):
            one.write(made, where, tmp_path)
            one.finish(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {*FOLDERS, *TABLES} - {"dicom"}

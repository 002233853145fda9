"""Commands that read a disk and write a folder: empty, wrong, forbidden, in the way; said at once, nothing left."""

import os
from pathlib import Path

import pytest

from tests.data_room.pacs.making import write_studies
from tests.journeys.making import everything_in, hu

NOWHERE = "https://127.0.0.1:1/rs"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    write_studies(tmp_path / "光盘 1", studies=1, series=1)
    return tmp_path / "光盘 1"


def _said(out: Path, *words: object, found: str, code: int = 2) -> None:
    there = out.exists()
    ended = hu(*words)
    assert ended.exit_code == code, ended.output
    assert found in ended.stderr
    assert "Next:" in ended.stderr
    for never in ("Traceback", "fault of Hounsfield", str(out.parent), "PAT000"):
        assert never not in ended.output
    assert out.exists() == there


def test_no_dicom_is_no_conversion(tmp_path: Path) -> None:
    empty, text, out = tmp_path / "leer", tmp_path / "text", tmp_path / "out"
    empty.mkdir()
    text.mkdir()
    (text / "a.dcm").write_text("no picture")
    _said(out, "convert", empty, out, found="There is no DICOM file in 'leer'.")
    _said(out, "convert", text, out, found="1 are named like one, or are damaged")
    _said(out, "convert", text / "a.dcm", out, found="There is no DICOM file in 'a.dcm'")
    _said(out, "convert", tmp_path / "nowhere", out, found="does not exist")


def test_a_folder_that_cannot_be_written_to_is_told_at_once(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _, mode: not mode & os.W_OK)
    out = tmp_path / "closed" / "out"
    _said(out, "convert", disk, out, found="out could not be written: Permission denied")
    _said(out, "inspect", disk, "--out", out, found="out could not be written: Permission denied")
    _said(out, "pull", NOWHERE, out, "--query", "PatientID=1", found="out could not be written: Permission denied")


def test_a_file_in_the_way(disk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("here")
    _said(out, "convert", disk, out, found="exists already")
    _said(out, "pull", NOWHERE, out, "--query", "PatientID=1", found="out is a file")
    _said(out / "below", "inspect", disk, "--out", out / "below", found="could not be written")
    assert out.read_text() == "here"


def test_an_output_inside_the_input(disk: Path) -> None:
    before = everything_in(disk)
    _said(disk / "out", "convert", disk, disk / "out", found="inside the source")
    assert everything_in(disk) == before


def test_a_search_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    pytest.importorskip("requests", reason="the packages for archives are not installed")
    out = tmp_path / "out"
    _said(out, "pull", NOWHERE, out, "--query", "PatientID=PAT000", found="refuses the connection")
    _said(out, "pull", NOWHERE, out, "--query", "PatientId=PAT000", found="no key of a query named 'PatientId'")
    _said(out, "pull", "pacs.example", out, "--query", "PatientID=PAT000", found="neither a URL nor AET@HOST:PORT")


def test_nothing_to_send(tmp_path: Path) -> None:
    pytest.importorskip("requests", reason="the packages for archives are not installed")
    empty, text = tmp_path / "leer", tmp_path / "text"
    empty.mkdir()
    text.mkdir()
    (text / "a.dcm").write_text("no picture")
    _said(empty, "push", empty, NOWHERE, found="it is empty")
    _said(text, "push", text, NOWHERE, found="1 files begin otherwise")
    _said(empty, "push", tmp_path / "nowhere", NOWHERE, found="no file or folder named 'nowhere'")

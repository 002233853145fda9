"""Addresses, queries, the first bytes of files, HTTP bodies, names and pace."""

import struct
from pathlib import Path

import pytest

from hounsfield.bundle.atomic import write_bytes
from hounsfield.core.errors import InputError, ReadError, UnknownNameError
from hounsfield.data.pacs.arrivals import Arrivals, hashed
from hounsfield.data.pacs.multipart import only_part, wrapped
from hounsfield.data.pacs.outgoing import files_below, outgoing
from hounsfield.data.pacs.pace import Pace
from hounsfield.data.pacs.part10 import file_meta
from hounsfield.data.pacs.question import is_uid, parse_question
from hounsfield.data.pacs.target import DimseTarget, WebTarget, parse_target
from tests.data_room.pacs.making import write_studies


def test_addresses() -> None:
    assert parse_target("https://pacs.example:8443/rs/") == WebTarget("https://pacs.example:8443/rs")
    assert parse_target("PACS 1@10.0.0.4:104") == DimseTarget("PACS 1", "10.0.0.4", 104)
    assert parse_target("A@[::1]:11112") == DimseTarget("A", "::1", 11112)
    assert parse_target("https://x/rs") == WebTarget("https://x/rs")
    assert [WebTarget(u).encrypted for u in ("http://x/", "https://x/", "http://127.0.0.1:1/")] == [False, True, True]


@pytest.mark.parametrize(
    "text",
    [
        "pacs.example",
        "PACS@pacs.example",
        "PACS@pacs.example:0",
        "PACS@pacs.example:70000",
        "@pacs.example:104",
        "A_TITLE_TOO_LONG_TO_BE@x:104",
        "ftp://pacs.example/",
        "https:///rs",
        "https://pacs.example:99999/rs",
        "https://user:secret@pacs.example/rs",
        "https://pacs.example/rs?token=secret",
    ],
)
def test_other_addresses_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_target(text)
    assert "secret" not in raised.value.message()
    assert raised.value.next_step


def test_queries_are_sorted_by_level() -> None:
    question = parse_question("PatientID=A* StudyDate=20240101-20240630 Modality=CT SeriesDescription='thin axial'")
    assert question.study == {"PatientID": "A*", "StudyDate": "20240101-20240630", "ModalitiesInStudy": "CT"}
    assert question.series == {"Modality": "CT", "SeriesDescription": "thin axial"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "CT",
        "Modality=",
        "StudyDate=January",
        "StudyDate=2024-01-01",
        "StudyInstanceUID=1.2.x",
        "PatientID=A PatientID=B",
        "PatientID='A",
        "PatientID='A\\B'",
        f"PatientID={'A' * 65}",
    ],
)
def test_queries_that_cannot_be_asked(text: str) -> None:
    with pytest.raises(InputError):
        parse_question(text)


def test_unknown_keys_name_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="PatientID"):
        parse_question("PatientId=A")


def test_uids() -> None:
    assert [is_uid(u) for u in ("1.2.840", "2.25.0", "", "1..2", "1.2/../3", "1" * 65)] == [True, True, *[False] * 4]


def test_file_meta_is_what_was_written(tmp_path: Path) -> None:
    made = write_studies(tmp_path, studies=1, series=1, slices=1)
    ((uid, content),) = made.items()
    meta = file_meta(content)
    assert (meta.sop_class, meta.sop_uid) == ("1.2.840.10008.5.1.4.1.1.2", uid)
    assert meta.transfer_syntax == "1.2.840.10008.1.2.1"
    assert content[meta.end : meta.end + 2] == b"\x08\x00"
    (path,) = files_below(tmp_path)
    file = outgoing(path)
    assert file is not None
    assert file.data_bytes == len(content) - meta.end


def test_lying_meta_groups_are_refused(tmp_path: Path) -> None:
    made = write_studies(tmp_path, studies=1, series=1, slices=1)
    (content,) = made.values()
    head = b"\0" * 128 + b"DICM"
    lying = head + struct.pack("<HH2sH", 2, 3, b"UI", 0xFFFF) + b"1.2"
    claims = head + struct.pack("<HH2sHI", 2, 1, b"OB", 0, 0xFFFFFFFF)
    for bad in (b"", content[:131], b"x" * 400, head, lying, claims, content[:200]):
        with pytest.raises(ReadError):
            file_meta(bad)
    for length in range(0, 400, 7):
        try:
            file_meta(content[:length])
        except ReadError:
            assert length < 400


def test_only_dicom_files_are_sent_and_damaged_ones_named(tmp_path: Path) -> None:
    write_studies(tmp_path, studies=1, series=1, slices=2)
    (tmp_path / "notes.txt").write_text("no image")
    assert [outgoing(path) is None for path in files_below(tmp_path)] == [False, False, True]
    bare = tmp_path / "bare.dcm"
    bare.write_bytes(b"\0" * 128 + b"DICM")
    with pytest.raises(ReadError):
        outgoing(bare)
    with pytest.raises(InputError, match="no file or folder"):
        list(files_below(tmp_path / "elsewhere"))


def test_multipart_goes_there_and_back() -> None:
    for content in (b"", b"abc", b"\r\n--\r\n", bytes(range(256)) * 3):
        body, kind = wrapped(content)
        assert only_part(body, kind) == content
    assert only_part(b"abc", "application/dicom") == b"abc"
    quoted = b"--a\r\nContent-Type: application/dicom\r\n\r\nabc\r\n--a--"
    assert only_part(quoted, 'multipart/related; boundary=a; type="application/dicom"') == b"abc"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", "text/html"),
        (b"abc", "multipart/related"),
        (b"abc", "multipart/related; boundary=a"),
        (b"--a\r\n\r\nabc", "multipart/related; boundary=a"),
        (b"--a\r\n\r\nabc\r\n--a\r\n\r\ndef\r\n--a--", "multipart/related; boundary=a"),
        (b"", ""),
    ],
)
def test_bodies_that_hold_no_single_file(body: bytes, kind: str) -> None:
    with pytest.raises(ReadError):
        only_part(body, kind)


def test_names_tell_nothing_and_stay(tmp_path: Path) -> None:
    def write(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True)
        write_bytes(path, content)

    arrivals = Arrivals(tmp_path, write)
    assert not arrivals.has("1.2", "3.4", "5.6")
    arrivals.keep("1.2", "3.4", "5.6", b"abc")
    assert arrivals.has("1.2", "3.4", "5.6")
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    assert path.read_bytes() == b"abc"
    assert path.relative_to(tmp_path).as_posix() == f"{hashed('1.2')}/{hashed('3.4')}/{hashed('5.6')}.dcm"
    assert len({hashed(str(n)) for n in range(500)}) == 500


def test_pace_keeps_the_rate_and_makes_up_for_nothing() -> None:
    now, slept = [0.0], [0.0]

    def sleep(seconds: float) -> None:
        slept[0] += seconds
        now[0] += seconds

    pace = Pace(4.0, clock=lambda: now[0], sleep=sleep)
    for _ in range(9):
        pace.wait()
    assert slept[0] == pytest.approx(2.0)
    now[0] += 100.0
    pace.wait()
    pace.wait()
    assert slept[0] == pytest.approx(2.25)
    free = Pace(None, clock=lambda: now[0], sleep=sleep)
    free.wait()
    assert slept[0] == pytest.approx(2.25)

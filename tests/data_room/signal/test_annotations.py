import struct
from pathlib import Path

import pytest
from benchmarks.signals.to_wfdb import packed_annotations, write_record

from hounsfield.core.errors import ReadError
from hounsfield.data.signal.wfdb.annotations import Annotation, Span, flutter, read_annotations, rhythms


def _word(code: int, low: int) -> bytes:
    return struct.pack("<H", code << 10 | low)


def _file(folder: Path, data: bytes) -> Path:
    path = folder / "a.atr"
    path.write_bytes(data)
    return path


def test_every_kind_of_word_is_understood(tmp_path: Path) -> None:
    data = (
        _word(1, 10)  # N at 10
        + _word(28, 5) + _word(63, 5) + b"(AFIB\0"  # + at 15 with a rhythm, padded
        + _word(59, 0) + struct.pack("<HH", 1, 2)  # skip 65538
        + _word(5, 0) + _word(61, 3) + _word(62, 1) + _word(60, 255)  # V at 65553, subtype, channel, number -1
        + _word(1, 1)  # N at 65554: channel and number stay, subtype does not
        + _word(59, 0) + struct.pack("<HH", 0xFFFF, 0xFFFF)  # skip -1
        + _word(8, 0)
        + b"\0\0ignored"
    )  # fmt: skip
    assert read_annotations(_file(tmp_path, data)) == (
        Annotation(10, "N"),
        Annotation(15, "+", text="(AFIB"),
        Annotation(65553, "V", 3, 1, -1),
        Annotation(65554, "N", 0, 1, -1),
        Annotation(65553, "A", 0, 1, -1),
    )


def test_a_resolution_and_definitions_of_its_own_are_applied(tmp_path: Path) -> None:
    def note(text: str) -> bytes:
        return _word(22, 0) + _word(63, len(text)) + text.encode() + b"\0" * (len(text) % 2)

    data = (
        note("## time resolution: 1000")
        + note("## annotation type definitions")
        + note("42 X mine")
        + note("## end of definitions")
        + _word(42, 500)
        + b"\0\0"
    )
    assert read_annotations(_file(tmp_path, data), rate_hz=250) == (Annotation(125, "X"),)


@pytest.mark.parametrize(
    "data", [b"", b"\x0a", _word(1, 3) + _word(63, 200) + b"ab", _word(1, 3) + _word(59, 0) + b"\1"]
)
def test_a_file_that_ends_in_the_middle_is_an_error(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ReadError, match="middle"):
        read_annotations(_file(tmp_path, data))


def test_annotations_before_the_record_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="before the record"):
        read_annotations(_file(tmp_path, _word(59, 0) + struct.pack("<HH", 0xFFFF, 0) + _word(1, 0) + b"\0\0"))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    marks = [(0, "+", "(N"), (5, "N", ""), (1030, "V", ""), (900_000, "[", ""), (900_400, "!", ""), (901_000, "]", "")]
    found = read_annotations(_file(tmp_path, packed_annotations(marks)))
    assert [(a.sample, a.symbol, a.text) for a in found] == marks
    assert flutter(found, 10**6) == (Span(900_000, 901_001, "VFL"),)


def test_rhythms_last_until_the_next() -> None:
    marks = (Annotation(5, "+", text="(N"), Annotation(100, "+", text="(AFIB"), Annotation(7, "N"))
    assert rhythms(marks, 300) == (Span(5, 100, "N"), Span(100, 300, "AFIB"))
    assert flutter((Annotation(50, "["),), 80) == (Span(50, 80, "VFL"),)


def test_the_same_as_wfdb_python_reads(tmp_path: Path) -> None:
    reference = pytest.importorskip("wfdb", reason="wfdb is not installed; it is an independent reference")
    import numpy as np

    marks = [(3, "+", "(N"), (5, "N", ""), (1030, "V", ""), (900_000, "A", ""), (900_400, "~", "odd")]
    write_record(tmp_path, "a", np.arange(1000) % 500, marks)
    theirs = reference.rdann(str(tmp_path / "a"), "atr")
    assert theirs.sample.tolist() == [m[0] for m in marks]
    assert list(theirs.symbol) == [m[1] for m in marks]
    assert [t.rstrip("\0") for t in theirs.aux_note] == [m[2] for m in marks]


def test_of_two_rhythms_at_one_sample_the_later_one_counts() -> None:
    marks = (Annotation(5, "+", text="(N"), Annotation(100, "+", text="(SBR"), Annotation(100, "+", text="(AFIB"))
    assert rhythms(marks, 300) == (Span(5, 100, "N"), Span(100, 300, "AFIB"))

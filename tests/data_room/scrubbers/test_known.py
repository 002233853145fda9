"""A table that writes the keys of images its own way joins them all the same."""

from dataclasses import replace
from pathlib import Path

from hounsfield.data.scrubbers.known import KnownKeys
from tests.data_room.scrubbers.told import PSEUDONYMS, order, scrub

KEYS = (
    ("patient", "000123"), ("patient", "000456"), ("patient", "0789"), ("patient", "P 77"), ("accession", "00012345"),
    ("accession", "00067890"), ("accession", "A9981"), ("other", "99999"),
)  # fmt: skip


def _rows(tmp_path: Path, text: str) -> list[list[str]]:
    result = scrub(tmp_path, "answers.csv", text.encode(), replace(order(), known=KnownKeys.of(KEYS)))
    assert result.content is not None, result.withheld
    return [line.split(",") for line in result.content.decode().splitlines()]


def test_lost_zeros_and_floats_join(tmp_path: Path) -> None:
    rows = _rows(tmp_path, "patient_id,area\n123,1.5\n456.0,2.5\n0789,3.5\n")
    assert [r[0] for r in rows[1:]] == [PSEUDONYMS.patient(p) for p in ("000123", "000456", "0789")]
    assert [r[1] for r in rows[1:]] == ["1.5", "2.5", "3.5"]


def test_dates_move_with_the_patient_of_the_images(tmp_path: Path) -> None:
    one = _rows(tmp_path, "patient_id,study_date\n123,2019-04-12\n456,2019-04-12\n")
    other = _rows(tmp_path, "patient_id,study_date\n000123,2019-04-12\n000456,2019-04-12\n")
    assert one == other


def test_accession_numbers_are_found_by_overlap(tmp_path: Path) -> None:
    rows = _rows(tmp_path, "Untersuchung,size_mm\n12345,11\n67890.0,12\na9981,13\n")
    assert [r[0] for r in rows[1:]] == [PSEUDONYMS.code("accession", a) for a in ("00012345", "00067890", "A9981")]
    assert [r[1] for r in rows[1:]] == ["11", "12", "13"]


def test_counts_are_no_patients(tmp_path: Path) -> None:
    rows = _rows(tmp_path, "lesions,grade\n123,low\n456,high\n123,low\n")
    assert [r[0] for r in rows[1:]] == ["123", "456", "123"]


def test_a_number_that_two_patients_share_is_left_as_it_is() -> None:
    known = KnownKeys.of([("patient", "0012"), ("patient", "012"), ("patient", "34")])
    assert known.spelling("patient", "12") == "12"
    assert known.spelling("patient", "034") == "34"
    assert known.kind_of(["34", "34"]) is None

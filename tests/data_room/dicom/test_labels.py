"""Tables meet DICOM keys by the overlap of their values, whatever a spreadsheet did to them."""

from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.labels import Join, join, tolerant_key
from hounsfield.data.table import Sheet

ENTRIES = [
    Entry(f"f{n}{k}", patient_id=f"{n:04d}", accession=f"00{n + 70}", study_uid=f"1.2.{n}", series_uid=f"1.2.{n}.{k}",
          sop_uid=f"1.2.{n}.{k}.9")
    for n in range(8) for k in range(2)
]  # fmt: skip


def _join(**columns: list[str | None]) -> Join | None:
    return join([Sheet("t.csv", {k: tuple(v) for k, v in columns.items()})], ENTRIES)


def test_keys_are_compared_as_spreadsheets_write_them() -> None:
    same = ["0071", "71", " 71 ", "71.0", "'0071", "\u00a071"]
    assert {tolerant_key(t) for t in same} == {"71"}
    assert tolerant_key("1,234") == "1234"
    assert tolerant_key("ab-7") == tolerant_key(" AB-7")
    assert len({tolerant_key(t) for t in ("1.2.30", "1.2.3", "0", "00a", "a")}) == 5


def test_unmatched_rows_and_studies_are_listed() -> None:
    made = _join(acc=["70", "71.0", "0072", "999", None], grade=["1", "0", "1", "0", "1"])
    assert made is not None
    assert (made.key, made.level, made.column, made.matched) == ("AccessionNumber", "study", "acc", 3)
    assert made.values == ("0070", "0071", "0072", None, None)
    assert made.unmatched == ((3, "no file has this AccessionNumber"), (4, "no key"))
    assert set(made.missing) == {f"00{n}" for n in range(73, 78)}


def test_the_finest_of_keys_that_fit_alike_is_taken_and_a_name_decides_before() -> None:
    rows = range(8)
    made = _join(a=[str(n) for n in rows], b=[f"1.2.{n}.0" for n in rows])
    assert made is not None
    assert (made.key, made.column) == ("SeriesInstanceUID", "b")
    made = _join(PatientID=[str(n) for n in rows], other=[f"1.2.{n}.0" for n in rows])
    assert made is not None
    assert made.key == "PatientID"


def test_answers_of_0_and_1_are_no_patients() -> None:
    assert _join(label=["0", "1"] * 6, age=["50", "61"] * 6) is None


def test_identifiers_that_are_written_alike_are_told_apart_or_not_guessed() -> None:
    entries = [Entry("a", patient_id="007"), Entry("b", patient_id="7"), Entry("c", patient_id="8")]
    made = join([Sheet("t", {"patient": ("007", "7", "7.0", "8")})], entries)
    assert made is not None
    assert made.values == ("007", "7", None, "8")
    assert made.unmatched == ((2, "several files' PatientIDs are written alike"),)

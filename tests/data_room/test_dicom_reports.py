"""Reports on a DICOM disk: counted, answering what is asked of them, and written only when named."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from typer.testing import CliRunner

from hounsfield.cli.app import app
from hounsfield.core.cohort import Roles
from hounsfield.core.errors import UnknownNameError
from hounsfield.data.cohorts import explore, understand
from hounsfield.data.dicom.report_answers import concept_key
from tests.data_room.dicom.making import dataset, save, uid
from tests.data_room.dicom.test_reports import coded, content

SR = "1.2.840.10008.5.1.4.1.1.88.22"
TOLD = "Mrs Doe complains of nothing"


def _number(name: str, value: str, unit: str = "") -> Dataset:
    measured = Dataset()
    measured.NumericValue = value
    if unit:
        measured.MeasurementUnitsCodeSequence = coded(unit, unit)
    return content("NUM", name, MeasuredValueSequence=Items([measured]))


def _code(name: str, value: str) -> Dataset:
    return content("CODE", name, ConceptCodeSequence=coded(value, value))


def _report(
    who: str, answers: list[Dataset], *, number: int = 1, day: str = "20240120", flag: str = "COMPLETE"
) -> Dataset:
    absent = dict.fromkeys(("ImageType", "ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID"))
    facts = {
        "SOPClassUID": SR, "Modality": "SR", "SOPInstanceUID": uid(who, "sr", number), "AccessionNumber": f"A{who}",
        "SeriesInstanceUID": uid(who, "sr", number, 0), "ContentDate": day, "ContentTime": "120000",
        "CompletionFlag": flag, "ValueType": "CONTAINER", **absent,
    }  # fmt: skip
    made = dataset(f"{who}/s/sr", facts, size=0)
    made.ConceptNameCodeSequence = coded("Report")
    language = content("CODE", "Language", ConceptCodeSequence=coded("English"), RelationshipType="HAS CONCEPT MOD")
    made.ContentSequence = Items([language, content("TEXT", "History", TextValue=TOLD), *answers])
    return made


def _disk(root: Path, patients: int = 6) -> Path:
    for n in range(patients):
        who = f"p{n}"
        for k in range(3):
            save(root / f"{who}/ct{k}", dataset(f"{who}/s/a", {"AccessionNumber": f"A{who}"}, number=k))
        if n < patients - 1:
            finding = _code("Emphysema", "Yes" if n % 2 else "No")
            save(root / f"{who}/sr", _report(who, [_number("Calcium score", f"{n * 100.5}", "{Agatston}"), finding]))
    return root


def test_numbers_and_codes_of_reports_are_answers_where_they_are_named(tmp_path: Path) -> None:
    disk = _disk(tmp_path)
    cohort = understand(disk, Roles(target=("calcium  SCORE",)))
    (target,) = cohort.schema.targets
    assert (target.kind, target.unit) == ("number", "{Agatston}")
    assert [s.targets["calcium  SCORE"] for s in cohort.samples] == [n * 100.5 for n in range(5)]
    assert [(a.sample, a.reason) for a in cohort.set_aside] == [("Ap5", "no report answers")]
    cohort = understand(disk, Roles(target=("Emphysema", "Calcium score")))
    assert [(t.name, t.kind) for t in cohort.schema.targets] == [
        ("Emphysema", "categorical"),
        ("Calcium score", "number"),
    ]
    assert cohort.schema.targets[0].classes == ("No", "Yes")
    assert [s.targets["Emphysema"] for s in cohort.samples] == ["No", "Yes", "No", "Yes", "No"]
    with pytest.raises(UnknownNameError, match="Calcium score"):
        understand(disk, Roles(target=("calcium scor",)))


def test_the_latest_complete_report_is_believed_and_contradictions_are_none(tmp_path: Path) -> None:
    disk = _disk(tmp_path, 4)
    later = _report("p0", [_number("Calcium score", "7", "{Agatston}")], number=2, day="20240301")
    partial = _report("p1", [_number("Calcium score", "8", "{Agatston}")], number=2, day="20240301", flag="PARTIAL")
    several = [_number("Calcium score", v, "{Agatston}") for v in ("1", "2")]
    save(disk / "p0/sr2", later)
    save(disk / "p1/sr2", partial)
    save(disk / "p2/sr2", _report("p2", several, number=2, day="20240301"))
    cohort = understand(disk, Roles(target=("Calcium score",)))
    assert [s.targets["Calcium score"] for s in cohort.samples] == [7.0, 100.5]
    assert any("1 reports answer it with different values" in u for u in cohort.schema.unsure)


def test_a_table_and_a_report_answer_together(tmp_path: Path) -> None:
    disk = _disk(tmp_path)
    rows = "\n".join(["accession,diagnosis", *(f"Ap{n},{'benign' if n % 2 else 'malignant'}" for n in range(6))])
    (disk / "labels.csv").write_text(rows + "\n")
    cohort = understand(disk, Roles(target=("diagnosis", "Calcium score")))
    assert [t.name for t in cohort.schema.targets] == ["diagnosis", "Calcium score"]
    assert [s.targets["Calcium score"] for s in cohort.samples] == [0.0, 100.5, 201.0, 301.5, 402.0, None]
    assert [s.records["reports"] for s in cohort.samples] == [1.0] * 5 + [0.0]


def test_reports_are_counted_and_their_text_is_written_only_when_named(tmp_path: Path) -> None:
    disk = _disk(tmp_path / "disk")
    cohort = explore(disk)
    assert any("5 of 6 samples have reports" in n for n in cohort.schema.notes)
    (listing,) = [t for t in cohort.listings if t.title == "Answers in structured reports"]
    assert listing.rows == (("Calcium score", "a number", "5", "{Agatston}"), ("Emphysema", "a code", "5", ""))
    plain, asked = tmp_path / "plain", tmp_path / "asked"
    run = CliRunner()
    result = run.invoke(app, ["inspect", str(disk), "--out", str(plain)])
    assert result.exit_code == 0, result.output
    assert TOLD not in result.output
    assert TOLD not in (plain / "samples.csv").read_text() + (plain / "cohort.yaml").read_text()
    result = run.invoke(
        app, ["inspect", str(disk), "--target", "Calcium score", "--out", str(asked), "--with", "report text"]
    )
    assert result.exit_code == 0, result.output
    assert TOLD not in result.output
    assert (asked / "samples.csv").read_text().count(f"History: {TOLD}") == 5
    before = understand(disk, Roles(target=("Calcium score",)))
    for name in ("samples.csv", "cohort.yaml"):
        (disk / name).write_bytes((asked / name).read_bytes())
    assert understand(disk).samples == before.samples
    wrong = run.invoke(app, ["inspect", str(disk), "--out", str(tmp_path / "x"), "--with", "names"])
    assert wrong.exit_code == 2


def test_concepts_are_alike_whatever_their_spelling() -> None:
    assert concept_key("Calcium-Score ") == concept_key("calcium score")

from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from hounsfield.core.errors import ReadError
from hounsfield.data.dicom import reports
from hounsfield.data.dicom.reports import report_text


def coded(meaning: str, value: str = "1") -> Items:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "99", meaning
    return Items([code])


def content(kind: str, name: str = "", inner: list[Dataset] | None = None, **facts: object) -> Dataset:
    made = Dataset()
    made.ValueType = kind
    if name:
        made.ConceptNameCodeSequence = coded(name)
    for keyword, value in facts.items():
        setattr(made, keyword, value)
    if inner:
        made.ContentSequence = Items(inner)
    return made


def test_a_content_tree_is_read_in_order_without_persons_and_identifiers() -> None:
    measured = Dataset()
    measured.NumericValue = "12.5"
    measured.MeasurementUnitsCodeSequence = coded("millimeter", "mm")
    ratio = Dataset()
    ratio.NumericValue = "3"
    ratio.MeasurementUnitsCodeSequence = coded("no units", "1")
    made = content("CONTAINER", "CT Chest", [
        content("PNAME", "Observer", PersonName="Roe^Richard"),
        content("UIDREF", "Study", UID="1.2.3"),
        content("CONTAINER", "Findings", [
            content("TEXT", "Finding", TextValue="A nodule\r\n in the   left lobe."),
            content("NUM", "Length", MeasuredValueSequence=Items([measured])),
            content("NUM", "Count", MeasuredValueSequence=Items([ratio])),
            content("NUM", "Volume", NumericValueQualifierCodeSequence=coded("Not a number")),
            content("CODE", "Side", ConceptCodeSequence=coded("Left")),
            content("DATE", "Seen", Date="20240115"),
            content("IMAGE"),
        ]),
        content("TEXT", TextValue="結論"),
    ])  # fmt: skip
    assert report_text(made).splitlines() == [
        "CT Chest",
        "  Findings",
        "    Finding: A nodule in the left lobe.",
        "    Length: 12.5 mm",
        "    Count: 3",
        "    Volume: Not a number",
        "    Side: Left",
        "    Seen: 20240115",
        "    (image)",
        "  結論",
    ]


def test_depth_and_length_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = content("TEXT", TextValue="bottom")
    for _ in range(200):
        deep = content("CONTAINER", "level", [deep])
    text = report_text(deep)
    assert text.splitlines()[-1] == "(the report goes on)"
    assert "bottom" not in text
    wide = content("CONTAINER", "all", [content("TEXT", TextValue=str(n)) for n in range(300)])
    assert len(report_text(wide).splitlines()) == 301
    monkeypatch.setattr(reports, "_MOST_ITEMS", 200)
    assert len(report_text(wide).splitlines()) == 201


def test_encapsulated_texts_and_what_is_none() -> None:
    plain = Dataset()
    plain.MIMETypeOfEncapsulatedDocument = "text/plain"
    plain.EncapsulatedDocument = "Größe 3 cm\n".encode("latin-1") + b"\0"
    assert report_text(plain) == "Größe 3 cm\n"
    marked = Dataset()
    marked.MIMETypeOfEncapsulatedDocument = "text/XML"
    marked.EncapsulatedDocument = b'<!DOCTYPE x [<!ENTITY a "boom">]><doc><p>No  finding &amp; &a;</p><p>End</p></doc>'
    assert "boom" not in report_text(marked).replace('"boom"', "").splitlines()[-2:]
    assert report_text(marked).endswith("End")
    assert "No finding &" in report_text(marked)
    pdf = Dataset()
    pdf.MIMETypeOfEncapsulatedDocument = "application/pdf"
    pdf.EncapsulatedDocument = b"%PDF"
    with pytest.raises(ReadError, match="application/pdf"):
        report_text(pdf)
    with pytest.raises(ReadError, match="no content"):
        report_text(Dataset())


@pytest.mark.parametrize(("name", "words"), [
    ("sr.dcm", ("Imaging Measurement Report", "Imaging Measurements")),
    ("sr_document.dcm", ("Imaging Measurement Report",)),
    ("reportsi.dcm", ("Document Title", "Report Text: Enter text")),
])  # fmt: skip
def test_reports_of_the_corpus(shared_data: Path, name: str, words: tuple[str, ...]) -> None:
    path = shared_data / "dicom-corpus/derived" / name
    if not path.is_file():
        pytest.skip("the corpus is not here")
    made = pydicom.dcmread(path)
    text = report_text(made)
    assert all(word.lower() in text.lower() for word in words), text[:500]
    # as many texts as there are items with one, counted by another walk
    wanted = [e.value for e in made.iterall() if e.keyword == "TextValue"]
    for value in wanted:
        assert " ".join(str(value).split()) in text

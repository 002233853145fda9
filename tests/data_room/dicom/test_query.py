"""Series queries: what they mean, and what is said where they cannot be read."""

import pytest

from hounsfield.core.errors import InputError, UnknownNameError
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.query import KEYWORDS, parse_query

ENTRY = Entry(
    "a", modality="CT", thickness_mm=2.5, series_description="Thorax 2.5 Lung [HR]", kernel="B60f", rows=512,
    image_type=("ORIGINAL", "PRIMARY", "AXIAL"), spacing_mm=(0.7, 0.7), study_date="20240115",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Modality == 'CT' and SliceThickness <= 3", True),
        ("modality = \"ct\"", True),
        ("Modality == 'MR' or SliceThickness < 2.5", False),
        ("Modality == 'MR' or Modality == 'CT' and Rows >= 512", True),
        ("(Modality == 'MR' or Modality == 'CT') and Rows > 512", False),
        ("not Modality == 'MR'", True),
        ("not (Modality == 'CT' and Rows == 512)", False),
        ("Modality in ('MR', 'CT')", True),
        ("Modality not in ('MR', 'CT')", False),
        ("SliceThickness in (1, 2.5)", True),
        ("SeriesDescription contains 'lung'", True),
        ("SeriesDescription not contains 'lung'", False),
        ("SeriesDescription like 'thorax*'", True),
        ("SeriesDescription like '*[HR]'", True),
        ("SeriesDescription like 'lung'", False),
        ("ImageType contains 'AXIAL'", True),
        ("ImageType contains 'AX'", False),
        ("ImageType == 'LOCALIZER'", False),
        ("ImageType != 'LOCALIZER'", True),
        ("EchoTime > 10", False),
        ("EchoTime <= 10", False),
        ("not EchoTime > 10", True),
        ("BodyPartExamined != 'HEAD'", True),
        ("PixelSpacing < 0.8", True),
        ("StudyDate >= '20240101'", True),
        ("GantryDetectorTilt == -18.5", False),
    ],
)  # fmt: skip
def test_what_queries_mean(text: str, *, wanted: bool) -> None:
    assert parse_query(text).matches(ENTRY) is wanted


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "ends too early"),
        ("Modality ==", "ends too early"),
        ("Modality == CT", "in quotes"),
        ("Modality == 'CT' SliceThickness < 3", "'and', 'or'"),
        ("(Modality == 'CT'", "')'"),
        ("SliceThickness <= '3'", "is a number"),
        ("SliceThickness contains '3'", "a number"),
        ("Modality == 3", "is a text"),
        ("Modality in 'CT'", "in parentheses"),
        ("__import__('os')", "no DICOM keyword"),
        ("Modality == 'CT'; x", "';'"),
        ("not " * 60 + "Modality == 'CT'", "nested too deeply"),
        ("(" * 60, "nested too deeply"),
        ("Modality == 'CT'" + " or Modality == 'CT'" * 1000, "characters"),
    ],
)
def test_what_is_said_where_they_cannot_be_read(text: str, says: str) -> None:
    with pytest.raises(InputError) as error:
        parse_query(text)
    assert says in str(error.value)


def test_the_nearest_keyword_is_named() -> None:
    with pytest.raises(UnknownNameError, match="'SliceThickness'"):
        parse_query("SliceThicknes <= 3")


def test_keywords_are_dicoms_own() -> None:
    from pydicom.datadict import tag_for_keyword

    fields = set(Entry.__dataclass_fields__)
    assert all(tag_for_keyword(k) for k in KEYWORDS)
    assert set(KEYWORDS.values()) == fields - {"path", "member", "size", "problem", "position_lps", "orientation_lps"}
    assert parse_query("Modality == 'CT'").matches({"Modality": "CT"})

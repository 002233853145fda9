"""The confidentiality profile says what the standard's table says, and is cautious where it says nothing."""

import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag

from hounsfield.core.errors import UnknownNameError
from hounsfield.privacy.profile import CODES, DEFAULTS, OPTIONS, Profile, table

BASIC = Profile(frozenset())

# Table E.1-1, read off the standard by hand: tag, kind of value, what the Basic Profile leaves
BY_HAND = [
    ("00080050", "SH", "empty"),  # Accession Number Z
    ("00080018", "UI", "uid"),  # SOP Instance UID U
    ("00080020", "DA", "empty"),  # Study Date Z
    ("00080023", "DA", "dummy"),  # Content Date Z/D
    ("0008002A", "DT", "dummy"),  # Acquisition DateTime X/Z/D
    ("00080080", "LO", "dummy"),  # Institution Name X/Z/D
    ("00080081", "ST", "remove"),  # Institution Address X
    ("00080090", "PN", "empty"),  # Referring Physician's Name Z
    ("0008103E", "LO", "remove"),  # Series Description X
    ("00100010", "PN", "empty"),  # Patient's Name Z
    ("00100030", "DA", "empty"),  # Patient's Birth Date Z
    ("00101010", "AS", "remove"),  # Patient's Age X
    ("00104000", "LT", "remove"),  # Patient Comments X
    ("00181000", "LO", "dummy"),  # Device Serial Number X/Z/D
    ("00400275", "SQ", "remove"),  # Request Attributes Sequence X
    ("0040A730", "SQ", "enter"),  # Content Sequence D: its items get dummies
    ("00081140", "SQ", "enter"),  # Referenced Image Sequence X/Z/U*
    ("00880200", "SQ", "remove"),  # Icon Image Sequence X
    ("FFFCFFFC", "OB", "remove"),  # Data Set Trailing Padding X
    ("60003000", "OW", "remove"),  # Overlay Data X
    ("50000010", "US", "remove"),  # Curve Data X
]


@pytest.mark.parametrize(("tag", "vr", "wanted"), BY_HAND)
def test_the_basic_profile(tag: str, vr: str, wanted: str) -> None:
    assert BASIC.action(tag, vr) == wanted


@pytest.mark.parametrize(
    ("option", "tag", "vr", "wanted"),
    [
        ("shift-dates", "00080020", "DA", "shift"),
        ("shift-dates", "00080030", "TM", "keep"),
        ("shift-dates", "00100030", "DA", "empty"),  # a birth date is not a date of an examination
        ("keep-device", "00181000", "LO", "keep"),
        ("keep-device", "00181002", "UI", "uid"),
        ("keep-institution", "00080080", "LO", "keep"),
        ("keep-characteristics", "00100040", "CS", "keep"),
        ("keep-characteristics", "00101010", "AS", "keep"),
        ("keep-characteristics", "00102110", "LO", "clean"),
        ("clean-descriptors", "0008103E", "LO", "clean"),
        ("clean-descriptors", "00400275", "SQ", "enter"),
        ("clean-structured", "0040A160", "UT", "clean"),
    ],
)
def test_options(option: str, tag: str, vr: str, wanted: str) -> None:
    assert Profile(frozenset({option})).action(tag, vr) == wanted
    assert BASIC.action(tag, vr) != wanted or vr == "UI" or tag == "00100030"


@pytest.mark.parametrize(
    ("tag", "vr", "wanted"),
    [
        ("00280010", "US", "keep"),
        ("00180060", "DS", "keep"),
        ("00181210", "SH", "keep"),
        ("7FE00010", "OW", "keep"),
        ("00281201", "OW", "keep"),
        ("00400441", "PN", "dummy"),
        ("00189999", "UT", "dummy"),
        ("00189999", "DA", "dummy"),
        ("00189999", "OB", "remove"),
        ("00189999", "UN", "remove"),
        ("00189999", "UR", "remove"),
        ("00189999", "UI", "uid"),
        ("04000500", "SQ", "remove"),
    ],
)
def test_what_the_table_does_not_list_is_kept_only_if_it_cannot_identify(tag: str, vr: str, wanted: str) -> None:
    assert BASIC.action(tag, vr) == wanted


def test_the_table_is_whole_and_its_rows_are_known() -> None:
    rows = table()
    assert len(rows) > 640
    assert {basic for basic, _ in rows.values()} == {"D", "Z", "X", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"}
    unknown = [tag for tag in rows if not keyword_for_tag(int(tag, 16))]
    assert len(unknown) < 30, unknown  # younger than the installed dictionary


def test_no_person_no_identifier_and_no_date_is_kept_under_any_option() -> None:
    everything = Profile(frozenset(OPTIONS))
    for tag in table():
        try:
            vr = dictionary_VR(int(tag, 16))
        except KeyError:
            continue
        if vr in ("PN", "DA", "DT"):
            assert everything.action(tag, vr) != "keep", tag


def test_an_unknown_option_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="shift-dates"):
        Profile(frozenset({"shift-date"}))


def test_what_is_said_of_the_method_fits_the_file() -> None:
    profile = Profile(DEFAULTS)
    assert all(len(line) <= 64 for line in profile.methods)
    assert profile.codes[0] == ("113100", "Basic Application Confidentiality Profile")
    assert {code for code, _ in profile.codes[1:]} == {CODES[option][0] for option in DEFAULTS}

"""What happens to each DICOM attribute: Table E.1-1 of PS3.15, its options, and a cautious rule for the unlisted."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from hounsfield.core.errors import unknown_name
from hounsfield.privacy._generated.confidentiality import EDITION, TABLE
from hounsfield.privacy.descriptors import clean_words

SHIFT_DATES = "shift-dates"
KEEP_DEVICE = "keep-device"
KEEP_INSTITUTION = "keep-institution"
KEEP_CHARACTERISTICS = "keep-characteristics"
CLEAN_DESCRIPTORS = "clean-descriptors"
CLEAN_STRUCTURED = "clean-structured"
CLEAN_PIXELS = "clean-pixels"
SAFE_PRIVATE = "safe-private"
DOCUMENTS = "documents"
REMOVE_FACES = "remove-faces"

OPTIONS: dict[str, str] = {
    SHIFT_DATES: "dates are moved by whole days, the same number for all of a patient; else they go",
    KEEP_DEVICE: "names and serial numbers of devices stay",
    KEEP_INSTITUTION: "names and addresses of institutions stay",
    KEEP_CHARACTERISTICS: "sex, age (90 for all above 89), size, weight, smoking and the like stay",
    CLEAN_DESCRIPTORS: "descriptions keep words that are known to be medical or technical; else they go",
    CLEAN_STRUCTURED: "text in structured reports keeps such words; otherwise only codes and numbers stay",
    CLEAN_PIXELS: "text burned into pixels is looked for and covered",
    SAFE_PRIVATE: "private attributes that are known and hold measurements only stay",
    DOCUMENTS: "encapsulated documents are written where no identifier is found in them; else they are withheld",
    REMOVE_FACES: "faces go from CT and MR of heads (DICOM, NIfTI, NRRD, MetaImage); other such volumes are withheld",
}
"""Name of each choice and what it does; the first eight are options of PS3.15 E.3."""

NOT_OF_DICOM = frozenset({REMOVE_FACES})
"""Choices that not every DICOM file is made with; a file whose face went says so itself."""

DEFAULTS = frozenset({SHIFT_DATES, KEEP_DEVICE, CLEAN_DESCRIPTORS, CLEAN_PIXELS, SAFE_PRIVATE})

CODES: dict[str, tuple[str, str]] = {
    SHIFT_DATES: ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    KEEP_DEVICE: ("113109", "Retain Device Identity Option"),
    KEEP_INSTITUTION: ("113112", "Retain Institution Identity Option"),
    KEEP_CHARACTERISTICS: ("113108", "Retain Patient Characteristics Option"),
    CLEAN_DESCRIPTORS: ("113105", "Clean Descriptors Option"),
    CLEAN_STRUCTURED: ("113104", "Clean Structured Content Option"),
    CLEAN_PIXELS: ("113101", "Clean Pixel Data Option"),
    SAFE_PRIVATE: ("113111", "Retain Safe Private Option"),
}
"""Codes of PS3.16 CID 7050 that say in the output which options were used."""

BASIC_CODE = ("113100", "Basic Application Confidentiality Profile")


Action: TypeAlias = Literal["keep", "remove", "empty", "dummy", "uid", "shift", "clean", "enter"]
"""What is done with an attribute that is there (none is added). ``enter``: a sequence stays, its items are treated."""

TEXT_VRS = frozenset({"LT", "ST", "UT", "UC"})
TIME_VRS = frozenset({"DA", "DT", "TM"})
NUMBER_VRS = frozenset({"AT", "DS", "FD", "FL", "IS", "OD", "OF", "OL", "OV", "SL", "SS", "SV", "UL", "US", "UV"})
CODED_VRS = frozenset({"AS", "CS", "LO", "SH"})

SAFE_BYTES = frozenset(
    {
        "7FE00010", "00281200", "00281201", "00281202", "00281203", "00281204", "00281221", "00281222", "00281223",
        "00281224", "00282000", "00283006", "54001010", "54000110", "54000112", "5400100A", "56000020", "00660023",
        "00660024", "00660025", "00660029", "00660040", "00660041", "00660042", "00660043",
    }
)  # fmt: skip
"""Byte-valued attributes that are pixels, lookup tables, colour profiles, waveforms, spectra and surfaces."""

SAFE_TEXT = frozenset({"00080119", "00080120"})
"""Text-valued attributes that are codes."""

DESCRIPTORS = frozenset({"0040A492", "00540400", "00620005", "00700081", "00741202", "00741204"})
"""Short descriptions that the table does not list but a person may have typed."""

REPORT_TEXT = "0040A160"
"""Text Value: what a person wrote into a structured report."""

UNSAFE = frozenset(
    {
        "00080051", "00081190", "00100024", "00100026", "00100027", "00287FE0", "00400026", "00400027", "00400031",
        "00400032", "00400033", "00400039", "0040003A", "00402006", "00402007", "0040E010", "04000500", "04000510",
        "04000520", "0074100A", "0074100C", "00741210",
    }
)  # fmt: skip
"""Not in the table, but issuers and entities behind identifiers, links, contacts, encrypted originals."""


@cache
def table() -> dict[str, tuple[str, str]]:
    """Return Table E.1-1: hexadecimal tag -> action of the Basic Profile, options (letter and action)."""
    rows: dict[str, tuple[str, str]] = {}
    for line in TABLE.splitlines():
        tag, basic, options, _ = line.split(" ", 3)
        rows[tag] = (basic, "" if options == "-" else options)
    return rows


@dataclass(frozen=True)
class Profile:
    """The Basic Profile with some of its options.

    Parameters
    ----------
    options : frozenset of str
        Names from `OPTIONS`.

    Raises
    ------
    UnknownNameError
        If there is no such option.

    Notes
    -----
    Where the table leaves a choice by the type that an object's definition gives the attribute (``X/Z/D``), the one
    that is valid for every type is taken: a dummy where D is among them, else an empty value. So an output has no
    error that its input did not have. Sequences that refer to other objects stay, with their UIDs mapped.

    References
    ----------
    DICOM PS3.15 E.2 and E.3, Table E.1-1a (action codes); PS3.16 CID 7050 (codes of the options).

    Examples
    --------
    >>> Profile(frozenset()).action("00100010", "PN"), Profile(DEFAULTS).action("00080020", "DA")
    ('empty', 'shift')
    """

    options: frozenset[str] = DEFAULTS

    def __post_init__(self) -> None:
        for option in sorted(self.options):
            if option not in OPTIONS:
                raise unknown_name("option of de-identification", option, OPTIONS)

    def action(self, tag: str, vr: str) -> Action:
        """Return what is done with an attribute of the standard.

        Parameters
        ----------
        tag : str
            Eight hexadecimal digits, upper case.
        vr : str
            Its value representation.
        """
        return _action(tag, vr, self.options)

    def fallback(self, tag: str, vr: str) -> Action:
        """Return what is done where cleaning or shifting leaves nothing: the action without options."""
        return _action(tag, vr, frozenset())

    def clean(self, text: str, forbidden: Collection[str]) -> str:
        """Return the words of a description that may stay."""
        return clean_words(text, forbidden)

    def asks(self, option: str) -> bool:
        """Tell whether an option was chosen."""
        return option in self.options

    @property
    def methods(self) -> tuple[str, ...]:
        """What the output says of how it was made: at most 64 characters each."""
        return (f"Basic Profile of {EDITION}"[:64], *sorted(self.options - NOT_OF_DICOM))

    @property
    def codes(self) -> tuple[tuple[str, str], ...]:
        """Code and meaning of the profile and of each option, PS3.16 CID 7050."""
        return (BASIC_CODE, *(CODES[option] for option in sorted(self.options) if option in CODES))


@cache
def _action(tag: str, vr: str, options: frozenset[str]) -> Action:
    """Return what is done with an attribute under some options."""
    if tag in UNSAFE or tag[:2] in ("50", "60"):  # the repeating groups: curves, overlays
        return "remove"
    row = table().get(tag)
    if row is None:
        return _unlisted(tag, vr, options)
    basic, letters = row
    return _optional(letters, vr, options) or _basic(basic, letters, vr)


def _optional(letters: str, vr: str, options: frozenset[str]) -> Action | None:
    """Return what an option that was asked for makes of an attribute, or None."""
    clean: Action = "enter" if vr == "SQ" else "clean"
    if "mC" in letters and SHIFT_DATES in options:
        return "shift" if vr in ("DA", "DT") else "keep" if vr in ("TM", "SH") else None
    if ("dK" in letters and KEEP_DEVICE in options) or ("iK" in letters and KEEP_INSTITUTION in options):
        return "uid" if vr == "UI" else "enter" if vr == "SQ" else "keep"
    if "pK" in letters and KEEP_CHARACTERISTICS in options:
        return "keep"
    if "pC" in letters and KEEP_CHARACTERISTICS in options:
        return clean
    if "cC" in letters and CLEAN_DESCRIPTORS in options:
        return clean
    return None


def _basic(basic: str, letters: str, vr: str) -> Action:
    """Return the action of the Basic Profile, in the choice that is valid whatever the type."""
    if basic.startswith("U"):
        return "uid"
    choices = set(basic.replace("*", "").split("/"))
    refers = "uK" in letters and choices != {"X"}
    if vr == "SQ" and (refers or ("D" in choices and "X" not in choices)):
        return "enter"
    if "D" in choices:
        return "remove" if vr == "SQ" else "dummy"
    return "empty" if "Z" in choices else "remove"


def _unlisted(tag: str, vr: str, options: frozenset[str]) -> Action:
    """Return the action for an attribute that the table does not list, by what its kind of value can hold."""
    if vr == "SQ":
        return "enter"
    if vr == "UI":
        return "uid"
    if vr in NUMBER_VRS or (vr in CODED_VRS and tag not in DESCRIPTORS) or tag in SAFE_TEXT:
        return "keep"
    if vr in TIME_VRS:
        shifted: Action = "keep" if vr == "TM" else "shift"
        return shifted if SHIFT_DATES in options else "dummy"
    if tag == REPORT_TEXT:
        return "clean" if CLEAN_STRUCTURED in options else "dummy"
    if vr in TEXT_VRS or tag in DESCRIPTORS:
        return "clean" if CLEAN_DESCRIPTORS in options else "dummy"
    if vr in ("PN", "AE"):
        return "dummy"
    return "keep" if tag in SAFE_BYTES else "remove"

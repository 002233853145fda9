"""The values of a data set that tell who somebody is: for the second look, and to find their echoes elsewhere."""

import re
from collections.abc import Iterator, MutableSequence
from functools import cached_property
from typing import TYPE_CHECKING

from hounsfield.data.dicom.scrubbing_values import TEXT, shifted

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.dataelem import DataElement

    from hounsfield.data.scrubbers.profile import ConfidentialityProfile

WORD = re.compile(r"[^\W_]+")
NUMBERED = re.compile(r"\+?\d[\d\-/ .()]{4,}\d")
"""Telephone numbers, dates and numbers of insurances inside text."""

UIDS_OF_KINDS = ("SOPClass", "TransferSyntax", "CodingScheme", "ContextUID", "MappingResource")

SHORTEST = 4
NAMING = frozenset({"AE", "LO", "SH"})
"""Short text: where it goes as a whole, it is a number, a name of a place or of a device."""

NUMBERS = {
    "00080050": "accession", "00100021": "issuer", "00120040": "subject", "00200010": "study-id",
    "00400512": "container", "00400551": "specimen", "00402016": "placer", "00402017": "filler",
}  # fmt: skip
"""Identifiers whose equality is worth keeping -> kind of their code; the rest go. (Issuer of Patient ID is replaced
rather than removed: two patients of two hospitals with one number stay two.)"""

KEYS = {"00100020": "patient", "00080050": "accession"}
"""What tables name a patient or a study by."""

COMMENTS = frozenset({"00081030", "0008103E", "00181030", "00200010", "00104000", "00324000", "00400254", "00400007"})
"""Attributes that hold words about the examination rather than a name or number."""

OF_PLACES = frozenset(
    """
    and care center centre centrum city clinic clinical clinique college community county del department dept der des
    diagnostic division faculty fondazione for foundation general group health healthcare hopital hospital hospitals
    imaging institut institute klinik klinikum krankenhaus laboratory main medical medicine memorial national ospedale
    philips praxis radiologie radiology radiologic regional research saint school science sciences service services
    siemens state system systems the toshiba unit university universitair universitat universite
    """.split()  # noqa: SIM905 - plain words read better without quotes
)
"""Words that names of places share: a name is searched for as a whole and by its other words."""

TECHNICAL = frozenset(
    {
        "BodyPartExamined", "CodeMeaning", "CodeValue", "CodingSchemeDesignator",
        "CodingSchemeName", "ConvolutionKernel", "DetectorManufacturerModelName", "DetectorManufacturerName",
        "Manufacturer", "ManufacturerModelName", "ProcessingFunction", "ReceiveCoilName",
        "SegmentAlgorithmName", "SequenceName", "SoftwareVersions", "TransmitCoilName",
    }
)  # fmt: skip
"""Attributes that hold coded terms or name a kind of machine: their words identify nobody where they turn up."""

EVERYDAY = frozenset(
    """
    about after again also application basic been before between case data date days does done each every file following
    from have http https image images into made make more most name none note only option other over patient patients
    pixel please same sample section seen should some study such test text than that their them then there these they
    this through time total under used uses very want were what when where which while will with without would your
    """.split()  # noqa: SIM905 - plain words read better without quotes
)
"""Words of plain language and of this program's own remarks."""


CODED = frozenset({"AS", "CS", "DS", "IS", "TM"})
CODES = frozenset({"CodeValue", "CodingSchemeDesignator", "CodingSchemeVersion", "SequenceName", "TemplateIdentifier"})
"""Short texts that are codes."""


class Identifiers:
    """Collects what identifies, and finds it again in text.

    Parameters
    ----------
    profile : ConfidentialityProfile
        What it removes or replaces is what identifies.
    """

    def __init__(self, profile: "ConfidentialityProfile") -> None:
        self._profile = profile
        self._values: dict[str, None] = {}
        self._texts: dict[str, None] = {}
        self._weak: dict[str, None] = {}
        self._technical: set[str] = set(OF_PLACES | EVERYDAY)
        self._coded: dict[str, None] = {}
        self._kept: dict[str, None] = {}
        self.keys: dict[tuple[str, str], None] = {}
        self._schemes: set[str] = set()
        self.names: set[str] = set()

    @property
    def values(self) -> tuple[str, ...]:
        """Every value and telling word seen, in the order of the file."""
        return tuple(value for value in self._values if value not in self._schemes)

    @property
    def texts(self) -> tuple[str, ...]:
        """Free text that goes, without the words that may stay or that name the device."""
        return tuple(self._texts)

    @property
    def coded(self) -> tuple[str, ...]:
        """Coded terms, codes, numbers and names of machines that stay."""
        return tuple(self._coded)

    @property
    def kept(self) -> tuple[str, ...]:
        """All other texts that stay."""
        return tuple(self._kept)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        telling = [value for value in (*self._values, *self._weak) if len(value) >= SHORTEST and not self._known(value)]
        if not telling:
            return None
        words = "|".join(re.escape(value) for value in sorted(telling, key=lambda v: (-len(v), v)))
        return re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])", re.IGNORECASE)

    def echo(self, text: str) -> bool:
        """Tell whether text holds an identifying value as a whole word."""
        return self._pattern is not None and self._pattern.search(text) is not None

    def silenced(self, text: str) -> str:
        """Return text with every identifying value in it replaced."""
        return self._pattern.sub("REMOVED", text) if self._pattern else text

    def within(self, content: bytes) -> bool:
        """Tell whether bytes hold an identifying value, in one byte for each character, UTF-8 or UTF-16."""
        folded = content.lower()
        for value in (*self._values, *self._weak):
            if len(value) >= SHORTEST and not self._known(value):
                for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                    if value.lower().encode(encoding, "replace") in folded:
                        return True
        return False

    def collect(self, dataset: "Dataset") -> None:
        """Take the values of a data set and of everything nested in it."""
        self._learn_terms(dataset)
        self._collect(dataset)

    def _learn_terms(self, dataset: "Dataset") -> None:
        for element in readable(dataset):
            if element.VR == "SQ":
                for item in element.value or ():
                    self._learn_terms(item)
            elif element.VR in ("DS", "IS"):
                self._technical.update(texts(element))  # a description that repeats a measurement tells nothing
            elif element.VR == "CS" or element.keyword in TECHNICAL:
                for text in texts(element):
                    self._technical.update(word.casefold() for word in WORD.findall(text))

    def _collect(self, dataset: "Dataset") -> None:
        for element in readable(dataset):
            if element.VR == "SQ":
                for item in element.value or ():
                    self._collect(item)
            elif not element.tag.is_private and element.tag.group not in (0x0002, 0x0004):
                self._take(f"{element.tag:08X}", element)

    def _take(self, tag: str, element: "DataElement") -> None:
        vr = str(element.VR)
        if vr == "PN":
            for text in texts(element):
                self._take_name(text)
            return
        action = self._profile.action(tag, vr)
        if action == "keep":
            self._note_kept(element, vr)
        if action in ("keep", "enter") and not (vr == "TM" or tag == "00080005"):
            return
        for text in texts(element):
            if vr == "UI":
                if names_kind(element.keyword):
                    self._schemes.add(text)  # it stays, so that it identifies nobody
                elif action == "uid" and not is_registered(text):
                    self._add(text)
            elif vr in ("DA", "DT"):
                self._take_day(text)
            elif vr in NAMING and (tag in NUMBERS or tag.startswith("0010")) and tag not in COMMENTS:
                self._take_number(text)
                if tag in KEYS and text.strip(" \0"):
                    self.keys.setdefault((KEYS[tag], text.strip(" \0")))
            elif vr in TEXT and vr != "CS":
                self._take_text(text, whole=tag not in COMMENTS and vr in NAMING and action != "clean")

    def _note_kept(self, element: "DataElement", vr: str) -> None:
        machine = element.keyword in TECHNICAL and not element.keyword.startswith("Code")
        if vr in CODED or element.keyword in CODES or machine:
            self._coded.update(dict.fromkeys(texts(element)))
        elif vr in TEXT:
            self._kept.update(dict.fromkeys(texts(element)))

    def _take_name(self, text: str) -> None:
        self._add(text)
        for group in text.split("="):
            parts = [part for part in re.split(r"[\^,\s]+", group) if part]
            self._add(group)
            for joined in (" ".join(parts), "".join(parts)):
                self._add(joined)
            for part in parts:
                self.names.add(part.casefold())
                if not self._known(part):
                    self._add(part)

    def _take_day(self, text: str) -> None:
        day = shifted(text, 0)
        if day is not None and not day.startswith(("1900", "0001")):
            self._add(day[:8])

    def _take_number(self, text: str) -> None:
        """Take what names a person or a visit: as a whole and word by word, whatever else the file says alike."""
        self._add(text)
        for word in WORD.findall(text):
            if len(word) >= SHORTEST and not self._known(word):
                self._add(word)

    def _take_text(self, text: str, *, whole: bool) -> None:
        for number in NUMBERED.findall(text):
            if whole or number not in self._technical:
                self._add(number.strip(" .-/()"))
        telling = [w for w in WORD.findall(text) if not self._known(w) and w.casefold() not in self._technical]
        words = [word for word in telling if len(word) >= SHORTEST]
        if whole and len(telling) == len(WORD.findall(text)):
            self._add_weak(text)
        for word in words:
            if whole or any(c.isdigit() for c in word):
                self._add_weak(word)
        if words:
            self._texts.setdefault(" ".join(words))

    def _known(self, word: str) -> bool:
        return bool(self._profile.clean(word, ())) and WORD.fullmatch(word) is not None

    def _add_weak(self, value: str) -> None:
        """Take the name of a place, a device or a procedure: echoes of it go, others' files may say it."""
        value = value.strip(" \0\t\r\n")
        if len(value) > 1 and value != "REMOVED" and not set(value) <= set("0 -.^="):
            self._weak.setdefault(value)

    def _add(self, value: str) -> None:
        value = value.strip(" \0\t\r\n")
        if len(value) > 1 and value not in ("Anonymous", "REMOVED") and not set(value) <= set("0 -.^="):
            self._values.setdefault(value)


def names_kind(keyword: str) -> bool:
    """Tell whether a UID names a kind of object or a scheme, also a maker's own, and no object."""
    return any(part in keyword for part in UIDS_OF_KINDS)


def is_registered(uid: str) -> bool:
    """Tell whether a UID is one of the standard's own; what is invented below its root is none."""
    from pydicom._uid_dict import UID_dictionary

    return uid in UID_dictionary


def readable(dataset: "Dataset") -> "Iterator[DataElement]":
    """Yield the elements whose value can be understood, in the order of their tags."""
    for tag in sorted(dataset.keys()):
        element = element_of(dataset, tag)
        if element is not None:
            yield element


def element_of(dataset: "Dataset", tag: int) -> "DataElement | None":
    """Return an element, or None where its value contradicts its kind."""
    try:
        element: DataElement = dataset[tag]
    except (ValueError, TypeError, KeyError, NotImplementedError, AttributeError, OverflowError, LookupError):
        return None
    return element


def texts(element: "DataElement") -> tuple[str, ...]:
    """Return the values of an element as text."""
    value = element.value
    if value is None or isinstance(value, bytes):
        return ()
    if isinstance(value, MutableSequence):
        return tuple(str(v) for v in value)
    return (str(value),)

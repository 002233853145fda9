"""The attributes of a DICOM data set, at every depth, treated as the profile says."""

from collections.abc import Callable, MutableSequence
from typing import TYPE_CHECKING, cast

from hounsfield.data.dicom.scrubbing_identifiers import (
    NUMBERS,
    WORD,
    Identifiers,
    element_of,
    is_registered,
    names_kind,
    texts,
)
from hounsfield.data.dicom.scrubbing_private import is_safe
from hounsfield.data.dicom.scrubbing_values import DUMMIES, TEXT, WELL_FORMED, shifted, told_age

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.dataelem import DataElement

    from hounsfield.data.scrubbers.order import PseudonymMaker
    from hounsfield.data.scrubbers.profile import Action, ConfidentialityProfile

PIXELS = frozenset({"7FE00010", "7FE00008", "7FE00009"})
BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
ROUGHLY = {"OB": "OW", "OW": "OB", "US": "SS", "SS": "US", "IS": "DS", "DS": "IS"}

PATIENT_ID, PATIENT_NAME = "00100020", "00100010"
LABELS = {"00620005": "segment", "30060002": "set", "30060026": "roi"}
"""Names that must differ inside an object -> what they are called where nothing of them may stay."""

STRUCTURE = "0040A0"
"""The terms that hold a structured report together: TEXT, CODE, CONTAINS and the like."""

SHORT, LONG = 16, 64
"""Most characters of a value of AE, CS, SH, and of the longer kinds of text."""

AGE = "00101010"
CHARSET = "00080005"

KINDS: dict[str, str] = {
    "PN": "names of persons", "DA": "dates", "DT": "dates", "TM": "times", "UI": "UIDs", "SQ": "sequences",
    "AE": "devices", "LT": "free text", "ST": "free text", "UT": "free text", "UC": "free text", "UR": "links",
    "OB": "bytes", "OW": "bytes", "UN": "bytes",
}  # fmt: skip
"""Kind of value -> what is said of it where it goes."""


class DatasetScrubber:
    """Treats a data set and everything nested in it, in place.

    Parameters
    ----------
    profile : ConfidentialityProfile
    pseudonyms : PseudonymMaker
    patient : str
        Whose file it is: decides by how much dates are moved.
    identifiers : Identifiers
        Those of the file, collected before.

    Attributes
    ----------
    removed : set of str
        The kinds of things that went.
    """

    def __init__(
        self,
        profile: "ConfidentialityProfile",
        pseudonyms: "PseudonymMaker",
        patient: str,
        identifiers: Identifiers,
    ) -> None:
        self._profile = profile
        self._pseudonyms = pseudonyms
        self._patient = patient
        self._days = pseudonyms.days(patient)
        self._identifiers = identifiers
        self._top: Dataset | None = None
        self.removed: set[str] = set()

    def treat(self, dataset: "Dataset") -> None:
        """Treat every attribute of a data set; the first that is given is the file's own, the others lie in it."""
        if self._top is None:
            self._top = dataset
        safe = self._safe_private(dataset)
        for tag in sorted(dataset.keys()):
            if tag.is_private:
                if tag not in safe:
                    self._remove(dataset, tag, "private attributes")
                continue
            self._treat_public(dataset, f"{tag:08X}")

    def _treat_public(self, dataset: "Dataset", tag: str) -> None:
        from pydicom.tag import Tag

        key = Tag(int(tag, 16))
        element = element_of(dataset, key)
        if tag == CHARSET or tag.endswith("0000") or tag[:4] in ("0000", "0002", "0004", "FFFC"):
            self._remove(dataset, key, "padding" if tag[:4] == "FFFC" else "")
        elif tag[:2] in ("50", "60") and int(tag[2:4], 16) < 0x20:
            self._remove(dataset, key, "overlays and curves")
        elif element is None or not _kind_fits(tag, str(element.VR)):
            self._remove(dataset, key, "attributes that cannot be understood")
        else:
            self._apply(dataset, tag, element, self._profile.action(tag, str(element.VR)))

    def _apply(self, dataset: "Dataset", tag: str, element: "DataElement", action: "Action") -> None:
        if action == "remove" and tag not in NUMBERS:
            self._remove(dataset, element.tag, KINDS.get(str(element.VR), "identifiers"))
        elif element.VR == "SQ":
            self._treat_sequence(dataset, element, action)
        elif tag in PIXELS:
            if dataset is not self._top:
                self._remove(dataset, element.tag, "pictures inside sequences")
        elif element.VM == 0 or element.value in (b"", ""):
            return  # empty already
        elif action == "keep":
            self._keep(dataset, tag, element)
        else:
            self._replace(dataset, tag, element, action)

    def _treat_sequence(self, dataset: "Dataset", element: "DataElement", action: "Action") -> None:
        if action == "empty":
            self.removed.add("sequences")
            element.value = []
            return
        for item in element.value or ():
            self.treat(item)
        if action == "enter" and f"{element.tag:08X}" == "00401101":
            for item in element.value or ():
                _say_nothing(item)

    def _keep(self, dataset: "Dataset", tag: str, element: "DataElement") -> None:
        """Keep a value, unless it repeats an identifier of this file."""
        vr = str(element.VR)
        form = WELL_FORMED.get(vr)
        if form and not all(form.fullmatch(text.strip(" \0")) for text in texts(element)):
            self._remove(dataset, element.tag, "attributes that cannot be understood")
        elif tag == AGE:
            element.value = told_age(str(element.value))
        elif vr == "TM" and any(self._identifiers.echo(text.partition(".")[0]) for text in texts(element)):
            self.removed.add("repeated identifiers")  # a number made from the time of the examination
            self._set_raw(element, [DUMMIES["TM"]] * element.VM)
        elif vr in TEXT and any(self._repeats(text, tag, vr) for text in texts(element)):
            self.removed.add("repeated identifiers")
            longest = SHORT if vr in ("AE", "CS", "SH") else LONG
            self._set(element, [self._identifiers.silenced(text)[:longest] for text in texts(element)])
        elif vr in BYTES and isinstance(element.value, bytes) and self._identifiers.within(element.value):
            self._remove(dataset, element.tag, "repeated identifiers")

    def _repeats(self, text: str, tag: str, vr: str) -> bool:
        """Tell whether a kept value repeats an identifier; a term of the standard may be a word of an address."""
        if tag.startswith(STRUCTURE):
            return False
        named = any(word in self._identifiers.names for word in WORD.findall(text.casefold()))
        if vr == "CS" and not named and not any(c.isdigit() for c in text):
            return False
        return self._identifiers.echo(text)

    def _replace(self, dataset: "Dataset", tag: str, element: "DataElement", action: "Action") -> None:
        vr = str(element.VR)
        if action == "uid" or vr == "UI":
            self._set(element, [self._mapped(text, element.keyword) for text in texts(element)])
            self.removed.add("UIDs")
            return
        self.removed.add(KINDS.get(vr, "descriptions" if action == "clean" else "identifiers"))
        new = self._renamed(tag, element) or self._reworded(element, action)
        if new is not None and all(new):
            self._set(element, new)
            return
        if tag in LABELS:
            code = self._pseudonyms.code(LABELS[tag], texts(element)[0])[:8]
            self._set(element, [f"{LABELS[tag]}-{code}"])
            return
        without = self._profile.fallback(tag, vr) if action in ("clean", "shift") else action
        if without == "remove":
            self._remove(dataset, element.tag, KINDS.get(vr, "identifiers"))
        elif without == "empty" or vr not in DUMMIES:
            element.clear()
        else:
            self._set_raw(element, [DUMMIES[vr]] * max(1, element.VM))

    def _renamed(self, tag: str, element: "DataElement") -> list[str] | None:
        """Return the pseudonym of a person or the code of a number, for the attributes that have one."""
        values = texts(element)
        if tag == PATIENT_ID:
            return [self._pseudonyms.patient(values[0])] if values else None
        if tag == PATIENT_NAME:
            return [self._pseudonyms.patient(self._patient)]
        if tag in NUMBERS:
            return [self._pseudonyms.code(NUMBERS[tag], value) for value in values]
        return None

    def _reworded(self, element: "DataElement", action: "Action") -> list[str] | None:
        if action == "shift":
            moved = [shifted(text, self._days) for text in texts(element)]
            return [text for text in moved if text is not None] if None not in moved else None
        if action == "clean":
            clean: Callable[[str], str] = lambda text: self._profile.clean(text, self._identifiers.names)  # noqa: E731
            return [word for word in (clean(text) for text in texts(element)) if word] or None
        return None

    def _mapped(self, uid: str, keyword: str) -> str:
        if not uid or (WELL_FORMED["UI"].fullmatch(uid) and (is_registered(uid) or names_kind(keyword))):
            return uid
        return self._pseudonyms.uid(uid)

    def _safe_private(self, dataset: "Dataset") -> set[int]:
        """Return the private tags that stay, with the creators that name their blocks."""
        safe: set[int] = set()
        if not self._profile.asks("safe-private"):
            return safe
        for tag in sorted(dataset.keys()):
            if not tag.is_private or tag.element < 0x1000:
                continue
            owner = (tag.group << 16) | (tag.element >> 8)
            creator, element = element_of(dataset, owner), element_of(dataset, tag)
            if creator is None or element is None:
                continue
            if is_safe(tag.group, tag.element, str(creator.value), str(element.VR), element.value):
                safe.update((int(tag), owner))
        return safe

    def _remove(self, dataset: "Dataset", tag: int, kind: str) -> None:
        del dataset[tag]
        if kind:
            self.removed.add(kind)

    def _set(self, element: "DataElement", values: list[str]) -> None:
        self._set_raw(element, cast("list[object]", values))

    def _set_raw(self, element: "DataElement", values: list[object]) -> None:
        element.value = values[0] if len(values) == 1 else values


def _say_nothing(item: "Dataset") -> None:
    """Turn the code of a person into a code that says nothing."""
    item.clear()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "0", "99REMOVED", "Removed"


def _kind_fits(tag: str, vr: str) -> bool:
    """Tell whether an attribute is known, and stored as a kind of value that it can have."""
    from pydicom.datadict import dictionary_VR

    try:
        wanted = dictionary_VR(int(tag, 16)).split(" or ")
    except KeyError:
        return False
    return vr in wanted or ROUGHLY.get(vr) in wanted or (vr in ("OB", "OW") and tag in PIXELS)


def identity(dataset: "Dataset") -> str:
    """Return what tells patients apart in a file: PatientID, else the name, else the study."""
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID"):
        text = str(dataset.get(keyword, "") or "").strip(" \0")
        if text:
            return text
    return ""


def non_ascii(dataset: "Dataset") -> bool:
    """Tell whether text is left that needs a character set to be named."""
    for element in dataset.iterall():
        value = element.value
        for text in value if isinstance(value, MutableSequence) and element.VR != "SQ" else (value,):
            if element.VR in TEXT and not str(text).isascii():
                return True
    return False

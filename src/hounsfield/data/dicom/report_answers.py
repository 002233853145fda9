"""What a structured report answers in codes and numbers: a finding yes or no, a measurement with its unit."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core.errors import ReadError, case_id
from hounsfield.data.dicom.assembling import opened
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.fields import first, number, text
from hounsfield.data.dicom.masks import Code, code_of
from hounsfield.data.dicom.reports import report_items, report_text

if TYPE_CHECKING:
    from pydicom import Dataset

_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
_DOSES = ("1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.88.68", "1.2.840.10008.5.1.4.1.1.88.76")
"""X-ray and radiopharmaceutical dose reports: they say how an image was taken, not what it shows."""
_SELECTIONS = ("1.2.840.10008.5.1.4.1.1.88.59",)
_DOCUMENTS = ("1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.104.2")
_CONTEXT = frozenset({"HAS OBS CONTEXT", "HAS ACQ CONTEXT", "HAS CONCEPT MOD"})
"""Items that say who observed, how it was acquired, in which language: about the report and not the finding."""
_PARTIAL = "PARTIAL"


@dataclass(frozen=True)
class Said:
    """One coded or numeric answer of a report.

    Parameters
    ----------
    concept : Code
        What is answered: ``Calcium score``.
    value : str
        The number as written, or the meaning of the code.
    unit : str
        Unit of a number, empty where it has none.
    numeric : bool
    """

    concept: Code
    value: str = field(repr=False)
    unit: str = ""
    numeric: bool = False

    @property
    def keys(self) -> tuple[str, str]:
        """What it may be asked for by: the meaning and the value of its concept's code."""
        return concept_key(self.concept.meaning), concept_key(self.concept.value)


@dataclass(frozen=True)
class Report:
    """A report.

    Parameters
    ----------
    entry : Entry
    when : str
        ``YYYYMMDDhhmmss`` of its content, as far as stated.
    complete : bool
        False where it says that it is partial.
    said : tuple of Said
    """

    entry: Entry
    when: str = ""
    complete: bool = True
    said: tuple[Said, ...] = field(default=(), repr=False)


def is_report(entry: Entry) -> bool:
    """Tell whether a file is a report on a study: structured and no dose report, or an encapsulated document."""
    own = entry.sop_class
    return (own.startswith(_REPORTS) and own not in (*_DOSES, *_SELECTIONS)) or own in _DOCUMENTS


def concept_key(name: str) -> str:
    """Return the form in which concepts are compared: case, spaces and marks do not matter."""
    return " ".join("".join(c if c.isalnum() else " " for c in name.casefold()).split())


@lru_cache(maxsize=4096)
def read_report(root: Path, entry: Entry) -> Report:
    """Read what a report answers in codes and numbers.

    Raises
    ------
    ReadError
        If it cannot be opened.
    """
    return answers_in(opened(root, entry, pixels=False), entry)


def answers_in(dataset: "Dataset", entry: Entry) -> Report:
    """Return what an opened report answers."""
    when = text(dataset.get("ContentDate")).replace(".", "")[:8] + text(dataset.get("ContentTime")).replace(":", "")
    said = tuple(s for item in report_items(dataset) if (s := _said(item)) is not None)
    complete = text(dataset.get("CompletionFlag")).upper() != _PARTIAL
    return Report(entry, when.partition(".")[0], complete, said)


def read_report_text(root: Path, entry: Entry) -> str:
    """Return the text of a report: free text, in which the patient's name may stand.

    Raises
    ------
    ReadError
        If it cannot be opened, or holds no text.
    """
    try:
        return report_text(opened(root, entry, pixels=False))
    except ReadError as error:
        raise ReadError(
            f"Case {case_id(entry.path)}: {error.found[:1].lower()}{error.found[1:]}",
            expected=error.expected,
            next_step=error.next_step,
        ) from error


def _said(item: "Dataset") -> Said | None:
    kind = text(item.get("ValueType")).upper()
    concept = code_of(item, "ConceptNameCodeSequence")
    if concept is None or kind not in ("NUM", "CODE") or text(item.get("RelationshipType")).upper() in _CONTEXT:
        return None
    if kind == "CODE":
        code = code_of(item, "ConceptCodeSequence")
        meaning = " ".join((code.meaning or code.value).split()) if code is not None else ""
        return Said(concept, meaning) if meaning else None
    measured = first(item, "MeasuredValueSequence")
    if measured is None or number(text(measured.get("NumericValue"))) is None:
        return None
    unit = code_of(measured, "MeasurementUnitsCodeSequence")
    shown = "" if unit is None or unit.value in ("", "1", "{no units}") else unit.value
    return Said(concept, text(measured.get("NumericValue")), shown, numeric=True)

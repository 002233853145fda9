"""What all DICOM objects of annotations share: whom they belong to, when and by what they were made, their bytes."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from hounsfield.core.annotation import Source
from hounsfield.core.errors import InputError, case_id
from hounsfield.data.dicom.fields import text

if TYPE_CHECKING:
    from pydicom import Dataset

MAKER = "Hounsfield"
"""Manufacturer, model and name of the algorithm; the project is research software and no device."""
_OLDEST = datetime(1970, 1, 1)
"""Times are local to the hospital, as DICOM has them without a zone."""


def version() -> str:
    """Return the version of the software that makes the object."""
    from importlib.metadata import version as installed

    return installed("hounsfield")


def made_at(source: Source, header: "Dataset") -> datetime:
    """Return when the annotation was made: as the caller says, else when its image was taken, by its clean header."""
    if source.made_at is not None:
        return source.made_at
    for date, time in (("ContentDate", "ContentTime"), ("SeriesDate", "SeriesTime"), ("StudyDate", "StudyTime")):
        day, clock = text(header.get(date))[:8], text(header.get(time)).partition(".")[0].ljust(6, "0")[:6]
        for form, value in (("%Y%m%d%H%M%S", day + clock), ("%Y%m%d", day)):
            try:
                return datetime.strptime(value, form)
            except ValueError:
                continue
    return _OLDEST


def stamp(dataset: "Dataset", when: datetime) -> None:
    """Set the dates and times of an object that a library took from the clock."""
    day, clock = when.strftime("%Y%m%d"), when.strftime("%H%M%S")
    for prefix in ("Content", "InstanceCreation", "Series", "StructureSet"):
        if f"{prefix}Date" in dataset:
            setattr(dataset, f"{prefix}Date", day)
        if f"{prefix}Time" in dataset:
            setattr(dataset, f"{prefix}Time", clock)
    for item in dataset.get("ContributingEquipmentSequence", []):
        item.ContributionDateTime = day + clock


def short(name: str, length: int) -> str:
    """Return a name as a DICOM text: no backslash or control character, at most so many characters."""
    plain = "".join(" " if c == "\\" or not c.isprintable() else c for c in name).strip()
    return plain[:length].strip() or "unnamed"


@contextmanager
def lenient(name: str) -> Iterator[None]:
    """Hold back warnings of odd headers, and turn what a library cannot make of them into one clear error.

    Parameters
    ----------
    name : str
        The case.

    Raises
    ------
    InputError
        Where the headers lack what an object must take from them.
    """
    with warnings.catch_warnings():
        # identifiers that break a rule are handed on as they came
        warnings.simplefilter("ignore")
        try:
            yield
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise InputError(
                f"Case {case_id(name)}: no object can refer to the images ({type(error).__name__} in their headers).",
                expected="images with the attributes that the standard requires of them",
                next_step="write NIfTI instead",
            ) from error


def encoded(dataset: "Dataset") -> bytes:
    """Return the bytes of a DICOM file."""
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()

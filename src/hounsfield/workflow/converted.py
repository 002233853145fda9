"""What a conversion wrote and what it left out, as rows of two tables, and the names of its files."""

import re
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.core.errors import case_id
from hounsfield.data.dicom.assembling import Volume
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.masks import Mask
from hounsfield.geometry.affines import orientation

_LONGEST_WORD = 32


class Written(BaseModel):
    """One file that was written.

    Attributes
    ----------
    file : str
        Name in the output folder.
    kind : str
        ``volume``, ``mask`` or ``overlay``.
    of : str
        File of the volume that a mask or an overlay belongs to.
    patient, study, series : str
        Case ids: the same for the same person, study and series, and nothing else.
    modality : str
    what : str
        What tells a volume from the others of its series: echo, b-value, temporal position.
    size, spacing_mm, orientation : str
        Along x, y and z; which way these run.
    units : str
    code : str
        Coded type of what a mask marks: scheme, value and meaning.
    voxels : int
        Marked by a mask; 0 for others.
    notes : str
        What a person should know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    file: str
    kind: str
    of: str = ""
    patient: str = ""
    study: str = ""
    series: str = ""
    modality: str = ""
    what: str = ""
    size: str = ""
    spacing_mm: str = ""
    orientation: str = ""
    units: str = ""
    code: str = ""
    voxels: int = 0
    notes: str = ""


class LeftOut(BaseModel):
    """A file, or a volume, that was not converted.

    Attributes
    ----------
    case : str
        Case id of its path, or of its series.
    modality : str
    reason : str
        One clause.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    case: str
    modality: str = ""
    reason: str


class Converted(BaseModel):
    """What was written, and what was not.

    Attributes
    ----------
    files : int
        DICOM objects found.
    written : tuple of Written
    apart : tuple of LeftOut
    notes : tuple of str
        What concerns the tree as a whole.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    files: int
    written: tuple[Written, ...] = ()
    apart: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    def of_kind(self, kind: str) -> tuple[Written, ...]:
        """Return what was written of one kind."""
        return tuple(w for w in self.written if w.kind == kind)


def left_out(entry: Entry, reason: str) -> LeftOut:
    """Return the row of a file that is not converted."""
    return LeftOut(case=case_id(entry.path + entry.member), modality=_code_string(entry.modality), reason=reason)


def volume_row(volume: Volume, file: str, units: str) -> Written:
    """Return the row of a volume."""
    first = volume.first
    return Written(
        file=file,
        kind="volume",
        patient=case_id(f"{first.patient_id}|{first.issuer}"),
        study=case_id(volume.study_uid),
        series=case_id(volume.series_uid),
        modality=_code_string(volume.modality),
        what="; ".join(volume.what),
        size=_times(volume.size[::-1]),
        spacing_mm=_times(volume.spacing_mm),
        orientation=orientation(volume.affine_ras),
        units=units,
        notes="; ".join(volume.notes),
    )


def mask_row(mask: Mask, entry: Entry, file: str, of: str) -> Written:
    """Return the row of a mask."""
    code = mask.kind or mask.category
    return Written(
        file=file,
        kind="mask",
        of=of,
        patient=case_id(f"{entry.patient_id}|{entry.issuer}"),
        study=case_id(entry.study_uid),
        series=case_id(entry.series_uid),
        modality=_code_string(entry.modality),
        code=f"{code.scheme} {code.value} {code.meaning}".strip() if code else "",
        voxels=int(np.count_nonzero(mask.array)),
        notes="; ".join(mask.notes),
    )


def volume_names(volumes: Sequence[Volume]) -> list[str]:
    """Return a name for each volume: its modality and a case id, longer where two would be the same."""
    used: set[str] = set()
    names = []
    for volume in volumes:
        first = volume.first
        key = f"{first.patient_id}|{first.issuer}|{volume.study_uid}|{volume.series_uid}|{volume.number}"
        names.append(unused(f"{_code_string(volume.modality).lower() or 'volume'}-{case_id(key)}", used))
    return names


def mask_word(mask: Mask, naming: frozenset[str]) -> str:
    """Return what a mask is called in a file name: its label, if no word of it names the patient; else its number.

    Parameters
    ----------
    mask : Mask
    naming : frozenset of str
        Words of the patient's name and identifiers.
    """
    parts = re.findall(r"[a-z0-9]+", mask.name.casefold())
    label = "-".join(parts)[:_LONGEST_WORD].strip("-")
    named = any(word in mask.name.casefold() for word in naming)
    return label if label and not named else f"mask-{mask.number}"


def unused(name: str, used: set[str]) -> str:
    """Return `name`, or with a number where it is used already; and note it as used."""
    found = next(n for n in (name, *(f"{name}-{k}" for k in range(2, len(used) + 3))) if n not in used)
    used.add(found)
    return found


def _code_string(value: str) -> str:
    """Return a code string of a header with nothing in it but capital letters and digits."""
    return "".join(re.findall(r"[A-Z0-9]+", value.upper()))[:16]


def _times(values: Sequence[float]) -> str:
    return " x ".join(f"{v:.5g}" for v in values)

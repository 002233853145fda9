"""The images of a DICOM study for a bundle of several inputs: phases of a series, or series called as they are."""

from collections.abc import Sequence
from pathlib import Path

from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref, Roles, Sample, Schema
from hounsfield.data.dicom.apart import reason_no_picture
from hounsfield.data.dicom.choosing import Choice
from hounsfield.data.dicom.used import used_of
from hounsfield.data.layouts.dicom_disk import Disk, disk_of
from hounsfield.data.rows import unique_ids
from hounsfield.data.words import tokens

_PLANES = frozenset(
    ("ax", "axial", "tra", "transverse", "cor", "coronal", "sag", "sagittal", "2d", "3d", "se", "tse", "fse", "gre")
)
"""Words of a description that say how a sequence was taken and not which one it is."""


def cohort_for_inputs(root: Path, roles: Roles, wanted: Sequence[str]) -> Cohort:
    """Return the studies of a disk with the inputs that a bundle wants, as far as they are there.

    Parameters
    ----------
    root : pathlib.Path
        Folder or archive.
    roles : Roles
        What the user said.
    wanted : sequence of str
        Names of the bundle's inputs.

    Returns
    -------
    Cohort
        A sample for each study; inputs that it lacks are missing in the sample.

    Notes
    -----
    An input is a phase of the chosen series (``b_1000``), or else the only series of the study whose description is
    its name, apart from words for planes: "AX FLAIR" is FLAIR, and "T1 POST" is no T1.
    """
    disk = disk_of(root, roles)
    ids = unique_ids([c.study.accession or c.study.patient or c.study.uid or "study" for c in disk.choices])
    samples = []
    for name, choice in zip(ids, disk.choices, strict=True):
        found = {w: ref for w in wanted if (ref := _ref(disk, choice, w)) is not None}
        who = choice.study.patient or name
        samples.append(Sample(id=name, patient=who, inputs={w: (Reading(r),) for w, r in found.items()}))
    schema = Schema(inputs=tuple(InputSpec(name=w) for w in wanted), layout="dicom", notes=disk.notes())
    return Cohort(disk.name, str(disk.files.root), tuple(samples), schema)


def _ref(disk: Disk, choice: Choice, wanted: str) -> Ref | None:
    if choice.chosen is not None:
        phase = used_of(choice.chosen, disk.files.root, disk.query).all_phases.get(wanted)
        if phase is not None:
            return phase
    name = set(tokens(wanted))
    series = [s for s in choice.study.series if s.images > 0 and not reason_no_picture(s.first)]
    called = [s for s in series if set(tokens(s.first.series_description)) - _PLANES == name - _PLANES]
    return used_of(called[0], disk.files.root, disk.query).ref if len(called) == 1 and name else None

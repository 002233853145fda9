"""Demo: a small simulated CT cohort with three planted traps, and the whole flow on it, offline."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hounsfield.bundle.atomic import write_bytes, write_text
from hounsfield.core.errors import RunExistsError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.streams import stream
from hounsfield.science.physics.ct_cohort import CtSlice, simulate_ct_slice
from hounsfield.workflow.demo_disk import disk_file
from hounsfield.workflow.training import Run, train
from hounsfield.workflow.wishes import Wishes

PATIENTS = 200
SLICES = 4
SIZE = 128
MINUTES = 4.1
"""Wall time for training and report; simulation comes on top, so that all stays under five minutes."""
_AIR = -1024
"""CT number that the other brightness of a trap leaves as it is."""
TRAPS = {
    "repeat": "a training slice that repeats a test slice, saved again with other brightness",
    "corrupt": "a file that ends in the middle",
    "contradiction": "a training slice that appears twice, under opposite answers",
}
COLUMNS = (
    "SOPInstanceUID",
    "PatientID",
    "split",
    "lesion",
    "lesion_types",
    "grade",
    "diameter_mm",
    "scanner",
    "age",
    "sex",
)
SHARES = (0.68, 0.8)
"""Where the training and the validation part end, as shares of the patients."""

COHORT_YAML = """\
# A simulated CT cohort: declared here, since an order of grades can be declared only.
schema_version: 1
layout: dicom
targets:
  - name: lesion
    kind: categorical
    classes: ['no lesion', lesion]
    positive: lesion
  - name: lesion_types
    kind: multilabel
    classes: [consolidation, ground-glass, nodule]
  - name: grade
    kind: ordinal
    classes: ['0', '1', '2', '3']
  - name: diameter_mm
    kind: number
    unit: mm
"""


@dataclass(frozen=True)
class _Case:
    number: int
    part: str
    hu: npt.NDArray[np.int16]
    slice: CtSlice
    lesion: str
    cut: bool = False
    """Whether the file ends in the middle."""


def demo(
    out: Path,
    *,
    minutes: float | None = None,
    seed: int = 0,
    patients: int = PATIENTS,
    progress: Progress = SILENT,
) -> Run:
    """Simulate the cohort into ``out/cohort`` and train on it into ``out/run``.

    Parameters
    ----------
    out : Path
        Folder; an unfinished demo in it is continued.
    minutes : float or None
        Budget of the training; 4.1 if None.
    seed : int
        Of the cohort and the run.
    patients : int
        Simulated patients, at least 10.
    progress : Progress

    Returns
    -------
    Run

    Raises
    ------
    RunExistsError
        If the demo was run in `out` before.
    """
    if (out / "run" / "report.json").exists():
        raise RunExistsError(
            f"The folder {out.name!r} holds a finished demo.",
            expected="a new folder",
            next_step=f"open {out.name}/run/report.html, or choose another --out",
        )
    cohort = out / "cohort"
    if not (cohort / "cohort.yaml").exists():
        write_cohort(cohort, patients=patients, seed=seed, progress=progress)
    wishes = Wishes(minutes=minutes if minutes is not None else MINUTES, seed=seed)
    return train(cohort, out=out / "run", wishes=wishes, progress=progress)


def write_cohort(
    folder: Path,
    *,
    patients: int = PATIENTS,
    slices: int = SLICES,
    size: int = SIZE,
    seed: int = 0,
    progress: Progress = SILENT,
) -> None:
    """Write the simulated cohort: a disk of DICOM files, ``answers.csv``, ``cohort.yaml``, and the three traps.

    Parameters
    ----------
    folder : Path
    patients, slices : int
        Patients, and slices of each.
    size : int
        Pixels along y and x.
    seed : int
    progress : Progress
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for case in _all_cases(patients, slices, size, seed=seed, progress=progress):
        made = disk_file(case.hu, case.slice, case.number, seed=seed)
        path = folder / made.path
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, made.content[: len(made.content) // 2] if case.cut else made.content)
        writer.writerow([made.sop_uid, case.slice.patient, *_answers(case)])
    write_text(folder / "answers.csv", file.getvalue())
    write_text(folder / "cohort.yaml", COHORT_YAML)


def _all_cases(patients: int, slices: int, size: int, *, seed: int, progress: Progress) -> Iterator[_Case]:
    cases: list[_Case] = []
    with progress.step("Simulating CT slices", float(patients * slices)) as shown:
        for case in _cases(patients, slices, size, seed):
            yield case
            cases.append(case)
            shown.advance()
    yield from _traps(cases, seed)


def _cases(patients: int, slices: int, size: int, seed: int) -> Iterator[_Case]:
    for patient in range(patients):
        share = (patient + 0.5) / patients
        part = "train" if share < SHARES[0] else "val" if share < SHARES[1] else "test"
        for index in range(slices):
            made = simulate_ct_slice(patient, index, size=size, seed=seed)
            lesion = "lesion" if made.targets.lesion_present else "no lesion"
            yield _Case(index, part, made.hu, made, lesion)


def _traps(cases: list[_Case], seed: int) -> Iterator[_Case]:
    """Yield the planted cases: they look like any other by name and row."""
    training = [c for c in cases if c.part == "train"]
    test = next(c for c in cases if c.part == "test")
    first, second, last = training[0], training[1], training[-1]
    noise = stream(seed, "demo-trap").normal(0, 4, test.hu.shape)
    repeated = np.clip((test.hu.astype(np.float64) - _AIR) * 1.04 + 12 + noise, 0, 32767).astype(np.int32) + _AIR
    repeating = _as(first.slice, test.slice)
    yield _Case(SLICES, "train", repeated.astype(np.int16), repeating, test.lesion)
    yield replace(second, number=SLICES + 1, cut=True)
    other = "no lesion" if last.lesion == "lesion" else "lesion"
    yield replace(last, number=SLICES, lesion=other)


def _as(owner: CtSlice, shown: CtSlice) -> CtSlice:
    return replace(shown, patient=owner.patient, attributes=owner.attributes)


def _answers(case: _Case) -> list[str]:
    targets, about = case.slice.targets, case.slice.attributes
    return [
        case.part,
        case.lesion,
        "|".join(targets.lesion_types) or "none",
        str(targets.grade),
        "" if targets.diameter_mm is None else f"{targets.diameter_mm:.1f}",
        about.scanner,
        str(about.age_years),
        about.sex,
    ]

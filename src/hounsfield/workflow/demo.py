"""Demo: a small simulated CT cohort with three planted traps, and the whole flow on it twice, offline.

First: is there a lesion? Then: where is it? The second ends with a study annotated as a hospital stores it.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hounsfield.bundle.atomic import write_bytes, write_text
from hounsfield.bundle.run_folder import RunState, run_state
from hounsfield.core.errors import MinutesError, RunExistsError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.report import Report
from hounsfield.core.streams import stream
from hounsfield.science.physics.ct_cohort import CtSlice, simulate_ct_slice
from hounsfield.workflow.demo_disk import disk_file
from hounsfield.workflow.demo_lesions import FOLDER, Annotated, annotate_one, foreign
from hounsfield.workflow.demo_outlines import OUTLINES, outline_file
from hounsfield.workflow.training import Run, train
from hounsfield.workflow.wishes import Wishes

PATIENTS = 100
"""Simulated patients, where the minutes are enough to read and judge so many twice."""
EACH_MINUTE = 15
FEWEST = 40
SLICES = 8
"""Of each patient; fewer than eight could not be learned from in bfloat16 as a volume on a processor."""
SIZE = 128
MINUTES = 4.1
"""Wall time for both trainings and reports; simulation comes on top, so that all stays under five minutes."""
FIRST = 0.5
"""Share of the minutes for the first question."""
LAST = 0.15
"""Minutes that are kept for annotating a study at the end."""
LEAST = 3.0
"""Minutes that both trainings need on two cores."""
TRIAL = 40
"""Steps of the second training where its minutes are too few to be planned for."""
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


@dataclass(frozen=True)
class Demo(Run):
    """A finished demo.

    Parameters
    ----------
    path, report
        Of the first run: is there a lesion?
    lesions : Run
        Of the second one: where is it?
    annotated : Annotated
        A study of the second one's test part, annotated.
    """

    lesions: Run
    annotated: Annotated


def demo(
    out: Path,
    *,
    minutes: float | None = None,
    seed: int = 0,
    patients: int | None = None,
    progress: Progress = SILENT,
) -> Demo:
    """Simulate the cohort into ``out/cohort``, train on it into ``out/run`` and ``out/lesions``, annotate a study.

    Parameters
    ----------
    out : Path
        Folder; an unfinished demo in it is continued.
    minutes : float or None
        Budget of all that comes after the simulation; 4.1 if None.
    seed : int
        Of the cohort and the runs.
    patients : int or None
        Simulated patients, at least 10; None takes 15 for each minute, from 40 to 100.
    progress : Progress

    Returns
    -------
    Demo

    Raises
    ------
    RunExistsError
        If the demo was run in `out` before.
    MinutesError
        If the minutes are not enough for both trainings, however few steps the first one makes.
    """
    if _finished(out):
        raise RunExistsError(
            f"The folder {out.name!r} holds a finished demo.",
            expected="a new folder",
            next_step=f"open {out.name}/run/report.html, or choose another --out",
        )
    if foreign(out):
        raise RunExistsError(
            f"The folder {out.name!r} holds a folder {FOLDER!r} that is not this demo's.",
            expected="a new folder",
            next_step="choose another --out",
        )
    asked = MINUTES if minutes is None else minutes
    shares = {"classify": FIRST * asked, "annotate": (1.0 - FIRST) * asked - LAST}
    wishes = {task: _wishes(task, share, asked, seed) for task, share in shares.items()}
    cohort = out / "cohort"
    if not (cohort / "cohort.yaml").exists():
        count = min(PATIENTS, max(FEWEST, round(EACH_MINUTE * asked))) if patients is None else patients
        write_cohort(cohort, patients=count, seed=seed, outlines=True, progress=progress)
    first = _run(cohort, out / "run", wishes["classify"], asked, progress=progress)
    second = _lesions(cohort / "disk", out / "lesions", wishes["annotate"], progress=progress)
    return Demo(first.path, first.report, second, annotate_one(out, second.report, progress=progress))


def _finished(out: Path) -> bool:
    """Tell whether a folder holds a finished demo, be it of a version that did not outline lesions."""
    if not (out / "run" / "report.json").exists():
        return False
    outlined = any((out / "cohort" / "disk").glob(f"*/*/{OUTLINES}"))
    return not outlined or foreign(out)


def _wishes(task: str, minutes: float, asked: float, seed: int) -> Wishes:
    if Wishes(minutes=asked).minutes and minutes <= 0:
        raise _too_few(asked)
    return Wishes(task=task, minutes=round(minutes, 3), seed=seed, brief=True)


def _run(source: Path, out: Path, wishes: Wishes, asked: float, *, progress: Progress) -> Run:
    """Train, or return the run that a demo which was stopped later had finished."""
    if run_state(out) is RunState.COMPLETE:
        return Run(out, Report.model_validate_json((out / "report.json").read_text(encoding="utf-8")))
    try:
        return train(source, out=out, wishes=wishes, progress=progress)
    except MinutesError as error:
        raise _too_few(asked) from error


def _lesions(source: Path, out: Path, wishes: Wishes, *, progress: Progress) -> Run:
    """Train where the lesions are; in a few steps, and over the minutes, where these are too few to be planned for."""
    trial = Wishes(task=wishes.task, max_steps=TRIAL, seed=wishes.seed)
    try:
        return _run(source, out, wishes, MINUTES, progress=progress)
    except MinutesError:
        progress.say(f"The minutes are too few for the second training: a trial of {TRIAL} steps instead")
    except RunExistsError:
        if run_state(out) is not RunState.UNFINISHED:
            raise  # else such a trial was stopped and is continued
    return train(source, out=out, wishes=trial, progress=progress)


def _too_few(asked: float) -> MinutesError:
    if asked >= MINUTES:
        return MinutesError(
            f"{asked:g} minutes are not enough for both trainings of the demo at the speed measured here.",
            expected=f"about {LEAST:g} minutes on two cores that do nothing else",
            next_step="try again when the machine does nothing else, or raise --minutes",
        )
    return MinutesError(
        f"{asked:g} minutes are not enough for both trainings of the demo.",
        expected=f"about {LEAST:g} minutes on two cores, more on one",
        next_step="raise --minutes, or leave it out",
    )


def write_cohort(
    folder: Path,
    *,
    patients: int = PATIENTS,
    slices: int = SLICES,
    size: int = SIZE,
    seed: int = 0,
    outlines: bool = False,
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
    outlines : bool
        Whether every patient's lesions lie beside the slices as a DICOM SEG.
    progress : Progress
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    drawn: dict[str, dict[str, tuple[str, npt.NDArray[np.bool_]]]] = {}
    for case in _all_cases(patients, slices, size, seed=seed, progress=progress):
        made = disk_file(case.hu, case.slice, case.number, seed=seed)
        path = folder / made.path
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, made.content[: len(made.content) // 2] if case.cut else made.content)
        writer.writerow([made.sop_uid, case.slice.patient, *_answers(case)])
        drawn.setdefault(case.slice.patient, {})[made.path] = (made.sop_uid, case.slice.lesion_mask)
    with progress.step("Outlining lesions", float(len(drawn))) as shown:
        for files in drawn.values() if outlines else ():
            outline_file(folder, list(files), dict(files.values()))
            shown.advance()
    write_text(folder / "answers.csv", file.getvalue())
    write_text(folder / "cohort.yaml", COHORT_YAML)


def _all_cases(patients: int, slices: int, size: int, *, seed: int, progress: Progress) -> Iterator[_Case]:
    cases: list[_Case] = []
    with progress.step("Simulating CT slices", float(patients * slices)) as shown:
        for case in _cases(patients, slices, size, seed):
            yield case
            cases.append(case)
            shown.advance()
    yield from _traps(cases, slices, seed)


def _cases(patients: int, slices: int, size: int, seed: int) -> Iterator[_Case]:
    for patient in range(patients):
        share = (patient + 0.5) / patients
        part = "train" if share < SHARES[0] else "val" if share < SHARES[1] else "test"
        for index in range(slices):
            made = simulate_ct_slice(patient, index, size=size, seed=seed)
            lesion = "lesion" if made.targets.lesion_present else "no lesion"
            yield _Case(index, part, made.hu, made, lesion)


def _traps(cases: list[_Case], slices: int, seed: int) -> Iterator[_Case]:
    """Yield the planted cases: they look like any other by name and row."""
    training = [c for c in cases if c.part == "train"]
    test = next(c for c in cases if c.part == "test")
    first, second, last = training[0], training[1], training[-1]
    noise = stream(seed, "demo-trap").normal(0, 4, test.hu.shape)
    repeated = np.clip((test.hu.astype(np.float64) - _AIR) * 1.04 + 12 + noise, 0, 32767).astype(np.int32) + _AIR
    repeating = _as(first.slice, test.slice)
    yield _Case(slices, "train", repeated.astype(np.int16), repeating, test.lesion)
    yield replace(second, number=slices + 1, cut=True)
    other = "no lesion" if last.lesion == "lesion" else "lesion"
    yield replace(last, number=slices, lesion=other)


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

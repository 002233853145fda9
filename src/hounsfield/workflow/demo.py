"""Demo: a small simulated CT cohort with three planted traps, and the whole flow on it, offline."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hounsfield.bundle.atomic import write_bytes, write_text
from hounsfield.core.errors import RunExistsError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.streams import stream
from hounsfield.science.physics.ct_cohort import CtSlice, simulate_ct_slice
from hounsfield.workflow.training import Run, train
from hounsfield.workflow.wishes import Wishes

PATIENTS = 200
SLICES = 4
SIZE = 128
MINUTES = 4.1
"""Wall time for training and report; simulation comes on top, so that all stays under five minutes."""
OFFSET = 1024
"""Stored value of a 16-bit PNG less its CT number."""
TRAPS = {
    "repeat": "a training slice that repeats a test slice, saved again with other brightness",
    "corrupt": "a file that ends in the middle",
    "contradiction": "a training slice that appears twice, under opposite answers",
}
COLUMNS = ("image", "patient", "split", "lesion", "lesion_types", "grade", "diameter_mm", "scanner", "age", "sex")
SHARES = (0.68, 0.8)
"""Where the training and the validation part end, as shares of the patients."""

COHORT_YAML = """\
# A simulated CT cohort: declared here, since an order of grades can be declared only.
schema_version: 1
layout: manifest
manifest: labels.csv
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
    name: str
    part: str
    image: np.typing.NDArray[np.uint16]
    slice: CtSlice
    lesion: str


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
    """Write the simulated cohort: 16-bit PNG, ``labels.csv``, ``cohort.yaml``, and the three traps.

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
    (folder / "images").mkdir(parents=True, exist_ok=True)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    cases: list[_Case] = []
    with progress.step("Simulating CT slices", float(patients * slices)) as shown:
        for case in _cases(patients, slices, size, seed):
            write_bytes(folder / "images" / f"{case.name}.png", encoded(case.image))
            writer.writerow(_row(case))
            cases.append(case)
            shown.advance()
    for case, content in _traps(cases, seed):
        write_bytes(folder / "images" / f"{case.name}.png", content)
        writer.writerow(_row(case))
    write_text(folder / "labels.csv", file.getvalue())
    write_text(folder / "cohort.yaml", COHORT_YAML)


def _cases(patients: int, slices: int, size: int, seed: int) -> Iterator[_Case]:
    for patient in range(patients):
        share = (patient + 0.5) / patients
        part = "train" if share < SHARES[0] else "val" if share < SHARES[1] else "test"
        for index in range(slices):
            made = simulate_ct_slice(patient, index, size=size, seed=seed)
            stored = np.clip(made.hu.astype(np.int32) + OFFSET, 0, 65535).astype(np.uint16)
            lesion = "lesion" if made.targets.lesion_present else "no lesion"
            yield _Case(f"{made.patient}_{index}", part, stored, made, lesion)


def _traps(cases: list[_Case], seed: int) -> Iterator[tuple[_Case, bytes]]:
    """Yield the planted cases: they look like any other by name and row."""
    training = [c for c in cases if c.part == "train"]
    test = next(c for c in cases if c.part == "test")
    first, last = training[0], training[-1]
    brighter = np.clip(test.image.astype(np.float64) * 1.04 + 12, 0, 65535)
    noise = stream(seed, "demo-trap").normal(0, 4, test.image.shape)
    repeated = np.clip(brighter + noise, 0, 65535).astype(np.uint16)
    yield (
        _Case(f"{first.slice.patient}_{SLICES}", "train", repeated, _as(first.slice, test.slice), test.lesion),
        encoded(repeated),
    )
    whole = encoded(training[1].image)
    yield (
        _Case(f"{first.slice.patient}_{SLICES + 1}", "train", training[1].image, training[1].slice, training[1].lesion),
        whole[: len(whole) // 2],
    )
    other = "no lesion" if last.lesion == "lesion" else "lesion"
    yield _Case(f"{last.slice.patient}_{SLICES}", "train", last.image, last.slice, other), encoded(last.image)


def _as(owner: CtSlice, shown: CtSlice) -> CtSlice:
    from dataclasses import replace

    return replace(shown, patient=owner.patient, attributes=owner.attributes)


def _row(case: _Case) -> list[str]:
    targets, about = case.slice.targets, case.slice.attributes
    return [
        f"images/{case.name}.png",
        case.slice.patient,
        case.part,
        case.lesion,
        "|".join(targets.lesion_types) or "none",
        str(targets.grade),
        "" if targets.diameter_mm is None else f"{targets.diameter_mm:.1f}",
        about.scanner,
        str(about.age_years),
        about.sex,
    ]


def encoded(image: np.typing.NDArray[np.uint16]) -> bytes:
    """Return a 16-bit grey PNG."""
    from PIL import Image as Pillow

    file = io.BytesIO()
    Pillow.fromarray(image).save(file, "PNG")
    return file.getvalue()

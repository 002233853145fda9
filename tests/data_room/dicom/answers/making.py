"""Series of CT slices of many geometries, and what annotations of them are written to and read from."""

import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.types import AnyArray
from hounsfield.data.dicom.assembling import Volume, assemble
from hounsfield.data.dicom.drawn import drawn_on, read_masks
from hounsfield.data.dicom.headers import read_header
from hounsfield.data.dicom.index import forget
from hounsfield.data.dicom.masks import Mask
from hounsfield.data.readers import read
from tests.data_room.dicom.making import dataset, save

SIZE = 24
_TURN = math.radians(20)
GEOMETRIES: dict[str, dict[str, Any]] = {
    "axial": {"row": (1, 0, 0), "column": (0, 1, 0), "step": (0, 0, 2.5)},
    "tilted": {"row": (1, 0, 0), "column": (0, 1, 0), "step": (0, -0.9, 2.5)},
    "prone": {"row": (-1, 0, 0), "column": (0, -1, 0), "step": (0, 0, 2.5)},
    "downwards": {"row": (1, 0, 0), "column": (0, 1, 0), "step": (0, 0, -2.5)},
    "sagittal": {"row": (0, 1, 0), "column": (0, 0, -1), "step": (3.0, 0, 0)},
    "oblique": {
        "row": (math.cos(_TURN), math.sin(_TURN), 0),
        "column": (-math.sin(_TURN) * 0.8, math.cos(_TURN) * 0.8, -0.6),
        "step": tuple(
            2.0 * v
            for v in np.cross(
                (math.cos(_TURN), math.sin(_TURN), 0), (-math.sin(_TURN) * 0.8, math.cos(_TURN) * 0.8, -0.6)
            )
        ),
    },
}


def series_source(
    folder: Path, kind: str = "axial", *, count: int = 5, name: str = "case 1", facts: dict[str, Any] | None = None
) -> Source:
    """Write a CT series; its files are named in another order than they lie."""
    geometry = GEOMETRIES[kind]
    order = [(7 * n + 3) % 101 for n in range(count)]
    for number in range(count):
        place = np.array([-12.0, -20.0, 30.0]) + number * np.array(geometry["step"])
        told = {
            "ImageOrientationPatient": [round(float(v), 6) for v in (*geometry["row"], *geometry["column"])],
            "ImagePositionPatient": [round(float(v), 6) for v in place],
            "PixelSpacing": [0.8, 0.6],
            "SliceThickness": 2.5,
            "PatientBirthDate": "19600102",
            "StudyTime": "101500",
            **(facts or {}),
        }
        save(folder / f"I{order[number]:03d}", dataset("p/s/ct", told, size=SIZE, number=number))
    forget()
    volume = volume_of(folder)
    ref = Ref("dicom", volume.first.path, (("series", volume.series_uid), ("volume", 0)))
    cohort = Cohort("t", str(folder), (), Schema())
    return Source(name, cohort, ref, read(cohort, ref))


def volume_of(folder: Path) -> Volume:
    entries = [read_header(p, path=p.name) for p in sorted(folder.glob("I*"))]
    (volume,) = assemble(entries, root=folder).volumes
    return volume


def annotation(where: Source, array: AnyArray, classes: tuple[str, ...] = ("liver", "病灶 lesion")) -> Annotation:
    return Annotation(array, classes, where.image.grid)


def read_again(path: Path, folder: Path) -> tuple[Mask, ...]:
    """Read a mask object with our own reader, on the volume that it names itself."""
    inside = path if path.parent == folder else Path(shutil.copy(path, folder / path.name))
    entry = read_header(inside, path=inside.name)
    volume = drawn_on(folder, entry, [volume_of(folder)])
    assert volume is not None
    return read_masks(folder, entry, volume).masks


def faults(path: Path) -> list[str]:
    """Return the errors that dciodvfy finds; None of them where it is not installed."""
    if shutil.which("dciodvfy") is None:
        return []
    said = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False)
    return [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]

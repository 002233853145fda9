"""Entries of slices made without files, and what a test needs to put them in disorder."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hounsfield.core.streams import stream
from hounsfield.data.dicom.entries import Entry
from tests.data_room.dicom.making import CT, uid

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def slices(
    heights: Sequence[float], *, orientation: tuple[float, ...] = AXIAL, name: str = "s", **facts: object
) -> list[Entry]:
    """Return entries of parallel slices at heights along their normal, in mm.

    File names and instance numbers run against the heights in a mixed order: nothing may depend on them.
    """
    normal = np.cross(orientation[:3], orientation[3:])
    mixed = stream(len(heights), "names").permutation(len(heights))
    made = []
    for number, height in enumerate(heights):
        x, y, z = (float(v) for v in np.array([-50.0, -60.0, 10.0]) + height * normal)
        usual: dict[str, Any] = {
            "path": f"{name}/I{int(mixed[number]):04d}",
            "sop_class": CT,
            "sop_uid": uid(name, number),
            "study_uid": uid("study"),
            "series_uid": uid("series"),
            "frame_of_reference": uid("frame"),
            "patient_id": "p1",
            "modality": "CT",
            "series_number": 1,
            "instance_number": int(mixed[number]) + 1,
            "image_type": ("ORIGINAL", "PRIMARY", "AXIAL"),
            "rows": 6,
            "columns": 8,
            "frames": 1,
            "bits": 16,
            "photometric": "MONOCHROME2",
            "position_lps": (x, y, z),
            "orientation_lps": tuple(orientation),
            "spacing_mm": (0.7, 0.9),
            "thickness_mm": 2.5,
        }
        made.append(Entry(**(usual | facts)))
    return made


def changed(entries: Sequence[Entry], name: str, **facts: object) -> list[Entry]:
    """Return the same slices as other images: other files and identifiers, and some facts changed."""
    held: dict[str, Any] = dict(facts)
    return [replace(e, path=f"{name}/{e.path}", sop_uid=uid(name, e.sop_uid), **held) for e in entries]

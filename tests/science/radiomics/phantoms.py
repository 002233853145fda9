"""The phantoms and reference values of the IBSI, read from the folder that HOUNSFIELD_DATA names."""

import csv
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.data.readers import read
from hounsfield.science.radiomics.labels import marked
from hounsfield.science.radiomics.region import Outline, Scene

DATA = Path(os.environ.get("HOUNSFIELD_DATA", "../shared/data")) / "ibsi"
TABLE = DATA / "ibsi1_reference_values" / "all_configurations.csv"
CONFIGURATIONS = ("digital_phantom", "A", "B", "C", "D", "E")
needs_phantoms = pytest.mark.skipif(not TABLE.is_file(), reason="the IBSI's phantoms are not on this machine")


@cache
def references(configuration: str) -> dict[str, tuple[float, float]]:
    """Return tag to value and tolerance, those without consensus left out."""
    with TABLE.open(newline="") as stream:
        rows = [r for r in csv.DictReader(stream) if r["configuration"] == configuration and r["reference_value"]]
    return {r["tag"]: (float(r["reference_value"]), float(r["tolerance"])) for r in rows}


def settings_name(configuration: str) -> str:
    """Return which preset a configuration is."""
    return "ibsi-digital" if configuration == "digital_phantom" else f"ibsi-{configuration}"


@cache
def phantom(configuration: str) -> tuple[Scene, Outline]:
    """Return the image and the region of a configuration."""
    folder = "ibsi1_digital_phantom" if configuration == "digital_phantom" else "ibsi1_ct_phantom"
    held = Cohort(name="", root=str(DATA / folder), samples=(), schema=Schema(targets=(), layout=""))
    image, mask = (read(held, Ref("nifti", f"{name}.nii.gz")) for name in ("image", "mask"))
    assert image.grid is not None
    scene = Scene(image.array[0], image.grid.spacing_mm[::-1])
    return scene, marked(np.asarray(mask.array[0], dtype=np.uint8), parts=False)[0].outline

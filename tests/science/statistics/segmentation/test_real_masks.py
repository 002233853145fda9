"""Figures that others published of the same masks; skipped where the data are absent."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hounsfield.core.types import BoolArray
from hounsfield.science.statistics.segmentation.overlap import Counts, count, dice, sensitivity, specificity

DRIVE = Path(os.environ.get("HOUNSFIELD_DATA", Path(__file__).parents[4] / "../shared/data")) / "drive"


def mask(kind: str, number: int) -> BoolArray:
    with Image.open(next((DRIVE / kind).glob(f"{number:02d}.*"))) as picture:
        values = np.asarray(picture.convert("L"))
    return np.asarray(values > 127, dtype=np.bool_)


@pytest.mark.skipif(not DRIVE.exists(), reason="drive is not in the folder that HOUNSFIELD_DATA names")
def test_the_second_observer_of_drive() -> None:
    # Staal 2004 and those after: accuracy .947, sensitivity .776, specificity .972 of the second observer in the field
    total = Counts(0, 0, 0, 0)
    for number in range(1, 21):
        total += count(mask("vessels_2nd", number), mask("vessels", number), region=mask("fov", number))
    accuracy = (total.tp + total.tn) / (total.tp + total.tn + total.fp + total.fn)
    assert accuracy == pytest.approx(0.947, abs=0.001)
    assert sensitivity(total) == pytest.approx(0.776, abs=0.003)
    assert specificity(total) == pytest.approx(0.972, abs=0.001)
    assert dice(total) == pytest.approx(0.788, abs=0.002)

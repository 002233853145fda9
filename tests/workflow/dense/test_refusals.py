"""A refusal says what was found, what was expected and what to do, as every other error does."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image as Pillow

from hounsfield.core.errors import PlanError
from hounsfield.core.image import Image
from hounsfield.data.cohorts import unlabelled
from hounsfield.workflow.dense.model import DenseModel
from hounsfield.workflow.dense.predicting import mark


def test_an_image_that_cannot_be_read_is_refused_in_full(tmp_path: Path) -> None:
    """Issue 5: predictions.csv said "the image is 1 x 56 pixels" and no more."""
    Pillow.fromarray(np.zeros((1, 56), np.uint8)).save(tmp_path / "thin.png")
    cohort = unlabelled([tmp_path])
    found = mark(cast("Any", SimpleNamespace(inputs=("image",))), cohort, cohort.samples[0], out=None)
    refusal = found.prediction.refusal
    assert "the image is 1 x 56 pixels. Expected: at least 8 pixels on each side. Next: " in refusal
    assert "\n" not in refusal


@pytest.mark.parametrize("flat", [True, False], ids=["flat", "unprepared"])
def test_an_image_that_cannot_be_judged_is_refused_in_full(flat: bool) -> None:  # noqa: FBT001 (a case)
    def case(images: object) -> object:
        del images
        if flat:
            return SimpleNamespace(flat=lambda: True)
        raise PlanError("An image has 3 space axes.", expected="2D images", next_step="give pictures")

    model = cast("Any", SimpleNamespace(inputs=("image",), _limits=None, _runner=SimpleNamespace(case=case)))
    outcome = DenseModel.outcome(model, {"image": Image(np.zeros((1, 16, 16), np.uint8))})
    assert not outcome.said
    wanted = ("one grey value", "that shows something") if flat else ("3 space axes. ", "2D images. ")
    for words in (*wanted, "Expected: ", "Next: "):
        assert words in outcome.refusal

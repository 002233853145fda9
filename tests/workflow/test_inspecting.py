import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from hounsfield.core.errors import RunExistsError
from hounsfield.core.streams import stream
from hounsfield.data.cohorts import understand
from hounsfield.workflow.inspecting import inspect
from tests.journeys.making import everything_in, write_cohort


def test_what_is_written_is_understood_again(tmp_path: Path) -> None:
    write_cohort(tmp_path / "data", n=12)
    found = inspect(tmp_path / "data")
    assert found.written == ()
    out = tmp_path / "new" / "corrected"
    inspect(tmp_path / "data", out=out)
    assert everything_in(out) == ["cohort.yaml", "samples.csv"]
    for name in ("cohort.yaml", "samples.csv"):
        shutil.copy(out / name, tmp_path / "data")
    again = understand(tmp_path / "data")
    assert again.schema.layout == found.cohort.schema.layout
    assert [s.id for s in again.samples] == [s.id for s in found.cohort.samples]
    assert [s.targets for s in again.samples] == [s.targets for s in found.cohort.samples]
    with pytest.raises(RunExistsError, match="exist in the output folder"):
        inspect(tmp_path / "data", out=out)


def test_labels_that_nobody_declared_are_warned_of(tmp_path: Path) -> None:
    rows = []
    for n in range(6):
        picture = stream(n, "pictures").integers(0, 255, (32, 32)).astype(np.uint8)
        mask = np.zeros((32, 32), np.uint8)
        mask[4:20, 4:20] = 64
        mask[8:16, 22:30] = 192
        for folder, array in (("images", picture), ("masks", mask)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Pillow.fromarray(array).save(tmp_path / folder / f"p{n}.png")
        rows.append(f"images/p{n}.png,masks/p{n}.png")
    (tmp_path / "labels.csv").write_text("\n".join(["image,mask", *rows]) + "\n")
    found = inspect(tmp_path)
    assert any("'mask' hold the labels 64, 192, which nobody declared" in w for w in found.audit.warnings)

import shutil
from pathlib import Path

import pytest

from hounsfield.core.errors import RunExistsError
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

from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Cohort, InputSpec, Ref, Schema
from hounsfield.core.errors import ReadError
from hounsfield.core.row import RowColumn
from hounsfield.data.row.readers import read_row
from tests.data_room.folders import table

COLUMNS = (
    RowColumn(name="age"),
    RowColumn(name="grade", kind="ordinal", levels=("low", "high")),
    RowColumn(name="gone"),
)


def _cohort(folder: Path) -> Cohort:
    return Cohort("", str(folder), (), Schema(inputs=(InputSpec(name="v", kind="row", ndim=0, columns=COLUMNS),)))


def test_cells_become_numbers(tmp_path: Path) -> None:
    table(
        tmp_path / "a.csv",
        [{"grade": "High ", "age": "63"}, {"grade": "odd", "age": "old"}, {"grade": "low", "age": ""}],
    )
    cohort = _cohort(tmp_path)
    rows = [read_row(cohort, Ref("columns", "a.csv", (("table", "v"), ("row", i)))) for i in range(3)]
    assert rows[0].names == ("age", "grade", "gone")
    assert np.array_equal(
        [r.values for r in rows], [[63, 1, np.nan], [np.nan, np.nan, np.nan], [np.nan, 0, np.nan]], equal_nan=True
    )


def test_a_changed_table_is_read_again(tmp_path: Path) -> None:
    cohort, ref = _cohort(tmp_path), Ref("columns", "a.csv", (("table", "v"), ("row", 0)))
    table(tmp_path / "a.csv", [{"age": 1}])
    assert read_row(cohort, ref).values[0] == 1
    table(tmp_path / "a.csv", [{"age": 222}])
    assert read_row(cohort, ref).values[0] == 222


@pytest.mark.parametrize(
    "ref",
    [
        Ref("columns", "a.csv", (("table", "v"), ("row", 9))),
        Ref("columns", "a.csv", (("table", "v"), ("row", -1))),
        Ref("columns", "a.csv", (("table", "w"), ("row", 0))),
        Ref("columns", "a.csv", (("table", "v"),)),
        Ref("columns", "b.csv", (("table", "v"), ("row", 0))),
        Ref("columns", "../a.csv", (("table", "v"), ("row", 0))),
    ],
)
def test_what_is_not_there_is_told(tmp_path: Path, ref: Ref) -> None:
    table(tmp_path / "a.csv", [{"age": 1}])
    with pytest.raises(ReadError):
        read_row(_cohort(tmp_path), ref)

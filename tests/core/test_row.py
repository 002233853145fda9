import numpy as np
import pytest

from hounsfield.core.errors import ReadError
from hounsfield.core.leads import common_name, place_of
from hounsfield.core.row import Row, RowColumn, aligned


def test_a_row_has_one_number_for_each_name() -> None:
    row = Row(("age", "sex"), np.array([63.0, np.nan]))
    assert row.names == ("age", "sex")
    for names, values in [
        (("a",), np.zeros(2)),
        (("a", "a"), np.zeros(2)),
        (("a",), np.array([np.inf])),
        (("a",), np.zeros(1, np.float32)),
    ]:
        with pytest.raises(ReadError):
            Row(names, values)


def test_rows_of_another_table_are_brought_into_order() -> None:
    have = (RowColumn(name="sex", kind="categorical", levels=("m", "f", "x")), RowColumn(name="age"))
    want = (
        RowColumn(name="age"),
        RowColumn(name="sex", kind="categorical", levels=("f", "m")),
        RowColumn(name="bmi"),
    )
    for sex, coded in [(0.0, 1.0), (1.0, 0.0), (2.0, np.nan), (np.nan, np.nan)]:
        found = aligned(Row(("sex", "age"), np.array([sex, 50.0])), have, want)
        assert found.names == ("age", "sex", "bmi")
        assert np.array_equal(found.values, [50.0, coded, np.nan], equal_nan=True)


def test_leads_are_the_same_under_synonyms() -> None:
    assert common_name("MLII") == common_name("Lead II") == "II"
    assert common_name("ABP ") == common_name("abp") == "abp"
    assert place_of("II", ("V5", "MLII")) == 1
    assert place_of("MLII", ("II", "MLII")) == 1
    assert place_of("III", ("II", "V1")) is None

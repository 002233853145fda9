"""Rows come out as numbers about the middle of the training part."""

import numpy as np
import pytest

from hounsfield.core.errors import PlanError
from hounsfield.core.row import Row
from hounsfield.core.types import Float64Array
from hounsfield.learn.guard import GuardLimits
from hounsfield.learn.prepare.row import CLIP, RowPreparation

LIMITS = GuardLimits(flag=1e9, refuse=1e9, ndim=0, size_low=(), size_high=(), colour=False)
SPEC = RowPreparation(
    columns=("age", "sex", "crp"),
    levels={"sex": ("f", "m")},
    logarithm=("crp",),
    complete=("age",),
    middle={"age": 50.0, "crp": 4.0},
    spread={"age": 10.0, "crp": 6.0},
)


def numbers(given: Row) -> Float64Array:
    """What is prepared, as numbers to compare."""
    return SPEC.prepared(given).astype(np.float64)


def row(age: float = 50.0, sex: float = 0.0, crp: float = 4.0) -> Row:
    return Row(("age", "sex", "crp"), np.array([age, sex, crp]))


def test_numbers_levels_and_logarithms() -> None:
    np.testing.assert_allclose(numbers(row(age=70.0, sex=1.0, crp=12.0)), [2.0, 0.0, 1.0, np.log1p(3.0)])


def test_a_missing_value_stays_missing_in_all_its_columns() -> None:
    found = numbers(row(age=np.nan, sex=np.nan, crp=np.nan))
    assert np.isnan(found).all()
    assert "missing" in SPEC.blank(found)


def test_a_column_that_a_table_lacks_is_missing() -> None:
    found = numbers(Row(("sex", "age"), np.array([0.0, 60.0])))
    np.testing.assert_allclose(found, [1.0, 1.0, 0.0, np.nan])


def test_other_variables_altogether_are_refused() -> None:
    with pytest.raises(PlanError, match="other variables"):
        numbers(Row(("weight",), np.array([70.0])))


def test_far_out_is_clipped_and_told_of() -> None:
    assert numbers(row(age=1e6))[0] == CLIP
    assert SPEC.doubts(row(age=1e6), LIMITS) == ["far out: age"]


def test_what_was_never_missing_is_told_of() -> None:
    assert SPEC.doubts(row(age=np.nan), LIMITS) == ["missing, and never missing in training: age"]
    assert SPEC.doubts(row(crp=np.nan), LIMITS) == []


def test_the_linear_model_is_told_what_is_missing() -> None:
    np.testing.assert_allclose(SPEC.described(SPEC.prepared(row(crp=np.nan))), [0, 1, 0, 0, 0, 0, 0, 1])


@pytest.mark.parametrize(
    "changes",
    [
        {"middle": {}},
        {"spread": {"age": 0.0, "crp": 1.0}},
        {"levels": {"other": ("a",)}},
        {"columns": ("sex",), "levels": {"sex": ()}},
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        RowPreparation.model_validate(SPEC.model_dump() | changes)

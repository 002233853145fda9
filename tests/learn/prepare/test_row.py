"""Rows come out as numbers about the middle of the training part."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hounsfield.core.block import RowBlock
from hounsfield.core.errors import PlanError, ReadError
from hounsfield.core.row import Row
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.learn.guard import GuardLimits
from hounsfield.learn.nn.spec import InputShape
from hounsfield.learn.prepare.row import CLIP, OTHER_SITE, RowPreparation

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


PLACED = RowPreparation(
    columns=("age", "sex"),
    levels={"sex": ("f", "m")},
    middle={"age": 50.0},
    spread={"age": 10.0},
    site="hospital",
    sites=("A", "B"),
    harmonise="empirical-bayes",
)


def test_a_site_is_stored_behind_the_values_and_seen_by_no_network() -> None:
    stored = PLACED.prepared(Row(("age", "sex", "hospital"), np.array([60.0, 1.0, 1.0])))
    np.testing.assert_array_equal(stored, [1.0, 0.0, 1.0, 1.0])
    assert (PLACED.shape.channels, PLACED.stored_shape, PLACED.numbers) == (3, (4,), (0,))
    np.testing.assert_array_equal(PLACED.normalised(stored[None]), stored[None, :3])
    assert len(PLACED.described(stored)) == 6
    assert len(PLACED.looks(stored)) == 4
    assert [c.kind for c in PLACED.wanted.columns] == ["numeric", "categorical", "place"]
    both = np.stack([stored, np.append(stored[:3], np.nan)])
    assert PLACED.places(both) == ["B", ""]
    assert PLACED.self_test().shape == (2, 4)


def test_an_unknown_site_is_told_of_and_alone_is_no_row() -> None:
    there, gone = np.array([60.0, 1.0, 0.0]), np.array([60.0, 1.0, np.nan])
    assert PLACED.doubts(Row(("age", "sex", "hospital"), there), LIMITS) == []
    assert PLACED.doubts(Row(("age", "sex", "hospital"), gone), LIMITS) == [OTHER_SITE]
    assert PLACED.doubts(Row(("age", "sex"), there[:2]), LIMITS) == [OTHER_SITE]
    empty = PLACED.prepared(Row(("age", "sex", "hospital"), np.array([np.nan, np.nan, 1.0])))
    assert "missing" in PLACED.blank(empty)
    with pytest.raises(ValueError, match="no covariate"):
        RowPreparation.model_validate(PLACED.model_dump() | {"covariates": ("age", "hospital")})
    with pytest.raises(ValueError, match="two sites"):
        RowPreparation(columns=("age",), middle={"age": 0.0}, spread={"age": 1.0}, harmonise="each-feature")


AROUND = SPEC.model_copy(update={"around": 2})


def beats(count: int) -> list[Row]:
    rng = stream(0, "rows around")
    drawn = [np.array([rng.normal(50, 10), float(rng.integers(0, 2)), rng.gamma(2.0, 2.0)]) for _ in range(count)]
    drawn[1][2] = np.nan
    return [Row(("age", "sex", "crp"), values) for values in drawn]


def test_rows_around_are_a_series_with_the_own_row_in_the_middle() -> None:
    near = beats(5)
    given = replace(near[2], around=np.stack([r.values for r in near]))
    stored = AROUND.prepared(given)
    assert stored.shape == AROUND.stored_shape == (4 * 5,)
    assert AROUND.shape == InputShape(channels=4, ndim=1, size=(5,))
    series = AROUND.normalised(stored[None])
    assert series.shape == (1, 4, 5)
    for step, one in enumerate(near):
        np.testing.assert_array_equal(series[0, :, step], SPEC.prepared(one))
    on = AROUND.on_tensors(torch.from_numpy(stored[None]))
    np.testing.assert_array_equal(on.numpy(), series)
    names = given.names
    together = RowBlock(names, given.values[None], np.stack([r.values for r in near])[None])
    np.testing.assert_array_equal(AROUND.prepared_block(together)[0], stored)
    np.testing.assert_array_equal(AROUND.prepared_block(together)[0], AROUND.prepared(together.one(0)))


def test_what_looks_at_rows_alone_sees_the_own_row() -> None:
    near = beats(5)
    stored = AROUND.prepared(replace(near[2], around=np.stack([r.values for r in near])))
    alone = SPEC.prepared(near[2])
    np.testing.assert_array_equal(AROUND.values(stored[None])[0], alone)
    np.testing.assert_array_equal(AROUND.looks(stored), SPEC.looks(alone))
    np.testing.assert_array_equal(AROUND.described(stored), SPEC.described(alone))
    assert AROUND.self_test().shape == (2, 20)
    assert AROUND.wanted.beats == 2


def test_a_row_alone_is_refused_where_others_are_looked_at() -> None:
    for given in (row(), replace(row(), around=np.zeros((3, 3)))):
        with pytest.raises(PlanError, match="a row alone") as told:
            AROUND.prepared(given)
        assert "2 beats on either side" in told.value.expected


def test_neighbours_of_another_shape_are_refused() -> None:
    for shape in ((4, 3), (5, 2), (5,)):
        with pytest.raises(ReadError, match="neighbours of shape"):
            replace(row(), around=np.zeros(shape))


def test_rows_of_places_have_no_neighbours() -> None:
    placed = {**SPEC.model_dump(), "site": "ward", "sites": ("a", "b")}
    with pytest.raises(ValueError, match="around must be 0"):
        RowPreparation.model_validate({**placed, "around": 1})


def test_a_tensor_of_rows_loses_its_site_as_an_array_does() -> None:
    placed = RowPreparation.model_validate({**SPEC.model_dump(), "site": "ward", "sites": ("a", "b")})
    stored = placed.prepared(Row(("age", "sex", "crp", "ward"), np.array([50.0, 1.0, 4.0, 1.0])))
    assert stored.shape == placed.stored_shape == (5,)
    on = placed.on_tensors(torch.from_numpy(stored[None]))
    np.testing.assert_array_equal(on.numpy(), placed.normalised(stored[None]))

"""A forecaster with trees as a bundle keeps it."""

from dataclasses import replace

import numpy as np
import pytest

from hounsfield.bundle.sealed import Member
from hounsfield.core.errors import BundleError
from hounsfield.core.types import AnyArray
from hounsfield.learn.forecast.forecaster import Forecaster
from hounsfield.learn.forecast.learner import draft
from hounsfield.learn.forecast.network import build
from hounsfield.learn.forecast.preparing import clean
from hounsfield.learn.forecast.spec import TreeOptions
from hounsfield.learn.forecast.trees import grow_trees
from hounsfield.workflow.forecast.fitting import to_forecaster, to_member
from tests.learn.forecast.courses import courses, request


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    learned = courses(12, 0)
    spec = draft(learned, replace(request(), trees=TreeOptions(rounds=6, least=5)))
    trees = grow_trees(spec, [clean(c, spec) for c in learned], seed=0)
    weights = {k: v.numpy() for k, v in build(spec, seed=1).state_dict().items()}
    return Forecaster(spec, weights, np.zeros((2, 7)), trees, (0.5, 0.0))


def test_trees_come_back_as_they_were(forecaster: Forecaster) -> None:
    again = to_forecaster(to_member(forecaster))
    one = courses(1, 5)
    np.testing.assert_array_equal(again.quantiles(one)[0], forecaster.quantiles(one)[0])
    plain = replace(forecaster, share=(0.0, 0.0))
    assert not any(name.startswith("trees/") for name in to_member(plain).arrays)
    np.testing.assert_array_equal(to_forecaster(to_member(plain)).quantiles(one)[0], plain.quantiles(one)[0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("share", np.array([0.5])),
        ("share", np.array([0.5, np.nan])),
        ("share", np.array([0.5, 1.5])),
        ("trees/0/roots", np.zeros((3, 2), np.int64)),
        ("trees/0/left", np.zeros(1, np.int64)),
        ("trees/1/feature", None),
    ],
)
def test_damaged_trees_are_not_used(forecaster: Forecaster, name: str, value: AnyArray | None) -> None:
    member = to_member(forecaster)
    arrays = {k: v for k, v in member.arrays.items() if k != name}
    if value is not None:
        arrays[name] = value
    with pytest.raises(BundleError):
        to_forecaster(Member(member.learner, arrays, member.json))

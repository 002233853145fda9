"""Wishes out of range are refused with the line to write."""

import pytest

from hounsfield.core.errors import InputError
from hounsfield.workflow.wishes import Wishes


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"sensitivity": 1.0}, "--sensitivity"),
        ({"specificity": 0.0}, "--specificity"),
        ({"prevalence": -0.1}, "--prevalence"),
        ({"sensitivity": 0.9, "specificity": 0.9}, "both"),
        ({"minutes": 0.0}, "--minutes"),
        ({"folds": 1}, "--folds"),
        ({"folds": -2}, "--folds"),
        ({"seed": -1}, "--seed"),
        ({"lang": "de"}, "--lang"),
    ],
)
def test_out_of_range(wrong: dict[str, float], named: str) -> None:
    with pytest.raises(InputError, match=named) as caught:
        Wishes(**wrong)  # type: ignore[arg-type]  # values of several types
    assert caught.value.expected
    assert caught.value.next_step


def test_roles_are_what_is_said_of_the_data() -> None:
    roles = Wishes(target=("a",), image="file", group="pid", split="fold", positive="sick", labels="t.csv").roles
    assert (roles.target, roles.image, roles.group, roles.split) == (("a",), "file", "pid", "fold")
    assert (roles.positive, roles.labels, roles.task) == ("sick", "t.csv", None)

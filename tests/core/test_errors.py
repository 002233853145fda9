"""Errors say what was found, what was expected and what to do next."""

import hashlib
import inspect
import pickle

import pytest

from hounsfield.core import errors
from hounsfield.core.errors import (
    CohortError,
    HounsfieldError,
    InputError,
    PlanError,
    ReadError,
    UnknownNameError,
    case_id,
    nearest,
    unknown_name,
)


def test_message_has_three_lines() -> None:
    error = CohortError("The folder is empty.", expected="images", next_step="name another folder")
    assert str(error).splitlines() == ["The folder is empty.", "Expected: images", "Next: name another folder"]


def test_message_leaves_out_what_is_not_known() -> None:
    assert str(PlanError("The plan has no section 'network'.")) == "The plan has no section 'network'."


def test_every_error_is_caught_by_its_base_and_exits_with_two() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    assert len(kinds) > 8
    assert all(issubclass(kind, HounsfieldError) and kind.exit_code == 2 for kind in kinds)
    assert issubclass(UnknownNameError, InputError)


def test_error_keeps_its_parts_across_processes() -> None:
    error = CohortError("a", expected="b", next_step="c")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # multiprocessing hands errors over so
    assert type(again) is CohortError
    assert (again.found, again.expected, again.next_step) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("lable", "label"), ("LABEL", "label"), ("image_pth", "image_path"), ("zzzzzz", None), ("label", "label")],
)
def test_nearest(name: str, expected: str | None) -> None:
    assert nearest(name, ["image_path", "label", "patient"]) == expected


def test_nearest_gives_the_spelling_of_the_table() -> None:
    assert nearest("finding", ["Finding", "FINDINGS"]) == "Finding"
    assert nearest("x", []) is None


def test_unknown_name_lists_and_suggests() -> None:
    error = unknown_name("network", "residul", ["textbook", "residual"])
    assert "residul" in error.found
    assert error.expected == "one of residual, textbook"
    assert "'residual'" in error.next_step


def test_unknown_name_in_an_empty_or_long_table() -> None:
    assert "none exists" in unknown_name("column", "a", []).expected
    many = unknown_name("column", "qqqq", [f"column {n}" for n in range(100)])
    assert many.expected.endswith(", ...")
    assert len(many.expected) < 600


def test_case_id_tells_nobody_who_it_is() -> None:
    name = case_id("doe_john_1970.png")
    assert name == hashlib.sha256(b"doe_john_1970.png").hexdigest()[:8]
    assert name != case_id("doe_john_1971.png")
    assert len(case_id("broken \udc80 name")) == 8


def test_a_line_holds_the_whole_message() -> None:
    error = ReadError("Case 1: it is small.", expected="at least 8 pixels", next_step="leave it out")
    assert error.line() == "Case 1: it is small. Expected: at least 8 pixels. Next: leave it out."
    assert ReadError("no mask").line() == "no mask."

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.bundle.yaml_text import YamlError, parse_yaml, yaml_text
from hounsfield.core.types import Json

words = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.sampled_from(
        ["1e-3", "yes", "no", "010", "1_000", "12:30", "2020-01-01", "~", "", "null", "<<", "=", "0x1F", ".5"]
    ),
)
values: st.SearchStrategy[Json] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), words),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=4)),
    max_leaves=12,
)


@given(values)
def test_what_was_written_is_read_back(value: Json) -> None:
    assert parse_yaml(yaml_text(value)) == value


def test_nan_is_read_back() -> None:
    value = parse_yaml(yaml_text([math.nan, math.inf]))
    assert isinstance(value, list)
    assert isinstance(value[0], float)
    assert math.isnan(value[0])
    assert value[1] == math.inf


def test_short_lists_stand_on_one_line() -> None:
    text = yaml_text({"size": [128, 128], "pairs": [[1, 2], [3, 4]], "steps": [{"a": 1}]})
    assert "size: [128, 128]\n" in text
    assert "pairs: [[1, 2], [3, 4]]\n" in text


def test_words_and_exponents_mean_what_a_person_means() -> None:
    assert parse_yaml("a: no\nb: 1e-3\nc: 2020-01-01\nd: on\ne: true\n") == {
        "a": "no", "b": 0.001, "c": "2020-01-01", "d": "on", "e": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2\n",
        "a: &x [1]\nb: *x\n",
        "a: [1\n",
        "a: !!python/object/apply:os.getcwd []\n",
        "\x00",
        "? [1]\n: 2\n",
    ],
)
def test_what_is_not_plain_is_refused(text: str) -> None:
    with pytest.raises(YamlError):
        parse_yaml(text)

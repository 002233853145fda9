"""Descriptions keep medical words and nothing else."""

import pytest

from hounsfield.privacy.descriptors import clean_words


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("T2_TSE_SAG 3.0mm", "T2 TSE SAG 3.0mm"),
        ("Thorax B30f 5mm", "Thorax B30f 5mm"),
        ("Mueller, Hans 12.03.1950", ""),
        ("PID-778899 chest AP", "chest AP"),
        ("山田太郎 brain", "brain"),
        ("Zimmer 4, Station 7", ""),
        ("", ""),
    ],
)
def test_known_words_stay(text: str, left: str) -> None:
    assert clean_words(text) == left


def test_a_known_word_that_is_the_patients_name_goes() -> None:
    assert clean_words("CT Head routine", {"head"}) == "CT routine"

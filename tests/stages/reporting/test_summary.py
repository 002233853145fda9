"""The lines for a terminal."""

from hounsfield.stages.reporting.summary import summary_text
from tests.stages.reporting.sample import report


def test_summary_says_the_main_things_in_order() -> None:
    text = summary_text(report())
    order = [
        "COVID",
        "AUC 0.871",
        "203 samples",
        "Logistic regression",
        "diameter",
        "Small test part.",
        "not a medical device",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert all(len(line) <= 110 for line in text.splitlines())

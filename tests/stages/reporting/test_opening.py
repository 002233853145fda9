"""What the report says first."""

import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.report import PartFigures
from hounsfield.stages.reporting.opening import opening, share_of_pairs
from tests.stages.reporting.sample import figure, report


@pytest.mark.parametrize(
    ("auc", "said"), [(1.0, "100%"), (0.998, "99.8%"), (0.9999, "99.9%"), (0.93, "93%"), (0.5, "50%"), (0.0, "0%")]
)
def test_not_all_pairs_where_one_was_ranked_wrong(auc: float, said: str) -> None:
    assert share_of_pairs(auc) == said


def test_a_dice_is_said_in_words_of_what_is_missed_and_marked_in_vain() -> None:
    shares = {"dice": 0.76, "sensitivity": 0.71, "precision": 0.84, "false_positive_rate": 0.25}
    target = TargetSpec(name="mask", kind="mask", classes=("background", "lesion"))
    judged = PartFigures(
        samples=12, patients=12, classes={"lesion": 8}, metrics={n: figure(v) for n, v in shares.items()}
    )
    found = opening(report().model_copy(update={"target": target, "parts": {"test": judged}, "targets": {}}))
    assert found.question.en == "Where is “lesion”?"
    told = " ".join(words.en for words in found.words)
    assert "71 are marked and 29 are not; of 100 marked parts 84 are right" in told
    assert "Of 100 images without it, something is marked in 25." in told
    assert all(words.zh != words.en for words in found.words)

"""What the report says first."""

import pytest

from hounsfield.stages.reporting.opening import share_of_pairs


@pytest.mark.parametrize(
    ("auc", "said"), [(1.0, "100%"), (0.998, "99.8%"), (0.9999, "99.9%"), (0.93, "93%"), (0.5, "50%"), (0.0, "0%")]
)
def test_not_all_pairs_where_one_was_ranked_wrong(auc: float, said: str) -> None:
    assert share_of_pairs(auc) == said

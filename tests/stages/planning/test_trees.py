"""Trees divide as finely as the number of rows and of the rarer answers allow."""

from dataclasses import replace

import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.fingerprint import ColumnFacts, RowFacts, TargetFacts
from hounsfield.core.plan import Facts, checked
from hounsfield.learn.series.boosting import Boosting
from hounsfield.stages.planning.draft import draft
from hounsfield.stages.planning.rules.trees import rarer
from tests.stages.planning.facts import facts, values

ROW = RowFacts(columns={"age": ColumnFacts(distinct=40, std=10.0, spread=13.0, median=60.0, low=30.0, high=90.0)})
LABELS = TargetSpec(name="found", kind="multilabel", classes=("mass", "fluid"))
NUMBER = TargetSpec(name="score", kind="number")


def planned(samples: int, counts: dict[str, int] | None = None) -> Boosting:
    sections = draft(facts(samples, seen=ROW, counts=counts))
    assert all(d.rule and d.evidence for d in sections["trees"].values())
    assert set(sections["trees"]) == set(Boosting.model_fields)
    return checked("trees", values(sections["trees"]), Boosting)


@pytest.mark.parametrize(
    ("samples", "rare", "least", "leaves", "rounds", "divisions"),
    [
        (40, 16, 4, 2, 100, 3),
        (40, 3, 2, 2, 100, 3),
        (400, 150, 20, 8, 150, 1),
        (400, 30, 7, 8, 150, 1),
        (40_000, 9_000, 20, 16, 300, 1),
        (40_000, 40, 10, 16, 300, 1),
    ],
)
def test_few_rows_get_small_leaves(
    samples: int, rare: int, least: int, leaves: int, rounds: int, divisions: int
) -> None:
    made = planned(samples, {"no": samples - rare, "yes": rare})
    assert (made.least, made.leaves, made.rounds, made.divisions) == (least, leaves, rounds, divisions)
    # an inner fold of three quarters of the rows can still be divided, also where it holds fewer of the rare kind
    assert 2 * made.least <= 0.75 * samples


def test_images_alone_have_no_trees() -> None:
    assert "trees" not in draft(facts())


def asked(kind: TargetSpec, seen: TargetFacts, samples: int = 100) -> Facts:
    given = facts(samples, seen=ROW, targets=(kind,))
    return replace(given, fingerprint=given.fingerprint.model_copy(update={"targets": {kind.name: seen}}))


def test_the_rarer_answers_of_every_kind() -> None:
    assert rarer(asked(LABELS, TargetFacts(kind="multilabel", counts={"mass": 90, "fluid": 40}, missing=6))) == 4
    assert rarer(asked(LABELS, TargetFacts(kind="multilabel", counts={"mass": 0, "fluid": 40}))) == 40
    assert rarer(asked(NUMBER, TargetFacts(kind="number", missing=20))) == 40
    three = TargetSpec(name="grade", kind="categorical", classes=("a", "b", "c"))
    assert rarer(asked(three, TargetFacts(kind="categorical", counts={"a": 70, "b": 30, "c": 0}))) == 30
    both = asked(NUMBER, TargetFacts(kind="number"))
    more = {**both.fingerprint.targets, "ill": TargetFacts(kind="categorical", counts={"no": 93, "yes": 7})}
    assert rarer(replace(both, fingerprint=both.fingerprint.model_copy(update={"targets": more}))) == 7

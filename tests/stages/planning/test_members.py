"""How many networks answer together."""

from dataclasses import replace

import pytest

from hounsfield.core.plan import Budget, Facts
from hounsfield.stages.planning.rules.ensemble import MOST, RULES
from hounsfield.stages.planning.rules.optimisation import enough
from tests.stages.planning.facts import facts
from tests.stages.planning.test_beats import hearts


def _hold(rounds: float, *, threads: int = 2, folds: int = 0) -> Facts:
    """Facts of minutes that hold so many whole trainings of each fold."""
    known = replace(
        facts(),
        budget=Budget(minutes=30.0, threads=threads),
        decided={("optimisation", "batch"): 32},
        wishes={"folds": str(folds)} if folds else {},
    )
    total = round(rounds * enough(known) * max(1, folds))
    return replace(known, decided={**known.decided, ("cost", "total_steps"): total})


@pytest.mark.parametrize(
    ("rounds", "members"),
    [(1.0, 1), (1.2, 2), (2.0, 2), (3.0, 3), (3.9, 3), (4.0, 4), (5.0, 5), (7.5, 7), (99.0, MOST)],
)
def test_as_many_as_have_all_steps_odd_ones_too(rounds: float, members: int) -> None:
    assert RULES["members"](_hold(rounds)).value == members
    assert RULES["members"](_hold(rounds, folds=3)).value == members


def test_models_of_beats_are_read_within_a_minute_of_a_day() -> None:
    def chosen(given: Facts, folds: int) -> tuple[object, bool]:
        known = replace(
            given,
            budget=Budget(minutes=30.0, threads=2),
            decided={("optimisation", "batch"): 128},
            wishes={"folds": str(folds)},
        )
        total = round(99 * enough(known) * folds)
        decision = RULES["members"](replace(known, decided={**known.decided, ("cost", "total_steps"): total}))
        return decision.value, "within a minute" in decision.rule

    assert [chosen(hearts(), folds) for folds in (1, 2, 3, 5, 10)] == [
        (MOST, False),
        (MOST, False),
        (5, True),
        (3, True),
        (1, True),
    ]
    rows = hearts()
    alone = {n: seen for n, seen in rows.fingerprint.inputs.items() if n != "signal"}
    rows = replace(rows, fingerprint=rows.fingerprint.model_copy(update={"inputs": alone}))
    assert chosen(rows, 5) == (MOST, False)  # rows of numbers cost next to nothing


def test_no_core_is_left_idle() -> None:
    assert [RULES["members"](_hold(n, threads=4)).value for n in (2.0, 3.0, 4.0, 5.0)] == [1, 4, 4, 5]
    assert [RULES["members"](_hold(n, threads=1)).value for n in (2.0, 3.0, 4.0)] == [2, 3, 4]

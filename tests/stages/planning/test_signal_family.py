"""The family that reads signals is chosen by their length, leads and number, and by what the budget holds."""

import pytest

from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.plan import Decision
from hounsfield.stages.planning.draft import draft
from tests.stages.planning.facts import facts


def vitals(steps: int, leads: int = 4) -> SignalFacts:
    many = (0.0,) * leads
    return SignalFacts(
        leads=tuple(f"lead {n}" for n in range(leads)),
        units=("mmHg",) * leads,
        rate_hz=1.0 / 3600.0,
        rate_low=1.0 / 3600.0,
        rate_high=1.0 / 3600.0,
        steps_median=steps,
        steps_low=steps,
        steps_high=steps,
        empty_share=many,
        mean=many,
        std=(1.0,) * leads,
        low=(-2.0,) * leads,
        high=(2.0,) * leads,
    )


def chosen(*, steps: int = 48, leads: int = 4, samples: int = 4000, minutes: float = 10.0) -> Decision:
    return draft(facts(samples, seen=vitals(steps, leads), minutes=minutes))["network"]["family"]


@pytest.mark.parametrize(
    ("given", "family"),
    [
        ({}, "recurrent"),
        ({"leads": 1}, "convolutional"),
        ({"steps": 480}, "convolutional"),
        ({"minutes": 0.1}, "convolutional"),
        ({"samples": 400_000}, "convolutional"),
        ({"samples": 400_000, "minutes": 120.0}, "recurrent"),
    ],
)
def test_short_series_of_several_leads_are_read_step_by_step_where_the_budget_holds_it(
    given: dict[str, float], family: str
) -> None:
    asked = {"steps": 48, "leads": 4, "samples": 4000, "minutes": 10.0} | given
    found = chosen(
        steps=int(asked["steps"]),
        leads=int(asked["leads"]),
        samples=int(asked["samples"]),
        minutes=asked["minutes"],
    )
    assert found.value == family
    assert f"{int(asked['samples'])} training samples" in found.evidence

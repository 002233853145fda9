"""A plan that can follow a live series, asked for by --causal."""

from dataclasses import replace

import pytest

from hounsfield.core.errors import PlanError
from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.plan import Facts
from hounsfield.stages.planning.draft import draft
from tests.contracts.test_input_kinds import seen
from tests.stages.planning.facts import facts, values


def asked(*, kind: str = "signal", network: str | None = None, **more: object) -> Facts:
    known = seen(kind)
    if isinstance(known, SignalFacts):
        known = known.model_copy(update=more)
    return replace(facts(samples=800, seen=known), wishes={"causal": "yes"}, network=network)


def test_the_network_reads_in_one_direction_and_answers_by_its_last_state() -> None:
    sections = draft(asked())
    network = values(sections["network"])
    assert network["family"] == "recurrent"
    assert network["bidirectional"] is False
    assert network["pooling"] == "last"
    assert sections["preparation.image"]["scale"].value == "training"  # mV would be scaled by their own mean
    assert sections["ensemble"]["features"].value is False
    assert draft(asked(network="recurrent"))["network"]["family"].value == "recurrent"


def test_without_it_nothing_changes() -> None:
    sections = draft(replace(asked(), wishes={}))
    assert sections["preparation.image"]["scale"].value == "level"
    assert "bidirectional" not in sections["network"] or sections["network"]["bidirectional"].value is True


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (asked(kind="image"), "1 image"),
        (asked(kind="row"), "1 row"),
        (asked(anchored=True), "beats"),
        (asked(network="convolutional"), "whole stretch at once"),
    ],
)
def test_where_no_live_series_can_be_followed_it_is_refused(given: Facts, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        draft(given)

"""Whatever kind of input is in the table can be read, seen, glanced at, planned and prepared."""

import json
from typing import cast

import numpy as np
import pytest
from pydantic import BaseModel, TypeAdapter

from hounsfield.core.cohort import InputSpec, Ref
from hounsfield.core.fingerprint import InputFacts
from hounsfield.core.image import Header, Image
from hounsfield.core.kinds import INPUT_KINDS, ROOMS, AnyHeader, Content, input_kind
from hounsfield.core.plan import checked
from hounsfield.core.row import Row, RowColumn
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.streams import stream
from hounsfield.data.kinds.protocol import ContentReader, content_reader
from hounsfield.learn.explain import HIDING
from hounsfield.learn.prepare.protocol import Preparation, preparation_model, read_preparation
from hounsfield.stages.auditing.kinds import Glancer, glancer
from hounsfield.stages.fingerprinting.kinds import Seer, input_facts, seer
from hounsfield.stages.planning.draft import draft
from hounsfield.stages.planning.kinds import Planner, planner
from tests.stages.planning.facts import facts

KINDS = pytest.mark.parametrize("kind", list(INPUT_KINDS))
SPECS = {
    "image": InputSpec(name="x"),
    "signal": InputSpec(name="x", kind="signal", ndim=1),
    "row": InputSpec(
        name="x",
        kind="row",
        ndim=0,
        columns=(RowColumn(name="age"), RowColumn(name="sex", kind="categorical", levels=("f", "m"))),
    ),
}
HEADERS: dict[str, AnyHeader] = {
    "image": Header((20, 24), 1, 8, "PNG", 480),
    "signal": SignalHeader(("I", "V1"), ("mV", "mV"), 200, 100.0, "WFDB", 800),
    "row": Header((2,), 1, 64, "COLUMNS", 100),
}


def example(kind: str, number: int) -> Content:
    """One generated input of a kind."""
    draws = stream(number, f"example {kind}")
    if kind == "image":
        return Image(draws.integers(0, 255, (1, 20, 24)).astype(np.uint8))
    if kind == "signal":
        return Signal(draws.standard_normal((2, 200)).astype(np.float32), ("I", "V1"), ("mV", "mV"), rate_hz=100.0)
    return Row(("age", "sex"), np.array([50.0 + 10 * draws.standard_normal(), float(number % 2)]))


def seen(kind: str) -> InputFacts:
    """What is known of forty of them."""
    ref = Ref("reader", "file")
    looks = [seer(kind).look(example(kind, n), HEADERS[kind], spec=SPECS[kind], ref=ref) for n in range(40)]
    return input_facts("x", looks)


def prepared_by(kind: str) -> Preparation:
    """The preparation that the rules make of it."""
    given = facts(samples=40, seen=seen(kind))
    section = draft(given)["preparation.image"]
    values = {key: decision.value for key, decision in section.items()}
    return checked("preparation", values, preparation_model(kind))


@KINDS
def test_each_part_lies_in_its_room_and_does_what_it_must(kind: str) -> None:
    found = input_kind(kind)
    assert found.name == kind
    assert set(found.parts) == set(ROOMS)
    for room, path in found.parts.items():
        assert path.startswith(ROOMS[room])
    assert isinstance(content_reader(kind), ContentReader)
    assert isinstance(seer(kind), Seer)
    assert isinstance(glancer(kind), Glancer)
    assert isinstance(planner(kind), Planner)
    assert issubclass(preparation_model(kind), Preparation)
    assert not {"boxes", "export", "unlabelled", "augmentation"}.difference(found.lacks) or kind == "image"
    assert ("explain" in found.lacks) != (kind in HIDING)


@KINDS
def test_facts_are_aggregates_that_survive_a_file(kind: str) -> None:
    known = seen(kind)
    assert known.kind == kind
    adapter: TypeAdapter[InputFacts] = TypeAdapter(InputFacts)
    assert adapter.validate_json(cast(BaseModel, known).model_dump_json()) == known
    assert known.said
    assert len(known.size_low) == len(known.size_high) == known.ndim


@KINDS
def test_the_audit_tells_a_repeat_from_another(kind: str) -> None:
    first, again, other = (
        glancer(kind).glance(name, example(kind, n), HEADERS[kind], SPECS[kind])
        for name, n in (("a", 1), ("a", 1), ("b", 2))
    )
    assert first.digest == again.digest != other.digest
    assert first.kind == kind
    assert first.fault == ""


@KINDS
def test_the_rules_decide_every_section(kind: str) -> None:
    sections = draft(facts(samples=40, seen=seen(kind)))
    for name in ("network", "augmentation", "optimisation", "warmup", "ensemble", "baselines"):
        assert sections[name], name
    for made in sections.values():
        assert all(decision.rule for decision in made.values())
    assert sections["network"]["family"].value in planner(kind).families


@KINDS
def test_a_preparation_survives_a_bundle(kind: str) -> None:
    spec = prepared_by(kind)
    assert spec.kind_name == kind
    assert read_preparation(json.loads(spec.model_dump_json())) == spec


@KINDS
def test_what_is_prepared_has_the_shape_that_is_promised(kind: str) -> None:
    spec = prepared_by(kind)
    stored = spec.prepared(example(kind, 3))
    assert stored.shape == (spec.shape.channels, *spec.shape.size)
    assert stored.dtype == np.dtype(spec.dtype)
    assert spec.normalised(stored[None]).dtype == np.float32
    assert spec.blank(stored) == ""
    for describe in (spec.looks, spec.described):
        one, other = describe(stored), describe(spec.prepared(example(kind, 4)))
        assert one.ndim == 1
        assert one.shape == other.shape
        assert np.isfinite(one).all()


@KINDS
def test_the_self_test_is_the_same_each_time_and_fits(kind: str) -> None:
    spec = prepared_by(kind)
    one, other = spec.self_test(), spec.self_test()
    np.testing.assert_array_equal(one, other)
    assert one.shape == (2, spec.shape.channels, *spec.shape.size)
    assert one.dtype == np.dtype(spec.dtype)
    assert all(spec.blank(stored) == "" for stored in one)


@KINDS
def test_another_kind_is_refused_with_the_reason(kind: str) -> None:
    from hounsfield.core.errors import PlanError

    spec = prepared_by(kind)
    for other in INPUT_KINDS:
        if other != kind:
            with pytest.raises(PlanError, match="the plan is for"):
                spec.prepared(example(other, 0))

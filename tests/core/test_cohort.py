"""Samples, schema and cohort."""

import pytest

from hounsfield.core.cohort import Cohort, Reading, Ref, Sample, Schema, TargetSpec
from hounsfield.core.errors import CohortError


def _sample(name: str, *, reading_day: float = 0.0, asked_day: float = 0.0) -> Sample:
    reading = Reading(Ref("raster", f"{name}.png"), time_days=reading_day)
    return Sample(name, "patient", inputs={"image": (reading,)}, time_days=asked_day)


@pytest.mark.parametrize(("reading_day", "asked_day"), [(0.0, 0.0), (-30.0, 0.0), (5.0, 5.0)])
def test_readings_up_to_the_question_are_allowed(reading_day: float, asked_day: float) -> None:
    assert _sample("a", reading_day=reading_day, asked_day=asked_day).time_days == asked_day


def test_a_reading_from_the_future_is_refused() -> None:
    with pytest.raises(CohortError, match="'image' was taken after") as caught:
        _sample("a", reading_day=1.0)
    assert "patient" not in str(caught.value)


def test_moving_to_a_part_changes_nothing_else() -> None:
    sample = _sample("a")
    moved = sample.with_part("test")
    assert moved.part == "test"
    assert moved.with_part(None) == sample


def test_select_keeps_the_order_of_the_cohort() -> None:
    cohort = Cohort("x", "/somewhere", tuple(_sample(n) for n in "cab"), Schema())
    chosen = cohort.select(iter(["b", "c", "unknown"]))
    assert [s.id for s in chosen.samples] == ["c", "b"]
    assert len(cohort) == 3


def test_repr_of_a_cohort_shows_neither_path_nor_samples() -> None:
    cohort = Cohort("x", "/home/someone/doe_john", (_sample("doe"),), Schema())
    assert "doe" not in repr(cohort)


def test_key_of_a_ref_tells_parts_apart() -> None:
    keys = {
        Ref("npz", "a.npz").key(),
        Ref("npz", "a.npz", (("index", 1),)).key(),
        Ref("npz", "a.npz", (("index", 2),)).key(),
        Ref("memory", "a.npz").key(),
    }
    assert len(keys) == 4


def test_schema_finds_a_target_by_name() -> None:
    schema = Schema(targets=(TargetSpec(name="finding", kind="categorical", classes=("no", "yes")),))
    assert schema.target("finding").classes == ("no", "yes")
    with pytest.raises(CohortError, match="finding"):
        schema.target("diagnosis")


def test_schema_comes_back_from_json() -> None:
    schema = Schema(targets=(TargetSpec(name="grade", kind="ordinal", classes=("1", "2")),), notes=("a note",))
    assert Schema.model_validate_json(schema.model_dump_json()) == schema

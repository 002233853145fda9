"""The event table that is made of the challenge's arrays says what they say, through the product's reader."""

import csv
from pathlib import Path

import numpy as np
import pytest
from benchmarks.signals.to_events import write_stays

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.data.signal.events import EventsReader


def write_set(path: Path, first: int) -> None:
    """Write two stays as the challenge's arrays are kept."""
    np.savez(
        path,
        record_id=np.array([first, first + 1], np.int32),
        general=np.array([[54, 0, -1, 4, -1], [76, 1, 175.3, 2, 76]], np.float32),
        outcomes=np.array([[6, 1, 5, -1, 0], [16, 8, 8, 3, 1]], np.int32),
        var_names=np.array(["HR", "MAP"]),
        rec=np.array([0, 1, 0], np.uint16),
        minute=np.array([7, 9, 0], np.uint16),
        var=np.array([0, 0, 1], np.uint8),
        value=np.array([73, 80, 65.5], np.float32),
    )


def test_stays_survive_the_way_through_the_table(tmp_path: Path) -> None:
    write_set(tmp_path / "set_a.npz", 100)
    write_set(tmp_path / "set_b.npz", 200)
    out = tmp_path / "out"
    assert write_stays(tmp_path, out) == 6
    cohort = Cohort("x", str(out), (), Schema())
    found = EventsReader().read(cohort, Ref("events", "events.parquet", (("record", "200"),)))
    assert found.times_s is not None
    np.testing.assert_array_equal(found.times_s, [0.0, 420.0])
    assert found.lead("MAP")[0] == pytest.approx(65.5)
    assert np.isnan(found.lead("MAP")[1])
    assert dict(zip(found.leads, found.units, strict=True)) == {"HR": "1/min", "MAP": "mmHg"}
    with (out / "outcomes.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(r["record"], r["set"], r["split"], r["death"]) for r in rows[1:3]] == [
        ("101", "a", "train", "1"),
        ("200", "b", "test", "0"),
    ]
    assert (rows[0]["gender"], rows[0]["height_cm"], rows[0]["icu"], rows[0]["survival_days"]) == (
        "female",
        "",
        "surgical",
        "",
    )
    assert (rows[1]["height_cm"], rows[1]["weight_kg"], rows[1]["survival_days"]) == ("175.3", "76", "3")

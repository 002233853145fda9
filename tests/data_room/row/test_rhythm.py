from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Cohort, InputSpec, Ref, Schema
from hounsfield.core.errors import ReadError
from hounsfield.core.kinds import Wanted
from hounsfield.core.row import Row, RowColumn
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.data.kinds.rows import ROWS
from hounsfield.data.row.readers import read_around, read_row
from hounsfield.data.row.rhythm import RHYTHM, rhythm_rows
from hounsfield.data.signal.wfdb.annotations import Span
from tests.data_room.layouts.ward import RATE, beats, record


def _said(beats: IntArray, rate: float) -> Float64Array:
    """Return the rhythm beat by beat, as its docstring says."""
    rows = []
    times = [b / rate for b in beats]
    ended = [(times[i], times[i] - times[i - 1]) for i in range(1, len(times))]
    middle = float(np.median([rr for _, rr in ended]))
    for i, t in enumerate(times):
        pre = t - times[i - 1] if i else np.nan
        post = times[i + 1] - t if i + 1 < len(times) else np.nan
        row = [pre, post]
        for seconds in (10.0, 300.0):
            own = [rr for at, rr in ended if t - seconds < at <= t]
            mean = sum(own) / len(own) if own else np.nan
            row += [pre / mean, post / mean]
        rows.append([*row, pre / middle, post / middle])
    return np.array(rows)


def test_intervals_are_those_of_a_plain_computation() -> None:
    steps = stream(0, "rhythm").integers(90, 500, 900)
    marks = np.cumsum(steps).astype(np.int64)
    assert np.allclose(rhythm_rows(marks, 250.0), _said(marks, 250.0), equal_nan=True)


def test_what_is_told_of_a_beat_before_the_next_does_not_look_ahead() -> None:
    marks = np.cumsum(stream(1, "rhythm").integers(90, 500, 60)).astype(np.int64)
    causal = [i for i, c in enumerate(RHYTHM) if "post" not in c.name and "record" not in c.name]
    whole, part = rhythm_rows(marks, 250.0), rhythm_rows(marks[:30], 250.0)
    assert len(causal) == 3
    assert np.array_equal(whole[:30, causal], part[:, causal], equal_nan=True)


def test_an_interval_over_flutter_is_missing() -> None:
    marks = np.array([100, 200, 900, 1000], np.int64)
    rows = rhythm_rows(marks, 100.0, (Span(250, 850, "VFL"),))
    assert np.isnan(rows[1, 1])
    assert np.isnan(rows[2, 0])
    assert rows[3, 0] == 1.0
    assert rows[3, 4] == 1.0  # the mean of the two intervals that are known


def test_one_beat_and_none() -> None:
    assert np.isnan(rhythm_rows(np.array([5], np.int64), 100.0)).all()
    assert rhythm_rows(np.array([], np.int64), 100.0).shape == (0, len(RHYTHM))


def test_beats_of_a_record_nobody_annotated(tmp_path: Path) -> None:
    record(tmp_path, "a", beats())
    found = {"beats:a.hea": np.array([180, 540, 900], np.int64)}
    cohort = Cohort("", str(tmp_path), (), Schema(), arrays=found)
    row = read_row(cohort, Ref("wfdb-rhythm", "a.hea", (("anchor", 540),)))
    assert row.values.tolist() == [1.0] * 8
    annotated = Ref("wfdb-rhythm", "a.hea", (("anchor", 180 + RATE), ("annotations", "atr")))
    assert read_row(cohort, annotated).values[:2].tolist() == [1.0, 1.0]
    for wrong in (
        Ref("wfdb-rhythm", "a.hea", (("anchor", 541),)),
        Ref("wfdb-rhythm", "a.hea"),
        Ref("wfdb-rhythm", "b.hea", (("anchor", 1),)),
        Ref("wfdb-rhythm", "a.hea", (("anchor", 540), ("annotations", "qrs"))),
        Ref("rhythm", "a.hea"),
    ):
        with pytest.raises(ReadError):
            read_row(cohort, wrong)


def test_rows_around_a_beat_are_those_of_its_neighbours(tmp_path: Path) -> None:
    record(tmp_path, "a", beats())
    places = np.array([180, 540, 900, 1300, 1500, 2100], np.int64)
    cohort = Cohort("", str(tmp_path), (), Schema(), arrays={"beats:a.hea": places})
    whole = Ref("wfdb-rhythm", "a.hea")
    rows = [read_row(cohort, Ref("wfdb-rhythm", "a.hea", (("anchor", int(at)),))).values for at in places]
    found = read_around(cohort, whole, np.array([1300, 180, 2100], np.int64), 2)
    assert found.shape == (3, 5, len(RHYTHM))
    # beyond the ends of the record its first and its last beat stand
    for own, wanted in zip(found, ((1, 2, 3, 4, 5), (0, 0, 0, 1, 2), (3, 4, 5, 5, 5)), strict=True):
        np.testing.assert_array_equal(own, [rows[i] for i in wanted])
    columns = tuple(c for c in reversed(RHYTHM) if c.name != "pre_rr")
    wanted_rows = Wanted(columns=columns, beats=2)
    block = ROWS.block(cohort, whole, places, wanted=wanted_rows)
    assert block is not None
    for place, at in enumerate(places):
        alone = ROWS.read(cohort, Ref("wfdb-rhythm", "a.hea", (("anchor", int(at)),)), wanted=wanted_rows)
        together = block.one(place)
        assert isinstance(together, Row)
        assert alone.around is not None
        assert together.around is not None
        np.testing.assert_array_equal(alone.values, together.values)
        np.testing.assert_array_equal(alone.around, together.around)
        np.testing.assert_array_equal(alone.around[2], alone.values)
        assert alone.names == together.names == tuple(c.name for c in columns)


def test_neighbours_of_what_is_no_beat_are_refused(tmp_path: Path) -> None:
    record(tmp_path, "a", beats())
    cohort = Cohort("", str(tmp_path), (), Schema(), arrays={"beats:a.hea": np.array([180, 540], np.int64)})
    with pytest.raises(ReadError, match="no beat at sample 181"):
        read_around(cohort, Ref("wfdb-rhythm", "a.hea"), np.array([181], np.int64), 1)
    (tmp_path / "t.csv").write_text("id,age\np1,40\n", encoding="utf-8")
    spec = InputSpec(name="row", kind="row", ndim=0, columns=(RowColumn(name="age"),))
    table = Cohort("", str(tmp_path), (), Schema(inputs=(spec,)))
    ref = Ref("columns", "t.csv", (("table", "row"), ("row", 0)))
    assert ROWS.read(table, ref).values.tolist() == [40.0]
    with pytest.raises(ReadError, match="row alone") as told:
        ROWS.read(table, ref, wanted=Wanted(beats=1))
    assert "records" in told.value.next_step

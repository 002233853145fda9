"""What a plan wants of a signal is read: so much around an anchor, or all of it."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.signals.to_wfdb import write_record

from hounsfield.core.cohort import Cohort, InputSpec, Ref, Schema
from hounsfield.core.errors import ReadError
from hounsfield.core.kinds import Wanted
from hounsfield.data.kinds.signals import SIGNALS

RATE, SAMPLES = 360, 3600
AROUND, WHOLE = Wanted(around_s=(0.5, 1.0)), Wanted(around_s=(0.0, 0.0))


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    write_record(tmp_path, "100", np.arange(SAMPLES) % 900 + 600, [(1800, "N", "")])
    return Cohort("ward", str(tmp_path), (), Schema(inputs=(InputSpec(name="x", kind="signal", ndim=1),)))


def at(anchor: int | str | None) -> Ref:
    return Ref("wfdb", "100.hea", () if anchor is None else (("anchor", anchor),))


def test_the_window_lies_around_the_anchor(cohort: Cohort) -> None:
    whole = SIGNALS.read(cohort, at(None), wanted=WHOLE)
    found = SIGNALS.read(cohort, at(1800), wanted=AROUND)
    np.testing.assert_array_equal(found.array, whole.array[:, 1620:2160])
    assert found.array[0, 180] == whole.array[0, 1800]  # half a second in


@pytest.mark.parametrize(("anchor", "known"), [(100, slice(80, 540)), (3500, slice(0, 280))])
def test_beyond_the_ends_of_the_record_nothing_is_known(cohort: Cohort, anchor: int, known: slice) -> None:
    found = SIGNALS.read(cohort, at(anchor), wanted=AROUND)
    assert found.samples == 540
    finite = np.isfinite(found.array[0])
    assert finite[known].all()
    assert finite.sum() == known.stop - known.start


@pytest.mark.parametrize(("anchor", "said"), [(SAMPLES, "outside a record of 3600"), (-1, "outside"), ("x", "no")])
def test_an_anchor_that_is_none_is_refused(cohort: Cohort, anchor: int | str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        SIGNALS.read(cohort, at(anchor), wanted=AROUND)


def test_beats_and_whole_records_are_not_taken_for_each_other(cohort: Cohort) -> None:
    with pytest.raises(ReadError, match="the model looks at beats"):
        SIGNALS.read(cohort, at(None), wanted=AROUND)
    with pytest.raises(ReadError, match="the model looks at whole signals"):
        SIGNALS.read(cohort, at(1800), wanted=WHOLE)
    assert SIGNALS.read(cohort, at(1800)).samples == 2 * RATE  # before there is a plan: a second on either side


def test_a_header_is_read_anew_when_the_record_changes(cohort: Cohort) -> None:
    assert SIGNALS.header(cohort, at(1800)).samples == SAMPLES
    write_record(Path(cohort.root), "100", np.arange(720) % 900 + 600, [(360, "N", "")])
    assert SIGNALS.header(cohort, at(360)).samples == 720

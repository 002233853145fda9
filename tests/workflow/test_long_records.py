"""Records of many hours with one answer each go the whole way in stretches; what comes out is that of whole ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core import long_signal
from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref, Sample, Schema
from hounsfield.core.errors import ReadError
from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.long_signal import LongSignal
from hounsfield.core.progress import SILENT
from hounsfield.core.signal import Signal
from hounsfield.core.streams import stream
from hounsfield.data.signal import windows
from hounsfield.data.signal.wfdb.reader import WfdbReader
from hounsfield.learn.prepare.signal import SignalPreparation
from hounsfield.stages.auditing import series
from hounsfield.stages.explaining.picture import Panel
from hounsfield.stages.explaining.trace import draw_trace
from hounsfield.workflow.explaining_pictures import trace_of
from hounsfield.workflow.inspecting import inspect
from hounsfield.workflow.pictures import picture_of
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.study import Study, study
from hounsfield.workflow.survey import latest
from hounsfield.workflow.training import Run
from hounsfield.workflow.wishes import Wishes
from tests.data_room.folders import table
from tests.journeys.making import quick

RECORDS, LEADS, SAMPLES, RATE = 24, ("I", "II", "V1"), 4_000, 200
LONG, STRETCH = 3_000, 2_400


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of 20 s that count as long, with beats wide or narrow; in some a lead is off for a while."""
    folder = tmp_path_factory.mktemp("long")
    for n in range(RECORDS):
        draws = stream(n, "long records")
        beat = np.hanning(40 if n % 2 else 16) * 400
        values = draws.normal(0, 12, (SAMPLES, len(LEADS)))
        for lead in range(len(LEADS)):
            marks = np.zeros(SAMPLES)
            marks[draws.integers(120, 200, SAMPLES // 200).cumsum()] = 1.0
            values[:, lead] += np.convolve(marks, beat * (1 + lead / 4), "same") + 40 * lead
        stored = np.round(values).astype("<i2")
        if n % 5 == 0:
            stored[700:2_500, 1] = -32768
        (folder / f"r{n}.dat").write_bytes(stored.tobytes())
        lines = [f"r{n} {len(LEADS)} {RATE} {SAMPLES}"]
        lines += [f"r{n}.dat 16 200(0)/mV 16 0 {stored[0, i]} 0 0 {lead}" for i, lead in enumerate(LEADS)]
        (folder / f"r{n}.hea").write_text("\n".join(lines) + "\n")
    table(folder / "labels.csv", [{"record": f"r{n}", "beats": ("narrow", "wide")[n % 2]} for n in range(RECORDS)])
    return folder


Asked = list[int]


@contextmanager
def as_long() -> Iterator[Asked]:
    """Let the records count as long, and refuse to hand out one whole; give how many values were asked for at once."""
    found: Asked = []
    plain = WfdbReader.read

    def counted(self: WfdbReader, cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        signal = plain(self, cohort, ref, start=start, stop=stop)
        found.append(signal.array.size)
        return signal

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WfdbReader, "read", counted)
        patched.setattr(long_signal, "LONG_VALUES", LONG)
        patched.setattr(long_signal, "STRETCH_VALUES", STRETCH)
        patched.setattr(windows, "MAX_VALUES", LONG)
        yield found
    assert found
    assert max(found) <= LONG


@pytest.fixture(scope="module")
def run(ward: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that reads its records by stretches from the first look to the report."""
    with as_long() as asked:
        found = quick(ward, tmp_path_factory.mktemp("run") / "run", max_steps=2)
    assert max(asked) <= STRETCH
    return found


def facts_of(found: Study) -> SignalFacts:
    (seen,) = found.fingerprint.inputs.values()
    assert isinstance(seen, SignalFacts)
    return seen


def test_facts_are_those_of_whole_records(ward: Path) -> None:
    with as_long() as asked:
        by_stretches = study(ward, Wishes(), progress=SILENT)
    assert max(asked) <= STRETCH
    whole = study(ward, Wishes(), progress=SILENT)
    assert not by_stretches.audit.unreadable
    assert by_stretches.split == whole.split
    assert facts_of(by_stretches) == facts_of(whole)
    found, wanted = ([g.brightness for g in s.survey.glances] for s in (by_stretches, whole))
    assert found == pytest.approx(wanted, rel=1e-9)


def test_such_a_folder_is_inspected(ward: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "SECONDS", 5.0)  # of each record that many are read for the quality of its leads
    with as_long():
        found = inspect(ward)
    assert not found.audit.unreadable
    assert found.audit.samples == RECORDS
    assert ("rate", "200 Hz") in found.cohort.listings[0].rows


def test_predictions_are_those_of_whole_records(ward: Path, run: Run) -> None:
    assert run.report.parts["test"].samples > 0
    with as_long() as asked:
        found = list(predict(run.path, [ward]))
    assert max(asked) <= STRETCH
    whole = list(predict(run.path, [ward]))
    assert len(found) == len(whole) == RECORDS
    assert any(one.targets for one in found)
    for one, other in zip(found, whole, strict=True):
        assert (one.sample, one.refusal, one.flags) == (other.sample, other.refusal, other.flags)
        assert one.targets.keys() == other.targets.keys()
        for name, said in one.targets.items():
            assert said.probabilities == pytest.approx(other.targets[name].probabilities, abs=1e-5)


def test_a_record_that_cannot_be_read_to_its_end_is_refused_alone(
    ward: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = WfdbReader.read

    def worn(self: WfdbReader, cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        if ref.path.endswith("r4.hea") and start > 1000:
            raise ReadError("the disk is worn here", expected="a readable file")
        return plain(self, cohort, ref, start=start, stop=stop)

    monkeypatch.setattr(WfdbReader, "read", worn)
    with as_long():
        found = study(ward, Wishes(), progress=SILENT)
        said = {one.sample: one.refusal for one in predict(run.path, [ward])}
    assert {a.sample: a.reason for a in found.audit.unreadable} == {"r4": "the disk is worn here"}
    assert said["r4"] == "the disk is worn here"
    assert "the disk is worn here" not in [why for name, why in said.items() if name != "r4"]


def test_a_picture_is_of_what_is_looked_at(ward: Path) -> None:
    spec = SignalPreparation(
        leads=LEADS, units=("mV",) * 3, steps=300, rate_hz=100.0, mean=(0.0,) * 3, std=(1.0,) * 3, scale="level"
    )
    ref, schema = Ref("wfdb", "r1.hea"), Schema(inputs=(InputSpec(name="x", kind="signal", ndim=1),))
    cohort = Cohort("ward", str(ward), (Sample("r1", "r1", {"x": (Reading(ref),)}),), schema)
    with as_long():
        content = latest(cohort, cohort.samples[0], "x", wanted=spec.wanted)
        assert isinstance(content, LongSignal)
        assert picture_of(content) is None
        shown = spec.shown(content)
        assert picture_of(shown) is not None
        assert isinstance(shown, Signal)
        assert draw_trace(trace_of(shown, spec), [Panel("")]).startswith("<svg")

"""Beats are surveyed together as alone; a record is read once, by stretches, however many beats it has."""

from collections.abc import Mapping
from dataclasses import fields, replace

import numpy as np
import pytest
from benchmarks.signals.to_wfdb import write_record

from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref, Sample, Schema
from hounsfield.core.progress import SILENT
from hounsfield.core.signal import Signal
from hounsfield.core.streams import stream
from hounsfield.data.beat_inputs import BeatInputs, BeatsOf
from hounsfield.data.kinds.signals import BLOCK, GLANCED_S
from hounsfield.data.layouts.beats import ROWS
from hounsfield.data.signal.wfdb.reader import WfdbReader
from hounsfield.stages.fingerprinting.kinds import input_facts
from hounsfield.workflow import survey as surveying
from hounsfield.workflow.record_blocks import TOGETHER
from hounsfield.workflow.survey import Survey, survey
from tests.data_room.layouts.ward import RATE

SECONDS = 1200


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Twenty minutes of two records: more beats than are read together, the first and last at the very edges."""
    folder = tmp_path_factory.mktemp("survey")
    samples: list[Sample] = []
    for name in ("a", "b"):
        rng = stream(0, "survey", *name.encode())
        marks = np.cumsum(rng.integers(150, 450, 1500))
        marks = np.concatenate([[40], marks[marks < RATE * SECONDS - 1], [RATE * SECONDS - 1]])
        lead = np.round(rng.normal(1024, 20, RATE * SECONDS)).astype(np.int64)
        for at in marks:
            lead[max(0, at - 10) : at + 10] += 200
        lead[100 * RATE : 104 * RATE] = -2048  # not recorded
        write_record(folder, name, lead, [(int(at), "N", "") for at in marks])
        samples += [
            Sample(f"{name}{at}", name, BeatInputs(BeatsOf(f"{name}.hea", (), 1, "atr"), int(at))) for at in marks
        ]
    schema = Schema(inputs=(InputSpec(name="signal", kind="signal", ndim=1, leads=("II",)), *ROWS))
    return Cohort("ward", str(folder), tuple(samples), schema)


def alone(cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> Survey:
    with monkeypatch.context() as patched:
        patched.setattr(surveying, "record_of", lambda sample: None)
        return survey(cohort, progress=SILENT)


def same(found: Survey, wanted: Survey) -> None:
    assert found.unreadable == wanted.unreadable
    assert [g.sample for g in found.glances] == [g.sample for g in wanted.glances]
    for one, other in zip(found.glances, wanted.glances, strict=True):
        told = [n.name for n in fields(one) if n.name != "picture"]
        assert [getattr(one, n) for n in told] == [getattr(other, n) for n in told]
    assert found.looks.keys() == wanted.looks.keys()
    for name, looks in found.looks.items():
        assert list(looks) == list(wanted.looks[name])
        assert input_facts(name, list(looks.values())) == input_facts(name, list(wanted.looks[name].values()))


def few(ward: Cohort) -> Cohort:
    return replace(ward, samples=(*ward.samples[:60], *ward.samples[-60:]))


def test_beats_are_surveyed_together_as_alone(ward: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    cohort = few(ward)
    same(survey(cohort, progress=SILENT), alone(cohort, monkeypatch))


def test_so_are_beats_that_a_table_names_without_rows(ward: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    """A corrected ``samples.csv`` need not hold all three inputs of a beat."""
    samples = [Sample(s.id, s.patient, _signal_of(s.inputs)) for s in few(ward).samples]
    cohort = replace(ward, samples=tuple(samples), schema=Schema(inputs=ward.schema.inputs[:1]))
    wanted = alone(cohort, monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(surveying, "_alone", _never)
        found = survey(cohort, progress=SILENT)
    same(found, wanted)


def test_one_beat_that_cannot_be_read_is_set_aside_with_the_same_reason(
    ward: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = BeatsOf("a.hea", (), 1, "atr")
    wrong = (Sample("beyond", "a", BeatInputs(own, 10**9)), Sample("nowhere", "a", BeatInputs(own, 7)))
    cohort = replace(ward, samples=(*ward.samples[:5], *wrong, *ward.samples[5:10]))
    found = survey(cohort, progress=SILENT)
    assert [s.sample for s in found.unreadable] == ["beyond", "nowhere"]
    same(found, alone(cohort, monkeypatch))


def test_a_record_is_read_once_and_never_held_whole(ward: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    signals = replace(
        ward,
        samples=tuple(Sample(s.id, s.patient, _signal_of(s.inputs)) for s in ward.samples),
        schema=Schema(inputs=ward.schema.inputs[:1]),
    )
    read: dict[str, list[int]] = {}
    plain = WfdbReader.read

    def counted(self: WfdbReader, cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        found = plain(self, cohort, ref, start=start, stop=stop)
        read.setdefault(ref.path, []).append(found.samples)
        return found

    monkeypatch.setattr(WfdbReader, "read", counted)
    assert len(survey(signals, progress=SILENT).glances) == len(ward.samples) > 2 * TOGETHER
    around = round(sum(GLANCED_S) * RATE)
    for stretches in read.values():
        assert sum(stretches) < RATE * SECONDS + around * (len(stretches) + 1)
        assert len(stretches) <= RATE * SECONDS // BLOCK + len(ward.samples) // TOGETHER + 1
        assert max(stretches) <= BLOCK + around + RATE


def _signal_of(inputs: Mapping[str, tuple[Reading, ...]]) -> dict[str, tuple[Reading, ...]]:
    return {"signal": inputs["signal"]}


def _never(cohort: Cohort, sample: Sample, names: tuple[str, ...]) -> None:
    raise AssertionError(f"{sample.id} was read alone")

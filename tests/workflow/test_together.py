"""Beats that are read and judged together are judged as each of them is alone, in memory that does not grow."""

import tracemalloc
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.signals.to_wfdb import write_record

from hounsfield.bundle.sealed import BundleContents, Member
from hounsfield.core.cohort import Cohort, InputSpec, Ref, Sample, Schema
from hounsfield.core.errors import PlanError
from hounsfield.core.fingerprint import Fingerprint
from hounsfield.core.plan import Plan
from hounsfield.core.progress import SILENT
from hounsfield.core.row import RowColumn
from hounsfield.core.signal import Signal
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, IntArray
from hounsfield.data.beat_inputs import BeatInputs, BeatsOf
from hounsfield.data.kinds.protocol import BlockReader, content_reader
from hounsfield.data.layouts.beats import ROWS
from hounsfield.data.row.form import FORM
from hounsfield.data.row.rhythm import RHYTHM
from hounsfield.data.signal.wfdb.reader import WfdbReader
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.guard import GuardLimits, fit_guard
from hounsfield.learn.learners.network_runner import LARGEST_CALL, RUN_BATCH, call_size
from hounsfield.learn.learners.protocol import Job
from hounsfield.learn.loop import Optimisation
from hounsfield.learn.model import GUARD, Judgement, Model, member_json
from hounsfield.learn.nn.spec import NetworkSpec
from hounsfield.learn.nn.table import build
from hounsfield.learn.prepare.protocol import Preparation
from hounsfield.learn.prepare.row import RowPreparation
from hounsfield.learn.prepare.signal import SignalPreparation
from hounsfield.workflow.jobs import prepared_rows
from hounsfield.workflow.record_blocks import TOGETHER
from hounsfield.workflow.survey import latest
from hounsfield.workflow.together import items, judge_samples
from tests.data_room.layouts.ward import RATE
from tests.learn.toys import HEADS

LIMITS = GuardLimits(flag=2.0, refuse=12.0, ndim=1, size_low=(96,), size_high=(96,), colour=False)
GONE = -2048
"""What format 212 holds where nothing was recorded."""


def row_plan(columns: tuple[RowColumn, ...]) -> RowPreparation:
    names = tuple(c.name for c in columns)
    return RowPreparation(
        columns=names,
        logarithm=("post_rr",) if "post_rr" in names else (),
        complete=("form_size",) if "form_size" in names else (),
        middle=dict.fromkeys(names, 0.5),
        spread=dict.fromkeys(names, 0.3),
    )


PREPARATION: dict[str, Preparation] = {
    "signal": SignalPreparation(
        leads=("II",), units=("mV",), steps=96, rate_hz=120.0, before_s=0.3, after_s=0.5, scale="own", mean=(0.0,),
        std=(0.4,), storage="float16",
    ),
    "rhythm": row_plan(RHYTHM),
    "form": row_plan(FORM).model_copy(update={"around": 3}),
}  # fmt: skip


def contents() -> BundleContents:
    """A network for beats as nobody trained it, and a guard that doubts some of them."""
    head = HEADS["categorical"]
    network = NetworkSpec(
        family="joint",
        inputs={name: spec.shape for name, spec in PREPARATION.items()},
        heads={head.target.name: head.width},
        options={
            "encoders": {
                "signal": {"family": "recurrent", "width": 8, "bidirectional": True, "frame": 4},
                "form": {"family": "beat-sequence", "width": 8},
            }
        },
    )
    job = Job(
        seed=0,
        network=network,
        preparation=PREPARATION,
        augmentation=AugmentSpec(),
        optimisation=Optimisation(steps=1, batch=1),
        heads=(head,),
    )
    arrays = {k: v.numpy() for k, v in build(network, seed=1).state_dict().items()}
    looks = sum(len(spec.looks(spec.self_test()[0])) for spec in PREPARATION.values())
    return BundleContents(
        members=(Member("supervised", arrays, member_json(job, None)),),
        plan=Plan(hounsfield="0", cohort="toy", cohort_digest="0", task="classify", targets=(), sections={}),
        fingerprint=Fingerprint(samples=1, patients=1, val_samples=0, inputs={}, targets={}),
        documents={"guard": LIMITS.model_dump(mode="json")},
        arrays={GUARD: fit_guard(stream(0, "looks").normal(0.3, 1.5, (60, looks)))},
    )


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(contents())


def lead(seconds: int, marks: IntArray) -> IntArray:
    """A lead as stored: waves at the marks, noise, a stretch that was not recorded and one that is flat."""
    rng = stream(0, "together")
    values = rng.normal(0, 6, RATE * seconds)
    for at, size in zip(marks, rng.uniform(100, 300, len(marks)), strict=True):
        values[max(0, at - 10) : at + 10] += size
    stored = np.round(values).astype(np.int64) + 1024
    stored[50 * RATE + 100 : 52 * RATE] = GONE
    stored[70 * RATE : 74 * RATE] = 1024
    return stored


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Three minutes of beats, annotated in one record and found in another."""
    folder = tmp_path_factory.mktemp("together")
    marks = np.cumsum(stream(0, "marks").integers(150, 450, 210)).astype(np.int64)
    marks = np.concatenate([[40], marks[marks < 180 * RATE - 1], [180 * RATE - 1]])  # windows beyond both ends
    annotated: list[tuple[int, str, str]] = [(int(at), "N", "") for at in marks]
    write_record(folder, "a", lead(180, marks), annotated)
    write_record(folder, "b", lead(180, marks), [])
    own, found = BeatsOf("a.hea", (), 1, "atr"), BeatsOf("b.hea", (("lead", "MLII"),), 1, "")
    samples = [Sample(f"a{at}", "a", BeatInputs(own, at)) for at in marks.tolist()]
    samples += [Sample(f"b{at}", "b", BeatInputs(found, at)) for at in marks[::-1].tolist()]
    arrays: dict[str, AnyArray] = {"beats:b.hea": marks, "rate:b.hea": np.array([float(RATE)])}
    schema = Schema(inputs=(InputSpec(name="signal", kind="signal", ndim=1), *ROWS))
    return Cohort("ward", str(folder), tuple(samples), schema, arrays=arrays)


def flat(found: Iterable[tuple[Judgement, ...]]) -> list[Judgement]:
    return [judgement for several in found for judgement in several]


def alone(model: Model, asked: Iterable[tuple[Cohort, Sample]]) -> list[Judgement]:
    return list(model.judge(items(asked, model.preparation)))


def same(found: list[Judgement], wanted: list[Judgement]) -> None:
    assert [j.key for j in found] == [j.key for j in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert (one.flags, one.refusal) == (other.flags, other.refusal)
        assert one.outputs.keys() == other.outputs.keys()
        for name, values in one.outputs.items():
            np.testing.assert_allclose(values, other.outputs[name], rtol=0, atol=2e-6)


def test_beats_are_judged_together_as_alone(model: Model, ward: Cohort) -> None:
    asked = [(ward, sample) for sample in ward.samples]
    wanted = alone(model, asked)
    together = list(judge_samples(model, iter(asked)))
    assert [len(several) for several in together] == [len(ward) // 2] * 2
    same(flat(together), wanted)
    assert {bool(j.refusal) for j in wanted} == {True, False}
    assert any(j.flags for j in wanted)
    assert any("missing" in j.refusal or "flat" in j.refusal for j in wanted)


def test_what_is_prepared_together_is_what_is_prepared_alone(ward: Cohort) -> None:
    beats = [s.inputs for s in ward.samples if isinstance(s.inputs, BeatInputs)][: len(ward) // 2][::-1]
    anchors = np.array([b.anchor for b in beats], np.int64)
    for name, spec in PREPARATION.items():
        reader = content_reader(spec.kind_name)
        ref = beats[0].record.ref(name)
        assert ref is not None
        assert isinstance(reader, BlockReader)
        block = reader.block(ward, ref, anchors, wanted=spec.wanted)
        assert block is not None
        each = [reader.read(ward, b[name][0].ref, wanted=spec.wanted) for b in beats]
        stored = spec.prepared_block(block)
        np.testing.assert_array_equal(stored, np.stack([spec.prepared(one) for one in each]))
        np.testing.assert_allclose(spec.looks_block(stored), np.stack([spec.looks(one) for one in stored]), atol=1e-12)
        assert spec.blanks(stored) == [spec.blank(one) for one in stored]
        assert spec.doubts_block(block, LIMITS) == [spec.doubts(one, LIMITS) for one in each]
        # The plain way, for kinds that have no quicker one.
        np.testing.assert_array_equal(Preparation.prepared_block(spec, block), stored)
        assert Preparation.blanks(spec, stored) == spec.blanks(stored)
        assert Preparation.doubts_block(spec, block, LIMITS) == spec.doubts_block(block, LIMITS)
        np.testing.assert_allclose(Preparation.looks_block(spec, stored), spec.looks_block(stored), atol=1e-12)


def test_training_beats_are_prepared_together_as_alone(ward: Cohort) -> None:
    samples = ward.samples[:150] + ward.samples[-50:]
    two = {"leads": ("V5", "II"), "units": ("mV", "mV"), "mean": (0.0, 0.0), "std": (1.0, 1.0)}
    spec = PREPARATION["signal"].model_copy(update=two)  # no record has the first lead: nothing is known
    for name, own in {**PREPARATION, "signal ": spec}.items():
        found = list(prepared_rows(ward, samples, name.strip(), own, progress=SILENT))
        assert [row for row, _ in found] == [*range(len(samples))]
        for (_, stored), sample in zip(found, samples, strict=True):
            try:
                wanted = own.prepared(latest(ward, sample, name.strip(), wanted=own.wanted))
            except PlanError:
                wanted = np.full(own.stored_shape, np.nan)
            np.testing.assert_array_equal(stored, wanted)


def test_one_beat_that_cannot_be_read_is_told_and_the_others_are_judged(model: Model, ward: Cohort) -> None:
    first = ward.samples[:20]
    record = first[0].inputs
    assert isinstance(record, BeatInputs)
    beyond = Sample("beyond", "a", BeatInputs(record.record, 10**9))
    nowhere = Sample("nowhere", "a", BeatInputs(record.record, 7))
    asked = [(ward, s) for s in (*first[:10], beyond, nowhere, *first[10:])]
    found = flat(judge_samples(model, asked))
    same(found, alone(model, asked))
    said = {j.key: j.refusal for j in found if not j.outputs}
    assert "outside a record" in said["beyond"]
    assert "no beat at sample 7" in said["nowhere"]
    assert len(said) == 2


def test_beats_of_two_records_of_one_name_are_not_taken_for_one(model: Model, ward: Cohort, tmp_path: Path) -> None:
    marks = np.array([s.inputs.anchor for s in ward.samples[:30] if isinstance(s.inputs, BeatInputs)], np.int64)
    write_record(tmp_path, "a", lead(180, marks) // 2, [(int(at), "N", "") for at in marks])
    other = replace(ward, root=str(tmp_path))
    asked = [*((ward, s) for s in ward.samples[:30]), *((other, s) for s in ward.samples[:30])]
    found = list(judge_samples(model, asked))
    assert [len(several) for several in found] == [30, 30]
    same(flat(found), alone(model, asked))


def test_a_day_is_read_by_stretches_and_never_held(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate, leads, hours = 64, 4, 24
    samples = rate * 3600 * hours
    with (tmp_path / "day.dat").open("wb") as file:
        file.truncate(samples * leads * 2)  # zeros that take no room
    head = [f"day {leads} {rate} {samples}"] + [f"day.dat 16 200(0)/mV 16 0 0 0 0 lead{i}" for i in range(leads)]
    (tmp_path / "day.hea").write_text("\n".join(head).replace("lead3", "II") + "\n")
    marks = np.linspace(rate, samples - rate, 2 * TOGETHER).astype(np.int64)
    record = BeatsOf("day.hea", (), 1, "")
    beats = tuple(Sample(f"{at}", "d", BeatInputs(record, at)) for at in marks.tolist())
    arrays: dict[str, AnyArray] = {"beats:day.hea": marks, "rate:day.hea": np.array([float(rate)])}
    schema = Schema(inputs=(InputSpec(name="signal", kind="signal", ndim=1), *ROWS))
    day = Cohort("day", str(tmp_path), beats, schema, arrays=arrays)
    read: list[int] = []
    plain = WfdbReader.read

    def counted(self: WfdbReader, cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        found = plain(self, cohort, ref, start=start, stop=stop)
        read.append(found.samples)
        return found

    monkeypatch.setattr(WfdbReader, "read", counted)
    tracemalloc.start()
    try:
        count = sum(len(several) for several in judge_samples(model, ((day, s) for s in day.samples)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == len(beats)
    assert max(read) < samples / 50
    assert peak < samples * leads * 4 / 4  # a quarter of the record as float32


def test_beats_with_ten_on_either_side_are_still_many_in_a_call() -> None:
    form = row_plan(FORM).model_copy(update={"around": 10})
    assert call_size(PREPARATION | {"form": form}) == LARGEST_CALL
    long = SignalPreparation(leads=("II",) * 12, units=("mV",) * 12, steps=4096, mean=(0.0,) * 12, std=(1.0,) * 12)
    assert call_size({"signal": long, "form": form}) == RUN_BATCH

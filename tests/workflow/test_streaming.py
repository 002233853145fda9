"""A record is followed window by window: answers are those of the whole, memory stays what it is, others say why."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hounsfield.bundle.sealed import BundleContents
from hounsfield.cli.app import app
from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.errors import InputError, PlanError, RunExistsError
from hounsfield.core.signal import Signal
from hounsfield.core.types import Float32Array, Float64Array
from hounsfield.data.signal.readers import read_signal
from hounsfield.learn.following import Follower, unfollowing
from hounsfield.learn.prepare.signal import SignalPreparation
from hounsfield.workflow import streaming_sources
from hounsfield.workflow.opening import open_bundle
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.streaming import Said, StreamWishes, stream
from hounsfield.workflow.streaming_sources import from_lines, from_record, per_answer
from hounsfield.workflow.training import Run
from tests.journeys.making import quick
from tests.journeys.test_signals import STEPS, beats, write_archive

WINDOWS = 12


def write_wfdb(
    folder: Path,
    name: str,
    values: Float32Array | Float64Array,
    *,
    rate_hz: float = 64.0,
    leads: Sequence[str] = ("x",),
) -> None:
    """Write leads ``l t`` in format 16 with a thousandth of a millivolt in each step."""
    folder.mkdir(parents=True, exist_ok=True)
    steps = np.rint(1000.0 * values).astype("<i2")
    (folder / f"{name}.dat").write_bytes(steps.T.tobytes())
    lines = [f"{name} {len(steps)} {rate_hz:g} {steps.shape[1]}"]
    lines += [f"{name}.dat 16 1000(0)/mV 16 0 {row[0]} 0 0 {lead}" for row, lead in zip(steps, leads, strict=True)]
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("causal")
    return quick(write_archive(folder / "beats.npz"), folder / "run", max_steps=12, causal=True)


@pytest.fixture(scope="module")
def contents(causal: Run) -> BundleContents:
    return open_bundle(causal.path)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One long record in WFDB, and the same series one by one in an archive beside it."""
    folder = tmp_path_factory.mktemp("long")
    x, _ = beats(WINDOWS, first=4000)
    whole = np.concatenate([*x, x[0, : STEPS // 2]])
    write_wfdb(folder / "rec", "day", whole[None])
    stored = read_signal(Cohort("", str(folder / "rec"), (), Schema()), Ref("wfdb", "day.hea")).array[0]
    np.savez(folder / "each.npz", X=stored[: WINDOWS * STEPS].reshape(WINDOWS, STEPS))
    return folder / "rec" / "day.hea"


def beginning(run: Run, record: Path, *, series: int) -> list[Said]:
    """Return what is said of the first series of a record, and look at no other."""
    return list(takewhile(lambda said: said.series < series, stream(run.path, record)))


def probabilities(said: Said) -> list[float]:
    (target,) = said.prediction.targets.values()
    return list(target.probabilities.values())


def test_a_causal_plan_has_one_direction_and_the_last_state(contents: BundleContents) -> None:
    plan = contents.plan
    assert plan.value("network", "family") == "recurrent"
    assert plan.value("network", "bidirectional") is False
    assert plan.value("network", "pooling") == "last"
    assert plan.value("ensemble", "features") is False
    (section,) = [name for name in plan.sections if name.startswith("preparation.")]
    assert plan.value(section, "scale") in ("none", "training")
    assert "live series" in plan.sections["network"]["bidirectional"].rule


def test_the_last_answer_of_each_series_is_that_of_the_whole_series(causal: Run, record: Path) -> None:
    said = list(stream(causal.path, record))
    ends = [s for s in said if s.steps == STEPS]
    assert [s.series for s in ends] == list(range(WINDOWS))
    whole = list(predict(causal.path, [record.parent.parent / "each.npz"]))
    for step, batch in zip(ends, whole, strict=True):
        (target,) = batch.targets.values()
        np.testing.assert_allclose(probabilities(step), list(target.probabilities.values()), atol=2e-4)
        assert step.prediction.flags == batch.flags
        assert step.prediction.refusal == batch.refusal
    assert said[-1].series == WINDOWS  # the record's end is a shorter series
    assert said[-1].steps == STEPS // 2


def test_one_answer_for_each_step_and_no_step_knows_what_follows(causal: Run, record: Path, tmp_path: Path) -> None:
    first = beginning(causal, record, series=1)
    frame = Follower(open_bundle(causal.path)).frame
    assert [s.steps for s in first] == [*range(frame, STEPS, frame), STEPS]
    x, _ = beats(1, first=4000)
    x[0, STEPS // 2 :] = 9.0  # another future
    write_wfdb(tmp_path, "other", x)
    other = list(stream(causal.path, tmp_path / "other.hea"))
    for a, b in zip(first, other, strict=True):
        if a.steps <= STEPS // 2:
            np.testing.assert_allclose(probabilities(a), probabilities(b), atol=1e-3)  # as exact as both are stored


def test_a_day_is_read_by_windows_and_memory_does_not_grow(
    causal: Run, contents: BundleContents, record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def counted(cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        found = read_signal(cohort, ref, start=start, stop=stop)
        read.append(found.samples)
        return found

    monkeypatch.setattr(streaming_sources, "read_signal", counted)
    said = stream(causal.path, record, asked=StreamWishes())
    assert next(said).steps > 0
    assert read == [STEPS]  # one window, though the record holds twelve
    rest = list(said)
    assert len(rest) > WINDOWS
    assert max(read) == STEPS
    assert len(read) == WINDOWS + 1
    follower = Follower(contents)
    x, _ = beats(2, first=0)
    follower.feed(x[:1, :8])
    kept = follower.kept
    for _ in range(50):
        follower.feed(x[:1, :8])
    assert follower.kept == kept


def test_series_of_another_rate_are_prepared_as_a_whole_window_is(tmp_path: Path) -> None:
    spec = SignalPreparation(leads=("I",), units=("mV",), steps=100, rate_hz=50.0, mean=(0.1,), std=(0.5,))
    x = np.cumsum(np.random.default_rng(0).normal(0, 0.05, (1, 1000)), axis=1)
    write_wfdb(tmp_path, "fast", x, rate_hz=180, leads=("I",))
    cohort, ref = Cohort("", str(tmp_path), (), Schema()), Ref("wfdb", "fast.hea")
    pieces = list(from_record(cohort, ref, spec, per=per_answer(spec, 7, None)))
    begun = [k for k, p in enumerate(pieces) if p.begins]
    assert len(begun) == 3  # 1000 samples are 2.8 windows of 2 s
    for place, start in enumerate(begun):
        stop = begun[place + 1] if place + 1 < len(begun) else len(pieces)
        steps = np.concatenate([p.steps for p in pieces[start:stop]], axis=1)
        window = read_signal(cohort, ref, start=360 * place, stop=min(1000, 360 * (place + 1)))
        np.testing.assert_array_equal(steps, spec.prepared(window)[:, : steps.shape[1]])
        assert pieces[stop - 1].time_s == pytest.approx(2.0 * place + steps.shape[1] / 50.0)
    assert per_answer(spec, 8, 1.0) == 48  # whole steps of the network


def test_lines_are_samples(causal: Run, record: Path) -> None:
    stored = np.load(record.parent.parent / "each.npz")["X"]
    values: Float32Array = stored[:2].reshape(-1)
    lines = ["x\n", *(f"{v:.9g}\n" for v in values)]
    from_file = [probabilities(s) for s in beginning(causal, record, series=2)]
    from_stdin = [probabilities(s) for s in stream(causal.path, lines)]
    np.testing.assert_allclose(from_stdin, from_file, atol=1e-5)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "does not name the leads"),
        (["1.0,2.0\n"], "does not name the leads"),
        (["x\n", "1\n", "abc\n"], "Line 3 has 1 cells, 0 of them numbers"),
        (["x\n", "1,2\n"], "Line 2 has 2 cells"),
    ],
)
def test_lines_that_are_no_samples_are_refused(causal: Run, lines: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        list(stream(causal.path, lines))


def test_irregular_lines_carry_their_times() -> None:
    spec = SignalPreparation(leads=("HR", "MAP"), units=("", "mmHg"), steps=9, times=True, mean=(80, 70), std=(10, 10))
    lines = ["time_s,MAP,HR\n", "0,80,\n", "1800,,90\n", "1800,60,\n"]
    pieces = list(from_lines(lines, spec, per=1))
    assert [p.begins for p in pieces] == [True, False, False]
    assert [p.time_s for p in pieces] == [0.0, 1800.0, 1800.0]
    np.testing.assert_allclose(pieces[1].steps[:, 0], [0.5, 1.0, np.nan])
    with pytest.raises(InputError, match="lies before"):
        list(from_lines(["time_s,MAP,HR\n", "60,1,1\n", "0,1,1\n"], spec, per=1))
    with pytest.raises(InputError, match="behind a column of times"):
        list(from_lines(["MAP,HR\n", "1,1\n"], spec, per=1))


def test_lines_at_a_fixed_rate_may_carry_times_that_fit_it() -> None:
    spec = SignalPreparation(leads=("I",), units=("mV",), steps=9, rate_hz=100.0, mean=(0.0,), std=(1.0,))
    (piece,) = from_lines(["t,I\n", "0.00,1\n", "0.01,nan\n", "0.02,1e99\n"], spec, per=3)
    np.testing.assert_array_equal(piece.steps, [[1.0, np.nan, np.nan]])
    assert piece.time_s == pytest.approx(0.03)
    (later,) = from_lines(["t,I\n", "100.00,1\n", "100.01,1\n"], spec, per=2)
    assert later.time_s == pytest.approx(100.02)  # the clock of who sends
    for second in ("0.02", "0.0", "5"):
        with pytest.raises(InputError, match="100 samples per second"):
            list(from_lines(["t,I\n", "0.00,1\n", f"{second},1\n"], spec, per=1))
    with pytest.raises(InputError, match="comma-separated"):
        list(from_lines(["I\n", '"' + "1" * 200_000 + "\n"], spec, per=1))
    pieces = list(from_lines(["I\n", *["1\n"] * 20], spec, per=4))
    assert [p.steps.shape[1] for p in pieces] == [4, 4, 1, 4, 4, 1, 2]  # a new series after nine
    assert [k for k, p in enumerate(pieces) if p.begins] == [0, 3, 6]


def test_the_command_prints_a_line_for_each_answer(causal: Run, record: Path, tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["predict", str(causal.path), str(record), "--stream", "--json"])
    assert said.exit_code == 0, said.output
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    assert {"series", "steps", "time_s", "targets", "flags", "refusal"} <= set(lines[0])
    text = "x\n" + "\n".join(["0.1"] * 5)
    piped = CliRunner().invoke(
        app, ["predict", str(causal.path), "-", "--stream", "--out", str(tmp_path / "out")], input=text
    )
    assert piped.exit_code == 0, piped.output
    assert "answers. Research software" in piped.stdout
    with (tmp_path / "out" / "stream.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[-1]["steps"] == "5"
    assert {"series", "time_s", "predicted", "refusal"} <= set(rows[0])
    with pytest.raises(RunExistsError):
        next(stream(causal.path, record, asked=StreamWishes(out=tmp_path / "out")))
    for words in (["--every", "0"], ["--engine", "torch"]):
        bad = CliRunner().invoke(app, ["predict", str(causal.path), str(record), "--stream", *words])
        assert bad.exit_code != 0
    assert CliRunner().invoke(app, ["predict", str(causal.path), str(record), "--every", "2"]).exit_code != 0


def test_other_plans_say_why_and_what_to_train(contents: BundleContents, tmp_path: Path) -> None:
    (member,) = contents.members
    assert unfollowing(contents) == ""
    assert "kernels" in unfollowing(replace(contents, members=(replace(member, learner="kernels"),)))
    other = quick(write_archive(tmp_path / "beats.npz"), tmp_path / "run", max_steps=1)
    with pytest.raises(PlanError, match="looks at a whole stretch") as told:
        next(stream(other.path, tmp_path / "beats.npz"))
    assert "--causal" in told.value.message()
    level = SignalPreparation(leads=("I",), units=("mV",), steps=9, mean=(0.0,), std=(1.0,), scale="level")
    assert "its own mean" in level.live
    with pytest.raises(PlanError, match="its own mean"):
        level.stretch(Signal(np.ones((1, 9), np.float32), ("I",), ("mV",), rate_hz=9.0))


def test_a_record_that_does_not_fit_ends_with_the_reason(causal: Run, tmp_path: Path) -> None:
    write_wfdb(tmp_path, "two", np.zeros((2, 100)), leads=("I", "II"))
    (said,) = stream(causal.path, tmp_path / "two.hea")
    assert "has no lead 'x'" in said.prediction.refusal

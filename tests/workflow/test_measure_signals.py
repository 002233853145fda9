"""Measuring signals: stretches, what is set aside, and what is written."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from benchmarks.signals.to_wfdb import write_record
from typer.testing import CliRunner

from hounsfield.cli.app import app
from hounsfield.core.errors import InputError, RunExistsError
from hounsfield.core.signal import Signal
from hounsfield.science.physiology.measuring import measure_signal
from hounsfield.workflow.measure_signals import holds_signals, measure_signals, stretches
from tests.science.physiology.hearts import beat_times, heart

RATE = 360


def _record(folder: Path, name: str, seconds: int, rr_s: float) -> np.ndarray:
    lead = heart(beat_times(seconds, rr_s=rr_s, spread=0.02), RATE, seconds, noise=0.005)
    samples = np.rint(lead * 200 + 1024).astype(np.int64)
    write_record(folder, name, samples, [(100, "N", "")])
    return ((samples - 1024.0) / 200).astype(np.float32)


def test_each_record_of_a_folder_is_a_row_as_measured_alone(tmp_path: Path) -> None:
    leads = {name: _record(tmp_path, name, 120, rr) for name, rr in (("a", 0.8), ("b", 1.0))}
    (tmp_path / "labels.csv").write_text("record,answer\na,1\nb,0\n")
    (tmp_path / "bad.hea").write_text("bad 1 0 1000\nbad.dat 16 200 16 0 0 0 0 II\n")
    (tmp_path / "gone.hea").write_text("gone 1 360 1000\ngone.dat 16 200 16 0 0 0 0 II\n")
    out = tmp_path / "out" / "features.parquet"
    found = measure_signals(tmp_path, out=out, threads=1)
    assert [r.case for r in found.rows] == ["a", "b"]
    assert {a.sample for a in found.record.apart} == {"bad", "gone"}
    for row in found.rows:
        alone = measure_signal(Signal(leads[row.case][None], ("MLII",), ("mV",), rate_hz=float(RATE)))
        assert row.values["heart_rate_bpm"] == pytest.approx(alone.values["heart_rate_bpm"], rel=1e-9)
        assert (row.start_s, row.duration_s) == (0, 120)
    rates = [60 / 0.8, 60.0]
    assert [r.values["heart_rate_bpm"] for r in found.rows] == pytest.approx(rates, rel=0.01)
    table = pq.read_table(out)
    assert table["case"].to_pylist() == ["a", "b"]
    assert table["heart_rate_bpm"].to_pylist() == [r.values["heart_rate_bpm"] for r in found.rows]
    assert {p.name for p in out.parent.iterdir()} == {
        "features.parquet", "features.csv", "features.json", "features_apart.csv",
    }  # fmt: skip
    told = json.loads((out.parent / "features.json").read_text())
    assert told["source"] == ".."
    with pytest.raises(RunExistsError):
        measure_signals(tmp_path, out=out)


def test_stretches_of_a_record() -> None:
    assert stretches(1000, None, 5.0) == [(0, 1000)]
    assert stretches(1800 * 10, 10.0, None) == [(0, 18000)]
    day = stretches(86_400 * 10, 10.0, None)
    assert len(day) == 288
    assert all(b - a == 3000 for a, b in day)
    assert stretches(1000, 10.0, 30.0) == [(0, 300), (300, 600), (600, 900)]  # the last 10 s are too short
    assert stretches(1060, 10.0, 30.0)[-1] == (900, 1060)
    assert stretches(50, 10.0, 30.0) == [(0, 50)]


def test_stretches_are_measured_where_they_lie(tmp_path: Path) -> None:
    lead = _record(tmp_path, "a", 120, 0.8)
    found = measure_signals(tmp_path / "a.hea", every_s=40)
    assert [r.start_s for r in found.rows] == [0, 40, 80]
    part = Signal(lead[None, 40 * RATE : 80 * RATE], ("MLII",), ("mV",), rate_hz=float(RATE))
    assert found.rows[1].values == pytest.approx(measure_signal(part).values, nan_ok=True)


def test_segments_belong_to_the_record_that_names_them(tmp_path: Path) -> None:
    _record(tmp_path, "one", 60, 0.8)
    _record(tmp_path, "two", 60, 0.8)
    frames = 60 * RATE
    (tmp_path / "all.hea").write_text(f"all/2 1 {RATE} {2 * frames}\none {frames}\ntwo {frames}\n")
    found = measure_signals(tmp_path)
    assert [(r.case, r.duration_s) for r in found.rows] == [("all", 120)]


def test_what_holds_no_signal_is_said(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("record,answer\na,1\n")
    assert not holds_signals(tmp_path)
    with pytest.raises(InputError, match="no record of signals"):
        measure_signals(tmp_path)
    _record(tmp_path, "a", 20, 0.8)
    assert holds_signals(tmp_path)
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="Stretches"):
            measure_signals(tmp_path, every_s=wrong)


def test_the_command_measures_signals_where_no_masks_are_given(tmp_path: Path) -> None:
    _record(tmp_path, "a", 60, 0.8)
    out = tmp_path / "out" / "f.parquet"
    done = CliRunner().invoke(app, ["measure", str(tmp_path), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "1 stretches of 1 records" in done.output
    assert out.exists()
    done = CliRunner().invoke(app, ["measure", str(tmp_path), "--json"])
    rows = json.loads(done.stdout)["rows"]
    assert rows[0]["values"]["heart_rate_bpm"] == pytest.approx(75, rel=0.01)

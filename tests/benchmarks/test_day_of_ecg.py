"""The day of the benchmark is the record over and over, in WFDB."""

from pathlib import Path

import numpy as np
from benchmarks.signals.to_wfdb import GAIN, RATE_HZ, ZERO
from benchmarks.speed.day_of_ecg import write_day

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.data.signal.readers import read_signal


def test_a_record_is_written_over_and_over_until_it_is_long_enough(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(900, 1150, 721)
    hours = 5000 / 3600 / RATE_HZ
    assert write_day(tmp_path, samples, hours) == 5000
    signal = read_signal(Cohort("", str(tmp_path), (), Schema()), Ref("wfdb", "day.hea"))
    assert signal.samples == 5000
    expected = (np.resize(samples[:720], 5000) - ZERO) / GAIN  # an even number of samples, so that bytes repeat
    np.testing.assert_allclose(signal.array[0], expected, atol=1e-6)
    written = (tmp_path / "day.dat").stat().st_mtime_ns
    assert write_day(tmp_path, samples, hours) == 5000
    assert (tmp_path / "day.dat").stat().st_mtime_ns == written  # once

"""Real public signals come out right; skipped where they are absent."""

import os
from pathlib import Path

import numpy as np
import pytest
from benchmarks.signals.to_wfdb import stored_marks, stored_samples, write_record

from hounsfield.core.cohort import Ref
from hounsfield.data.signal.readers import read_signal, signal_header, signal_reader_for
from hounsfield.data.signal.wfdb.annotations import flutter, read_annotations, rhythms
from hounsfield.data.signal.wfdb.reader import checksum_faults
from hounsfield.science.physiology.beats import r_peaks
from hounsfield.science.physiology.matching import BEAT_SYMBOLS, match_beats
from hounsfield.science.physiology.pressure import pressure_beats
from tests.data_room.signal.records import cohort_in, wfdb

DATA = Path(os.environ.get("HOUNSFIELD_DATA", Path(__file__).parents[3] / "../shared/data"))


def _folder(name: str) -> Path:
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not in the folder that HOUNSFIELD_DATA names")
    return DATA / name


def test_an_intensive_care_record_as_its_header_says() -> None:
    folder = _folder("abp_waveforms") / "wfdb"
    cohort, ref = cohort_in(folder), wfdb("03700181")
    assert signal_reader_for(folder / "03700181.hea") == "wfdb"
    assert checksum_faults(cohort, ref) == ()  # the sums were made by whoever recorded it
    header = signal_header(cohort, ref)
    assert (header.leads, header.units) == (("MCL1", "ABP", "RESP"), ("mV", "mmHg", "mV"))
    assert (header.rate_hz, header.samples) == (500, 300_000)
    abp = read_signal(cohort, Ref("wfdb", "03700181.hea", (("lead", "ABP"),)))
    assert abp.array[0, 0] == pytest.approx((-943 + 1605) / 12.84, rel=1e-5)
    ecg = read_signal(cohort, Ref("wfdb", "03700181.hea", (("lead", "MCL1"),)))
    peaks = r_peaks(ecg.array, 500) / 500
    beats = pressure_beats(abp.array[0], 125)
    assert abs(len(peaks) - len(beats.onset)) < 0.02 * len(peaks)
    assert 30 < np.median(beats.systolic) < 190
    assert np.nanmedian(beats.mean) < np.median(beats.systolic)


def test_arrhythmia_records_survive_the_way_through_wfdb(tmp_path: Path) -> None:
    source = _folder("mitbih_arrhythmia") / "records" / "207.npz"
    samples, marks = stored_samples(source), stored_marks(source)
    write_record(tmp_path, "a", samples, marks)
    found = read_signal(cohort_in(tmp_path), wfdb())
    np.testing.assert_allclose(found.array[0], (samples - 1024) / 200, atol=1e-6)
    assert checksum_faults(cohort_in(tmp_path), wfdb()) == ()
    annotations = read_annotations(tmp_path / "a.atr", rate_hz=360)
    assert [(a.sample, a.symbol, a.text) for a in annotations] == marks
    assert len(flutter(annotations, 650_000)) == 6
    assert {s.label for s in rhythms(annotations, 650_000)} == {"B", "VT", "N", "VFL", "SVTA", "IVR"}


def test_beats_of_a_record_are_found() -> None:
    folder = _folder("mitbih_arrhythmia") / "records"
    for name in ("119", "209"):
        marks = stored_marks(folder / f"{name}.npz")
        reference = np.array([m[0] for m in marks if m[1] in BEAT_SYMBOLS])
        found = match_beats(reference, r_peaks(stored_samples(folder / f"{name}.npz"), 360), 360)
        assert found.sensitivity > 0.998
        assert found.positive_predictivity > 0.998


def test_pig_pressures_have_beats() -> None:
    folder = _folder("ucr_medical")
    cohort = cohort_in(folder)
    assert signal_reader_for(folder / "PigArtPressure.npz") == "ucr"
    for index in (0, 50, 100):
        series = read_signal(cohort, Ref("ucr", "PigArtPressure.npz", (("array", "X_train"), ("index", index))))
        beats = pressure_beats(series.array[0], 100)  # the rate is not told; beats are, at any rate near it
        assert len(beats.peak) > 5
        assert (beats.systolic > beats.diastolic + 5).all()

from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.streams import stream
from hounsfield.data.signal.edf import edf_annotations
from hounsfield.data.signal.readers import read_signal, signal_header, signal_reader_for
from tests.data_room.signal.records import cohort_in

EDF = Ref("edf", "a.edf")


def _field(value: object, width: int) -> bytes:
    return value.ljust(width) if isinstance(value, bytes) else str(value).ljust(width).encode()


def _file(
    folder: Path, records: list[bytes], *, samples: tuple[int, ...] = (4,), reserved: str = "", told: int | None = None,
    labels: tuple[str | bytes, ...] = ("ECG",), seconds: object = 1, bdf: bool = False,
    range_: tuple[int, int] = (-1000, 1000), unit: str | bytes = "uV",
) -> None:  # fmt: skip
    count = len(samples)
    head = (b"\xffBIOSEMI" if bdf else _field(0, 8)) + _field("X X X X", 80) + _field("Startdate", 80)
    head += _field("01.01.85", 8) + _field("00.00.00", 8) + _field(256 * (count + 1), 8) + _field(reserved, 44)
    head += _field(len(records) if told is None else told, 8) + _field(seconds, 8) + _field(count, 4)
    for values, width in (
        (labels, 16), ([""] * count, 80), ([unit] * count, 8), ([-100] * count, 8), ([100] * count, 8),
        ([range_[0]] * count, 8), ([range_[1]] * count, 8), ([""] * count, 80), (samples, 8), ([""] * count, 32),
    ):  # fmt: skip
        head += b"".join(_field(v, width) for v in values)
    (folder / "a.edf").write_bytes(head + b"".join(records))


def _values(*values: int) -> bytes:
    return np.array(values, "<i2").tobytes()


def test_values_are_scaled_and_windows_equal_the_whole(tmp_path: Path) -> None:
    _file(tmp_path, [_values(0, 1000, -1000, 10), _values(1, 2, 3, 4)])
    cohort = cohort_in(tmp_path)
    found = read_signal(cohort, EDF)
    np.testing.assert_allclose(found.array, [[0, 100, -100, 1, 0.1, 0.2, 0.3, 0.4]], rtol=1e-5)
    assert (found.leads, found.units, found.rate_hz) == (("ECG",), ("uV",), 4)
    part = read_signal(cohort, EDF, start=3, stop=6)
    np.testing.assert_array_equal(part.array, found.array[:, 3:6])
    assert part.start_s == 0.75
    assert signal_reader_for(tmp_path / "a.edf") == "edf"


def test_the_same_as_edfio_writes(tmp_path: Path) -> None:
    edfio = pytest.importorskip("edfio", reason="edfio is not installed; it is an independent reference")
    rng = stream(0, "edf")
    fast, slow = rng.normal(0, 50, 500), rng.normal(90, 10, 100)
    marks = [edfio.EdfAnnotation(0.5, None, "start"), edfio.EdfAnnotation(2.25, 1.5, "apnoea – long")]
    signals = [
        edfio.EdfSignal(fast, 100, label="ECG II", physical_dimension="uV"),
        edfio.EdfSignal(slow, 20, label="ABP", physical_dimension="mmHg"),
    ]
    edfio.Edf(signals, annotations=marks).write(tmp_path / "a.edf")
    cohort = cohort_in(tmp_path)
    found = read_signal(cohort, EDF)
    theirs = edfio.read_edf(tmp_path / "a.edf")
    assert found.rate_hz == 100
    np.testing.assert_allclose(found.array[0], theirs.signals[0].data, atol=1e-4)
    np.testing.assert_allclose(found.array[1], np.repeat(theirs.signals[1].data, 5), atol=1e-4)
    alone = read_signal(cohort, Ref("edf", "a.edf", (("lead", "ABP"),)))
    assert (alone.rate_hz, alone.units) == (20, ("mmHg",))
    assert [(a.onset_s, a.duration_s, a.text) for a in edf_annotations(cohort, EDF)] == [
        (0.5, 0.0, "start"),
        (2.25, 1.5, "apnoea – long"),
    ]
    assert signal_header(cohort, EDF).file_format == "EDF+"


def _mixed(folder: Path, *, seconds: int = 3) -> list[np.ndarray]:
    """Write leads at 256, 200, 64 and 1 Hz and return their values in microvolts."""
    rates = (256, 200, 64, 1)
    values = [stream(0, "mixed", rate).integers(-900, 900, (seconds, rate)) for rate in rates]
    records = [b"".join(_values(*v[k]) for v in values) for k in range(seconds)]
    _file(folder, records, samples=rates, labels=("EEG", "ECG", "Resp", "SpO2"))
    return [v.reshape(-1) / 10 for v in values]


def test_leads_of_different_rates_come_at_the_fastest_one(tmp_path: Path) -> None:
    eeg, ecg, breath, oxygen = _mixed(tmp_path)
    cohort = cohort_in(tmp_path)
    header = signal_header(cohort, EDF)
    assert (header.rate_hz, header.samples) == (256, 768)
    assert header.notes == (
        "leads have different rates, 256 Hz (EEG), 200 Hz (ECG), 64 Hz (Resp), 1 Hz (SpO2): all are brought to the "
        "fastest",
    )
    found = read_signal(cohort, EDF).array
    times = np.arange(768) / 256
    expected = [
        eeg,
        np.interp(times, np.arange(600) / 200, ecg),  # held behind the last sample
        np.repeat(breath, 4),
        np.repeat(oxygen, 256),
    ]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    for a, b in ((0, 1), (250, 260), (255, 257), (500, 768)):
        np.testing.assert_array_equal(read_signal(cohort, EDF, start=a, stop=b).array, found[:, a:b])
    alone = read_signal(cohort, Ref("edf", "a.edf", (("lead", "ECG"),)))
    assert alone.rate_hz == 200
    np.testing.assert_allclose(alone.array[0], ecg, atol=1e-4)
    assert signal_header(cohort, Ref("edf", "a.edf", (("lead", "ECG"),))).notes == ()


def test_a_slow_reading_is_held_and_never_looks_ahead(tmp_path: Path) -> None:
    slow = (1, 2, 3)
    _file(tmp_path, [_values(*range(25), *slow), _values(*range(25), 4, 5, 6)], samples=(25, 3), labels=("ABP", "SpO2"))
    found = read_signal(cohort_in(tmp_path), EDF).array[1]
    by_hand = [(slow, (4, 5, 6))[i // 25][i % 25 * 3 // 25] / 10 for i in range(50)]
    np.testing.assert_allclose(found, by_hand, atol=1e-5)


def test_no_line_is_drawn_over_an_interruption(tmp_path: Path) -> None:
    times = [f"+{o}\x14\x14\0".encode().ljust(20, b"\0") for o in ("0", "1", "5")]
    records = [_values(*[10 * k] * 4, *[10 * k] * 3) + times[k] for k in range(3)]
    labels = ("a", "b", "EDF Annotations")
    _file(tmp_path, records, samples=(4, 3, 10), labels=labels, reserved="EDF+D")
    found = read_signal(cohort_in(tmp_path), EDF).array[1]
    np.testing.assert_allclose(found[:8], [0, 0, 0, 0.25, 1, 1, 1, 1], atol=1e-5)
    assert np.isnan(found[8:20]).all()


def test_an_interrupted_file_is_opened_a_few_times_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _interrupted(tmp_path, tuple(str(i) for i in range(200)))
    opened: list[str] = []
    plain = Path.open

    def counted(path: Path, mode: str = "r") -> IO[Any]:
        opened.append(path.name)
        return plain(path, mode)

    monkeypatch.setattr(Path, "open", counted)
    cohort = cohort_in(tmp_path)
    whole = read_signal(cohort, EDF)
    read_signal(cohort, EDF, start=8, stop=48)
    assert len(opened) <= 5  # header and times, samples; header, samples
    data = (tmp_path / "a.edf").read_bytes()
    _interrupted(tmp_path, tuple(str(2 * i) for i in range(200)))
    assert len(data) == (tmp_path / "a.edf").stat().st_size
    assert signal_header(cohort, EDF).samples > whole.samples  # what changed is read anew


def test_twenty_four_bits_are_read(tmp_path: Path) -> None:
    values = b"".join((v & 0xFFFFFF).to_bytes(3, "little") for v in (0, 8_388_607, -8_388_608, -1))
    _file(tmp_path, [values], bdf=True, range_=(-8388608, 8388607))
    np.testing.assert_allclose(read_signal(cohort_in(tmp_path), EDF).array[0], [0, 100, -100, 0], atol=2e-5)
    assert signal_header(cohort_in(tmp_path), EDF).file_format == "BDF"


def _interrupted(folder: Path, onsets: tuple[str, ...]) -> None:
    records = [_values(i, i, i, i) + f"+{o}\x14\x14\0".encode().ljust(40, b"\0") for i, o in enumerate(onsets)]
    _file(folder, records, samples=(4, 20), labels=("ECG", "EDF Annotations"), reserved="EDF+D")


def test_an_interrupted_recording_has_gaps(tmp_path: Path) -> None:
    _interrupted(tmp_path, ("0", "1", "3.5"))
    found = read_signal(cohort_in(tmp_path), EDF)
    expected = [0] * 4 + [0.1] * 4 + [np.nan] * 6 + [0.2] * 4
    np.testing.assert_allclose(found.array[0][:18], expected, rtol=1e-5)
    assert "interrupted 1 times" in signal_header(cohort_in(tmp_path), EDF).notes[0]
    part = read_signal(cohort_in(tmp_path), EDF, start=7, stop=16)
    np.testing.assert_array_equal(part.array, found.array[:, 7:16])


def test_records_that_run_backwards_are_an_error(tmp_path: Path) -> None:
    _interrupted(tmp_path, ("0", "5", "2"))
    with pytest.raises(ReadError, match="backwards"):
        read_signal(cohort_in(tmp_path), EDF)


def test_a_header_that_lies_about_the_length_is_told(tmp_path: Path) -> None:
    _file(tmp_path, [_values(1, 2, 3, 4)], told=1000)
    header = signal_header(cohort_in(tmp_path), EDF)
    assert header.samples == 4
    assert "promises 1000 data records, the file holds 1" in header.notes[0]
    _file(tmp_path, [_values(1, 2, 3, 4)] * 10, told=4)
    header = signal_header(cohort_in(tmp_path), EDF)
    assert header.samples == 16
    assert header.notes == ("the header tells of 4 data records, the file holds 10: what follows is not read",)
    _file(tmp_path, [_values(1, 2, 3, 4)], told=-1)
    assert signal_header(cohort_in(tmp_path), EDF).samples == 4


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seconds": 0}, "last 0 s"),
        ({"seconds": "x"}, "not a number"),
        ({"samples": (0,)}, "no samples"),
        ({"samples": (99_999_999,)}, "too large"),
        ({"samples": (), "labels": ()}, "0 leads"),
        ({"labels": ("EDF Annotations",)}, "no lead"),
    ],
)
def test_a_header_that_cannot_be_is_an_error(tmp_path: Path, change: dict[str, object], why: str) -> None:
    _file(tmp_path, [_values(1, 2, 3, 4)], **change)  # type: ignore[arg-type]  # one argument each
    with pytest.raises(ReadError, match=why):
        read_signal(cohort_in(tmp_path), EDF)


def test_damaged_files_raise_read_errors_only(tmp_path: Path) -> None:
    rng = stream(0, "edf fuzz")
    _interrupted(tmp_path, ("0", "1", "3.5"))
    whole = (tmp_path / "a.edf").read_bytes()
    for _ in range(300):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), rng.integers(1, 8)):
            data[at] = int(rng.integers(0, 256))
        (tmp_path / "a.edf").write_bytes(bytes(data[: int(rng.integers(200, len(data) + 1))]))
        try:
            read_signal(cohort_in(tmp_path), EDF, start=0, stop=4)
            edf_annotations(cohort_in(tmp_path), EDF)
        except ReadError:
            continue


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_labels_and_units_beyond_ascii_are_read(tmp_path: Path, encoding: str) -> None:
    labels, unit = ("EKG früh".encode(encoding), b"Resp\0\0\0"), "\u00b5V".encode(encoding)
    _file(tmp_path, [_values(1, 2, 3, 4)], samples=(2, 2), labels=labels, unit=unit)
    found = read_signal(cohort_in(tmp_path), EDF)
    assert (found.leads, found.units) == (("EKG früh", "Resp"), ("uV", "uV"))


def test_leads_without_calibration_have_no_unit_and_are_told_once(tmp_path: Path) -> None:
    _file(tmp_path, [_values(1, 2, 3, 4)], samples=(2, 2), labels=("a", "b"), range_=(5, 5))
    header = signal_header(cohort_in(tmp_path), EDF)
    assert header.units == ("", "")
    assert header.notes == ("2 of 2 leads have no calibration (equal extremes): stored values without a unit",)
    np.testing.assert_array_equal(read_signal(cohort_in(tmp_path), EDF).array, [[1, 2], [3, 4]])


def test_interrupted_records_between_two_samples_follow_each_other(tmp_path: Path) -> None:
    onsets = ("0", "3.1", "4.1", "5.1")
    records = [_values(*[i] * 5) + f"+{o}\x14\x14\0".encode().ljust(40, b"\0") for i, o in enumerate(onsets)]
    _file(tmp_path, records, samples=(5, 20), labels=("ECG", "EDF Annotations"), reserved="EDF+D")
    found = read_signal(cohort_in(tmp_path), EDF)
    first = np.flatnonzero(np.isfinite(found.array[0]))[5]
    np.testing.assert_allclose(found.array[0, first : first + 15], np.repeat([0.1, 0.2, 0.3], 5), rtol=1e-5)
    for a, b in ((first - 1, first + 2), (first + 4, first + 11), (20, 30)):
        part = read_signal(cohort_in(tmp_path), EDF, start=a, stop=b)
        np.testing.assert_array_equal(part.array, found.array[:, a:b])


def test_a_header_filled_up_with_zeros_and_another_spelling_of_annotations_are_read(tmp_path: Path) -> None:
    marks = b"+0\x14\x14\0".ljust(20, b"\0")
    labels = ("ECG", "EDF annotations")
    _file(tmp_path, [_values(1, 2, 3, 4) + marks], samples=(4, 10), labels=labels, seconds=b"1\0\0")
    found = read_signal(cohort_in(tmp_path), EDF)
    assert (found.leads, found.rate_hz) == (("ECG",), 4)

from pathlib import Path

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

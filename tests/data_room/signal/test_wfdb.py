import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError
from hounsfield.data.signal.readers import read_signal, signal_header, signal_reader_for
from hounsfield.data.signal.wfdb.reader import checksum_faults
from tests.data_room.signal.records import Ints, cohort_in, packed, some_samples, wfdb, write_record

BITS = {16: 16, 61: 16, 160: 16, 24: 24, 32: 32, 80: 8, 212: 12, 310: 10, 311: 10}


@pytest.mark.parametrize("packing", BITS)
@pytest.mark.parametrize("leads", [1, 2, 3])
def test_every_format_is_decoded_and_any_window_equals_the_whole(tmp_path: Path, packing: int, leads: int) -> None:
    values = some_samples(101, leads, BITS[packing])
    write_record(tmp_path, values, packing)
    cohort = cohort_in(tmp_path)
    whole = read_signal(cohort, wfdb())
    np.testing.assert_allclose(whole.array, (values.T - 5) / 100, rtol=1e-6)
    assert whole.leads == tuple(f"lead {i}" for i in range(leads))
    assert whole.units == ("mV",) * leads
    assert whole.rate_hz == 250
    for start, stop in [(0, 1), (1, 2), (3, 50), (50, 101), (100, 101)]:
        part = read_signal(cohort, wfdb(), start=start, stop=stop)
        np.testing.assert_array_equal(part.array, whole.array[:, start:stop])
        assert part.start_s == pytest.approx(start / 250)
    assert checksum_faults(cohort, wfdb()) == ()


@pytest.mark.parametrize("packing", BITS)
def test_the_lowest_value_means_not_recorded(tmp_path: Path, packing: int) -> None:
    values = some_samples(12, 1, BITS[packing])
    values[4] = -(1 << (BITS[packing] - 1))
    write_record(tmp_path, values, packing)
    assert np.flatnonzero(np.isnan(read_signal(cohort_in(tmp_path), wfdb()).array[0])).tolist() == [4]


def test_a_file_without_a_length_in_its_header_is_as_long_as_it_is(tmp_path: Path) -> None:
    for samples in (100, 101):
        write_record(tmp_path, some_samples(samples, 1, 12), 212)
        (tmp_path / "a.dat").write_bytes(packed(some_samples(samples, 1, 12), 212)[: -(-samples * 3 // 2)])
        (tmp_path / "a.hea").write_text("a 1 250\na.dat 212 100\n")
        assert signal_header(cohort_in(tmp_path), wfdb()).samples == samples


def test_changed_bytes_are_told_by_the_checksum(tmp_path: Path) -> None:
    write_record(tmp_path, some_samples(100, 2, 16), 16)
    data = bytearray((tmp_path / "a.dat").read_bytes())
    data[6] ^= 1
    (tmp_path / "a.dat").write_bytes(bytes(data))
    assert checksum_faults(cohort_in(tmp_path), wfdb()) == ("lead 1",)


def test_skewed_leads_are_put_right(tmp_path: Path) -> None:
    values = some_samples(50, 2, 16)
    write_record(tmp_path, values, 16)
    (tmp_path / "a.hea").write_text("a 2 250 50\na.dat 16 100\na.dat 16:3 100\n")
    found = read_signal(cohort_in(tmp_path), wfdb())
    np.testing.assert_allclose(found.array[0], values[:, 0] / 100, rtol=1e-6)
    np.testing.assert_allclose(found.array[1, :47], values[3:, 1] / 100, rtol=1e-6)
    assert np.isnan(found.array[1, 47:]).all()
    part = read_signal(cohort_in(tmp_path), wfdb(), start=10, stop=20)
    np.testing.assert_array_equal(part.array, found.array[:, 10:20])


def test_leads_of_different_rates_are_held_at_the_finest(tmp_path: Path) -> None:
    fast, slow = some_samples(40, 1, 16).reshape(10, 4), some_samples(10, 1, 16, seed=1)
    (tmp_path / "a.dat").write_bytes(packed(np.concatenate([fast, slow], axis=1), 16))
    (tmp_path / "a.hea").write_text("a 2 125 10\na.dat 16x4 100 12 0 0 0 0 ECG\na.dat 16 100/mmHg 12 0 0 0 0 ABP\n")
    found = read_signal(cohort_in(tmp_path), wfdb())
    assert found.rate_hz == 500
    np.testing.assert_allclose(found.array[0], fast.reshape(-1) / 100, rtol=1e-6)
    np.testing.assert_allclose(found.array[1], np.repeat(slow[:, 0], 4) / 100, rtol=1e-6)
    alone = read_signal(cohort_in(tmp_path), Ref("wfdb", "a.hea", (("lead", "ABP"),)))
    assert alone.rate_hz == 125
    np.testing.assert_allclose(alone.array[0], slow[:, 0] / 100, rtol=1e-6)
    np.testing.assert_array_equal(read_signal(cohort_in(tmp_path), wfdb(), start=3, stop=9).array, found.array[:, 3:9])


def test_a_byte_offset_is_skipped(tmp_path: Path) -> None:
    values = some_samples(20, 1, 16)
    (tmp_path / "a.dat").write_bytes(b"header!!" + packed(values, 16))
    (tmp_path / "a.hea").write_text("a 1 250\na.dat 16+8 100\n")
    np.testing.assert_allclose(read_signal(cohort_in(tmp_path), wfdb()).array[0], values[:, 0] / 100, rtol=1e-6)


def test_segments_with_a_layout_and_a_gap_are_one_record(tmp_path: Path) -> None:
    first, second = some_samples(30, 2, 16), some_samples(20, 1, 16, seed=2)
    (tmp_path / "s1.dat").write_bytes(packed(first, 16))
    (tmp_path / "s1.hea").write_text("s1 2 250 30\ns1.dat 16 100 12 0 0 0 0 II\ns1.dat 16 50/mmHg 12 0 0 0 0 ABP\n")
    (tmp_path / "s2.dat").write_bytes(packed(second, 16))
    (tmp_path / "s2.hea").write_text("s2 1 250 20\ns2.dat 16 200/mmHg 12 0 0 0 0 ABP\n")
    (tmp_path / "lay.hea").write_text("lay 2 250 0\n~ 0 100 12 0 0 0 0 II\n~ 0 50/mmHg 12 0 0 0 0 ABP\n")
    (tmp_path / "a.hea").write_text("a/4 2 250 60\nlay 0\ns1 30\n~ 10\ns2 20\n")
    found = read_signal(cohort_in(tmp_path), wfdb())
    assert found.leads == ("II", "ABP")
    assert found.units == ("mV", "mmHg")
    np.testing.assert_allclose(found.array[0, :30], first[:, 0] / 100, rtol=1e-6)
    np.testing.assert_allclose(found.array[1, :30], first[:, 1] / 50, rtol=1e-6)
    np.testing.assert_allclose(found.array[1, 40:], second[:, 0] / 200, rtol=1e-6)
    assert np.isnan(found.array[:, 30:40]).all()
    assert np.isnan(found.array[0, 40:]).all()
    part = read_signal(cohort_in(tmp_path), wfdb(), start=25, stop=45)
    np.testing.assert_array_equal(part.array, found.array[:, 25:45])


def test_a_record_that_changes_between_two_windows_is_read_as_it_is_now(tmp_path: Path) -> None:
    values = some_samples(60, 1, 16)
    write_record(tmp_path, values, 16)
    cohort, head, data = cohort_in(tmp_path), tmp_path / "a.hea", tmp_path / "a.dat"
    first = read_signal(cohort, wfdb(), start=3, stop=9)
    assert np.array_equal(read_signal(cohort, wfdb(), start=3, stop=9).array, first.array)
    head.write_text(head.read_text().replace("100(5)/mV", "200(5)/mV"))  # as long as before
    np.testing.assert_allclose(read_signal(cohort, wfdb(), start=3, stop=9).array, first.array / 2, rtol=1e-6)
    write_record(tmp_path, -values, 16, gain="200(5)/mV")
    assert not np.array_equal(read_signal(cohort, wfdb(), start=3, stop=9).array, first.array / 2)
    data.write_bytes(data.read_bytes()[:40])
    assert signal_header(cohort, wfdb()).samples == 20
    data.unlink()
    with pytest.raises(ReadError, match="missing"):
        read_signal(cohort, wfdb())


def test_a_missing_dat_file_is_told(tmp_path: Path) -> None:
    write_record(tmp_path, some_samples(10, 1, 16), 16)
    (tmp_path / "a.dat").unlink()
    with pytest.raises(ReadError, match="missing"):
        read_signal(cohort_in(tmp_path), wfdb())


def test_a_header_that_lies_about_the_length_is_told_and_read_as_far_as_it_goes(tmp_path: Path) -> None:
    values = some_samples(100, 1, 16)
    write_record(tmp_path, values, 16)
    (tmp_path / "a.hea").write_text("a 1 250 999999999999\na.dat 16 100\n")
    header = signal_header(cohort_in(tmp_path), wfdb())
    assert header.samples == 100
    assert "promises 999999999999 frames, the file holds 100" in header.notes[0]
    with pytest.raises(ReadError, match="record of 100"):
        read_signal(cohort_in(tmp_path), wfdb(), start=0, stop=101)


@pytest.mark.parametrize("gain", ["0", "0(0)/mV", ""])
def test_a_gain_of_zero_is_two_hundred_by_the_standard_and_told(tmp_path: Path, gain: str) -> None:
    values = some_samples(10, 1, 16)
    write_record(tmp_path, values, 16)
    (tmp_path / "a.hea").write_text(f"a 1 250 10\na.dat 16 {gain}\n")
    np.testing.assert_allclose(read_signal(cohort_in(tmp_path), wfdb()).array[0], values[:, 0] / 200, rtol=1e-6)
    assert "200 per mV" in signal_header(cohort_in(tmp_path), wfdb()).notes[0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a 0 250 10\n", "0 leads"),
        ("a 1 0 10\na.dat 16 100\n", "rate of 0"),
        ("a 1 -250 10\na.dat 16 100\n", "rate of -250"),
        ("a 1 nan 10\na.dat 16 100\n", "rate"),
        ("a 1 250 ten\na.dat 16 100\n", "length"),
        ("a 1 250 -10\na.dat 16 100\n", "length of -10"),
        ("a 2 250 10\na.dat 16 100\n", "1 of 2 lines"),
        ("a 99999999 250 10\n", "99999999 leads"),
        ("a 1 250 10\n../b.dat 16 100\n", "outside"),
        ("a 1 250 10\n/etc/passwd 16 100\n", "outside"),
        ("a 1 250 10\na.dat 8 100\n", "format 8"),
        ("a 1 250 10\na.dat 16x0 100\n", "0 samples"),
        ("a 1 250 10\na.dat 16 many\n", "gain"),
        ("a/0 1 250 10\n", "no segments"),
        ("a/1 1 250 10\na 10\n", "segments itself"),
        ("", "record line"),
        ("a/2 1 250 10\nb 10\nc 10\n", "opened"),
    ],
)
def test_a_header_that_cannot_be_is_an_error_with_its_reason(tmp_path: Path, text: str, why: str) -> None:
    write_record(tmp_path, some_samples(10, 1, 16), 16)
    (tmp_path / "a.hea").write_text(text)
    with pytest.raises(ReadError, match=why):
        read_signal(cohort_in(tmp_path), wfdb())


def test_damaged_headers_and_files_raise_read_errors_only(tmp_path: Path) -> None:
    from hounsfield.core.streams import stream

    rng = stream(0, "fuzz")
    write_record(tmp_path, some_samples(60, 3, 12), 212)
    whole = (tmp_path / "a.hea").read_bytes()
    for _ in range(300):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), rng.integers(1, 6)):
            data[at] = int(rng.integers(0, 256))
        (tmp_path / "a.hea").write_bytes(bytes(data))
        try:
            read_signal(cohort_in(tmp_path), wfdb(), start=0, stop=5)
        except ReadError:
            continue


def test_a_day_is_read_by_window_in_flat_memory(tmp_path: Path) -> None:
    hour = np.tile(some_samples(250, 1, 12), (3600, 1))
    with (tmp_path / "a.dat").open("wb") as file:
        data = packed_fast(hour)
        for _ in range(24):
            file.write(data)
    (tmp_path / "a.hea").write_text(f"a 1 250 {24 * len(hour)}\na.dat 212 100(0)/mV 12 0 0 0 0 II\n")
    cohort = cohort_in(tmp_path)
    read_signal(cohort, wfdb(), start=0, stop=10)
    peaks = []
    for at in (0, 12, 23):
        start = at * len(hour) + 777
        tracemalloc.start()
        part = read_signal(cohort, wfdb(), start=start, stop=start + 250 * 10)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        np.testing.assert_allclose(part.array[0], hour[777 : 777 + 2500, 0] / 100, rtol=1e-5)
    assert max(peaks) < 1 << 18  # the whole day would be 86 MB
    assert max(peaks) - min(peaks) < 1 << 15


def packed_fast(values: np.ndarray) -> bytes:
    pair = values.reshape(-1, 2) & 0xFFF
    three = np.stack([pair[:, 0] & 0xFF, pair[:, 0] >> 8 | pair[:, 1] >> 8 << 4, pair[:, 1] & 0xFF], axis=1)
    return three.astype(np.uint8).tobytes()


def test_the_same_as_wfdb_python_reads(tmp_path: Path) -> None:
    reference = pytest.importorskip("wfdb", reason="wfdb is not installed; it is an independent reference")
    for packing in ("16", "24", "80", "212", "310", "311", "32", "61", "160"):
        values = some_samples(101, 2, BITS[int(packing)], seed=3)
        write_record(tmp_path, values, int(packing))
        theirs = reference.rdrecord(str(tmp_path / "a"))
        mine = read_signal(cohort_in(tmp_path), wfdb())
        np.testing.assert_allclose(mine.array.T, theirs.p_signal, rtol=1e-6)


def test_a_header_is_known_by_its_first_line(tmp_path: Path) -> None:
    write_record(tmp_path, some_samples(10, 1, 16), 16)
    assert signal_reader_for(tmp_path / "a.hea") == "wfdb"
    (tmp_path / "b.hea").write_text("ANALYZE header or anything else")
    assert signal_reader_for(tmp_path / "b.hea") is None


def _in_segments(folder: Path, gains: tuple[str, ...], *, layout: str = "") -> tuple[Ints, ...]:
    """Write a record ``a`` of one lead in segments of 20 frames, each with a gain of its own."""
    told = [some_samples(20, 1, 16, seed=n) for n in range(len(gains))]
    for n, (gain, values) in enumerate(zip(gains, told, strict=True)):
        (folder / f"s{n}.dat").write_bytes(packed(values, 16))
        (folder / f"s{n}.hea").write_text(f"s{n} 1 250 20\ns{n}.dat 16 {gain} 12 0 0 0 0 ABP\n")
    (folder / "lay.hea").write_text(f"lay 1 250 0\n~ 0 {layout} 12 0 0 0 0 ABP\n")
    names = (["lay 0"] if layout else []) + [f"s{n} 20" for n in range(len(gains))]
    (folder / "a.hea").write_text("\n".join([f"a/{len(names)} 1 250 {20 * len(gains)}", *names, ""]))
    return tuple(told)


@pytest.mark.parametrize("layout", ["", "100/mV"])
def test_segments_in_other_units_are_brought_to_that_of_the_record(tmp_path: Path, layout: str) -> None:
    first, second = _in_segments(tmp_path, ("200(3)/mV", "0.2(5)/uV"), layout=layout)
    found = read_signal(cohort_in(tmp_path), wfdb())
    assert found.units == ("mV",)
    np.testing.assert_allclose(found.array[0, :20], (first[:, 0] - 3) / 200, rtol=1e-6)
    np.testing.assert_allclose(found.array[0, 20:], (second[:, 0] - 5) / 0.2 / 1000, rtol=1e-6)
    np.testing.assert_array_equal(
        read_signal(cohort_in(tmp_path), wfdb(), start=15, stop=31).array[0], found.array[0, 15:31]
    )


@pytest.mark.parametrize("layout", ["", "0/mmHg", "200"])
def test_a_segment_whose_unit_is_none_of_the_record_is_a_gap(tmp_path: Path, layout: str) -> None:
    told = _in_segments(tmp_path, ("0/mmHg", "2/mmHg", "3/mV", "4/kPa"), layout=layout)
    found = read_signal(cohort_in(tmp_path), wfdb())
    assert found.units == ("mmHg",)
    np.testing.assert_allclose(found.array[0, 20:40], told[1][:, 0] / 2, rtol=1e-6)
    np.testing.assert_allclose(found.array[0, 60:], told[3][:, 0] / 4 / 0.133322, rtol=1e-5)
    assert np.isnan(found.array[0, :20]).all()  # not calibrated
    assert np.isnan(found.array[0, 40:60]).all()
    assert "a segment has ABP in another unit: it is a gap there" in signal_header(cohort_in(tmp_path), wfdb()).notes


@pytest.mark.parametrize(
    ("gain", "unit"), [("0/mmHg", ""), ("0(7)/uV", ""), ("0/mV", "mV"), ("0", "mV"), ("50/mmHg", "mmHg")]
)
def test_a_gain_of_zero_leaves_a_unit_to_millivolts_only(tmp_path: Path, gain: str, unit: str) -> None:
    write_record(tmp_path, some_samples(10, 1, 16), 16)
    (tmp_path / "a.hea").write_text(f"a 1 250 10\na.dat 16 {gain}\n")
    header = signal_header(cohort_in(tmp_path), wfdb())
    assert (header.units, read_signal(cohort_in(tmp_path), wfdb()).units) == ((unit,), (unit,))
    assert any("not calibrated, its values have no unit" in n for n in header.notes) == (not unit)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
def test_units_and_names_beyond_ascii_are_read_in_their_encoding(tmp_path: Path, encoding: str) -> None:
    write_record(tmp_path, some_samples(10, 2, 16), 16)
    text = "a 2 250 10\na.dat 16 10/\u00b5V 12 0 0 0 0 EKG\na.dat 16 10/NU 12 0 0 0 0 Pl\u00e9th\n"
    (tmp_path / "a.hea").write_bytes(text.encode(encoding))
    found = read_signal(cohort_in(tmp_path), wfdb())
    assert (found.leads, found.units) == (("EKG", "Pl\u00e9th"), ("uV", "NU"))
    assert signal_header(cohort_in(tmp_path), wfdb()).units == ("uV", "NU")


def test_a_header_that_is_shorter_than_the_file_is_told(tmp_path: Path) -> None:
    write_record(tmp_path, some_samples(1250, 2, 16), 16)
    path = tmp_path / "a.hea"
    assert signal_header(cohort_in(tmp_path), wfdb()).notes == ()
    path.write_text(path.read_text().replace(" 250 1250", " 250 10"))
    header = signal_header(cohort_in(tmp_path), wfdb())
    assert header.samples == 10
    assert header.notes == ("the header tells of 10 frames, the file holds 1250: what follows is not read",)


@pytest.mark.parametrize("packing", [212, 310, 311])
def test_samples_that_fill_up_a_group_are_no_frames(tmp_path: Path, packing: int) -> None:
    write_record(tmp_path, some_samples(100, 1, 10), packing)
    assert signal_header(cohort_in(tmp_path), wfdb()).notes == ()


def test_a_checksum_of_0_is_none(tmp_path: Path) -> None:
    write_record(tmp_path, some_samples(50, 1, 16), 16)
    path = tmp_path / "a.hea"
    first, line, *_ = path.read_text().splitlines()
    words = line.split()
    words[6] = "0"
    path.write_text(f"{first}\n{' '.join(words)}\n")
    assert checksum_faults(cohort_in(tmp_path), wfdb()) == ()


def test_a_negative_gain_turns_a_lead_over(tmp_path: Path) -> None:
    values = some_samples(20, 1, 16)
    write_record(tmp_path, values, 16, gain="-100(5)/mV")
    np.testing.assert_allclose(read_signal(cohort_in(tmp_path), wfdb()).array[0], (values[:, 0] - 5) / -100, rtol=1e-6)

"""EDF, BDF and WFDB lose persons, keep samples, times of annotations and which file belongs to which."""

from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.errors import ReadError
from tests.data_room.scrubbers.told import PSEUDONYMS, order, scrub, written

SAMPLES = np.arange(100, dtype="<i2")
EVENTS = b"+0\x14\x14\0+1.5\x14Sleep stage W\x14\0+3\x152\x14Kowalewska awake\x14\0"


def _edf(*, plus: bool = True, wide: bool = False) -> bytes:
    patient = b"PID-778899 F 23-SEP-1951 Zofia_Kowalewska" if plus else b"Kowalewska Zofia"
    begin = b"Startdate 12-APR-2019 X Feldmann Acme" if plus else b"Feldmann"
    name = (b"BDF+C" if plus else b"24BIT") if wide else (b"EDF+C" if plus else b"")
    head = (b"\xffBIOSEMI" if wide else b"0".ljust(8)) + patient.ljust(80) + begin.ljust(80)
    head += b"12.04.1910.11.12" + b"768".ljust(8) + name.ljust(44) + b"1".ljust(8) * 2 + b"2".ljust(4)
    label = "BDF Annotations" if wide else "EDF Annotations"
    fields = (
        (16, "EEG Fpz", label), (80, "Ag cup of Kowalewska", ""), (8, "uV", ""), (8, "-1", "-1"), (8, "1", "1"),
        (8, "-32768", "-32768"), (8, "32767", "32767"), (80, "HP:0.1Hz", ""), (8, "100", "40"), (32, "Zofia", ""),
    )  # fmt: skip
    for size, *texts in fields:
        head += b"".join(str(text).encode().ljust(int(size)) for text in texts)
    samples = bytes(300) if wide else SAMPLES.tobytes()
    return head + samples + EVENTS.ljust(120 if wide else 80, b"\0")


@pytest.mark.parametrize("plus", [True, False])
@pytest.mark.parametrize("wide", [True, False])
def test_edf_and_bdf(tmp_path: Path, plus: bool, wide: bool) -> None:  # noqa: FBT001
    content = _edf(plus=plus, wide=wide)
    result = scrub(tmp_path, "sleep.bdf" if wide else "sleep.edf", content + b"Kow")
    made = written(result)
    who = "PID-778899" if plus else "Kowalewska Zofia"
    assert made[8:88].split()[0].decode() == PSEUDONYMS.patient(who)
    assert len(made) == len(content)
    end = 768 + (300 if wide else 200)
    assert made[768:end] == content[768:end]
    assert made[end:].rstrip(b"\0") == b"+0\x14\x14\0+1.5\x14Sleep stage W\x14\0+3\x152\x14note\x14"
    assert made[168:176] != content[168:176]
    assert made[176:184] == b"10.11.12"
    assert made[256:288] == content[256:288]


def test_the_start_goes_without_shifts(tmp_path: Path) -> None:
    made = written(scrub(tmp_path, "a.edf", _edf(), order(without="shift-dates")))
    assert made[168:184] == b"01.01.8500.00.00"
    with pytest.raises(ReadError):
        scrub(tmp_path, "b.edf", _edf()[:300])


def test_a_name_in_the_label_of_a_signal_goes(tmp_path: Path) -> None:
    content = _edf().replace(b"EEG Fpz".ljust(16), b"Kowalewska Fpz".ljust(16))
    made = written(scrub(tmp_path, "a.edf", content))
    assert made[256:272].strip() == b"signal 1"
    assert made[272:288].strip() == b"EDF Annotations"
    assert made[768:968] == content[768:968]


def test_a_matlab_file_that_may_hold_any_text_is_withheld(tmp_path: Path) -> None:
    (tmp_path / "a.hea").write_text("a 1 360 50\na.mat 16 200 16 0 0 0 0 II\n")
    result = scrub(tmp_path, "a.mat", b"MATLAB 5.0 MAT-file, by Kowalewska" + bytes(200))
    assert result.content is None
    assert "MATLAB" in result.withheld


def _note(kind: int, step: int, text: bytes = b"") -> bytes:
    made = ((kind << 10) | step).to_bytes(2, "little")
    if text:
        made += ((63 << 10) | len(text)).to_bytes(2, "little") + text + b"\0" * (len(text) % 2)
    return made


def test_wfdb_files_of_a_record_still_find_one_another(tmp_path: Path) -> None:
    master = b"kowalewska/2 1 360 100 10:11:12 12/04/2019\nkowalewska_1 50\n~ 10\n# Zofia\n"
    part = b"kowalewska_1 1 360 50\nkowalewska_1.dat 16 200(0)/mV 16 0 0 0 0 MLII\n"
    names = {"kowalewska.hea": master, "kowalewska_1.hea": part, "kowalewska_1.dat": SAMPLES.tobytes()}
    for name, content in names.items():
        (tmp_path / name).write_bytes(content)
    made = {name: written(scrub(tmp_path, name, content)) for name, content in names.items()}
    whole, piece = PSEUDONYMS.patient("kowalewska"), PSEUDONYMS.patient("kowalewska_1")
    lines = made["kowalewska.hea"].decode().splitlines()
    assert lines[0].startswith(f"{whole}/2 1 360 100 10:11:12 ")
    assert not lines[0].endswith("12/04/2019")
    assert lines[1:] == [f"{piece} 50", "~ 10"]
    second = made["kowalewska_1.hea"].decode().splitlines()
    assert second[0].split()[0] == piece
    assert second[1] == f"{piece}.dat 16 200(0)/mV 16 0 0 0 0 MLII"
    assert made["kowalewska_1.dat"] == SAMPLES.tobytes()
    assert "no header" in scrub(tmp_path, "other.dat", b"1234").withheld


def test_wfdb_annotations_keep_beats_and_rhythms(tmp_path: Path) -> None:
    content = _note(1, 18) + _note(28, 5, b"(AFIB\0") + _note(22, 7, b"seen by Feldmann") + _note(1, 9) + b"\0\0"
    result = scrub(tmp_path, "a.atr", content + b"Kowalewska")
    made = written(result)
    assert made == content.replace(b"seen by Feldmann", bytes(16))
    assert "seen by Feldmann" in result.texts

"""Writes mitbih_arrhythmia, which is stored in a code of its own, to WFDB (212 + atr).

``python -m benchmarks.signals.to_wfdb OUT`` makes ``OUT/mitdb`` from the folder of data.
"""

import argparse
import csv
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.record import data_root
from hounsfield.data.signal.wfdb.annotations import AUX, SKIP, SYMBOLS

RATE_HZ = 360
GAIN, ZERO = 200, 1024
CODES = {symbol: code for code, symbol in SYMBOLS.items()}
Ints = npt.NDArray[np.int64]


def packed_212(samples: Ints) -> bytes:
    """Return samples in format 212: two of 12 bits in three bytes."""
    even = np.r_[samples, np.zeros(len(samples) % 2, np.int64)].reshape(-1, 2) & 0xFFF
    three = np.stack([even[:, 0] & 0xFF, even[:, 0] >> 8 | even[:, 1] >> 8 << 4, even[:, 1] & 0xFF], axis=1)
    return three.astype(np.uint8).tobytes()[: -(-len(samples) * 3 // 2)]


def packed_annotations(marks: Sequence[tuple[int, str, str]]) -> bytes:
    """Return annotations (sample, symbol, text) in MIT format."""
    out = bytearray()
    before = 0
    for sample, symbol, text in marks:
        jump = sample - before
        if not 0 <= jump < 1024:
            out += struct.pack("<HHH", SKIP << 10, jump >> 16 & 0xFFFF, jump & 0xFFFF)
            jump = 0
        out += struct.pack("<H", CODES[symbol] << 10 | jump)
        if text:
            data = text.encode("latin-1")
            out += struct.pack("<H", AUX << 10 | len(data)) + data + b"\0" * (len(data) % 2)
        before = sample
    return bytes(out) + b"\0\0"


def stored_samples(path: Path) -> Ints:
    """Return the samples of a record of mitbih_arrhythmia, as the converter gave them."""
    with np.load(path) as z:
        steps = z["d"].astype(np.int64)
        steps[z["esc_idx"]] = z["esc_val"]
        return np.asarray(int(z["x0"]) + np.cumsum(steps), np.int64)


def stored_marks(path: Path) -> list[tuple[int, str, str]]:
    """Return its annotations with the names of rhythms."""
    with np.load(path) as z:
        labels = dict(zip(z["rhythm_sample"].tolist(), z["rhythm_label"].tolist(), strict=True))
        pairs = list(zip(z["ann_sample"].tolist(), z["ann_symbol"].tolist(), strict=True))
    return [(int(s), str(y), str(labels.get(s, "")) if y == "+" else "") for s, y in pairs]


def write_record(folder: Path, name: str, samples: Ints, marks: Sequence[tuple[int, str, str]]) -> None:
    """Write one record of one lead."""
    folder.mkdir(parents=True, exist_ok=True)
    checksum = (int(samples.sum()) + 32768) % 65536 - 32768
    (folder / f"{name}.dat").write_bytes(packed_212(samples))
    (folder / f"{name}.atr").write_bytes(packed_annotations(marks))
    (folder / f"{name}.hea").write_text(
        f"{name} 1 {RATE_HZ} {len(samples)}\n"
        f"{name}.dat 212 {GAIN}({ZERO})/mV 11 {ZERO} {int(samples[0])} {checksum} 0 MLII\n",
        encoding="ascii",
    )


def write_mitdb(source: Path, folder: Path) -> int:
    """Write all records of mitbih_arrhythmia and ``records.csv``; return how many."""
    with (source / "records.csv").open(encoding="utf-8", newline="") as stream:
        names = [row["record"] for row in csv.DictReader(stream)]
    for name in names:
        path = source / "records" / f"{name}.npz"
        write_record(folder, name, stored_samples(path), stored_marks(path))
    (folder / "records.csv").write_bytes((source / "records.csv").read_bytes())
    return len(names)


def main() -> None:
    """Write the records."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    print(f"{write_mitdb(data_root() / 'mitbih_arrhythmia', out / 'mitdb')} records in WFDB", flush=True)


if __name__ == "__main__":
    main()

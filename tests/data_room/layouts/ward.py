"""Small folders of annotated records, written by hand."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from benchmarks.signals.to_wfdb import write_record

from hounsfield.core.streams import stream
from tests.data_room.folders import table

RATE = 360
Mark = tuple[int, str, str]


def beats(seconds: int = 20, *, symbols: str = "NNNV", rhythm: str = "") -> list[Mark]:
    """Return a beat each second, and a rhythm from the beginning."""
    found: list[Mark] = [(5, "+", f"({rhythm}")] if rhythm else []
    return found + [(180 + RATE * i, symbols[i % len(symbols)], "") for i in range(seconds)]


def record(folder: Path, name: str, marks: Sequence[Mark], *, seconds: int = 20) -> None:
    """Write one record of one lead, MLII, 360 Hz."""
    samples = stream(0, f"ward {name}").integers(-200, 200, RATE * seconds) + 1024
    write_record(folder, name, samples.astype(np.int64), marks)


def ward(folder: Path, names: Sequence[str] = ("100", "101", "200", "201", "202", "203")) -> Path:
    """Write records with beats and a rhythm each, and a table that says which part they belong to."""
    for i, name in enumerate(names):
        record(folder, name, beats(rhythm="AFIB" if i % 2 else "N"))
    rows = [{"record": n, "split": "DS1" if i < len(names) // 2 else "DS2", "age": 60 + i} for i, n in enumerate(names)]
    table(folder / "records.csv", rows)
    return folder

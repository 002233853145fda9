"""The source of the benchmarks on MIT-BIH in its own code, written small."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hounsfield.core.streams import stream
from tests.data_room.folders import table

SAMPLES = 10_000
BEATS_AT = range(200, 9800, 300)
DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)  # fmt: skip
"""Records of de Chazal's training half."""
NORMAL = ((5, "(N"),)


def write_source(
    source: Path, halves: Mapping[str, str], rhythms: Mapping[str, Sequence[tuple[int, str]]] | None = None
) -> Path:
    """Write records of noise with a beat every 300 samples, of the classes in turn.

    Parameters
    ----------
    source : Path
    halves : mapping of str to str
        DS1 or DS2 of each record.
    rhythms : mapping, optional
        Where rhythms begin, of records that have others than one normal one.
    """
    (source / "records").mkdir(parents=True)
    rows = []
    for name, half in halves.items():
        draws = stream(0, f"mitbih {name}")
        at = np.array(BEATS_AT)
        symbols = np.array(["N", "V", "A", "F", "Q"])[np.arange(len(at)) % 5]
        steps = draws.integers(-20, 20, SAMPLES).astype(np.int8)
        steps[0] = 0
        begins = (rhythms or {}).get(name, NORMAL)
        marks = sorted([(s, "+") for s, _ in begins] + list(zip(at.tolist(), symbols.tolist(), strict=True)))
        np.savez(
            source / "records" / f"{name}.npz",
            x0=np.int64(1024),
            d=steps,
            esc_idx=np.zeros(0, np.int64),
            esc_val=np.zeros(0, np.int64),
            ann_sample=np.array([s for s, _ in marks]),
            ann_symbol=np.array([symbol for _, symbol in marks]),
            rhythm_sample=np.array([s for s, _ in begins]),
            rhythm_label=np.array([label for _, label in begins]),
        )
        rows.append({"record": name, "split": half, "age": 60, **dict.fromkeys("NSVFQ", 7)})
    table(source / "records.csv", rows)
    return source

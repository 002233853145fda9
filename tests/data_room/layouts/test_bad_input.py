"""What cannot be understood is told, whatever it is; nothing crashes."""

from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.errors import CohortError
from hounsfield.data.cohorts import explore

NOISE = bytes(range(256)) * 4


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.hea", NOISE, "header is not text"),
        ("a.hea", b"", "no record line"),
        ("a.hea", b"a 1 250 10\n../x.dat 16\n", "outside its folder"),
        ("m.hea", b"m/1 1 250 10\nm 10\n", "that of a segment"),
        ("a.csv", NOISE, "binary data"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"x,label\n", "No column of"),
        ("a.parquet", b"PAR1xxxx", "cannot be read"),
        ("a.edf", b"0       " + b"x" * 300, "None of the 1 records"),
        ("a_TRAIN.ts", b"", "no series"),
        ("e.csv", b"record,time,variable,value\n", "is empty"),
        ("a.npz", b"PK\x03\x04zzzz", "no labels"),
    ],
)
def test_one_bad_file(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CohortError, match=said):
        explore(tmp_path)


@pytest.mark.parametrize(
    ("series", "said"),
    [(np.zeros((2, 0)), "no samples"), (np.array([[1, 2], [3, 4]], object), "pickled")],
)
def test_bad_archives(tmp_path: Path, series: np.ndarray, said: str) -> None:
    np.savez(tmp_path / "a.npz", X_train=series, y_train=np.arange(2))
    with pytest.raises(CohortError, match=said):
        explore(tmp_path)

"""Rows on disk come back as they were put there."""

import numpy as np
import pytest

from hounsfield.bundle.spool import Spool
from hounsfield.core.errors import StorageError


def test_rows_come_back_in_the_order_asked() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 3, 4)).astype(np.float16)
    spool = Spool((3, 4), "float16")
    spool.extend(rows[:20])
    spool.extend(rows[20:])
    asked = np.array([49, 0, 7, 7, 20])
    np.testing.assert_array_equal(spool.take(asked), rows[asked])
    assert spool.take([]).shape == (0, 3, 4)
    spool.extend(rows[:1])
    np.testing.assert_array_equal(spool.take([50]), rows[:1])


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def seek(self, *given: int) -> None:
            raise OSError("no space left")

        def close(self) -> None: ...

    spool = Spool((2,), "uint8")
    spool._file.close()
    object.__setattr__(spool, "_file", Full())
    with pytest.raises(StorageError, match="temporary folder"):
        spool.extend(np.zeros((1, 2), dtype=np.uint8))

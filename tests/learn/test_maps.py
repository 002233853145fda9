"""A map of prepared images keeps the pages of one access at most."""

from pathlib import Path

import numpy as np
import pytest

from hounsfield.learn.maps import mapped

SMAPS = Path("/proc/self/smaps")


def resident_kib(file: Path) -> int:
    """Return how much of a mapped file counts as this process's memory."""
    found, inside = 0, False
    for line in SMAPS.read_text().splitlines():
        if line.endswith(f"/{file.name}"):
            inside = True
        elif inside and line.startswith("Rss:"):
            found, inside = found + int(line.split()[1]), False
    return found


@pytest.mark.skipif(not SMAPS.exists(), reason="the system does not tell which pages are resident")
def test_pages_are_given_back_at_the_next_access(tmp_path: Path) -> None:
    path = tmp_path / "rows-of-a-test.npy"
    values = np.random.default_rng(1).integers(0, 256, (2000, 1, 64, 64), dtype=np.uint8)
    np.save(path, values)
    plain, ours = np.load(path, mmap_mode="r"), mapped(path)
    total = [int(plain[first : first + 100].astype(np.int64).sum()) for first in range(0, 2000, 100)]
    assert resident_kib(path) > 7000  # what a map of NumPy keeps
    del plain
    assert [int(ours[first : first + 100].astype(np.int64).sum()) for first in range(0, 2000, 100)] == total
    assert resident_kib(path) < 1000
    for row in range(0, 2000, 7):
        np.testing.assert_array_equal(ours[row], values[row])
    assert resident_kib(path) < 1000


def test_rows_are_those_of_numpy_and_stay_valid(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    values = np.random.default_rng(2).integers(0, 256, (30, 2, 5, 4), dtype=np.uint8)
    np.save(path, values)
    ours = mapped(path)
    view, some = ours[3:9], ours[np.array([7, 1, 7])]
    assert type(view) is np.ndarray
    assert not view.flags.writeable
    _ = ours[20]
    np.testing.assert_array_equal(view, values[3:9])
    np.testing.assert_array_equal(some, values[[7, 1, 7]])
    np.testing.assert_array_equal(ours[values[:, 0, 0, 0] > 99], values[values[:, 0, 0, 0] > 99])
    np.testing.assert_array_equal(np.asarray(ours), values)
    assert (ours.shape, ours.dtype, len(ours)) == (values.shape, values.dtype, 30)

"""A memory map of prepared images is whole or not there."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.errors import StorageError
from hounsfield.core.types import AnyArray
from hounsfield.learn.feed import fill
from tests.learn.toys import make_feed

SHAPE = (4, 1, 3, 2)


def rows(count: int = 4) -> Iterator[tuple[int, AnyArray]]:
    for row in range(count):
        yield row, np.full(SHAPE[1:], row, dtype=np.uint8)


class Never:
    """Rows that must not be asked for."""

    def __iter__(self) -> Iterator[tuple[int, AnyArray]]:
        raise AssertionError("the rows were asked for again")


def test_filled_read_only_and_reused(tmp_path: Path) -> None:
    path = tmp_path / "input.npy"
    made = fill(path, SHAPE, "uint8", rows())
    assert made.shape == SHAPE
    assert made.dtype == np.uint8
    assert [int(r.max()) for r in made] == [0, 1, 2, 3]
    assert not made.flags.writeable
    assert [p.name for p in tmp_path.iterdir()] == ["input.npy"]
    np.testing.assert_array_equal(fill(path, SHAPE, "uint8", Never()), made)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_crash_leaves_no_whole_file(tmp_path: Path, error: type[BaseException]) -> None:
    def crashing() -> Iterator[tuple[int, AnyArray]]:
        yield from rows(2)
        raise error

    path = tmp_path / "input.npy"
    with pytest.raises(error):
        fill(path, SHAPE, "uint8", crashing())
    assert not path.exists()
    np.testing.assert_array_equal(fill(path, SHAPE, "uint8", rows())[:, 0, 0, 0], [0, 1, 2, 3])
    assert [p.name for p in tmp_path.iterdir()] == ["input.npy"]


def test_a_map_of_another_shape_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "input.npy"
    fill(path, (2, 1, 3, 2), "uint8", rows(2))
    np.testing.assert_array_equal(fill(path, SHAPE, "uint8", rows())[:, 0, 0, 0], [0, 1, 2, 3])
    assert fill(path, SHAPE, "float16", rows()).dtype == np.float16


def test_full_disk_is_said_before_a_page_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Space is taken at once: a page of a sparse file that finds no room would kill the process without a word."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StorageError, match="could not be written") as caught:
        fill(tmp_path / "input.npy", (1024, 1, 64, 16), "uint8", Never())
    assert "1 MiB" in caught.value.expected
    assert str(tmp_path) not in caught.value.message()
    assert list(tmp_path.iterdir()) == []


def test_space_is_taken_for_good(tmp_path: Path) -> None:
    path = tmp_path / "input.npy"
    fill(path, (64, 1, 64, 64), "uint8", iter(()))
    assert path.stat().st_blocks * 512 >= 64**3


def test_parts_are_exchanged_for_a_fold() -> None:
    feed = make_feed()
    fold = feed.with_parts(feed.val, feed.train)
    assert fold.inputs is feed.inputs
    np.testing.assert_array_equal(fold.train, feed.val)
    np.testing.assert_array_equal(fold.groups, feed.groups)

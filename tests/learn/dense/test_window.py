"""A case judged window by window."""

from collections.abc import Mapping

import numpy as np
import pytest

from hounsfield.core.types import AnyArray, Float32Array
from hounsfield.learn.dense.window import Windows, bell, judge_case, starts


def pointwise(windows: list[AnyArray]) -> list[Mapping[str, Float32Array]]:
    """A network that looks at single voxels: windows must not be seen in its answer."""
    return [{"a": np.stack([w[0] ** 2, 1.0 - w[0]]).astype(np.float32)} for w in windows]


def whole(image: AnyArray, windows: Windows, *, at_once: int = 3) -> Float32Array:
    parts = list(judge_case(image, windows, {"a": 2}, calls=pointwise, at_once=at_once))
    rows = [r for r, _ in parts]
    assert [r.start for r in rows[1:]] == [r.stop for r in rows[:-1]]
    return np.concatenate([found["a"] for _, found in parts], axis=1)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((40, 33), (16, 16)), ((7, 50), (16, 16)), ((5, 6), (8, 8)), ((21, 17, 30), (8, 8, 16)), ((3, 40, 9), (8, 16, 8))],
)
@pytest.mark.parametrize("overlap", [0.0, 0.4, 0.5])
def test_windows_leave_no_trace(shape: tuple[int, ...], size: tuple[int, ...], overlap: float) -> None:
    image = np.random.default_rng(0).random((1, *shape)).astype(np.float32)
    found = whole(image, Windows(size, overlap))
    np.testing.assert_allclose(found, np.stack([image[0] ** 2, 1 - image[0]]), atol=1e-6)


def test_what_is_said_does_not_depend_on_how_many_windows_go_together() -> None:
    image = np.random.default_rng(1).random((1, 30, 30)).astype(np.float32)
    one, many = (whole(image, Windows((16, 16), 0.5), at_once=n) for n in (1, 50))
    np.testing.assert_array_equal(one, many)


def test_a_weighted_mean_of_windows_is_what_comes_out() -> None:
    count = iter(range(100))

    def numbered(windows: list[AnyArray]) -> list[Mapping[str, Float32Array]]:
        return [{"a": np.full((1, *w.shape[1:]), next(count), dtype=np.float32)} for w in windows]

    image = np.zeros((1, 12, 8), dtype=np.float32)
    parts = judge_case(image, Windows((8, 8), 0.5), {"a": 1}, calls=numbered, at_once=8)
    found = np.concatenate([p["a"] for _, p in parts], axis=1)[0]
    weight = bell(8, 0.125)
    expected = [0 if y < 4 else 1 if y >= 8 else weight[y - 4] / (weight[y - 4] + weight[y]) for y in range(12)]
    np.testing.assert_allclose(found[:, 3], expected, atol=1e-6)


def test_windows_are_spread_evenly_and_reach_both_ends() -> None:
    assert starts(100, 32, 0.5) == [0, 14, 27, 41, 54, 68]
    assert starts(32, 32, 0.5) == [0]
    assert starts(20, 32, 0.5) == [-6]

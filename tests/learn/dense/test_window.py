"""A case judged window by window."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pytest

from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.learn.dense import window
from hounsfield.learn.dense.case import ArrayRows
from hounsfield.learn.dense.window import Calls, Windows, bell, best_axis, judge_case, starts


def pointwise(windows: Iterable[AnyArray]) -> Iterator[Mapping[str, Float32Array]]:
    """A network that looks at single voxels: windows must not be seen in its answer."""
    for w in windows:
        yield {"a": np.stack([w[0] ** 2, 1.0 - w[0]]).astype(np.float32)}


def placewise(windows: Iterable[AnyArray]) -> Iterator[Mapping[str, Float32Array]]:
    """A network whose answer depends on the place in the window, otherwise along each axis."""
    for w in windows:
        ramps = sum((n + 1) * g for n, g in enumerate(np.meshgrid(*map(np.arange, w.shape[1:]), indexing="ij")))
        yield {"a": np.stack([w[0] * ramps, w[0]]).astype(np.float32)}


def whole(image: AnyArray, windows: Windows, *, axis: int = 0, place: bool = False) -> Float32Array:
    calls = placewise if place else pointwise
    parts = list(judge_case(ArrayRows(image), windows, {"a": 2}, calls=calls, axis=axis))
    rows = [r for r, _ in parts]
    assert [r.start for r in rows[1:]] == [r.stop for r in rows[:-1]]
    return np.moveaxis(np.concatenate([found["a"] for _, found in parts], axis=1), 1, 1 + axis)


def by_hand(image: AnyArray, windows: Windows, calls: Calls = placewise) -> Float64Array:
    """The weighted mean over all windows, with arrays as large as the padded image, in float64."""
    low = [max(0, s - n) for n, s in zip(image.shape[1:], windows.size, strict=True)]
    padded = np.pad(image, [(0, 0), *((-(-b // 2), b) for b in low)]).astype(np.float64)
    weight = np.ones(())
    for size in windows.size:
        weight = np.multiply.outer(weight, bell(size, windows.sharpness))
    total, count = np.zeros(1), np.zeros(padded.shape[1:])
    places = [starts(n, s, windows.overlap) for n, s in zip(image.shape[1:], windows.size, strict=True)]
    shift = [-(-b // 2) for b in low]
    for index in np.ndindex(*[len(p) for p in places]):
        at = tuple(slice(p[i] + b, p[i] + b + s) for p, i, b, s in zip(places, index, shift, windows.size, strict=True))
        (found,) = calls([padded[(slice(None), *at)]])
        if total.ndim == 1:
            total = np.zeros((len(found["a"]), *padded.shape[1:]))
        total[(slice(None), *at)] += found["a"] * weight
        count[at] += weight
    inner = tuple(slice(b, b + n) for b, n in zip(shift, image.shape[1:], strict=True))
    return np.asarray(total[(slice(None), *inner)] / count[inner], dtype=np.float64)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((40, 33), (16, 16)), ((7, 50), (16, 16)), ((5, 6), (8, 8)), ((21, 17, 30), (8, 8, 16)), ((3, 40, 9), (8, 16, 8))],
)
@pytest.mark.parametrize("overlap", [0.0, 0.4, 0.5])
def test_windows_leave_no_trace(shape: tuple[int, ...], size: tuple[int, ...], overlap: float) -> None:
    image = np.random.default_rng(0).random((1, *shape)).astype(np.float32)
    found = whole(image, Windows(size, overlap))
    np.testing.assert_allclose(found, np.stack([image[0] ** 2, 1 - image[0]]), atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((40, 33), (16, 12)),
        ((5, 6), (8, 8)),
        ((21, 17, 30), (8, 8, 16)),
        ((1, 20, 9), (8, 16, 8)),
        ((9, 1, 1), (4, 4, 4)),
    ],
)
@pytest.mark.parametrize("chunk", [1 << 20, 50])
def test_it_is_the_weighted_mean_of_all_windows_whichever_axis_is_gone_along(
    shape: tuple[int, ...], size: tuple[int, ...], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "CHUNK", chunk)
    image = np.random.default_rng(1).random((1, *shape)).astype(np.float32)
    kept = image.copy()
    windows = Windows(size, 0.4)
    wanted = by_hand(image, windows)
    for axis in range(len(shape)):
        np.testing.assert_allclose(whole(image, windows, axis=axis, place=True), wanted, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(image, kept)


def test_a_case_is_gone_through_along_the_axis_that_keeps_least() -> None:
    assert best_axis((200, 512, 512), (64, 64, 64)) == 1
    assert best_axis((200, 512, 512), (64, 64, 64), (0,)) == 0
    assert best_axis((200, 512, 512), (64, 64, 64), (0, 2)) == 2
    assert best_axis((512, 512, 40), (64, 64, 64)) == 0
    assert best_axis((30, 40), (16, 16)) == 1
    assert best_axis((8, 8, 8), (64, 64, 64)) == 0


def test_a_weighted_mean_of_windows_is_what_comes_out() -> None:
    count = iter(range(100))

    def numbered(windows: Iterable[AnyArray]) -> Iterator[Mapping[str, Float32Array]]:
        for w in windows:
            yield {"a": np.full((1, *w.shape[1:]), next(count), dtype=np.float32)}

    image = np.zeros((1, 12, 8), dtype=np.float32)
    parts = judge_case(ArrayRows(image), Windows((8, 8), 0.5), {"a": 1}, calls=numbered)
    found = np.concatenate([p["a"] for _, p in parts], axis=1)[0]
    weight = bell(8, 0.125)
    expected = [0 if y < 4 else 1 if y >= 8 else weight[y - 4] / (weight[y - 4] + weight[y]) for y in range(12)]
    np.testing.assert_allclose(found[:, 3], expected, atol=1e-6)


def test_windows_are_spread_evenly_and_reach_both_ends() -> None:
    assert starts(100, 32, 0.5) == [0, 14, 27, 41, 54, 68]
    assert starts(32, 32, 0.5) == [0]
    assert starts(20, 32, 0.5) == [-6]

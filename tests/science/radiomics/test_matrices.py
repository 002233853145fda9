"""Each matrix against one that is counted voxel by voxel, on small random regions."""

from collections.abc import Iterable
from itertools import chain

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.science.radiomics import cooccurrence, neighbourhoods, run_lengths, zones
from hounsfield.science.radiomics.discretisation import Levels
from hounsfield.science.radiomics.texture import Texture, texture
from tests.science.radiomics import references as ref

SHAPES = ((4, 5, 6), (1, 7, 5), (3, 1, 4))


def _volume(seed: int, shape: tuple[int, ...], number: int = 5) -> tuple[IntArray, BoolArray, Texture]:
    drawn = stream(seed, "matrices")
    mask = drawn.random(shape) < 0.75
    levels = np.where(mask, drawn.integers(1, number + 1, shape), 0)
    return levels, mask, texture(mask, Levels(levels[mask], number, 1.0, 0.5))


def joined(parts: Iterable[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    return list(chain.from_iterable(parts))


def _slices(levels: IntArray) -> list[IntArray]:
    return [levels[n : n + 1] for n in range(len(levels)) if levels[n].any()]


def _mean(rows: list[list[float]]) -> Float64Array:
    with np.errstate(invalid="ignore"):
        table = np.array(rows, dtype=np.float64)
        held = ~np.isnan(table)
        mean: Float64Array = np.where(held, table, 0).sum(axis=0) / held.sum(axis=0)
    return mean


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("planar", [True, False])
@pytest.mark.parametrize("dense", [True, False])
def test_cooccurrence(shape: tuple[int, ...], planar: bool, dense: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    if not dense:
        monkeypatch.setattr(cooccurrence, "DENSE_CELLS", 0)
    levels, _, laid = _volume(1, shape)
    groups, ways = _slices(levels) if planar else [levels], ref.half(planar=planar)
    # slices differ in their highest level: all matrices are as large as the largest
    top = int(levels.max())
    tables = np.zeros((len(groups), len(ways), top, top))
    for g, part in enumerate(groups):
        for d, step in enumerate(ways):
            found = ref.pairs(part, step)
            tables[g, d, : len(found), : len(found)] = found

    def mean(matrices: Float64Array) -> Float64Array:
        flat = matrices.reshape(-1, top, top)
        return _mean([list(ref.pair_features(m, 5).values()) for m in flat if m.sum()])

    wanted = [mean(tables), mean(tables.sum(axis=1)), mean(tables.sum(axis=0)), mean(tables.sum(axis=(0, 1)))]
    assert tuple(ref.pair_features(np.ones((2, 2)), 2)) == cooccurrence.NAMES
    np.testing.assert_allclose(cooccurrence.cooccurrence(laid, planar=planar), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("planar", [True, False])
@pytest.mark.parametrize("dense", [True, False])
def test_run_lengths(shape: tuple[int, ...], planar: bool, dense: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    if not dense:
        monkeypatch.setattr(run_lengths, "DENSE_CELLS", 0)
    levels, mask, laid = _volume(2, shape, 3)
    groups, ways = _slices(levels) if planar else [levels], ref.half(planar=planar)
    found = [[ref.runs(g, s) for s in ways] for g in groups]
    held = [int((g > 0).sum()) for g in groups]
    whole, n = int(mask.sum()), len(ways)
    wanted = [
        _mean([ref.size_features(r, v) for rows, v in zip(found, held, strict=True) for r in rows]),
        _mean([ref.size_features(joined(rows), v * n) for rows, v in zip(found, held, strict=True)]),
        _mean([ref.size_features(joined(rows[d] for rows in found), whole) for d in range(n)]),
        _mean([ref.size_features(joined(r for rows in found for r in rows), whole * n)]),
    ]
    np.testing.assert_allclose(run_lengths.run_lengths(laid, planar=planar), np.array(wanted)[:, :16], rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("planar", [True, False])
def test_zones(shape: tuple[int, ...], planar: bool) -> None:  # noqa: FBT001
    levels, mask, laid = _volume(3, shape, 2)
    far = ref.distances(mask, planar=planar)
    cut = [n for n in range(len(levels)) if levels[n].any()] if planar else [None]
    found = [
        ref.zones(levels, far, planar=planar)
        if n is None
        else ref.zones(levels[n : n + 1], far[n : n + 1], planar=planar)
        for n in cut
    ]
    held = [int(mask.sum()) if n is None else int(mask[n].sum()) for n in cut]
    for which, table in enumerate(zones.zones(laid, mask, planar=planar), start=1):
        apart = [[(z[0], z[which]) for z in part] for part in found]
        wanted = [
            _mean([ref.size_features(a, v) for a, v in zip(apart, held, strict=True)]),
            _mean([ref.size_features(joined(apart), int(mask.sum()))]),
        ]
        np.testing.assert_allclose(table, np.array(wanted)[:, :16], rtol=1e-9)
    sizes, distances = zones.zones(laid, None, planar=planar)
    assert np.array_equal(sizes, zones.zones(laid, mask, planar=planar)[0])
    assert np.isnan(distances).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("planar", [True, False])
def test_neighbourhoods(shape: tuple[int, ...], planar: bool) -> None:  # noqa: FBT001
    levels, mask, laid = _volume(4, shape, 4)
    tones, dependences = neighbourhoods.neighbourhoods(laid, planar=planar)
    groups = _slices(levels) if planar else [levels]
    found = [ref.dependences(g, planar=planar) for g in groups]
    wanted = [
        _mean([ref.size_features(f, len(f)) for f in found]),
        _mean([ref.size_features(joined(found), int(mask.sum()))]),
    ]
    np.testing.assert_allclose(dependences, wanted, rtol=1e-9)
    apart = [ref.tone_features(g, ref.voxels(g), planar=planar) for g in groups]
    merged = ref.tone_features(levels, ref.voxels(levels), planar=planar)
    np.testing.assert_allclose(tones, np.array([_mean(apart), np.array(merged)]), rtol=1e-9)


def test_the_border_is_told_by_the_whole_region_and_not_by_what_is_kept() -> None:
    whole = np.ones((5, 5, 5), dtype=np.bool_)
    kept = np.zeros_like(whole)
    kept[2, 2, 2] = True
    laid = texture(kept, Levels(np.array([1]), 1, 1.0, 0.5))
    _, distances = zones.zones(laid, whole, planar=False)
    assert distances[0, zones.DISTANCE_NAMES.index("lde")] == 9.0

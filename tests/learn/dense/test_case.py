"""A case made a few rows at a time is the case made whole."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from hounsfield.core.image import Grid, Image
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.volume.mapped import mapped
from hounsfield.geometry.affines import reorient
from hounsfield.learn.dense import case as case_module
from hounsfield.learn.dense import rows as rows_module
from hounsfield.learn.dense.case import Case, prepare_images
from hounsfield.learn.dense.intensities import known, scale_of
from hounsfield.learn.dense.preparing import DensePreparation
from hounsfield.learn.prepare.image import resize

UPRIGHT = np.diag([1.2, 1.0, 1.5, 1.0])
WAYS = ("RAS", "LPS", "ASR", "SRA", "PIL")
"""Axes mirrored, exchanged, both."""
SPACINGS = (None, [2.0, 1.7, 0.8], [0.9, 2.1, 1.2], [5.0, 5.0, 5.0])


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let even a small volume come in many parts."""
    monkeypatch.setattr(case_module, "CHUNK", 400)
    monkeypatch.setattr(rows_module, "CHUNK", 400)


def volume(number: int, size: tuple[int, int, int] = (19, 26, 23), *, channels: int = 1) -> AnyArray:
    rng = np.random.default_rng(number)
    smooth = ndimage.gaussian_filter(rng.standard_normal((channels, *size)), (0, 1.0, 1.0, 1.0))
    return np.asarray(400 * smooth - 300, dtype=np.int16)


def turned(array: AnyArray, way: str) -> Image:
    lying, affine = reorient(array, UPRIGHT, way)
    return Image(np.ascontiguousarray(lying), Grid(affine))


def shorter(values: Float64Array, axis: int, length: int) -> Float64Array:
    """Average over the voxels that each new one touches."""
    old = values.shape[axis]
    parts = [
        values.take(range(n * old // length, -(-(n + 1) * old // length)), axis=axis).mean(axis=axis)
        for n in range(length)
    ]
    return np.stack(parts, axis=axis)


def by_hand(array: AnyArray, spec: DensePreparation) -> Float64Array:
    """What the upright volume is prepared to, from the definitions, in float64 and with SciPy."""
    values = array.astype(np.float64)
    mean, std = values.mean(axis=(1, 2, 3), keepdims=True), values.std(axis=(1, 2, 3), keepdims=True)
    values = np.clip((values - mean) / std, -8, 8)
    size = values.shape[1:]
    if spec.spacing_mm is not None:
        size = tuple(
            max(1, round(n * a / b)) for n, a, b in zip(values.shape[1:], (1.5, 1.0, 1.2), spec.spacing_mm, strict=True)
        )
    for axis, length in enumerate(size, start=1):
        if length < values.shape[axis]:
            values = shorter(values, axis, length)
    grids = np.meshgrid(
        *[(np.arange(n) + 0.5) * h / n - 0.5 for n, h in zip(size, values.shape[1:], strict=True)], indexing="ij"
    )
    return np.stack([ndimage.map_coordinates(v, grids, order=1, mode="nearest") for v in values])


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
@pytest.mark.parametrize("way", WAYS)
def test_rows_are_those_of_the_whole_volume(way: str, spacing: list[float] | None) -> None:
    spec = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS", spacing_mm=spacing)
    array = volume(1)
    wanted = by_hand(array, spec)
    case = Case({"image": turned(array, way)}, spec)
    assert case.shape == wanted.shape
    np.testing.assert_allclose(case.whole(), wanted, atol=3e-5)
    for axis, length in enumerate(wanted.shape[1:]):
        for step in (1, 3):  # at every seam
            for start in range(0, length, step):
                stop = min(length, start + step)
                found = case.rows(axis, start, stop)
                np.testing.assert_allclose(found, wanted.take(range(start, stop), axis=axis + 1), atol=3e-5)


@pytest.mark.parametrize("size", [(1, 20, 22), (18, 1, 9), (7, 8, 1), (1, 1, 1)])
def test_volumes_of_one_voxel_are_thin_and_no_more(size: tuple[int, int, int]) -> None:
    spec = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS", spacing_mm=[0.6, 2.0, 1.0])
    array = volume(2, size)
    case = Case({"image": turned(array, "ASR")}, spec)
    if array.size > 1:
        np.testing.assert_allclose(case.whole(), by_hand(array, spec), atol=3e-5)
    else:
        assert not case.whole().any()
    assert case.flat() == (array.size == 1)


def test_a_volume_in_one_part_has_the_bits_of_its_array() -> None:
    array = volume(3)
    spec = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS")
    values = array.astype(np.float32)
    mean, std = (f(axis=(1, 2, 3), keepdims=True, dtype=np.float64) for f in (values.mean, values.std))
    wanted = np.clip((values - mean) / np.maximum(std, 1e-6), -8, 8).astype(np.float32)
    np.testing.assert_array_equal(prepare_images({"image": turned(array, "LPS")}, spec).astype(np.float32), wanted)


def test_mean_and_deviation_in_parts_are_those_of_the_whole_even_far_from_zero() -> None:
    values = 3e6 + np.random.default_rng(0).normal(0, 2, (3, 40, 30, 20))
    found = scale_of((values[:, n : n + 7] for n in range(0, 40, 7)), 3)
    kept = values.astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(found.mean, kept.mean(axis=(1, 2, 3)), rtol=1e-13)
    np.testing.assert_allclose(found.std, kept.std(axis=(1, 2, 3)), rtol=1e-9)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("window", [{}, {"image": [-400.0, 100.0]}], ids=str)
def test_channels_are_made_row_by_row_too(channels: int, window: dict[str, list[float]]) -> None:
    image = turned(volume(4, channels=channels), "SRA")
    spec = DensePreparation(
        ndim=3, channels={"image": channels}, orientation="RAS", spacing_mm=[2.0, 1.0, 1.0], window=window
    )
    case = Case({"image": image}, spec)
    whole = case.whole()
    assert whole.shape[0] == channels
    parts = [case.rows(1, n, min(case.size[1], n + 4)) for n in range(0, case.size[1], 4)]
    np.testing.assert_allclose(np.concatenate(parts, axis=2), whole, atol=1e-5)


@pytest.mark.parametrize(("held", "wanted"), [(1, 3), (3, 1), (3, 3), (4, 1), (2, 1), (4, 3)])
def test_channels_of_a_part_are_those_of_the_whole(held: int, wanted: int) -> None:
    stored = volume(4, channels=held)
    found = known(stored, wanted)
    assert found.shape == (wanted, *stored.shape[1:])
    np.testing.assert_array_equal(known(stored[:, 3:8], wanted), found[:, 3:8])


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("across", ["z", "y", "x"])
@pytest.mark.parametrize("way", WAYS)
def test_rows_of_slices_have_the_axis_across_them_first(way: str, across: str) -> None:
    spacing: list[float | None] = [None if a == across else s for a, s in zip("zyx", (2.0, 1.7, 0.8), strict=True)]
    plain = DensePreparation(ndim=3, channels={"a": 1, "b": 1}, orientation="RAS", spacing_mm=spacing)
    spec = plain.model_copy(update={"slices": across, "neighbours": 2})
    images = {"a": turned(volume(1), way), "b": turned(volume(2), "PIL")}
    wanted = np.moveaxis(Case(images, plain).whole(), 1 + "zyx".index(across), 1)
    case = Case(images, spec)
    assert case.shape == wanted.shape
    assert case.axes == (0, 1, 2)
    np.testing.assert_allclose(case.whole(), wanted, atol=1e-5)
    for axis in range(3):
        parts = [case.rows(axis, n, min(case.size[axis], n + 2)) for n in range(0, case.size[axis], 2)]
        np.testing.assert_allclose(np.concatenate(parts, axis=axis + 1), wanted, atol=1e-5)
    np.testing.assert_allclose(case.shrunk((5, 6, 7)), resize(np.ascontiguousarray(wanted), (5, 6, 7)), atol=1e-5)


@pytest.mark.usefixtures("small_chunks")
def test_a_second_image_is_brought_to_the_grid_of_the_first_row_by_row() -> None:
    first = turned(volume(5), "LPS")
    finer = UPRIGHT @ np.diag([0.7, 1.9, 0.6, 1.0])
    finer[:3, 3] = [1.5, -2.0, 3.0]
    second = Image(volume(6, (28, 15, 30)), Grid(finer))
    spec = DensePreparation(ndim=3, channels={"a": 1, "b": 1}, orientation="RAS")
    case = Case({"a": first, "b": second}, spec)
    # voxel by voxel, with SciPy: smoothed where the first is coarser, linear, the lowest value outside
    steps = np.array([1.0 / 0.6, 1.0 / 1.9, 1.0 / 0.7])
    smooth = ndimage.gaussian_filter(
        second.array[0].astype(np.float64), [max(0.0, (s - 1) / 2) for s in steps], mode="nearest"
    )
    z, y, x = np.meshgrid(*map(np.arange, case.size), indexing="ij")
    points = np.stack([x, y, z, np.ones_like(x)], axis=-1) @ UPRIGHT.T @ np.linalg.inv(finer).T
    place = [points[..., 2], points[..., 1], points[..., 0]]
    moved = ndimage.map_coordinates(smooth, place, order=1, mode="nearest")
    outside = np.any([(p < -0.5) | (p > n - 0.5) for p, n in zip(place, smooth.shape, strict=True)], axis=0)
    moved[outside] = second.array.min()
    assert outside.any()
    wanted = (moved - moved.mean()) / moved.std()
    whole = case.whole()
    np.testing.assert_allclose(whole[1], wanted, atol=1e-3)
    np.testing.assert_allclose(whole[:1], prepare_images({"a": first}, spec.model_copy(update={"channels": {"a": 1}})))
    for axis in range(3):
        parts = [case.rows(axis, n, n + 1) for n in range(case.size[axis])]
        np.testing.assert_allclose(np.concatenate(parts, axis=axis + 1), whole, atol=1e-5)


def test_a_picture_is_prepared_as_ever() -> None:
    spec = DensePreparation(ndim=2, channels={"image": 1}, edge=32)
    picture = Image(np.random.default_rng(0).integers(0, 255, (1, 64, 48)).astype(np.uint8))
    case = Case({"image": picture}, spec)
    np.testing.assert_array_equal(np.concatenate([case.rows(0, 0, 5), case.rows(0, 5, 32)], axis=1), case.whole())
    values = picture.array.astype(np.float32)
    scaled = (values - values.mean(dtype=np.float64)) / values.std(dtype=np.float64)
    np.testing.assert_allclose(case.whole(), resize(scaled.astype(np.float32), (32, 24)), atol=1e-6)


@pytest.mark.usefixtures("small_chunks")
def test_the_guards_small_picture_is_made_row_by_row() -> None:
    spec = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS", spacing_mm=[1.0, 1.0, 1.0])
    case = Case({"image": turned(volume(7), "ASR")}, spec)
    for size in ((9, 8, 7), (5, 40, 3)):
        np.testing.assert_allclose(case.shrunk(size), resize(case.whole(), size), atol=1e-5)
    assert not case.flat()
    assert Case({"image": turned(np.full((1, 19, 26, 23), 7, np.int16), "RAS")}, spec).flat()
    almost = np.full((1, 19, 26, 23), 7, np.int16)
    almost[0, -1, -1, -1] = 8
    assert not Case({"image": turned(almost, "RAS")}, spec).flat()


@pytest.mark.usefixtures("small_chunks")
def test_a_volume_in_a_file_is_gone_through_as_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = volume(8)
    spec = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS")
    assert Case({"image": turned(array, "ASR")}, spec).axes == (0, 1, 2)
    assert Case({"image": turned(array, "ASR")}, spec).axis == 0
    for way, axis in (("RAS", 0), ("ASR", 2), ("SRA", 1)):
        image = turned(array, way)
        (tmp_path / way).write_bytes(b"head" + image.array.tobytes())
        held = mapped(tmp_path / way, start=4, dtype=image.array.dtype, shape=image.array.shape)
        case = Case({"image": Image(held, image.grid)}, spec)
        assert case.axis == axis
        assert case.axes == tuple(n for n in range(3) if n == axis)
        monkeypatch.setattr(case_module, "LEAST_RUN", 23)
        assert len(case.axes) == 2
        monkeypatch.setattr(case_module, "LEAST_RUN", 512)
        np.testing.assert_allclose(case.whole(), by_hand(array, spec), atol=1e-5)
        for place, across in enumerate("zyx"):
            cut = Case({"image": Image(held, image.grid)}, spec.model_copy(update={"slices": across}))
            first = [place, *(n for n in range(3) if n != place)]
            assert cut.axes == (cut.axis,) == (first.index(axis),)
            np.testing.assert_allclose(np.moveaxis(cut.whole(), 1, 1 + place), by_hand(array, spec), atol=1e-5)

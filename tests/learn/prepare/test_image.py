"""Every image comes to the plan's size, channels and range, and a lesion does not fall between two rows."""

import numpy as np
import pytest
from pydantic import ValidationError

from hounsfield.core.errors import PlanError
from hounsfield.core.image import Image
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.learn.prepare.image import ImagePreparation, normalise, prepare, resize


def noise(*shape: int, seed: int = 0) -> Float32Array:
    return stream(seed, "noise").random(shape).astype(np.float32)


def triangle_resized(row: Float64Array, size: int) -> Float64Array:
    """Resize one axis: each new pixel is the mean under a triangle as wide as two of the coarser pixels."""
    old = len(row)
    ratio = old / size
    support = max(ratio, 1.0)
    found = np.empty(size)
    for place in range(size):
        centre = (place + 0.5) * ratio
        weights = np.array([max(0.0, 1.0 - abs((x + 0.5 - centre) / support)) for x in range(old)])
        found[place] = (weights * row).sum() / weights.sum()
    return found


@pytest.mark.parametrize(("old", "new"), [(20, 10), (24, 8), (10, 15), (17, 9), (16, 16)])
def test_resize_is_the_mean_under_a_triangle(old: int, new: int) -> None:
    image = noise(2, old, old + 3)
    wanted = np.apply_along_axis(lambda r: triangle_resized(r, new), 1, image.astype(np.float64))
    wanted = np.apply_along_axis(lambda r: triangle_resized(r, new + 1), 2, wanted)
    np.testing.assert_allclose(resize(image, (new, new + 1)), wanted, atol=2e-6)


@pytest.mark.parametrize("shape", [(1, 40, 30), (1, 12, 20, 16)], ids=["2D", "3D"])
@pytest.mark.parametrize("factor", [0.4, 1.7])
def test_resize_keeps_constants_range_and_symmetry(shape: tuple[int, ...], factor: float) -> None:
    size = tuple(round(n * factor) for n in shape[1:])
    np.testing.assert_allclose(resize(np.full(shape, 0.7, np.float32), size), 0.7, rtol=1e-6)
    image = noise(*shape)
    found = resize(image, size)
    assert found.shape == (1, *size)
    assert found.dtype == np.float32
    assert found.min() >= image.min() - 1e-6
    assert found.max() <= image.max() + 1e-6
    mirrored = resize(np.ascontiguousarray(image[..., ::-1]), size)[..., ::-1]
    np.testing.assert_allclose(mirrored, found, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 64, 64), (1, 16, 16, 16)], ids=["2D", "3D"])
def test_detail_finer_than_the_new_pixels_is_averaged_away(shape: tuple[int, ...]) -> None:
    board = (np.indices(shape[1:]).sum(axis=0) % 2).astype(np.float32)[None]
    found = resize(board, tuple(n // 4 for n in shape[1:]))
    np.testing.assert_allclose(found, 0.5, atol=0.02)
    assert found.std() < 0.02 < board.std()


def test_a_single_bright_pixel_keeps_its_mass_wherever_it_lies() -> None:
    for place in range(8, 24):
        image = np.zeros((1, 32, 32), np.float32)
        image[0, place, place] = 1.0
        assert resize(image, (8, 8)).sum() * 16 == pytest.approx(1.0, abs=0.01)


def test_volumes_shrink_by_the_mean_over_boxes() -> None:
    volume = noise(1, 8, 12, 6)
    wanted = volume.reshape(1, 4, 2, 4, 3, 3, 2).mean(axis=(2, 4, 6))
    np.testing.assert_allclose(resize(volume, (4, 4, 3)), wanted, atol=1e-6)
    assert resize(volume, (4, 24, 6)).shape == (1, 4, 24, 6)


def test_eight_bits_at_their_own_size_lose_nothing() -> None:
    array = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    stored = prepare(Image(array), ImagePreparation(size=(16, 16)))
    assert stored.dtype == np.uint8
    np.testing.assert_array_equal(stored, array)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
def test_stored_type_plays_no_part(dtype: str) -> None:
    array = np.linspace(0, 200, 64).round().reshape(1, 8, 8)
    spec = ImagePreparation(size=(8, 8), high=200.0)
    np.testing.assert_array_equal(prepare(Image(array.astype(dtype)), spec), np.rint(array / 200 * 255))


def test_window_maps_its_ends_to_zero_and_one_and_cuts_beyond() -> None:
    units = np.array([[-2000, -1000, -300, 400, 3000]], dtype=np.int16)[None]
    spec = ImagePreparation(size=(1, 5), low=-1000.0, high=400.0, storage="float16")
    stored = prepare(Image(units), spec)
    assert stored.dtype == np.float16
    np.testing.assert_array_equal(stored[0, 0], np.array([0, 0, 0.5, 1, 1], np.float16))


def test_percentiles_are_the_image_s_own() -> None:
    spec = ImagePreparation(size=(50, 50), scale="percentile", storage="float16")
    image = noise(1, 50, 50)
    one, other = (prepare(Image(v), spec) for v in (image, image * 700 - 40))
    np.testing.assert_allclose(one.astype(np.float32), other.astype(np.float32), atol=2e-3)
    low, high = np.percentile(image, (0.5, 99.5))
    wanted = np.clip((image - low) / (high - low), 0, 1)
    np.testing.assert_allclose(one.astype(np.float32), wanted, atol=1e-3)


@pytest.mark.parametrize("scale", ["window", "percentile"])
def test_a_constant_image_stays_finite(scale: str) -> None:
    spec = ImagePreparation.model_validate({"size": (8, 8), "scale": scale, "low": 5.0, "high": 5.0})
    stored = prepare(Image(np.full((1, 20, 20), 5, np.int16)), spec)
    assert len(np.unique(stored)) == 1


def test_padding_keeps_the_aspect_and_fills_with_the_darkest() -> None:
    image = np.full((1, 10, 20), 255, np.uint8)
    stored = prepare(Image(image), ImagePreparation(size=(16, 16), fit="pad"))
    assert stored.shape == (1, 16, 16)
    np.testing.assert_array_equal(stored[0, 4:12], 255)
    assert not stored[0, :4].any()
    assert not stored[0, 12:].any()
    tall = prepare(Image(image.transpose(0, 2, 1)), ImagePreparation(size=(16, 16), fit="pad"))
    np.testing.assert_array_equal(tall[0], stored[0].T)
    deep = prepare(Image(np.full((1, 4, 8, 8), 255, np.uint8)), ImagePreparation(ndim=3, size=(8, 8, 8), fit="pad"))
    np.testing.assert_array_equal(deep[0, 2:6], 255)
    assert not deep[0, :2].any()


def test_channels() -> None:
    rgb = (noise(3, 4, 4) * 255).astype(np.uint8)
    one, three = ImagePreparation(size=(4, 4)), ImagePreparation(size=(4, 4), channels=3)
    luma = np.rint(np.tensordot([0.299, 0.587, 0.114], rgb.astype(np.float64), axes=1))
    np.testing.assert_allclose(prepare(Image(rgb), one)[0].astype(float), luma, atol=1)
    np.testing.assert_array_equal(prepare(Image(rgb), three), rgb)
    alpha = np.concatenate([rgb, np.full((1, 4, 4), 9, np.uint8)])
    np.testing.assert_array_equal(prepare(Image(alpha), three), rgb)
    np.testing.assert_array_equal(prepare(Image(alpha), one), prepare(Image(rgb), one))
    grey = rgb[:1]
    np.testing.assert_array_equal(prepare(Image(grey), three), np.repeat(grey, 3, axis=0))
    np.testing.assert_array_equal(prepare(Image(np.concatenate([grey, alpha[3:]])), one), grey)
    many = (noise(5, 4, 4) * 255).astype(np.uint8)
    np.testing.assert_allclose(prepare(Image(many), one)[0].astype(float), many.mean(axis=0), atol=0.51)
    grey_in_colour = np.repeat(grey, 3, axis=0)
    np.testing.assert_allclose(prepare(Image(grey_in_colour), one).astype(int), grey.astype(int), atol=0)


def test_volume() -> None:
    volume = (noise(1, 6, 10, 8) * 255).astype(np.uint8)
    stored = prepare(Image(volume), ImagePreparation(ndim=3, size=(4, 8, 8)))
    assert stored.shape == (1, 4, 8, 8)
    assert stored.mean() == pytest.approx(volume.mean(), abs=2)


@pytest.mark.parametrize(("array", "ndim"), [(np.zeros((1, 4, 4)), 3), (np.zeros((1, 4, 4, 4)), 2)])
def test_wrong_number_of_axes_is_refused(array: AnyArray, ndim: int) -> None:
    spec = ImagePreparation.model_validate({"ndim": ndim, "size": (4,) * ndim})
    with pytest.raises(PlanError, match="space axes"):
        prepare(Image(array), spec)


def test_normalise_undoes_the_storage_and_standardises() -> None:
    image = (noise(1, 6, 6) * 255).astype(np.uint8)
    spec = ImagePreparation(size=(6, 6), mean=0.4, std=0.2)
    wanted = (image / 255.0 - 0.4) / 0.2
    np.testing.assert_allclose(normalise(prepare(Image(image), spec), spec), wanted, atol=1e-5)
    half = spec.model_copy(update={"storage": "float16"})
    np.testing.assert_allclose(normalise(prepare(Image(image), half)[None], half)[0], wanted, atol=5e-3)


@pytest.mark.parametrize("wrong", [{"size": (4, 4), "channels": 2}, {"size": (4, 4), "fit": "crop"}, {"sise": (4, 4)}])
def test_section_of_the_plan_is_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ImagePreparation.model_validate(wrong)

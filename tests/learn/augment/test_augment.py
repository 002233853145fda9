"""Augmentation: drawn by sample, applied exactly as drawn, each operation against NumPy or SciPy."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from hounsfield.core.errors import PlanError
from hounsfield.core.streams import uniforms
from hounsfield.learn.augment.apply import apply_
from hounsfield.learn.augment.draw import Numbers, draw
from hounsfield.learn.augment.geometry import flip_, read_places, smooth_field, warp_
from hounsfield.learn.augment.intensity import (
    add_noise_,
    bend_gain_,
    blur_,
    change_gamma_,
    cosine_basis,
    erase_,
    normal_table,
    stretch_,
)
from hounsfield.learn.augment.params import AugmentParams
from hounsfield.learn.augment.spec import AugmentSpec

EVERYTHING = AugmentSpec(
    flips=("y", "x"), rotation_deg=20, scale=(0.8, 1.25), shear_deg=5, translation=0.1, elastic=0.03, brightness=0.2,
    contrast=(0.8, 1.25), gamma=(0.7, 1.4), bias_field=0.3, blur=1.0, noise=0.1, cutout=0.4,
)  # fmt: skip


def numbers(samples: list[int], *, epoch: int = 0) -> Numbers:
    return partial(uniforms, 0, "augment", epoch, samples)


def images(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def still(count: int, ndim: int) -> AugmentParams:
    """Return a warp that moves nothing."""
    everyone = torch.ones(count, dtype=torch.bool)
    return AugmentParams(moved=everyone, matrix=torch.eye(ndim).repeat(count, 1, 1), shift=torch.zeros(count, ndim))


def test_all_off_is_the_very_same_tensor() -> None:
    batch = images(3, 1, 8, 8)
    params = draw(AugmentSpec(), numbers([0, 1, 2]), ndim=2)
    assert params.off
    before = batch.clone()
    assert apply_(batch, params) is batch
    assert torch.equal(batch, before)


@pytest.mark.parametrize("shape", [(6, 2, 24, 20), (6, 1, 10, 12, 14)])
def test_a_sample_is_augmented_alike_in_any_batch(shape: tuple[int, ...]) -> None:
    batch, ndim = images(*shape), len(shape) - 2
    spec = EVERYTHING.model_copy(update={"geometry_chance": 0.7, "intensity_chance": 0.6, "cutout_chance": 0.5})
    whole = apply_(batch.clone(), draw(spec, numbers([0, 1, 2, 3, 4, 5]), ndim=ndim))
    again = apply_(batch.clone(), draw(spec, numbers([0, 1, 2, 3, 4, 5]), ndim=ndim))
    assert torch.equal(whole, again)
    some = apply_(batch[[4, 1]], draw(spec, numbers([4, 1]), ndim=ndim))
    torch.testing.assert_close(some, whole[[4, 1]], atol=1e-5, rtol=1e-5)
    other = apply_(batch.clone(), draw(spec, numbers([0, 1, 2, 3, 4, 5], epoch=1), ndim=ndim))
    assert not torch.allclose(whole, other)


def test_output_is_the_given_tensor_finite_float32() -> None:
    torch.use_deterministic_algorithms(True)
    try:
        batch = images(4, 1, 16, 16)
        result = apply_(batch, draw(EVERYTHING, numbers([0, 1, 2, 3]), ndim=2))
    finally:
        torch.use_deterministic_algorithms(False)
    assert result is batch
    assert result.shape == (4, 1, 16, 16)
    assert result.dtype == torch.float32
    assert bool(result.isfinite().all())
    constant = apply_(torch.zeros(4, 1, 16, 16), draw(EVERYTHING, numbers([0, 1, 2, 3]), ndim=2))
    assert bool(constant.isfinite().all())


def test_one_operation_draws_alike_whether_others_are_on() -> None:
    alone = draw(AugmentSpec(noise=0.1), numbers([0, 1]), ndim=2)
    together = draw(EVERYTHING, numbers([0, 1]), ndim=2)
    assert alone.noise is not None
    assert together.noise is not None
    assert torch.equal(alone.noise, together.noise)


def test_draws_keep_to_their_ranges() -> None:
    params = draw(EVERYTHING, numbers(list(range(400))), ndim=2)
    assert params.contrast is not None
    assert params.matrix is not None
    assert params.flip is not None
    assert params.shift is not None
    assert 0.8 <= float(params.contrast.min()) < 0.82
    assert 1.22 < float(params.contrast.max()) <= 1.25
    zoom = torch.linalg.det(params.matrix).abs().rsqrt()
    assert float(zoom.min()) >= 0.8 - 1e-5
    assert float(zoom.max()) <= 1.25 + 1e-5
    still_there = draw(EVERYTHING.model_copy(update={"geometry_chance": 0.0}), numbers(list(range(400))), ndim=2)
    assert still_there.flip is not None
    assert float(still_there.flip.float().mean()) == pytest.approx(0.5, abs=0.07)
    assert float(params.shift.abs().max()) <= 0.1
    assert draw(AugmentSpec(), numbers([]), ndim=2).off


def test_chances_are_kept() -> None:
    spec = EVERYTHING.model_copy(update={"geometry_chance": 0.3, "intensity_chance": 0.2, "cutout_chance": 0.1})
    params = draw(spec, numbers(list(range(600))), ndim=2)
    assert params.moved is not None
    assert params.noise is not None
    assert params.bias_field is not None
    assert params.box is not None
    assert float(params.moved.float().mean()) == pytest.approx(0.3, abs=0.06)
    assert float((params.noise > 0).float().mean()) == pytest.approx(0.2, abs=0.05)
    assert float(params.bias_field.flatten(1).any(1).float().mean()) == pytest.approx(0.2, abs=0.05)
    assert float((params.box[:, 0] < params.box[:, 1]).all(1).float().mean()) == pytest.approx(0.1, abs=0.04)


def test_flips_are_exact() -> None:
    batch = images(3, 2, 5, 7)
    result = flip_(batch.clone(), torch.tensor([[False, False], [True, False], [True, True]]))
    expected = batch.numpy().copy()
    expected[1] = expected[1, :, ::-1]
    expected[2] = expected[2, :, ::-1, ::-1]
    np.testing.assert_array_equal(result.numpy(), expected)


def test_read_places_equal_affine_grid() -> None:
    for size in ((5, 8), (4, 5, 6)):
        ndim = len(size)
        matrix, shift = images(2, ndim, ndim), images(2, ndim)
        theta = torch.cat([matrix.flip(1, 2), shift.flip(1)[:, :, None]], dim=2)
        expected = torch.nn.functional.affine_grid(theta, [2, 1, *size], align_corners=False)
        torch.testing.assert_close(read_places(matrix, shift, bend=None, size=size), expected)


def test_quarter_turn_of_a_rectangle_is_exact_in_its_middle() -> None:
    batch = images(1, 1, 8, 12)
    turn = replace(still(1, 2), matrix=torch.tensor([[[0.0, 1.0], [-1.0, 0.0]]]))
    middle = warp_(batch.clone(), turn)[0, 0, :, 2:10].numpy()
    # output (y, x) from the centre reads input (x, -y)
    np.testing.assert_allclose(middle, np.rot90(batch[0, 0, :, 2:10].numpy(), 1), atol=1e-5)


def test_shift_and_zoom_read_where_they_say() -> None:
    ramp = torch.arange(16.0).repeat(1, 1, 16, 1)
    shifted = warp_(ramp.clone(), replace(still(1, 2), shift=torch.tensor([[0.0, 0.25]])))
    np.testing.assert_allclose(shifted[0, 0, 3, :11].numpy(), np.arange(11) + 4.0, atol=1e-4)
    zoomed = warp_(ramp.clone(), replace(still(1, 2), matrix=0.5 * torch.eye(2)[None]))
    np.testing.assert_allclose(zoomed[0, 0, 3].numpy(), 7.5 + 0.5 * (np.arange(16) - 7.5), atol=1e-4)


def test_warp_equals_scipy() -> None:
    params = draw(AugmentSpec(rotation_deg=30, scale=(1.2, 1.5), shear_deg=8), numbers([3]), ndim=2)
    assert params.matrix is not None
    rows, columns = np.mgrid[:20, :30]
    picture = torch.from_numpy(np.sin(rows / 5) + np.cos(columns / 4)).float()[None, None]
    centre = np.array([9.5, 14.5])
    matrix = params.matrix[0].numpy().astype(float)
    expected = ndimage.affine_transform(
        picture[0, 0].numpy().astype(float), matrix, offset=centre - matrix @ centre, order=1, mode="nearest"
    )
    np.testing.assert_allclose(warp_(picture.clone(), params)[0, 0].numpy(), expected, atol=1e-4)


def test_rotation_is_rigid_where_pixels_are_not_square() -> None:
    quarter = torch.tensor([[[0.0, 1.0], [-1.0, 0.0]]])
    params = replace(still(1, 2), matrix=quarter, spacing=(2.0, 1.0))
    disc = torch.zeros(1, 1, 16, 32)
    rows, columns = np.mgrid[:16, :32]
    disc[0, 0] = torch.from_numpy(np.exp(-(((rows - 7.5) * 2) ** 2 + (columns - 15.5) ** 2) / 40)).float()
    torch.testing.assert_close(warp_(disc.clone(), params), disc, atol=0.03, rtol=0)


def test_samples_not_moved_keep_their_bits() -> None:
    batch = images(2, 1, 8, 8)
    params = replace(still(2, 2), moved=torch.tensor([True, False]), shift=torch.full((2, 2), 0.2))
    result = warp_(batch.clone(), params)
    assert torch.equal(result[1], batch[1])
    assert not torch.equal(result[0], batch[0])


def test_masks_are_warped_to_whole_labels() -> None:
    mask = (images(1, 1, 16, 16) > 0).float()
    params = draw(AugmentSpec(rotation_deg=40, elastic=0.05), numbers([0]), ndim=2)
    assert set(warp_(mask.clone(), params, mode="nearest").flatten().tolist()) <= {0.0, 1.0}


def test_smooth_field_of_equal_points_is_constant_and_of_a_line_a_line() -> None:
    torch.testing.assert_close(smooth_field(torch.ones(1, 1, 6, 6), (20, 30)), torch.ones(1, 1, 20, 30))
    line = smooth_field(torch.arange(6.0).repeat(1, 1, 6, 1), (4, 30))[0, 0, 0].numpy()
    np.testing.assert_allclose(line, 1.0 + (np.arange(30) + 0.5) / 30 * 3, atol=1e-5)


def test_bias_field_is_its_formula() -> None:
    batch, waves = images(2, 1, 6, 9), images(2, 3, 3) * 0.3
    waves[1] = 0.0
    v = (np.arange(6) + 0.5) / 6
    u = (np.arange(9) + 0.5) / 9
    x, a = batch[0, 0].numpy(), waves[0].numpy()
    log_field = sum(
        a[i, j] * np.outer(np.cos(math.pi * i * v), np.cos(math.pi * j * u)) for i in range(3) for j in range(3)
    )
    result = bend_gain_(batch.clone(), waves)
    np.testing.assert_allclose(result[0, 0].numpy(), x.min() + (x - x.min()) * np.exp(log_field), atol=1e-4)
    assert torch.equal(result[1], batch[1])
    assert cosine_basis(4).shape == (3, 4)


@pytest.mark.parametrize("edge", [28, 80])
def test_gamma_of_a_sample_does_not_depend_on_its_neighbours(edge: int) -> None:
    batch = torch.rand(4, 1, edge, edge, generator=torch.Generator().manual_seed(1))
    powers = torch.tensor([0.5, 1.0, 2.0, 1.3])
    together = change_gamma_(batch.clone(), powers)
    alone = [change_gamma_(one[None].clone(), power[None]) for one, power in zip(batch, powers, strict=True)]
    assert torch.equal(together, torch.cat(alone))


def test_gamma_and_stretch_are_their_formulas() -> None:
    batch = images(3, 2, 5, 5)
    x = batch.numpy()
    result = change_gamma_(batch.clone(), torch.tensor([0.5, 1.0, 2.0])).numpy()
    for k, power in ((0, 0.5), (2, 2.0)):
        low, high = x[k].min(), x[k].max()
        np.testing.assert_allclose(result[k], low + (high - low) * ((x[k] - low) / (high - low)) ** power, atol=1e-4)
    np.testing.assert_array_equal(result[1], x[1])
    factor, offset = torch.tensor([1.5, 1.0, 1.0]), torch.tensor([0.0, 0.0, -1.0])
    result = stretch_(batch.clone(), contrast=factor, brightness=offset).numpy()
    np.testing.assert_allclose(result[0], x[0].mean() + 1.5 * (x[0] - x[0].mean()), atol=1e-5)
    np.testing.assert_array_equal(result[1], x[1])
    np.testing.assert_allclose(result[2], x[2] - 1.0, atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 2, 14, 17), (3, 1, 8, 9, 10)])
def test_blur_equals_scipy(shape: tuple[int, ...]) -> None:
    batch = images(*shape)
    result = blur_(batch.clone(), torch.tensor([0.5, 0.0, 1.3])).numpy()
    for sample, sigma in ((0, 0.5), (2, 1.3)):
        for channel in range(shape[1]):
            expected = ndimage.gaussian_filter(
                batch[sample, channel].numpy().astype(float), sigma, mode="nearest", radius=math.ceil(3 * sigma)
            )
            np.testing.assert_allclose(result[sample, channel], expected, atol=1e-5)
    np.testing.assert_array_equal(result[1], batch[1].numpy())


def test_noise_has_its_deviation_and_follows_its_key() -> None:
    batch = torch.zeros(4, 1, 64, 64)
    keys = torch.tensor([11, 10, 2 * 999_999 + 1, 11])
    result = add_noise_(batch.clone(), torch.tensor([0.5, 0.5, 2.0, 0.0]), key=keys)
    assert float(result[0].std()) == pytest.approx(0.5, rel=0.05)
    assert float(result[2].std()) == pytest.approx(2.0, rel=0.05)
    assert torch.equal(result[0], -result[1])  # same place, other sign
    assert not bool(result[3].any())
    table = normal_table(torch.device("cpu"))
    around = add_noise_(torch.zeros(1, 1, 2, 4), torch.tensor([1.0]), key=torch.tensor([2 * (len(table) - 3) + 1]))
    torch.testing.assert_close(around.flatten(), torch.cat([table[-3:], table[:5]]))
    assert float(table.mean()) == pytest.approx(0.0, abs=0.003)
    assert float(table.std()) == pytest.approx(1.0, abs=0.003)


def test_erased_box_holds_the_mean() -> None:
    batch = images(2, 1, 10, 20)
    box = torch.tensor([[[0.2, 0.5], [0.4, 0.7]], [[0.5, 0.5], [0.5, 0.5]]])
    expected = batch.numpy().copy()
    expected[0, :, 2:4, 10:14] = expected[0].mean()
    np.testing.assert_allclose(erase_(batch.clone(), box).numpy(), expected, atol=1e-6)


def test_specs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(PlanError, match="spatial axes"):
        draw(AugmentSpec(flips=("z",)), numbers([0]), ndim=2)
    with pytest.raises(PlanError, match="spatial axes"):
        draw(AugmentSpec(spacing=(1.0, 1.0)), numbers([0]), ndim=3)
    with pytest.raises(ValueError, match="lower first"):
        AugmentSpec(scale=(1.2, 0.8))
    with pytest.raises(ValueError, match="Extra inputs"):
        AugmentSpec.model_validate({"rotate": 3})


def test_volumes_are_flipped_tilted_and_bent() -> None:
    spec = AugmentSpec(flips=("z", "y", "x"), rotation_deg=10, tilt_deg=10, elastic=0.02, spacing=(3.0, 1.0, 1.0))
    params = draw(spec, numbers([0, 1]), ndim=3)
    assert params.matrix is not None
    torch.testing.assert_close(params.matrix @ params.matrix.mT, torch.eye(3).repeat(2, 1, 1), atol=1e-5, rtol=0)
    batch = images(2, 1, 8, 16, 16)
    assert apply_(batch.clone(), params).shape == batch.shape


def test_what_is_moved_is_mirrored_by_the_same_interpolation() -> None:
    spec = AugmentSpec(flips=("y", "x"), rotation_deg=20.0, translation=0.1, elastic=0.03, geometry_chance=0.5)
    batch, ids = images(12, 1, 20, 24), list(range(12))
    drawn = draw(spec, numbers(ids), ndim=2)
    plain = draw(spec.model_copy(update={"flips": ()}), numbers(ids), ndim=2)
    flips = torch.from_numpy(numbers(ids)(count=3)[:, 1:] < 0.5)
    expected = warp_(flip_(batch.clone(), flips), plain)
    torch.testing.assert_close(apply_(batch.clone(), drawn), expected, atol=1e-4, rtol=1e-4)
    assert drawn.moved is not None
    assert drawn.flip is not None
    assert not (drawn.flip & drawn.moved[:, None]).any()
    assert drawn.flip.any()

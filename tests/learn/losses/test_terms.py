"""Focal, boundary and skeleton terms against their formulas in NumPy and SciPy, on shapes whose answer is known."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.spatial.distance import cdist

from hounsfield.core.errors import PlanError
from hounsfield.core.plan import checked
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.learn.dense.job import Terms
from hounsfield.learn.losses.boundary import FAR, border_distance, boundary_loss
from hounsfield.learn.losses.outline import PLAIN, SMOOTH, Weights, outline_loss
from hounsfield.learn.losses.skeleton import SMOOTH as LINE_SMOOTH
from hounsfield.learn.losses.skeleton import skeleton_loss, soft_skeleton


def disc(size: int = 24, radius: float = 6.0) -> BoolArray:
    y, x = np.mgrid[:size, :size] - size // 2
    return np.asarray(np.hypot(y, x) < radius, dtype=np.bool_)


def cross(size: int = 21, width: int = 3) -> BoolArray:
    mask = np.zeros((size, size), dtype=np.bool_)
    low = size // 2 - width // 2
    mask[low : low + width, 2:-2] = True
    mask[2:-2, low : low + width] = True
    return mask


def tensor(array: AnyArray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).double()


# ------------------------------------------------------------------------------------------------------------- focal


def test_the_focal_entropy_by_hand_for_classes_that_overlap_and_that_do_not() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(2, 2, 5, 6))
    truth = rng.integers(0, 2, raw.shape).astype(np.uint8)
    region = rng.integers(0, 2, (2, 1, 5, 6)).astype(np.uint8)
    p = 1 / (1 + np.exp(-raw))
    right = np.where(truth == 1, p, 1 - p)
    expected = (-((1 - right) ** 2) * np.log(right) * region).sum() / (region.sum() * 2)
    only = Weights(dice=0.0, focal=2.0)
    found = outline_loss(*(torch.from_numpy(a) for a in (raw, truth, region)), exclusive=False, weights=only)
    np.testing.assert_allclose(float(found), expected, rtol=1e-10)

    labels = rng.integers(0, 2, (2, 1, 5, 6)).astype(np.uint8)
    shares = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    own = np.take_along_axis(shares, labels.astype(np.int64), axis=1)
    expected = (-((1 - own) ** 2) * np.log(own) * region).sum() / region.sum()
    found = outline_loss(*(torch.from_numpy(a) for a in (raw, labels, region)), exclusive=True, weights=only)
    np.testing.assert_allclose(float(found), expected, rtol=1e-10)


def test_a_focal_power_between_none_and_one_is_refused_and_certain_voxels_have_a_finite_gradient() -> None:
    with pytest.raises(PlanError, match="at least 1"):
        checked("loss", {"focal": 0.5}, Terms)
    raw = torch.full((1, 1, 4, 4), 80.0, requires_grad=True)
    ones = torch.ones(1, 1, 4, 4, dtype=torch.uint8)
    (gradient,) = torch.autograd.grad(outline_loss(raw, ones, ones, exclusive=False, weights=Weights(focal=1.0)), raw)
    assert torch.isfinite(gradient).all()


# ---------------------------------------------------------------------------------------------------------- boundary


def by_all_pairs(mask: BoolArray, steps: tuple[float, ...]) -> Float64Array:
    """Signed distances by comparing every voxel with every other."""
    places = np.argwhere(np.ones(mask.shape)) * np.array(steps)
    flat = mask.ravel()
    to_inside = cdist(places, places[flat]).min(axis=1)
    to_outside = cdist(places, places[~flat]).min(axis=1)
    signed = np.where(flat, -np.maximum(to_outside - min(steps), 0.0), to_inside)
    return np.asarray(np.clip(signed / FAR, -1, 1).reshape(mask.shape))


@pytest.mark.parametrize("steps", [(1.0, 1.0), (3.0, 1.0)])
def test_distances_are_those_of_the_nearest_voxel_on_the_other_side(steps: tuple[float, float]) -> None:
    found = border_distance(disc(), steps).astype(np.float64)
    np.testing.assert_allclose(found, by_all_pairs(disc(), steps), rtol=0, atol=1e-6)


def test_the_boundary_loss_by_hand() -> None:
    rng = np.random.default_rng(1)
    masks = np.stack([np.stack([disc(), cross(24)]), np.stack([disc(radius=3), np.zeros((24, 24), dtype=np.bool_)])])
    said = rng.random(masks.shape)
    region = (rng.random((2, 1, 24, 24)) < 0.7).astype(np.float64)
    far = np.stack([[by_all_pairs(m, (1.0, 1.0)) if m.any() else np.zeros(m.shape) for m in case] for case in masks])
    expected = (said * far * region).sum() / (region.sum() * 2)
    found = boundary_loss(tensor(said), tensor(masks), tensor(region))
    np.testing.assert_allclose(float(found), expected, rtol=1e-6)


def test_the_boundary_loss_is_least_at_the_truth_and_grows_with_the_distance_of_what_is_wrong() -> None:
    mask = disc(48)
    everywhere = torch.ones(1, 1, 48, 48)

    def loss(said: AnyArray) -> float:
        return float(boundary_loss(tensor(said)[None, None], tensor(mask)[None, None], everywhere))

    near, far = mask.copy(), mask.copy()
    near[24, 31:33] = True
    far[24, 44:46] = True
    assert loss(mask) < loss(near) < loss(far)
    assert loss(mask) <= loss(ndimage.binary_erosion(mask))


# ---------------------------------------------------------------------------------------------------------- skeleton


def numpy_skeleton(mask: Float64Array, turns: int) -> Float64Array:
    """The soft skeleton by SciPy's filters."""
    plus = ndimage.generate_binary_structure(mask.ndim, 1)

    def eroded(values: Float64Array) -> Float64Array:
        return np.asarray(ndimage.grey_erosion(values, footprint=plus, mode="constant", cval=np.inf))

    def opened(values: Float64Array) -> Float64Array:
        return np.asarray(ndimage.maximum_filter(eroded(values), size=3, mode="constant", cval=-np.inf))

    line = np.maximum(mask - opened(mask), 0)
    for _ in range(turns):
        mask = eroded(mask)
        ridge = np.maximum(mask - opened(mask), 0)
        line = line + np.maximum(ridge - line * ridge, 0)
    return line


@pytest.mark.parametrize("shape", [(2, 2, 17, 19), (1, 2, 9, 10, 11)])
def test_the_soft_skeleton_is_what_filters_make_of_it(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(2).random(shape)
    found = soft_skeleton(torch.from_numpy(values), turns=3).numpy()
    expected = np.stack([[numpy_skeleton(one, 3) for one in case] for case in values])
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_the_skeleton_of_a_band_is_its_middle_line_and_of_a_line_itself() -> None:
    band = np.zeros((15, 30))
    band[5:10, 3:27] = 1
    line = soft_skeleton(tensor(band)[None, None]).numpy()[0, 0]
    assert (line[7, 6:24] == 1).all()
    assert line[[5, 6, 8, 9], 8:22].sum() == 0
    thin = np.zeros((9, 20))
    thin[4, 2:18] = 1
    np.testing.assert_array_equal(soft_skeleton(tensor(thin)[None, None]).numpy()[0, 0], thin)


def test_the_skeleton_loss_by_hand() -> None:
    rng = np.random.default_rng(3)
    truth = np.stack([np.stack([cross(), disc(21)]), np.stack([cross(width=1), disc(21, 3)])]).astype(np.float64)
    said = np.clip(truth * 0.8 + 0.2 * rng.random(truth.shape), 0, 1)
    region = np.ones((2, 1, 21, 21))
    region[..., 15:] = 0
    scores = []
    for k in range(2):
        p, t = said[:, k] * region[:, 0], truth[:, k] * region[:, 0]
        lines = [np.stack([numpy_skeleton(one, 6) for one in v]) for v in (p, t)]
        precise = ((lines[0] * t).sum() + LINE_SMOOTH) / (lines[0].sum() + LINE_SMOOTH)
        found = ((lines[1] * p).sum() + LINE_SMOOTH) / (lines[1].sum() + LINE_SMOOTH)
        scores.append(2 * precise * found / (precise + found))
    np.testing.assert_allclose(
        float(skeleton_loss(tensor(said), tensor(truth), tensor(region))), 1 - np.mean(scores), rtol=1e-10
    )


def test_a_cut_line_costs_more_skeleton_than_a_thinner_one_of_the_same_area() -> None:
    truth = cross(width=3)
    cut, thin = truth.copy(), truth.copy()
    cut[:, 5:8] = False
    low = 21 // 2 - 1
    thin[low, 2:11] = False  # as many voxels from one side of an arm: the line stays whole
    assert cut.sum() == thin.sum()
    everywhere = torch.ones(1, 1, 21, 21)
    losses = [float(skeleton_loss(tensor(m)[None, None], tensor(truth)[None, None], everywhere)) for m in (cut, thin)]
    assert losses[0] > losses[1] + 0.02


def test_terms_add_up_count_inside_the_region_only_and_reach_the_network() -> None:
    rng = np.random.default_rng(4)
    raw = torch.from_numpy(rng.normal(size=(1, 1, 24, 24))).requires_grad_()
    truth = torch.from_numpy(disc().astype(np.uint8))[None, None]
    region = torch.ones(1, 1, 24, 24, dtype=torch.uint8)
    region[..., :8] = 0

    def loss(weights: Weights = PLAIN) -> float:
        return float(outline_loss(raw.detach(), truth, region, exclusive=False, weights=weights))

    expected = loss() + loss(Weights(0, 0, boundary=0.5)) + loss(Weights(0, 0, skeleton=0.7))
    whole = outline_loss(raw, truth, region, exclusive=False, weights=Weights(boundary=0.5, skeleton=0.7))
    np.testing.assert_allclose(float(whole.detach()), expected, rtol=1e-9)
    (gradient,) = torch.autograd.grad(whole, raw)
    assert float(gradient[..., :8].abs().sum()) == 0.0
    assert float(gradient[..., 8:].abs().sum()) > 0.0
    assert SMOOTH == LINE_SMOOTH

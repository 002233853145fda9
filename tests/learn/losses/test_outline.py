"""The loss of masks against its formula in NumPy."""

import numpy as np
import torch

from hounsfield.learn.losses.outline import SMOOTH, Weights, coarser, outline_loss


def test_overlapping_classes_by_hand() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(2, 2, 5, 6))
    truth = rng.integers(0, 2, (2, 2, 5, 6)).astype(np.uint8)
    region = rng.integers(0, 2, (2, 1, 5, 6)).astype(np.uint8)
    p = 1 / (1 + np.exp(-raw))
    entropy = -(truth * np.log(p) + (1 - truth) * np.log(1 - p))
    expected = (entropy * region).sum() / (region.sum() * 2)
    dice = [
        (2 * (p[:, k] * truth[:, k] * region[:, 0]).sum() + SMOOTH)
        / (((p[:, k] + truth[:, k]) * region[:, 0]).sum() + SMOOTH)
        for k in range(2)
    ]
    found = outline_loss(
        torch.from_numpy(raw),
        torch.from_numpy(truth),
        torch.from_numpy(region),
        exclusive=False,
        weights=Weights(0.7, 1.3),
    )
    np.testing.assert_allclose(float(found), 0.7 * (1 - np.mean(dice)) + 1.3 * expected, rtol=1e-10)


def test_exclusive_classes_by_hand() -> None:
    rng = np.random.default_rng(1)
    raw = rng.normal(size=(2, 3, 4, 3, 2))
    labels = rng.integers(0, 3, (2, 1, 4, 3, 2)).astype(np.uint8)
    region = np.ones((2, 1, 4, 3, 2), dtype=np.uint8)
    p = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    every = np.stack([labels[:, 0] == k for k in range(3)], axis=1)
    entropy = -np.log(p[every.nonzero()]).mean()
    dice = [(2 * (p[:, k] * every[:, k]).sum() + SMOOTH) / ((p[:, k] + every[:, k]).sum() + SMOOTH) for k in (1, 2)]
    found = outline_loss(torch.from_numpy(raw), torch.from_numpy(labels), torch.from_numpy(region), exclusive=True)
    np.testing.assert_allclose(float(found), 1 - np.mean(dice) + entropy, rtol=1e-10)


def test_what_lies_outside_the_region_counts_nowhere() -> None:
    raw = torch.randn(1, 1, 6, 6)
    truth = torch.zeros(1, 1, 6, 6, dtype=torch.uint8)
    region = torch.zeros(1, 1, 6, 6, dtype=torch.uint8)
    region[..., :3] = 1
    other = truth.clone()
    other[..., 3:] = 1
    one, two = (outline_loss(raw, t, region, exclusive=False) for t in (truth, other))
    assert torch.equal(one, two)
    assert torch.isfinite(outline_loss(raw, truth, torch.zeros_like(region), exclusive=False))


def test_labels_are_made_coarser_by_picking() -> None:
    labels = torch.arange(16, dtype=torch.uint8).reshape(1, 1, 4, 4)
    assert coarser(labels, (2, 2)).flatten().tolist() == [5, 7, 13, 15]
    assert coarser(labels, (4, 4)) is labels

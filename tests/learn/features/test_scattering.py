"""Scattering features against the same written as loops, and what they must not depend on."""

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.learn.features.scattering import CELL, COARSE, FLOOR, GRIDS, SMALLEST, Scattering
from hounsfield.learn.features.wavelets import waves


def moduli(image: Float64Array) -> list[Float64Array]:
    """One map per direction, by SciPy's correlation."""
    # SciPy's "mirror" is PyTorch's "reflect": the border pixel is not repeated.
    found = [
        np.sqrt(correlate(image, e, mode="mirror") ** 2 + correlate(image, o, mode="mirror") ** 2 + 1e-8)
        for e, o in zip(*waves(image.ndim), strict=True)
    ]
    return [np.asarray(m, dtype=np.float64) for m in found]


def halved(image: Float64Array) -> Float64Array:
    even = image[tuple(slice(0, n // 2 * 2) for n in image.shape)]
    shape = [part for n in even.shape for part in (n // 2, 2)]
    return np.asarray(even.reshape(shape).mean(axis=tuple(range(1, 2 * image.ndim, 2))))


def pooled(image: Float64Array, cells: int) -> Float64Array:
    """Mean over cells, by writing every pixel out `cells` times along each axis."""
    for axis in range(image.ndim):
        fine = np.repeat(image, cells, axis=axis)
        image = np.stack([part.mean(axis=axis) for part in np.split(fine, cells, axis=axis)], axis=axis)
    return image.ravel()


def reference(image: Float64Array) -> Float64Array:
    ndim = image.ndim

    def cells(maps: list[Float64Array]) -> list[Float64Array]:
        grids = [n for n in GRIDS[ndim] if n == 1 or min(maps[0].shape) // n >= CELL]
        return [np.log(np.concatenate([pooled(m, n) for m in maps]) + FLOOR) for n in grids]

    found, plane = [pooled(image, COARSE[ndim])], image
    while min(plane.shape) >= SMALLEST[ndim]:
        first = moduli(plane)
        found += cells(first)
        strength = [halved(m) for m in first]
        while min(strength[0].shape) >= SMALLEST[ndim]:
            found += cells([second for m in strength for second in moduli(m)])
            strength = [halved(m) for m in strength]
        plane = halved(plane)
    return np.concatenate(found)


@pytest.mark.parametrize("size", [(26, 19), (9, 10, 8)])
def test_features_are_those_of_the_loops(size: tuple[int, ...]) -> None:
    image = stream(0, "scattering").standard_normal(size)
    found = Scattering(size, channels=1)(torch.from_numpy(image).float()[None, None])[0].numpy()
    np.testing.assert_allclose(found, reference(image), rtol=2e-4, atol=2e-4)


def test_channels_and_samples_are_described_alone() -> None:
    images = torch.from_numpy(stream(1, "scattering").standard_normal((2, 3, 16, 16))).float()
    three, one = Scattering((16, 16), channels=3), Scattering((16, 16), channels=1)
    found = three(images)
    assert found.shape == (2, three.features) == (2, 3 * one.features)
    alone = torch.stack([one(images[i, c][None, None])[0] for i in range(2) for c in range(3)]).reshape(2, 3, -1)
    np.testing.assert_allclose(np.sort(found.numpy()), np.sort(alone.reshape(2, -1).numpy()), atol=1e-5)


def test_contrast_adds_one_number_to_all_logarithms_of_an_order() -> None:
    image = 1000.0 * torch.from_numpy(stream(2, "scattering").standard_normal((1, 1, 32, 32))).float()
    layer = Scattering((32, 32), channels=1)
    change = (layer(2.0 * image) - layer(image))[0, COARSE[2] ** 2 :]
    np.testing.assert_allclose(change.numpy(), np.log(2.0), atol=1e-3)


def test_emphasis_counts_every_cell_of_a_grid_less() -> None:
    layer = Scattering((32, 32), channels=1)
    values, counts = np.unique(np.round(layer.emphasis**-2.0).astype(int), return_counts=True)
    assert set(values) == {1, 2, 4}
    assert len(layer.emphasis) == layer.features == counts.sum()

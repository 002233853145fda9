"""The guard's numbers: of one length, finite, the same whatever the storage, and telling kinds apart."""

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.learn.looks import looks


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 40, 64), (1, 224, 160), (1, 8, 9), (1, 1, 5)])
def test_planes_of_any_size_give_one_length(shape: tuple[int, ...]) -> None:
    stored = stream(0, "looks").integers(0, 256, shape).astype(np.uint8)
    assert looks(stored).shape == (171,)
    assert np.isfinite(looks(stored)).all()


def test_volumes_are_seen_from_three_sides() -> None:
    stored = stream(0, "looks").random((1, 20, 30, 16)).astype(np.float16)
    assert looks(stored).shape == (3 * 171,)


def test_constant_image() -> None:
    assert np.isfinite(looks(np.full((1, 32, 32), 7, dtype=np.uint8))).all()


def test_storage_hardly_matters() -> None:
    # Steps far above the rounding of either type: equal neighbours stay equal, others differ.
    values = stream(1, "looks").integers(0, 18, (1, 48, 48)) / 17
    byte, half = np.rint(values * 255).astype(np.uint8), values.astype(np.float16)
    assert np.abs(looks(byte) - looks(half)).max() < 0.2
    assert np.median(np.abs(looks(byte) - looks(half))) < 1e-3


def test_noise_and_waves_look_unlike() -> None:
    y, x = np.mgrid[:64, :64]
    waves = ((np.sin(y / 9) + np.cos(x / 7) + 2) * 60).astype(np.uint8)[None]
    turned = np.ascontiguousarray(np.swapaxes(waves, 1, 2))
    noise = stream(2, "looks").permutation(waves.ravel()).reshape(waves.shape)
    assert np.linalg.norm(looks(waves) - looks(noise)) > 2 * np.linalg.norm(looks(waves) - looks(turned))

"""Layers along time against their formulas and against the layers for images."""

import numpy as np
import pytest
import torch
from torch import nn

from hounsfield.learn.nn.blocks import ResidualBlock, SqueezeExcitation
from hounsfield.learn.nn.signal.convolving import Kernels, TimeBlock
from hounsfield.learn.nn.signal.masked import MaskedSqueeze, blur, halved
from hounsfield.learn.nn.spec import OptionValue
from tests.learn.nn.signal.series import F64, as64, network, noise


def blurred(series: F64) -> F64:
    """y[i] = (x[2i - 1] + 2 x[2i] + x[2i + 1]) / 4, zeros outside."""
    padded = np.concatenate([[0.0], series, [0.0, 0.0]])
    return np.array(
        [(padded[2 * i] + 2 * padded[2 * i + 1] + padded[2 * i + 2]) / 4 for i in range(-(-len(series) // 2))]
    )


@pytest.mark.parametrize("steps", [1, 2, 7, 8])
def test_halving_is_its_formula(steps: int) -> None:
    features = noise(2, 3, 1, steps)
    found = as64(blur(features, None))
    for b in range(2):
        for c in range(3):
            np.testing.assert_allclose(found[b, c, 0], blurred(as64(features[b, c, 0])), atol=1e-6)


@pytest.mark.parametrize("length", [1, 4, 5, 8])
def test_halving_a_padded_series_is_halving_the_series(length: int) -> None:
    features, mask = noise(1, 3, 1, 8), torch.zeros(1, 1, 1, 8)
    features[..., length:] = 0.0
    mask[..., :length] = 1.0
    found, shorter = blur(features, mask), halved(mask)
    count = -(-length // 2)
    torch.testing.assert_close(found[..., :count], blur(features[..., :length], None))
    assert not bool(found[..., count:].any())
    assert shorter is not None
    assert shorter.sum() == count


def test_kernels_of_several_lengths_share_the_channels() -> None:
    torch.manual_seed(0)
    layer, features = Kernels(2, 8, [3, 5, 9]), noise(1, 2, 1, 20)
    found = as64(layer(features))[0, :, 0]
    assert found.shape == (8, 20)
    weights = [own for part in layer.layers for own in as64(part.weight)[:, :, 0]]  # type: ignore[arg-type]  # ours
    assert [w.shape[1] for w in weights] == [3, 3, 3, 5, 5, 5, 9, 9]
    for expected, weight in zip(found, weights, strict=True):
        # numpy convolves; a network correlates: the kernel is turned around.
        own = sum(np.convolve(as64(features[0, c, 0]), weight[c, ::-1], mode="same") for c in range(2))
        np.testing.assert_allclose(expected, own, atol=1e-5)


@pytest.mark.parametrize("kind", ["batch", "group"])
def test_a_block_along_time_is_that_of_an_image_of_one_row(kind: str) -> None:
    torch.manual_seed(0)
    norm = (kind, 2)
    image = ResidualBlock(4, 6, ndim=2, norm=norm, squeeze=True)  # type: ignore[arg-type]  # parametrised by name
    series = TimeBlock(4, 6, kernels=[3], kind=norm, squeeze=True)  # type: ignore[arg-type]  # as above
    given = dict(image.named_parameters())
    with torch.no_grad():
        for name, value in series.named_parameters():
            plain = name.replace(".layers.0.", ".").replace("shortcut_norm", "shortcut.1")
            source = given[plain.replace("shortcut.weight", "shortcut.0.weight")]
            if name.endswith("norm.weight"):
                source.fill_(1.0)  # open the branch, which starts closed
            value.copy_(source[:, :, source.shape[2] // 2][:, :, None] if source.ndim == 4 else source)
    features = noise(3, 4, 1, 11)
    torch.testing.assert_close(series(features, None, {})[0], image(features, {}))


def test_squeeze_over_a_padded_series_is_that_of_the_series() -> None:
    layer = MaskedSqueeze(4)
    nn.init.normal_(layer.up.weight)
    features, mask = noise(1, 4, 1, 9), torch.ones(1, 1, 1, 9)
    mask[..., 5:] = 0.0
    plain = SqueezeExcitation(4)
    plain.load_state_dict(layer.state_dict())
    torch.testing.assert_close(layer(features, mask)[..., :5], plain(features[..., :5]))


def test_an_answer_hardly_changes_when_a_series_moves_by_one_step() -> None:
    options: dict[str, OptionValue] = {"width": 8, "depths": [1, 1, 1]}
    net = network("convolutional", options, channels=1, steps=200).eval()
    place = torch.arange(200.0)
    waves = torch.stack([torch.exp(-(((place - centre) / 6.0) ** 2)) for centre in (100.0, 101.0, 102.0)])[:, None]
    found = net({"ecg": waves}, {})["embedding"].detach()
    change = (found - found[0]).norm(dim=1) / found[0].norm()
    assert float(change.max()) < 0.02

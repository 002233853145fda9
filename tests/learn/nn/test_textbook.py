"""The textbook network has the shapes, counts and initial weights of its articles."""

import math

import pytest
import torch
from torch import nn

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.spec import InputShape, NetworkSpec
from hounsfield.learn.nn.table import build


def spec(size: tuple[int, ...] = (128, 128)) -> NetworkSpec:
    shape = InputShape(channels=3, ndim=2 if len(size) == 2 else 3, size=size)
    return NetworkSpec(family="textbook", inputs={"image": shape}, heads={"label": 2})


def test_parameters_are_counted_as_keras_counts_them() -> None:
    network = build(spec(), seed=0)
    # conv 3->32, 32->64, 64->64, dense 28 * 28 * 64 -> 64, dense 64 -> 2; each with biases
    expected = (3 * 9 * 32 + 32) + (32 * 9 * 64 + 64) + (64 * 9 * 64 + 64) + (50176 * 64 + 64) + (64 * 2 + 2)
    assert sum(p.numel() for p in network.parameters()) == expected == 3_267_778
    outputs = network({"image": torch.rand(2, 3, 128, 128)}, {})
    assert outputs["embedding"].shape == (2, 64)
    assert float(outputs["embedding"].detach().min()) >= 0.0


def test_weights_are_glorot_uniform_and_biases_zero() -> None:
    network = build(spec(), seed=0)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            weight = layer.weight.detach()
            fan_in = weight[0].numel()
            fan_out = weight.shape[0] * weight[0, 0].numel()
            bound = math.sqrt(6 / (fan_in + fan_out))
            assert float(weight.abs().max()) <= bound
            assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.15)
            assert layer.bias is not None
            assert not bool(layer.bias.any())


@pytest.mark.parametrize("size", [(16, 64), (32, 32, 32)])
def test_inputs_it_cannot_take_are_refused(size: tuple[int, ...]) -> None:
    with pytest.raises(PlanError, match="textbook"):
        build(spec(size), seed=0)


def test_any_other_size_works() -> None:
    assert build(spec((18, 41)), seed=0)({"image": torch.rand(1, 3, 18, 41)}, {})["label"].shape == (1, 2)

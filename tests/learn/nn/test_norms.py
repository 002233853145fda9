"""Statistics of batch norms are those of the batches shown, and nothing else changes."""

import pytest
import torch
from torch import Tensor, nn

from hounsfield.learn.nn.norms import measure_norms, norms
from hounsfield.learn.nn.spec import InputShape, NetworkSpec
from hounsfield.learn.nn.table import build


class Toy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(2)

    def forward(self, inputs: dict[str, Tensor], context: dict[str, object]) -> dict[str, Tensor]:
        del context
        return {"embedding": self.norm(inputs["x"])}


def test_statistics_are_means_over_the_batches() -> None:
    toy = Toy()
    toy.train()
    toy({"x": torch.randn(8, 2, 4, 4) + 50}, {})
    shown = [torch.randn(6, 2, 5, 5) * 3 + 7 for _ in range(4)]
    measure_norms(toy, ({"x": x} for x in shown))
    mean = torch.stack([x.mean((0, 2, 3)) for x in shown]).mean(0)
    variance = torch.stack([x.var((0, 2, 3)) for x in shown]).mean(0)
    torch.testing.assert_close(toy.norm.running_mean, mean)
    torch.testing.assert_close(toy.norm.running_var, variance)
    assert toy.norm.momentum == pytest.approx(0.1)
    assert not toy.training
    assert not toy.norm.training


def test_no_batch_and_no_batch_norm_change_nothing() -> None:
    toy = Toy()
    toy({"x": torch.randn(8, 2, 4, 4) + 50}, {})
    before = {k: v.clone() for k, v in toy.state_dict().items()}
    measure_norms(toy, [])
    assert all(torch.equal(v, before[k]) for k, v in toy.state_dict().items())
    shape = InputShape(channels=1, ndim=2, size=(16, 16))
    grouped = build(
        NetworkSpec(family="residual", inputs={"x": shape}, heads={"t": 2}, options={"norm": "group"}), seed=0
    )
    assert not norms(grouped)
    measure_norms(grouped, ({"x": torch.zeros(0)} for _ in range(2)))  # never looked at


def test_weights_stay_and_drops_are_off() -> None:
    shape = InputShape(channels=1, ndim=2, size=(16, 16))
    options: dict[str, bool | int | float | str | list[int]] = {"width": 8, "dropout": 0.5, "stochastic_depth": 0.5}
    network = build(NetworkSpec(family="residual", inputs={"x": shape}, heads={"t": 2}, options=options), seed=0)
    before = {k: v.clone() for k, v in network.named_parameters()}
    measure_norms(network, ({"x": torch.randn(4, 1, 16, 16)} for _ in range(3)))  # no keys: nothing may be dropped
    assert all(torch.equal(v, before[k]) for k, v in network.named_parameters())
    assert not network.training

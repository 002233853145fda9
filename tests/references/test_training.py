"""Steps of training are what the explanation pages say."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch

from hounsfield.learn.batch import Batch
from hounsfield.learn.loop import Loop, Optimisation, Phase, rate
from hounsfield.learn.losses.base import Loss
from hounsfield.learn.ranks import Ranks
from tests.references import training


def test_adamw_step() -> None:
    rng = np.random.default_rng(0)
    theta = rng.standard_normal(5)
    parameter = torch.nn.Parameter(torch.tensor(theta))
    optimiser = torch.optim.AdamW([parameter], lr=0.01, weight_decay=0.1)
    moments = (np.zeros(5), np.zeros(5))
    for step in range(1, 5):
        gradient = rng.standard_normal(5)
        parameter.grad = torch.as_tensor(gradient)
        optimiser.step()
        theta, moments = training.adamw_step(theta, gradient, moments, step=step, rate=0.01, decay=0.1)
    np.testing.assert_allclose(parameter.detach().numpy(), theta, rtol=1e-9)


class _OneWeight:
    """The objective mean((theta - x)^2) / 2 of one weight: its gradient is theta - x."""

    def __init__(self) -> None:
        self.network = torch.nn.Linear(1, 1, bias=False)

    def networks(self) -> dict[str, torch.nn.Module]:
        return {"network": self.network}

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("fit", ("network",)),)

    def loss(self, phase: Phase, networks: Mapping[str, torch.nn.Module], batch: Batch, ranks: Ranks) -> Loss:
        del phase, networks, ranks
        return Loss((self.network.weight - batch.inputs["x"]).square().mean() / 2)


def _batch(value: float) -> Batch:
    x = torch.full((1, 1), value, dtype=torch.float32)
    return Batch(index=torch.tensor([0]), inputs={"x": x}, targets={}, weight=torch.ones(1))


def test_loop_makes_the_stated_steps() -> None:
    """AdamW, schedule and averaging together: three steps of the loop against the formulas."""
    settings = Optimisation(steps=8, batch=1, learning_rate=0.1, warmup=0.25, weight_decay=0.2, averaging=0.5)
    objective = _OneWeight()
    values = np.random.default_rng(0).standard_normal(8)
    theta = objective.network.weight.detach().numpy().astype(np.float64)[0]
    mean, moments = theta.copy(), (np.zeros(1), np.zeros(1))
    loop = Loop(objective, settings)
    for step in range(8):
        loop.step(lambda draw: _batch(values[draw]))
        now = training.learning_rate(step, steps=8, peak=0.1, warmup=0.25)
        theta, moments = training.adamw_step(theta, theta - values[step], moments, step=step + 1, rate=now, decay=0.2)
        mean = training.averaged(mean, theta, steps=step + 1, decay=0.5)
    np.testing.assert_allclose(objective.network.weight.detach().numpy()[0], theta, rtol=1e-4)
    np.testing.assert_allclose(loop.selected()["network"]["weight"].numpy()[0], mean, rtol=1e-4)


@pytest.mark.parametrize(("steps", "warmup"), [(100, 0.05), (7, 0.3), (1000, 0.001)])
def test_schedule(steps: int, warmup: float) -> None:
    settings = Optimisation(steps=steps, batch=1, learning_rate=0.01, warmup=warmup)
    for step in range(steps):
        expected = training.learning_rate(step, steps=steps, peak=0.01, warmup=warmup)
        assert rate(step, settings) == pytest.approx(expected)


def test_average_remembers_about_one_over_one_minus_decay_steps() -> None:
    mean = np.zeros(1)
    for step in range(100, 110):
        mean = training.averaged(mean, np.ones(1), steps=step, decay=0.9)
    np.testing.assert_allclose(mean, 1.0 - 0.9**10)

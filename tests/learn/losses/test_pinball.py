"""The pinball loss against NumPy, and its gradient where nothing is known."""

import numpy as np
import pytest
import torch

from hounsfield.core.streams import stream
from hounsfield.learn.losses.pinball import loss
from hounsfield.science.statistics.quantiles import pinball

LEVELS = (0.1, 0.5, 0.9)


def test_the_loss_is_that_of_numpy() -> None:
    rng = stream(0, "pinball loss")
    said, truth = rng.normal(0, 1, (4, 6, 2, 3)), rng.normal(0, 1, (4, 6, 2))
    truth[rng.random(truth.shape) < 0.3] = np.nan
    weight = np.array([1.0, 2.0, 0.0, 1.0])
    each = pinball(truth.ravel(), said.reshape(-1, 3), LEVELS).reshape(truth.shape)
    share = np.where(np.isfinite(each), weight[:, None, None], 0)
    expected = np.nansum(each * share) / share.sum()
    found = loss(torch.tensor(said), torch.tensor(truth), torch.tensor(weight), levels=LEVELS)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_nothing_known_is_a_loss_of_zero_with_a_gradient() -> None:
    said = torch.zeros(2, 3, 1, 3, requires_grad=True)
    found = loss(said, torch.full((2, 3, 1), torch.nan), torch.ones(2), levels=LEVELS)
    found.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert float(found.detach()) == 0.0
    assert said.grad is not None
    assert bool((said.grad == 0).all())


def test_the_minimum_is_the_quantile() -> None:
    truth = torch.tensor(stream(1, "pinball loss").exponential(1.0, 4001), dtype=torch.float32)[:, None]
    said = torch.zeros(3, requires_grad=True)
    step = torch.optim.Adam([said], lr=0.05)
    for _ in range(600):
        step.zero_grad()
        loss(said.expand(4001, 1, 3), truth, torch.ones(4001), levels=LEVELS).backward()  # type: ignore[no-untyped-call]  # as above
        step.step()
    np.testing.assert_allclose(said.detach().numpy(), np.quantile(truth.numpy(), LEVELS), atol=0.06)

"""The row encoder: missing values, wild values, neighbours."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.row import ColumnSpread
from hounsfield.learn.nn.spec import InputShape, NetworkSpec
from hounsfield.learn.nn.table import build

ROW = InputShape(channels=3, ndim=0, size=())
NAN = float("nan")


def test_each_column_is_spread_and_missing_has_a_vector_of_its_own() -> None:
    layer = ColumnSpread(2, 3)
    with torch.no_grad():
        layer.missing.fill_(7.0)
    found = layer(torch.tensor([[0.5, NAN], [float("inf"), -2.0]]))
    scale, shift = layer.scale.detach().numpy(), layer.shift.detach().numpy()
    np.testing.assert_allclose(found[0, 0].detach(), np.maximum(0.5 * scale[0] + shift[0], 0), atol=1e-6)
    np.testing.assert_allclose(found[1, 1].detach(), np.maximum(-2.0 * scale[1] + shift[1], 0), atol=1e-6)
    assert found[0, 1].tolist() == found[1, 0].tolist() == [7.0] * 3


def test_a_fresh_network_takes_missing_for_the_mean() -> None:
    net = build(NetworkSpec(family="row", inputs={"r": ROW}, heads={"t": 2}), seed=0)
    known, missing = torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([[NAN, 1.0, NAN]])
    torch.testing.assert_close(net({"r": known}, {})["t"], net({"r": missing}, {})["t"])


def test_rows_do_not_see_their_neighbours_and_nan_reaches_no_gradient() -> None:
    options = {"inner": 0.2, "dropout": 0.1, "layers": 3}
    net = build(NetworkSpec(family="row", inputs={"r": ROW}, heads={"t": 2}, options=options), seed=0)
    row = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    row[2] = NAN
    net({"r": row}, {"keys": torch.arange(5)})["t"].square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in net.parameters())
    whole = net.eval()({"r": row}, {})["embedding"]
    torch.testing.assert_close(net({"r": row[2:3]}, {})["embedding"], whole[2:3])


def test_learns_that_missing_is_the_answer() -> None:
    row = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
    answer = torch.arange(64) % 2
    row[answer == 1, 1] = NAN
    net = build(NetworkSpec(family="row", inputs={"r": ROW}, heads={"t": 2}), seed=0)
    optimiser = torch.optim.AdamW(net.parameters(), 1e-2)
    for _ in range(60):
        value = functional.cross_entropy(net({"r": row}, {})["t"], answer)
        optimiser.zero_grad()
        torch.autograd.backward(value)
        optimiser.step()
    assert float(value.detach()) < 0.1


def test_a_row_network_without_a_row_is_refused() -> None:
    image = InputShape(channels=1, ndim=2, size=(20, 20))
    with pytest.raises(PlanError, match="residual"):
        build(NetworkSpec(family="row", inputs={"x": image}, heads={"t": 1}), seed=0)

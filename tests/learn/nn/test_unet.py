"""Networks with an output for every pixel."""

import pytest
import torch

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, OptionValue
from hounsfield.learn.nn.table import DENSE_NETWORKS, build


def spec(
    size: tuple[int, ...], options: dict[str, OptionValue] | None = None, *, family: str = "unet", channels: int = 1
) -> NetworkSpec:
    shape = InputShape(channels=channels, ndim=2 if len(size) == 2 else 3, size=size)
    return NetworkSpec(
        family=family, inputs={"image": shape}, heads={"a": 1, "b.c": 3}, options={"width": 4, **(options or {})}
    )


CASES: list[tuple[tuple[int, ...], dict[str, OptionValue]]] = [
    ((32, 48), {"depths": [1, 1, 1], "deep": 2}),
    ((32, 32), {"depths": [1, 2], "strides": [2, 2, 2, 2], "decoder": 2}),
    ((8, 16, 16), {"depths": [1, 1, 1], "strides": [1, 1, 1, 1, 2, 2, 2, 2, 2], "kernels": [1, 3, 3] + [3] * 6}),
    ((16, 16, 16), {"depths": [1, 1], "norm": "group"}),
]


@pytest.mark.parametrize("family", list(DENSE_NETWORKS))
@pytest.mark.parametrize(("size", "options"), CASES)
def test_outputs_are_as_large_as_the_input(family: str, size: tuple[int, ...], options: dict[str, OptionValue]) -> None:
    network = build(spec(size, options, family=family, channels=2), seed=0, table=DENSE_NETWORKS)
    with torch.autocast("cpu", torch.bfloat16):
        training = network({"image": torch.randn(2, 2, *size)}, {})
        answers = network.eval()({"image": torch.randn(2, 2, *size)}, {})
    assert set(answers) == {"embedding", "a", "b.c"}
    assert answers["a"].shape == (2, 1, *size)
    assert answers["b.c"].shape == (2, 3, *size)
    assert {o.dtype for o in training.values()} == {torch.float32}
    assert set(answers) <= set(training)


@pytest.mark.parametrize(("size", "options"), CASES)
def test_every_weight_learns(size: tuple[int, ...], options: dict[str, OptionValue]) -> None:
    network = build(spec(size, options), seed=0, table=DENSE_NETWORKS)
    outputs = network({"image": torch.randn(2, 1, *size)}, {})
    sum((o**2).mean() for n, o in outputs.items() if n != "embedding").backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_building_is_addressed_by_the_seed() -> None:
    one, two, other = (build(spec((16, 16)), seed=s, table=DENSE_NETWORKS) for s in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_gradients_in_bfloat16_are_those_in_float32_but_for_rounding() -> None:
    size = (16, 16, 16)
    network = build(spec(size, {"depths": [1, 1, 1]}), seed=0, table=DENSE_NETWORKS)
    image = torch.randn(2, 1, *size)
    found = []
    for enabled in (False, True):
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            loss = network({"image": image}, {})["b.c"].square().mean()
        loss.backward()
        found.append(torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None]))
    assert torch.nn.functional.cosine_similarity(found[0], found[1], dim=0) > 0.99


@pytest.mark.parametrize(
    ("size", "options", "said"),
    [((30, 32), {"depths": [1, 1, 1]}, "edge of 30"), ((32, 32), {"strides": [1, 1, 3, 3]}, "strides")],
)
def test_what_does_not_fit_is_refused(size: tuple[int, ...], options: dict[str, OptionValue], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        build(spec(size, options), seed=0, table=DENSE_NETWORKS)

"""Every network of the table keeps the protocol; building is deterministic."""

import pytest
import torch
from torch import nn

from hounsfield.core.errors import PlanError, UnknownNameError
from hounsfield.learn.nn.network import EncoderNetwork, Network
from hounsfield.learn.nn.residual import ResidualNetwork, ResidualOptions
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, OptionValue
from hounsfield.learn.nn.table import NETWORKS, build, check, resolve


def spec(
    family: str = "residual", options: dict[str, OptionValue] | None = None, *, size: tuple[int, ...] = (32, 32)
) -> NetworkSpec:
    shape = InputShape(channels=1, ndim=len(size), size=size)
    small: dict[str, OptionValue] = {} if family in ("textbook", "joint") else {"width": 8}
    return NetworkSpec(
        family=family, inputs={"image": shape}, heads={"keys": 3, "a.b": 1}, options=small | (options or {})
    )


SIZES: dict[str, tuple[int, ...]] = {
    "beat-sequence": (41,),
    "convolutional": (40,),
    "convolutional-recurrent": (40,),
    "joint": (32, 32),
    "recurrent": (40,),
    "residual": (32, 32),
    "row": (),
    "slices": (10, 16, 16),
    "textbook": (32, 32),
}


@pytest.mark.parametrize("family", list(NETWORKS))
def test_outputs_keep_the_protocol_under_autocast(family: str) -> None:
    network = build(spec(family, size=SIZES[family]), seed=0)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = network({"image": torch.randn(2, 1, *SIZES[family])}, {})
    assert list(outputs) == ["embedding", "keys", "a.b"]
    assert outputs["keys"].shape == (2, 3)
    assert outputs["a.b"].shape == (2, 1)
    assert outputs["embedding"].ndim == 2
    assert {o.dtype for o in outputs.values()} == {torch.float32}


@pytest.mark.parametrize("family", list(NETWORKS))
def test_building_is_addressed_by_the_seed(family: str) -> None:
    before = torch.random.get_rng_state()
    one, two, other = (build(spec(family, size=SIZES[family]), seed=seed) for seed in (4, 4, 5))
    assert torch.equal(before, torch.random.get_rng_state())
    for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize(
    ("size", "options"),
    [
        ((33, 30), {}),
        ((28, 28), {"stem": "small", "norm": "group", "depths": [1, 2, 1]}),
        ((28, 28), {"stem": "small", "downsample": "late", "squeeze": True, "pooling": "gem"}),
        ((64, 48), {"stochastic_depth": 0.2, "dropout": 0.3, "pooling": "mean+max"}),
        ((12, 14, 16), {"stem": "small", "depths": [1, 1]}),
        ((24, 24, 24), {"norm": "group", "squeeze": True}),
    ],
)
def test_residual_variants_train_deterministically(size: tuple[int, ...], options: dict[str, OptionValue]) -> None:
    images, keys = torch.randn(4, 1, *size, generator=torch.Generator().manual_seed(0)), torch.arange(4)

    def gradients() -> list[torch.Tensor]:
        network = build(spec(options=options, size=size), seed=1)
        for module in network.modules():  # open the branches, which start closed
            if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d | nn.GroupNorm):
                nn.init.ones_(module.weight)
        outputs = network({"image": images}, {"keys": keys})
        outputs["keys"].square().sum().backward()
        unreached = {"encoders"} - {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None}
        assert not unreached
        return [p.grad for p in network.parameters() if p.grad is not None]

    torch.use_deterministic_algorithms(True)
    try:
        first, second = gradients(), gradients()
    finally:
        torch.use_deterministic_algorithms(False)
    assert len(first) > 10
    for a, b in zip(first, second, strict=True):
        assert bool(a.isfinite().all())
        assert torch.equal(a, b)


def test_group_norm_network_does_not_see_the_batch() -> None:
    network = build(spec(options={"norm": "group"}), seed=0)
    images = torch.randn(4, 1, 32, 32)
    whole = network({"image": images}, {})["embedding"]
    torch.testing.assert_close(network({"image": images[:2]}, {})["embedding"], whole[:2], rtol=1e-4, atol=1e-5)


def test_several_inputs_are_encoded_apart_and_joined() -> None:
    flat, solid = InputShape(channels=2, ndim=2, size=(20, 20)), InputShape(channels=1, ndim=3, size=(8, 8, 8))
    options: dict[str, OptionValue] = {"width": 8, "depths": [1], "stem": "small"}
    two = NetworkSpec(family="residual", inputs={"x": flat, "v": solid}, heads={"t": 2}, options=options)
    outputs = build(two, seed=0)({"x": torch.randn(3, 2, 20, 20), "v": torch.randn(3, 1, 8, 8, 8)}, {})
    assert outputs["embedding"].shape == (3, 16)


def test_learns_a_bright_spot() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(64, 1, 32, 32, generator=generator)
    answer = torch.arange(64) % 2
    images[answer == 1, :, 10:16, 10:16] += 1.5
    network = build(spec(options={"depths": [1, 1]}), seed=0)
    optimiser = torch.optim.AdamW(network.parameters(), 5e-3)
    for _ in range(50):
        value = nn.functional.cross_entropy(network({"image": images}, {})["keys"], answer)
        optimiser.zero_grad()
        torch.autograd.backward(value)
        optimiser.step()
    assert float(value.detach()) < 0.3


def test_head_bias_is_what_a_fresh_network_answers() -> None:
    network = build(spec(), seed=0)
    assert isinstance(network, EncoderNetwork)
    network.heads.set_bias("keys", torch.tensor([1.0, 2.0, 3.0]))
    outputs = network({"image": torch.zeros(2, 1, 32, 32)}, {})
    torch.testing.assert_close(outputs["keys"], torch.tensor([[1.0, 2.0, 3.0]] * 2), atol=0.1, rtol=0)


def test_unknown_names_and_values_are_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="residual"):
        resolve("resiudal")
    with pytest.raises(PlanError, match='"width"'):
        check(spec(options={"widht": 3}))
    with pytest.raises(PlanError, match="stem"):
        check(spec(options={"stem": "huge"}))
    with pytest.raises(PlanError, match="no option"):
        check(spec("textbook", {"width": 3}))
    with pytest.raises(PlanError, match="depths"):
        build(spec(options={"depths": [1, 0]}), seed=0)
    check(spec(options={"width": 16}))


def test_spec_is_sound_and_survives_json() -> None:
    whole = spec(options={"depths": [1, 2], "dropout": 0.5, "squeeze": True, "stem": "small"})
    assert NetworkSpec.model_validate_json(whole.model_dump_json()) == whole
    with pytest.raises(ValueError, match="one for each axis"):
        InputShape(channels=1, ndim=3, size=(4, 4))
    with pytest.raises(ValueError, match="always there"):
        NetworkSpec(family="residual", inputs=dict(whole.inputs), heads={"embedding": 1})
    with pytest.raises(ValueError, match="width of at least 1"):
        NetworkSpec(family="residual", inputs=dict(whole.inputs), heads={"t": 0})


class ToyNetwork(ResidualNetwork):
    """A network of a plug-in: its own file and one line in the table."""


def test_one_line_in_the_table_adds_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS.entries, "toy", f"{__name__}:ToyNetwork")
    toy = build(NetworkSpec(family="toy", inputs=spec().inputs, heads={"t": 2}, options={"width": 8}), seed=0)
    assert isinstance(toy, Network)
    monkeypatch.setitem(NETWORKS.entries, "wrong", f"{__name__}:spec")
    with pytest.raises(PlanError, match="no network"):
        resolve("wrong")


def test_widths_double_up_to_the_bound() -> None:
    assert ResidualOptions(width=24, max_width=100).widths() == (24, 48, 96, 100)

"""The 2.5D network sees every slice once, and shares its encoder between slabs and directions."""

import pytest
import torch

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.network import Network
from hounsfield.learn.nn.slices import slabs_of
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, OptionValue
from hounsfield.learn.nn.table import build

SIZE = (10, 12, 12)


def network(size: tuple[int, ...] = SIZE, **options: OptionValue) -> Network:
    small: dict[str, OptionValue] = {"width": 8, "depths": [1, 1], "stem": "small"}
    shape = InputShape(channels=1, ndim=2 if len(size) == 2 else 3, size=size)
    return build(NetworkSpec(family="slices", inputs={"v": shape}, heads={"t": 2}, options=small | options), seed=0)


@pytest.mark.parametrize("axis", [2, 3, 4])
def test_slabs_hold_every_slice_once(axis: int) -> None:
    image = torch.arange(2 * 2 * 9 * 9 * 9, dtype=torch.float32).reshape(2, 2, 9, 9, 9)
    slabs = slabs_of(image, axis, thickness=3)
    assert slabs.shape == (2, 3, 6, 9, 9)
    for place in range(9):
        for channel in range(2):
            wanted = image.select(axis, place)[:, channel]
            assert torch.equal(slabs[:, place // 3, channel * 3 + place % 3], wanted)


def test_a_last_slab_that_is_short_repeats_the_last_slice() -> None:
    image = torch.randn(1, 1, 10, 4, 4)
    slabs = slabs_of(image, 2, thickness=4)
    assert slabs.shape == (1, 3, 4, 4, 4)
    for place in (1, 2, 3):
        assert torch.equal(slabs[0, 2, place], image[0, 0, 9])


def test_the_order_of_whole_slabs_does_not_matter_and_their_content_does() -> None:
    net = network(size=(9, 12, 12), planes="z").eval()
    volume = torch.randn(2, 1, 9, 12, 12)
    turned = torch.cat([volume[:, :, 6:], volume[:, :, :6]], dim=2)
    whole = net({"v": volume}, {})["embedding"]
    torch.testing.assert_close(net({"v": turned}, {})["embedding"], whole, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(net({"v": volume.flip(2)}, {})["embedding"], whole, rtol=1e-3, atol=1e-3)


def test_directions_of_a_cube_share_the_encoder() -> None:
    one, three = network(size=(12, 12, 12), planes="z"), network(size=(12, 12, 12), planes="zyx")
    assert one.state_dict().keys() == three.state_dict().keys()
    three = three.eval()
    volume = torch.randn(2, 1, 12, 12, 12)
    turned = volume.movedim(2, 4).contiguous()
    assert three({"v": volume}, {})["embedding"].shape == three({"v": turned}, {})["embedding"].shape
    assert not torch.equal(one.eval()({"v": volume}, {})["embedding"], three({"v": volume}, {})["embedding"])


@pytest.mark.parametrize(("size", "same_as"), [((12, 12, 16), "zyx"), ((6, 12, 12), "z")])
def test_directions_by_the_shape(size: tuple[int, ...], same_as: str) -> None:
    volume = torch.randn(2, 1, *size)
    found, wanted = (network(size=size, planes=name).eval()({"v": volume}, {})["t"] for name in ("auto", same_as))
    assert torch.equal(found, wanted)


def test_it_trains_with_drops_deterministically() -> None:
    volume, keys = torch.randn(3, 1, *SIZE, generator=torch.Generator().manual_seed(1)), torch.arange(3)

    def gradient() -> list[torch.Tensor]:
        net = network(stochastic_depth=0.3, dropout=0.3)
        net({"v": volume}, {"keys": keys})["t"].square().sum().backward()
        return [p.grad for p in net.parameters() if p.grad is not None]

    first, second = gradient(), gradient()
    assert len(first) > 5
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_pictures_and_unknown_options_are_refused() -> None:
    with pytest.raises(PlanError, match="spatial axes"):
        network(size=(12, 12))
    with pytest.raises(PlanError, match="thickness"):
        network(thicknes=3)

"""Weights of another encoder are found by name and shape, and refused where most do not fit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray
from hounsfield.learn.learners.supervised import SUPERVISED, start
from hounsfield.learn.loop import Loop, Optimisation, Slow, Watch
from hounsfield.learn.nn.network import Network
from hounsfield.learn.nn.spec import InputShape
from hounsfield.learn.nn.table import build
from hounsfield.learn.warmup.spec import Warmup
from hounsfield.learn.warmup.transfer import load, match
from tests.learn.test_loop import MemoryStore
from tests.learn.toys import make_feed, make_job


def network(*, channels: int = 1, width: int = 8, seed: int = 0) -> Network:
    spec = make_job().network
    shape = InputShape(channels=channels, ndim=2, size=(16, 16))
    return build(
        spec.model_copy(update={"inputs": {"image": shape}, "options": {**spec.options, "width": width}}), seed=seed
    )


def arrays(of: Network) -> dict[str, AnyArray]:
    return {k: v.numpy() for k, v in of.state_dict().items()}


def encode(of: Network, images: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        embedding: torch.Tensor = of.eval()({"image": images}, {})["embedding"]
    return embedding


@pytest.mark.parametrize("prefix", ["", "module.", "average/network/"])
@pytest.mark.parametrize("cut", [False, True], ids=["member", "encoder alone"])
def test_every_tensor_of_a_member_fits(prefix: str, cut: bool) -> None:  # noqa: FBT001  # a case, not a switch
    given, ours = network(seed=1), network()
    heads = {k: v.clone() for k, v in ours.state_dict().items() if k.startswith("heads")}
    file = {
        prefix + (k.removeprefix("encoders.0.") if cut else k): v
        for k, v in arrays(given).items()
        if not cut or k.startswith("encoders")
    }
    matched = load(ours, file)
    assert matched.share == 1.0
    assert not matched.missing
    images = torch.randn(2, 1, 16, 16)
    torch.testing.assert_close(encode(ours, images), encode(given, images))
    assert all(torch.equal(ours.state_dict()[k], v) for k, v in heads.items())
    assert all("heads" in name for name in matched.unused)


def test_averages_of_a_checkpoint_come_before_its_raw_weights() -> None:
    feed, asked = make_feed(), make_job(optimisation=Optimisation(steps=3, batch=8, averaging=0.9))
    memory = MemoryStore()
    state = SUPERVISED.fit(feed, asked, watch=Watch(store=memory))
    ours = network()
    assert load(ours, memory.kept[-1][0]).share == 1.0
    assert all(
        torch.equal(ours.state_dict()[k], torch.from_numpy(np.array(v)))
        for k, v in state.arrays.items()
        if k.startswith("encoders")
    )


def test_three_channels_serve_one_and_one_serves_three() -> None:
    grey = torch.randn(2, 1, 16, 16)
    for given, ours in ((network(channels=3, seed=1), network()), (network(seed=1), network(channels=3))):
        matched = load(ours, arrays(given))
        assert matched.adapted == ("encoders.0.stem.0.weight",)
        seen = [
            encode(n, grey.repeat(1, n.state_dict()["encoders.0.stem.0.weight"].shape[1], 1, 1)) for n in (given, ours)
        ]
        torch.testing.assert_close(seen[0], seen[1])


def test_a_wider_encoder_is_refused_with_names_and_shapes() -> None:
    with pytest.raises(InputError, match=r"fits \d+ of \d+ tensors") as caught:
        match(network(), arrays(network(width=16)))
    assert "encoders.0.stem.0.weight 8x1x3x3" in caught.value.expected
    assert "encoders.0.stem.0.weight 16x1x3x3" in caught.value.found
    with pytest.raises(InputError, match="has no tensors"):
        match(network(), {})


def test_a_fit_begins_from_the_weights_of_its_feed() -> None:
    given = arrays(network(seed=5))
    feed = replace(make_feed(), encoder=given)
    begun = start(feed, make_job())
    assert all(torch.equal(v, torch.from_numpy(given[k])) for k, v in begun.state_dict().items() if "encoders" in k)


def test_a_frozen_encoder_stands_still_while_heads_learn() -> None:
    feed = make_feed()
    settings = Optimisation(steps=4, batch=8, weight_decay=0.05)
    slow = make_job(optimisation=settings).model_copy(update={"warmup": Warmup(encoder_rate=0.1, frozen=0.9)})
    state, begun = SUPERVISED.fit(feed, slow, watch=Watch()), start(feed, slow).state_dict()
    moved = {
        k for k, v in begun.items() if k in dict(start(feed, slow).named_parameters()) and _moved(v, state.arrays[k])
    }
    assert moved
    assert all(name.startswith("heads") for name in moved)


def _moved(before: torch.Tensor, after: AnyArray) -> bool:
    return not torch.equal(before, torch.from_numpy(np.array(after)))


def test_slow_parameters_have_their_own_rate() -> None:
    from hounsfield.learn.learners.supervised import Answers, Batches
    from hounsfield.learn.ranks import ALONE

    feed = make_feed()
    asked = make_job(optimisation=Optimisation(steps=4, batch=8, schedule="constant"))
    asked = asked.model_copy(update={"warmup": Warmup(encoder_rate=0.25)})
    loop = Loop(Answers(start(feed, asked), asked), asked.optimisation)
    loop.step(Batches(feed, asked, ranks=ALONE))
    rates = {bool(g.get("slow")): g["lr"] for g in loop.optimisers["network"].param_groups}
    assert rates[True] == pytest.approx(0.25 * rates[False])
    assert Slow("encoders.", 0.25, 2).at(1) == 0.0
    assert Slow("encoders.", 0.25, 2).at(2) == 0.25

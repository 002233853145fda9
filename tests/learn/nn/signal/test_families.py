"""What every network for signals keeps: padding, neighbours and NaN change nothing; the same seed, the same bits."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.network import EncoderNetwork, Network
from hounsfield.learn.nn.norms import measure_norms
from hounsfield.learn.nn.signal.masked import MaskedBatchNorm, MaskedGroupNorm
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, OptionValue
from hounsfield.learn.nn.table import build, check
from tests.learn.nn.signal.series import NAN, irregular, network, noise, ragged

Case = tuple[str, dict[str, OptionValue]]
SMALL: dict[str, OptionValue] = {"width": 8}
REGULAR: list[Case] = [
    ("recurrent", SMALL),
    ("recurrent", SMALL | {"cell": "lstm", "bidirectional": True, "layers": 2, "pooling": "last", "between": 0.3}),
    ("recurrent", SMALL | {"cell": "textbook", "bidirectional": True, "pooling": "mean", "frame": 4}),
    ("recurrent", SMALL | {"missing": "flags", "frame": 3, "dropout": 0.2}),
    ("recurrent", SMALL | {"missing": "decay", "bidirectional": True, "layers": 2}),
    ("convolutional", SMALL),
    ("convolutional", SMALL | {"norm": "group", "squeeze": True, "pooling": "attention", "shorten": 2}),
    ("convolutional", SMALL | {"kernels": [3, 9, 19], "pooling": "mean+max", "missing": "flags", "width": 10}),
    ("convolutional", SMALL | {"depths": [2, 1], "squeeze": True, "stochastic_depth": 0.3, "pooling": "max"}),
    ("convolutional-recurrent", SMALL | {"state": 8, "dropout": 0.2}),
    ("convolutional-recurrent", SMALL | {"state": 8, "bidirectional": False, "pooling": "last", "shorten": 1}),
]
IRREGULAR: list[Case] = [
    ("recurrent", SMALL | {"times": True}),
    ("recurrent", SMALL | {"times": True, "missing": "flags", "bidirectional": True}),
    ("recurrent", SMALL | {"times": True, "missing": "decay", "pooling": "last"}),
    ("recurrent", SMALL | {"times": True, "missing": "decay", "bidirectional": True}),
    ("convolutional", SMALL | {"times": True, "missing": "flags"}),
]
CASES = [(*case, False) for case in REGULAR] + [(*case, True) for case in IRREGULAR]
NAMES = [f"{family}-{place}" for place, (family, _, _) in enumerate(CASES)]
LENGTHS = [20, 11, 6, 1]


def given(*, times: bool) -> Tensor:
    return irregular(LENGTHS) if times else ragged(LENGTHS, channels=4, steps=20)


def opened(net: Network) -> Network:
    """Open residual branches, which start closed, and give norms statistics that are not those of a fresh one."""
    generator = torch.Generator().manual_seed(9)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
            nn.init.ones_(module.weight)
            module.bias.data.normal_(generator=generator)
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean.normal_(generator=generator)
    return net


@pytest.fixture(params=CASES, ids=NAMES)
def case(request: pytest.FixtureRequest) -> tuple[Network, Tensor]:
    family, options, times = request.param
    return opened(network(family, options, channels=4, steps=20)), given(times=times)


def embed(net: Network, signal: Tensor) -> Tensor:
    outputs: dict[str, Tensor] = net.eval()({"ecg": signal}, {})
    return outputs["embedding"].detach()


def test_more_padding_changes_nothing(case: tuple[Network, Tensor]) -> None:
    net, signal = case
    expected = embed(net, signal)
    for more in (1, 13):
        torch.testing.assert_close(embed(net, functional.pad(signal, (0, more), value=NAN)), expected)


def test_padding_changes_nothing_while_training_either(case: tuple[Network, Tensor]) -> None:
    net, signal = case
    keys = {"keys": torch.arange(len(signal))}
    state = {k: v.clone() for k, v in net.state_dict().items()}
    net.train()
    first = net({"ecg": signal}, keys)["embedding"]
    net.load_state_dict(state)
    second = net({"ecg": functional.pad(signal, (0, 9), value=NAN)}, keys)["embedding"]
    torch.testing.assert_close(first, second)


def test_the_neighbours_in_a_batch_change_nothing(case: tuple[Network, Tensor]) -> None:
    net, signal = case
    together = embed(net, signal)
    for place in range(len(signal)):
        torch.testing.assert_close(embed(net, signal[place : place + 1]), together[place : place + 1])


def test_nan_reaches_no_gradient_and_the_same_seed_gives_the_same_bits(case: tuple[Network, Tensor]) -> None:
    net, signal = case
    signal = torch.cat([signal, torch.full_like(signal[:1], NAN)])
    keys = {"keys": torch.arange(len(signal))}
    state = {k: v.clone() for k, v in net.state_dict().items()}

    def gradients() -> list[Tensor]:
        net.load_state_dict(state)
        net.zero_grad()
        net.train()({"ecg": signal}, keys)["t"].square().sum().backward()
        return [p.grad.clone() for p in net.parameters() if p.grad is not None]

    torch.use_deterministic_algorithms(True)
    try:
        first, second = gradients(), gradients()
    finally:
        torch.use_deterministic_algorithms(False)
    assert len(first) == len(list(net.parameters()))
    for a, b in zip(first, second, strict=True):
        assert bool(a.isfinite().all())
        assert torch.equal(a, b)


def test_answers_are_float32_under_autocast_and_near_those_without(case: tuple[Network, Tensor]) -> None:
    net, signal = case
    expected = embed(net, signal)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = net({"ecg": signal}, {})
    assert {o.dtype for o in outputs.values()} == {torch.float32}
    torch.testing.assert_close(outputs["embedding"], expected, atol=0.1 * float(expected.abs().max()), rtol=0.1)


def test_signals_stored_in_half_precision_are_read(case: tuple[Network, Tensor]) -> None:
    net, signal = case
    torch.testing.assert_close(embed(net, signal.half()), embed(net, signal.half().float()))


def test_a_causal_state_depends_on_no_later_step() -> None:
    net = network("recurrent", {"width": 8, "layers": 2, "pooling": "last"})
    signal = noise(1, 2, 40)
    changed = signal.clone()
    changed[..., 25:] = NAN
    torch.testing.assert_close(embed(net, signal[..., :25]), embed(net, changed))


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("recurrent", {"width": 16, "frame": 4}),
        ("convolutional", {"width": 8}),
        ("convolutional-recurrent", {"width": 8}),
    ],
)
def test_learns_whether_a_wave_is_early_or_late(family: str, options: dict[str, OptionValue]) -> None:
    signal = 0.3 * noise(64, 1, 48)
    answer = torch.arange(64) % 2
    signal[answer == 0, :, 8:14] += 2.0
    signal[answer == 1, :, 34:37] += 2.0
    net = network(family, options, channels=1, steps=48)
    optimiser = torch.optim.AdamW(net.parameters(), 1e-2)
    for _ in range(40):
        value = functional.cross_entropy(net({"ecg": signal}, {})["t"], answer)
        optimiser.zero_grad()
        torch.autograd.backward(value)
        optimiser.step()
    assert float(value.detach()) < 0.3


def test_masked_norms_are_those_of_the_steps_inside() -> None:
    features = noise(3, 4, 1, 6)
    mask = torch.ones(3, 1, 1, 6)
    mask[1, ..., 4:] = 0
    batch, plain = MaskedBatchNorm(4), nn.BatchNorm2d(4)
    inside = torch.cat([features[0], features[1, ..., :4], features[2]], dim=2)[None]
    expected = plain(inside)
    torch.testing.assert_close(batch(features, mask)[0], expected[0, ..., :6])
    torch.testing.assert_close(batch.running_var, plain.running_var)
    torch.testing.assert_close(batch.running_mean, plain.running_mean)
    group = MaskedGroupNorm(2, 4)
    torch.testing.assert_close(group(features, mask)[1, ..., :4], nn.GroupNorm(2, 4)(features[1:2, ..., :4])[0])


def test_statistics_of_norms_can_be_measured_again_over_padded_signals() -> None:
    net, signal = network("convolutional", {"width": 8}, channels=4), given(times=False)
    measure_norms(net, [{"ecg": signal}, {"ecg": signal}])
    first = embed(net, signal)
    measure_norms(net, [{"ecg": functional.pad(signal, (0, 30), value=NAN)}])
    torch.testing.assert_close(embed(net, signal), first)


def test_a_row_beside_a_signal_is_encoded_and_heard() -> None:
    inputs = {"ecg": InputShape(channels=1, ndim=1, size=(20,)), "rr": InputShape(channels=3, ndim=0, size=())}
    for family in ("recurrent", "convolutional", "convolutional-recurrent"):
        net = build(NetworkSpec(family=family, inputs=inputs, heads={"t": 2}), seed=0).eval()
        assert isinstance(net, EncoderNetwork)
        signal, row = noise(4, 1, 20), noise(4, 3)
        row[0, 1] = NAN
        outputs = net({"ecg": signal, "rr": row}, {})
        assert outputs["embedding"].shape == (4, sum(e.features for e in net.encoders))  # type: ignore[misc]  # ours
        assert bool(outputs["t"].isfinite().all())
        assert not torch.equal(outputs["embedding"], net({"ecg": signal, "rr": row + 1}, {})["embedding"])


def test_what_does_not_fit_is_refused_with_the_way_out() -> None:
    image = InputShape(channels=1, ndim=2, size=(20, 20))
    with pytest.raises(PlanError, match="image"):
        build(NetworkSpec(family="recurrent", inputs={"x": image}, heads={"t": 1}), seed=0)
    with pytest.raises(PlanError, match="times"):
        network("recurrent", {"times": True}, channels=1)
    wrong: list[Case] = [
        ("recurrent", {"times": True, "frame": 2}),
        ("recurrent", {"missing": "decay", "cell": "lstm"}),
        ("convolutional", {"kernels": [4]}),
        ("convolutional", {"depths": [0, 1]}),
        ("convolutional", {"missing": "decay"}),
    ]
    shape = InputShape(channels=2, ndim=1, size=(20,))
    for family, options in wrong:
        with pytest.raises(PlanError):
            check(NetworkSpec(family=family, inputs={"x": shape}, heads={"t": 1}, options=options))

"""The joint network: an encoder of any family for each input."""

import pytest
import torch

from hounsfield.core.errors import PlanError, UnknownNameError
from hounsfield.learn.nn.joint import JointNetwork
from hounsfield.learn.nn.network import EncoderNetwork
from hounsfield.learn.nn.residual import ResidualEncoder
from hounsfield.learn.nn.row import RowEncoder
from hounsfield.learn.nn.signal.convolutional import ConvolutionalEncoder
from hounsfield.learn.nn.signal.recurrent import RecurrentEncoder
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, OptionValue
from hounsfield.learn.nn.table import build

INPUTS = {
    "x.ray": InputShape(channels=1, ndim=2, size=(24, 24)),
    "ecg": InputShape(channels=2, ndim=1, size=(30,)),
    "pressure": InputShape(channels=1, ndim=1, size=(30,)),
    "labs": InputShape(channels=5, ndim=0, size=()),
}


def spec(options: dict[str, OptionValue]) -> NetworkSpec:
    return NetworkSpec(family="joint", inputs=INPUTS, heads={"t": 2}, options=options)


def test_every_input_has_the_encoder_that_the_plan_says() -> None:
    options: dict[str, OptionValue] = {
        "encoders": {
            "x.ray": {"width": 8, "depths": [1, 1], "stem": "small"},
            "ecg": {"family": "recurrent", "width": 12, "bidirectional": True},
        },
        "dropout": 0.1,
    }
    given = spec(options)
    assert NetworkSpec.model_validate_json(given.model_dump_json()) == given
    net = build(given, seed=0).eval()
    assert isinstance(net, JointNetwork)
    kinds = [ResidualEncoder, RecurrentEncoder, ConvolutionalEncoder, RowEncoder]
    assert [type(encoder) for encoder in net.encoders] == kinds
    inputs = {
        name: torch.randn(3, shape.channels, *shape.size, generator=torch.Generator().manual_seed(1))
        for name, shape in INPUTS.items()
    }
    outputs = net(inputs, {})
    assert outputs["embedding"].shape == (3, 16 + 24 + 128 + 32)
    assert outputs["t"].dtype == torch.float32
    torch.testing.assert_close(net({k: v[:1] for k, v in inputs.items()}, {})["t"], outputs["t"][:1])


def test_an_encoder_of_one_input_is_that_of_its_own_network() -> None:
    inputs = {"labs": INPUTS["labs"]}
    one = build(NetworkSpec(family="row", inputs=inputs, heads={"t": 2}), seed=3)
    joint = build(NetworkSpec(family="joint", inputs=inputs, heads={"t": 2}), seed=3)
    assert isinstance(one, EncoderNetwork)
    names = {k for k in one.state_dict() if k.startswith("encoders.")}
    assert names == {k for k in joint.state_dict() if k.startswith("encoders.")}


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"encoders": {"egc": {}}}, PlanError, '"ecg"'),
        ({"encoders": {"ecg": {"widht": 3}}}, PlanError, '"width"'),
        ({"encoders": {"ecg": {"family": "recurent"}}}, UnknownNameError, "recurrent"),
        ({"encoders": {"ecg": {"family": "row"}}}, PlanError, "signal"),
        ({"encoders": {"ecg": {"family": 3}}}, PlanError, "name of a network"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, OptionValue], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        build(spec(options), seed=0)

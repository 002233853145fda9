"""Beats among their neighbours: the network is the recurrence that its docstring says, and looks at what it should."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.network import EncoderNetwork
from hounsfield.learn.nn.signal.beat_sequence import BeatSequenceEncoder
from hounsfield.learn.nn.signal.cells import GatedLayer
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, OptionValue
from hounsfield.learn.nn.table import build
from tests.learn.nn.signal.series import NAN, network, noise

WIDTH: dict[str, OptionValue] = {"width": 8}


def encoder(steps: int = 7, channels: int = 3) -> BeatSequenceEncoder:
    net = network("beat-sequence", WIDTH, channels=channels, steps=steps).eval()
    assert isinstance(net, EncoderNetwork)
    found = net.encoders[0]
    assert isinstance(found, BeatSequenceEncoder)
    return found


def test_it_is_the_middle_of_a_recurrence_in_both_directions() -> None:
    """PyTorch's bidirectional GRU over all beats has the same two states at the beat in the middle."""
    own = encoder()
    both = nn.GRU(8, 8, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for ending, layer in (("", own.onward), ("_reverse", own.back)):
            assert isinstance(layer, GatedLayer)
            for name, values in layer.cell.named_parameters():
                getattr(both, f"{name}{ending}").copy_(values)
        rows = noise(5, 3, 7)
        steps = functional.gelu(functional.linear(rows.transpose(1, 2), own.spread.weight, own.spread.bias))
        states = both(steps)[0][:, 3]
        expected = functional.gelu(own.meet(torch.cat([steps[:, 3], states], dim=1)))
        torch.testing.assert_close(own(rows, {}), expected)


def test_every_beat_counts_and_what_is_missing_is_the_middle() -> None:
    own, rows = encoder(), noise(1, 3, 7)
    with torch.inference_mode():
        before = own(rows, {})
        for beat in range(7):
            other = rows.clone()
            other[0, 1, beat] += 1.0
            assert not torch.allclose(own(other, {}), before)
        gone, nothing = rows.clone(), rows.clone()
        gone[0, 2, 1:4], nothing[0, 2, 1:4] = NAN, 0.0
        torch.testing.assert_close(own(gone, {}), own(nothing, {}))


def test_dropping_is_by_sample_alone() -> None:
    net = network("beat-sequence", WIDTH | {"inner": 0.5, "dropout": 0.5}, channels=3, steps=7).train()
    rows, keys = noise(6, 3, 7), torch.arange(6)
    whole = net({"ecg": rows}, {"keys": keys})["t"]
    part = net({"ecg": rows[2:4]}, {"keys": keys[2:4]})["t"]
    torch.testing.assert_close(whole[2:4], part)
    assert not torch.allclose(whole, net({"ecg": rows}, {"keys": keys + 6})["t"])


@pytest.mark.parametrize("shape", [InputShape(channels=3, ndim=1, size=(6,)), InputShape(channels=3, ndim=0, size=())])
def test_what_has_no_middle_is_refused(shape: InputShape) -> None:
    spec = NetworkSpec(
        family="joint", inputs={"form": shape}, heads={"t": 2}, options={"encoders": {"form": {"family": "row"}}}
    )
    encoders: OptionValue = {"form": {"family": "beat-sequence"}}
    with pytest.raises(PlanError, match=r"given a signal of 6 beats|given a row"):
        build(spec.model_copy(update={"options": {"encoders": encoders}}), seed=0)

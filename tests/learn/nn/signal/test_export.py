"""A network for signals as a graph answers padded and gappy series as PyTorch does, or refuses to be written."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hounsfield.learn.engines.graph import onnx_bytes
from hounsfield.learn.engines.whole import EngineError
from hounsfield.learn.nn.network import Network
from hounsfield.learn.nn.spec import OptionValue
from tests.learn.nn.signal.series import irregular, network, noise, ragged


class Answer(nn.Module):
    """The one head as a tuple, as engines want it."""

    def __init__(self, net: Network) -> None:
        super().__init__()
        self.net = net

    def forward(self, signal: Tensor) -> tuple[Tensor]:
        outputs: Mapping[str, Tensor] = self.net({"ecg": signal}, {})
        return (outputs["t"],)


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("convolutional", {"width": 8, "squeeze": True, "pooling": "mean+max"}),
        ("convolutional", {"width": 8, "norm": "group", "missing": "flags", "pooling": "attention"}),
        ("recurrent", {"width": 8, "bidirectional": True, "pooling": "last", "frame": 3}),
        ("recurrent", {"width": 8, "cell": "lstm", "layers": 2, "missing": "flags"}),
        ("convolutional-recurrent", {"width": 8, "state": 8}),
        ("beat-sequence", {"width": 8}),
    ],
)
def test_a_graph_traced_on_whole_series_serves_padded_ones(family: str, options: dict[str, OptionValue]) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="needs the optional engine onnxruntime")
    pytest.importorskip("onnx", reason="needs onnx to write graphs")
    net = network(family, options, steps=41).eval()
    graph = onnx_bytes(Answer(net), {"ecg": noise(3, 2, 41).numpy()}, ["t"])
    session = runtime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    for signal in (noise(3, 2, 41), ragged([41, 9, 1], steps=41)):
        (found,) = session.run(None, {"ecg": signal.numpy()})
        with torch.inference_mode():
            expected = net({"ecg": signal}, {})["t"].numpy()
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_what_a_graph_cannot_hold_is_refused() -> None:
    pytest.importorskip("onnx", reason="needs onnx to write graphs")
    net = network("recurrent", {"width": 8, "times": True, "missing": "decay"}, channels=4)
    with pytest.raises(EngineError, match="cannot be written"):
        onnx_bytes(Answer(net), {"ecg": irregular([20, 20]).numpy()}, ["t"])

"""An ensemble as one ONNX file with everything around it: raw image in, calibrated answers out."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from hounsfield.bundle.sealed import Member
from hounsfield.core.protocols import Decoding
from hounsfield.learn.engines.ensemble import modules, stored_example
from hounsfield.learn.engines.graph import OPSET, onnx_bytes
from hounsfield.learn.engines.preprocessing import Nodes, prepared
from hounsfield.learn.engines.whole import EngineError, Whole
from hounsfield.learn.learners.protocol import HeadSpec
from hounsfield.learn.losses import categorical, multilabel, number
from hounsfield.learn.losses.ordinal import cumulative_logits
from hounsfield.learn.prepare.image import ImagePreparation


class Answering(nn.Module):
    """An ensemble with calibrated answers.

    Parameters
    ----------
    whole : Whole
    heads : sequence of HeadSpec
    decodings : mapping of str to Decoding
        By target.
    """

    def __init__(self, whole: Whole, heads: Sequence[HeadSpec], decodings: Mapping[str, Decoding]) -> None:
        super().__init__()
        self.whole = whole
        self.heads = tuple(heads)
        self.decodings = dict(decodings)

    def forward(self, *units: Tensor) -> tuple[Tensor, ...]:
        """Return probabilities or a number, ``w`` for each head, of one prepared image ``1 c ...``, 0 to 1."""
        raw = self.whole.merged(units)
        return tuple(_answer(raw[h.target.name], h, self.decodings[h.target.name])[0] for h in self.heads)


def _answer(raw: Tensor, head: HeadSpec, decoding: Decoding) -> Tensor:
    """Decode raw outputs ``b w`` as the target kind of the same name does, in torch."""
    if head.loss == "categorical":
        return categorical.decode(raw / decoding.temperature)
    if head.loss == "multilabel":
        return multilabel.decode(raw / decoding.temperature)
    if head.loss == "number":
        return number.decode(raw, mean=decoding.mean, deviation=decoding.std)
    if head.loss == "ordinal":
        above = torch.sigmoid(cumulative_logits(raw) / decoding.temperature)
        one = torch.ones_like(above[:, :1])
        ends = torch.cat([one, above, torch.zeros_like(one)], dim=1)
        return ends[:, :-1] - ends[:, 1:]
    raise EngineError(
        f"Answers of the kind {head.loss!r} cannot be written to ONNX.",
        expected="categorical, multilabel, ordinal or number",
        next_step="use the bundle itself",
    )


def output_names(inputs: Sequence[str], heads: Sequence[HeadSpec]) -> dict[str, str]:
    """Return by target the name of its output: its own, or with a prefix where an input has that name."""
    return {h.target.name: f"answer:{h.target.name}" if h.target.name in inputs else h.target.name for h in heads}


def packed(
    members: Sequence[Member],
    weights: Mapping[str, Sequence[float]] | None,
    *,
    preparation: Mapping[str, ImagePreparation],
    heads: Sequence[HeadSpec],
    decodings: Mapping[str, Decoding],
    metadata: Mapping[str, str],
) -> bytes:
    """Return an ONNX model from raw images to answers.

    Parameters
    ----------
    members : sequence of Member
    weights : mapping of str to sequence of float or None
        By target, one per member; see `hounsfield.learn.merge.merged`.
    preparation : mapping of str to ImagePreparation
        By input name. Each input is one image, ``c y x`` or ``c z y x`` of any size, float32 in stored units.
    heads : sequence of HeadSpec
    decodings : mapping of str to Decoding
        Calibration by target.
    metadata : mapping of str to str
        Put beside the graph, in ``metadata_props``.

    Returns
    -------
    bytes
        A model with one output for each head: probabilities ``k`` in the order of the classes, or a number ``1``.

    Raises
    ------
    EngineError
        If a member cannot leave PyTorch.
    """
    import onnx
    from onnx import TensorProto, helper

    example = {
        f"prepared/{name}": stored.astype("float32") for name, stored in stored_example(preparation, count=1).items()
    }
    plain = {name.removeprefix("prepared/"): stored for name, stored in example.items()}
    whole = Whole(modules(members), plain, weights=weights)
    names = output_names(list(preparation), heads)
    core = onnx.load_from_string(onnx_bytes(Answering(whole, heads, decodings), example, list(names.values())))
    inputs = []
    before: list[onnx.NodeProto] = []
    for name, spec in preparation.items():
        axes = ["channels", *(f"{name}_{axis}" for axis in "zyx"[3 - spec.ndim :])]
        inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, axes))
        nodes = Nodes(f"prepare/{name}")
        ready = prepared(nodes, name, spec)
        before += [*nodes.nodes, helper.make_node("Identity", [ready], [f"prepared/{name}"], name=f"prepared/{name}")]
        core.graph.initializer.extend(nodes.constants)
    after = list(core.graph.node)
    del core.graph.node[:], core.graph.input[:]
    core.graph.node.extend([*before, *after])
    core.graph.input.extend(inputs)
    core.producer_name = "hounsfield"
    for key, value in metadata.items():
        core.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(core)
    if [found.version for found in core.opset_import if not found.domain] != [OPSET]:
        raise EngineError("The graph was written for another version of ONNX.", expected=f"opset {OPSET}")
    serialised: bytes = core.SerializeToString()
    return serialised

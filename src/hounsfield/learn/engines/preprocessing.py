"""`hounsfield.learn.prepare.image.prepare` as ONNX nodes, for images of any size and number of channels."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.types import AnyArray
from hounsfield.learn.prepare.image import LUMA, ImagePreparation

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

KNOWN_CHANNELS = 4


class Nodes:
    """ONNX nodes and constants as they are added.

    Parameters
    ----------
    prefix : str
        In front of every name.
    """

    def __init__(self, prefix: str) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._prefix = prefix
        self._count = 0

    def add(self, kind: str, *inputs: str, **attributes: int | Sequence[int]) -> str:
        """Add a node with one output; return that output's name."""
        from onnx import helper

        name = self._name(kind)
        node = helper.make_node(kind, list(inputs), [name], name=name)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return name

    def constant(self, value: AnyArray) -> str:
        """Add a constant; return its name."""
        from onnx import numpy_helper

        name = self._name("constant")
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def whole(self, *values: int) -> str:
        """Add a constant vector of int64."""
        return self.constant(np.array(values, dtype=np.int64))

    def real(self, *values: float) -> str:
        """Add a constant vector of float64."""
        return self.constant(np.array(values, dtype=np.float64))

    def single(self, value: float) -> str:
        """Add a constant scalar of float32."""
        return self.constant(np.array(value, dtype=np.float32))

    def cast(self, value: str, dtype: int) -> str:
        """Change the dtype."""
        return self.add("Cast", value, to=dtype)

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{self._prefix}/{kind}_{self._count}"


def prepared(nodes: Nodes, image: str, spec: ImagePreparation) -> str:
    """Add the nodes that prepare one image.

    Parameters
    ----------
    nodes : Nodes
        Where they are added.
    image : str
        Name of the raw image, ``c y x`` or ``c z y x``, float32 in stored units.
    spec : ImagePreparation

    Returns
    -------
    str
        Name of the prepared image, ``1 c ...``, float32 from 0 to 1, rounded as the stored one is.

    Notes
    -----
    Resizing is a product with one matrix per axis, built from the image's own size: what `resize` does is linear and
    separable, and a matrix means the same to every runtime; of ONNX's own Resize the anti-aliased case does not.
    An ONNX file knows no affines: a volume is expected in the orientation and at the spacing of `spec`.
    """
    from onnx import TensorProto

    values = _resized(nodes, _scaled(nodes, _channels(nodes, image, spec.channels), spec), spec)
    if spec.storage == "uint8":
        full = nodes.single(255.0)
        values = nodes.add("Div", nodes.add("Round", nodes.add("Mul", values, full)), full)
    else:
        values = nodes.cast(nodes.cast(values, TensorProto.FLOAT16), TensorProto.FLOAT)
    return nodes.add("Unsqueeze", values, nodes.whole(0))


def _channels(nodes: Nodes, image: str, wanted: int) -> str:
    """Mix channels with a matrix ``wanted c`` that the number of channels c chooses, as the preparation does."""
    from onnx import TensorProto

    table = np.zeros((KNOWN_CHANNELS + 1, wanted, KNOWN_CHANNELS), dtype=np.float32)
    for have in (1, 2):
        table[have, :, 0] = 1.0
    for have in (3, 4):
        table[have, :, :3] = LUMA if wanted == 1 else np.eye(3)
    shape = nodes.add("Shape", image)
    count = nodes.add("Slice", shape, nodes.whole(0), nodes.whole(1))
    known = nodes.add("Gather", nodes.constant(table), nodes.add("Min", count, nodes.whole(KNOWN_CHANNELS)))
    known = nodes.add("Squeeze", known, nodes.whole(0))
    more = nodes.add("Max", nodes.add("Sub", count, nodes.whole(KNOWN_CHANNELS)), nodes.whole(0))
    zeros = nodes.add("Expand", nodes.single(0.0), nodes.add("Concat", nodes.whole(wanted), more, axis=0))
    known = nodes.add("Concat", known, zeros, axis=1)
    known = nodes.add("Slice", known, nodes.whole(0), count, nodes.whole(1))
    size = nodes.add("Concat", nodes.whole(wanted), count, axis=0)
    place = _range(nodes, count)
    if wanted == 1:
        other = nodes.add("Div", nodes.single(1.0), nodes.cast(count, TensorProto.FLOAT))
    else:
        other = nodes.cast(nodes.add("Equal", place, nodes.whole(0)), TensorProto.FLOAT)
    other = nodes.add("Expand", other, size)
    matrix = nodes.add("Where", nodes.add("LessOrEqual", count, nodes.whole(KNOWN_CHANNELS)), known, other)
    flat = nodes.add("Reshape", image, nodes.add("Concat", count, nodes.whole(-1), axis=0))
    space = nodes.add("Slice", shape, nodes.whole(1), nodes.whole(9))
    mixed = nodes.add("MatMul", matrix, flat)
    return nodes.add("Reshape", mixed, nodes.add("Concat", nodes.whole(wanted), space, axis=0))


def _scaled(nodes: Nodes, values: str, spec: ImagePreparation) -> str:
    from onnx import TensorProto

    if spec.scale == "percentile":
        flat = nodes.add("Reshape", values, nodes.whole(-1))
        count = nodes.add("Shape", flat)
        ordered = f"{flat}/ordered"
        nodes.nodes.append(_ascending(flat, count, ordered))
        low, high = (_quantile(nodes, ordered, count, share) for share in (0.005, 0.995))
        width = nodes.add("Max", nodes.add("Sub", high, low), nodes.real(1e-6))
        low, width = nodes.cast(low, TensorProto.FLOAT), nodes.cast(width, TensorProto.FLOAT)
    else:
        low, width = nodes.single(spec.low), nodes.single(max(spec.high - spec.low, 1e-6))
    scaled = nodes.add("Div", nodes.add("Sub", values, low), width)
    return nodes.add("Clip", scaled, nodes.single(0.0), nodes.single(1.0))


def _ascending(flat: str, count: str, ordered: str) -> "NodeProto":
    from onnx import helper

    return helper.make_node("TopK", [flat, count], [ordered, f"{ordered}/places"], name=ordered, axis=0, largest=0)


def _quantile(nodes: Nodes, ordered: str, count: str, share: float) -> str:
    """Return the name of a quantile, (1,) float64, linear between neighbours as in `numpy.percentile`."""
    from onnx import TensorProto

    last = nodes.add("Sub", count, nodes.whole(1))
    place = nodes.add("Mul", nodes.cast(last, TensorProto.DOUBLE), nodes.real(share))
    below = nodes.add("Floor", place)
    first = nodes.cast(below, TensorProto.INT64)
    second = nodes.add("Min", nodes.add("Add", first, nodes.whole(1)), last)
    one, two = (nodes.cast(nodes.add("Gather", ordered, index), TensorProto.DOUBLE) for index in (first, second))
    between = nodes.add("Mul", nodes.add("Sub", two, one), nodes.add("Sub", place, below))
    return nodes.add("Add", one, between)


def _resized(nodes: Nodes, values: str, spec: ImagePreparation) -> str:
    shape = nodes.add("Shape", values)
    lengths = [nodes.add("Slice", shape, nodes.whole(1 + i), nodes.whole(2 + i)) for i in range(spec.ndim)]
    if spec.fit == "centre":
        matrices = [_centre_matrix(nodes, have, new=new) for have, new in zip(lengths, spec.size, strict=True)]
    else:
        inner = _inner(nodes, lengths, spec)
        matrices = [
            _axis_matrix(nodes, have, wanted, new=new, pools=spec.ndim == 3)
            for have, wanted, new in zip(lengths, inner, spec.size, strict=True)
        ]
    values = nodes.add("MatMul", values, nodes.add("Transpose", matrices[-1], perm=[1, 0]))
    values = nodes.add("MatMul", matrices[-2], values)
    if spec.ndim == 3:
        values = nodes.add("MatMul", matrices[0], nodes.add("Transpose", values, perm=[0, 2, 1, 3]))
        values = nodes.add("Transpose", values, perm=[0, 2, 1, 3])
    return values


def _inner(nodes: Nodes, lengths: Sequence[str], spec: ImagePreparation) -> list[str]:
    """Return the names of the lengths, (1,) int64, that the image takes up in the prepared one."""
    from onnx import TensorProto

    if spec.fit == "stretch":
        return [nodes.whole(new) for new in spec.size]
    old = [nodes.cast(length, TensorProto.DOUBLE) for length in lengths]
    ratios = [nodes.add("Div", nodes.real(new), have) for new, have in zip(spec.size, old, strict=True)]
    factor = nodes.add("ReduceMin", nodes.add("Concat", *ratios, axis=0), keepdims=1)
    found = []
    for new, have in zip(spec.size, old, strict=True):
        length = nodes.cast(nodes.add("Round", nodes.add("Mul", have, factor)), TensorProto.INT64)
        found.append(nodes.add("Max", nodes.add("Min", length, nodes.whole(new)), nodes.whole(1)))
    return found


def _axis_matrix(nodes: Nodes, have: str, inner: str, *, new: int, pools: bool) -> str:
    """Return the name of the matrix ``new have``, float32, that resizes one axis to `inner` and pads it to `new`.

    Parameters
    ----------
    nodes : Nodes
    have : str
        Length of the axis, (1,) int64.
    inner : str
        Length that it takes up afterwards, (1,) int64.
    new : int
        Length afterwards, padding included.
    pools : bool
        Whether shrinking averages over whole pixels (volumes) or under a triangle (planes).

    Notes
    -----
    Triangle: pixel j has in pixel i the weight ``max(0, 1 - |j + 1/2 - s (i + 1/2)| / max(s, 1))`` with
    s = have / inner, each row divided by its sum. Growing, this is linear interpolation with repeated borders.
    """
    from onnx import TensorProto

    before = nodes.add("Div", nodes.add("Sub", nodes.whole(new), inner), nodes.whole(2))
    rows = nodes.add("Sub", nodes.constant(np.arange(new, dtype=np.int64)[:, None]), before)
    columns = _range(nodes, have)
    scale = nodes.add("Div", nodes.cast(have, TensorProto.DOUBLE), nodes.cast(inner, TensorProto.DOUBLE))
    half = nodes.real(0.5)
    centre = nodes.add("Mul", nodes.add("Add", nodes.cast(rows, TensorProto.DOUBLE), half), scale)
    there = nodes.add("Add", nodes.cast(columns, TensorProto.DOUBLE), half)
    reach = nodes.add("Max", scale, nodes.real(1.0))
    far = nodes.add("Div", nodes.add("Abs", nodes.add("Sub", there, centre)), reach)
    weights = nodes.add("Max", nodes.add("Sub", nodes.real(1.0), far), nodes.real(0.0))
    if pools:
        covered = _covered(nodes, rows, columns, have=have, inner=inner)
        weights = nodes.add("Where", nodes.add("Greater", have, inner), covered, weights)
    inside = nodes.add("And", nodes.add("GreaterOrEqual", rows, nodes.whole(0)), nodes.add("Less", rows, inner))
    weights = nodes.add("Mul", weights, nodes.cast(inside, TensorProto.DOUBLE))
    total = nodes.add("ReduceSum", weights, nodes.whole(1), keepdims=1)
    # rows of the padding have no weight at all: divided by something, they stay 0
    total = nodes.add("Max", total, nodes.real(1e-9))
    return nodes.cast(nodes.add("Div", weights, total), TensorProto.FLOAT)


def _centre_matrix(nodes: Nodes, have: str, *, new: int) -> str:
    """Return the name of the matrix ``new have``, float32, that cuts and pads one axis about its centre."""
    from onnx import TensorProto

    # of what is cut, the smaller half lies in front; of what is padded, too: floor of a negative number would not
    cut = nodes.add("Div", nodes.add("Max", nodes.add("Sub", have, nodes.whole(new)), nodes.whole(0)), nodes.whole(2))
    pad = nodes.add("Div", nodes.add("Max", nodes.add("Sub", nodes.whole(new), have), nodes.whole(0)), nodes.whole(2))
    rows = nodes.add("Sub", nodes.constant(np.arange(new, dtype=np.int64)[:, None]), nodes.add("Sub", pad, cut))
    return nodes.cast(nodes.add("Equal", rows, _range(nodes, have)), TensorProto.FLOAT)


def _covered(nodes: Nodes, rows: str, columns: str, *, have: str, inner: str) -> str:
    """Return the name of a matrix, float64: 1 where average pooling has new pixel i cover old pixel j, 0 elsewhere."""
    from onnx import TensorProto

    one = nodes.whole(1)
    start = nodes.add("Div", nodes.add("Mul", rows, have), inner)
    end = nodes.add("Mul", nodes.add("Add", rows, one), have)
    end = nodes.add("Div", nodes.add("Add", end, nodes.add("Sub", inner, one)), inner)
    inside = nodes.add("And", nodes.add("GreaterOrEqual", columns, start), nodes.add("Less", columns, end))
    return nodes.cast(inside, TensorProto.DOUBLE)


def _range(nodes: Nodes, count: str) -> str:
    zero, one = nodes.constant(np.array(0, dtype=np.int64)), nodes.constant(np.array(1, dtype=np.int64))
    return nodes.add("Range", zero, nodes.add("Squeeze", count, nodes.whole(0)), one)

"""The preparation in a graph is the preparation."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hounsfield.core.image import Grid, Image
from hounsfield.core.streams import stream
from hounsfield.learn.engines.graph import OPSET
from hounsfield.learn.engines.onnxruntime_engine import session
from hounsfield.learn.engines.preprocessing import Nodes, prepared
from hounsfield.learn.prepare.image import ImagePreparation, prepare

PLANE = ImagePreparation(size=(24, 20), low=-100.0, high=300.0)
VOLUME = ImagePreparation(ndim=3, size=(8, 12, 10), storage="float16")
SPECS = {
    "stretch": PLANE,
    "pad": PLANE.model_copy(update={"fit": "pad"}),
    "colour": PLANE.model_copy(update={"channels": 3, "storage": "float16"}),
    "percentile": PLANE.model_copy(update={"scale": "percentile", "storage": "float16"}),
    "volume": VOLUME,
    "padded volume": VOLUME.model_copy(update={"fit": "pad", "scale": "percentile"}),
    "centred volume": VOLUME.model_copy(
        update={"fit": "centre", "orientation": "RAS", "spacing_mm": (2.0, 1.0, 1.0), "storage": "uint8"}
    ),
}
SIZES: dict[int, list[tuple[int, ...]]] = {
    2: [(24, 20), (61, 37), (7, 90), (5, 4), (100, 11), (1, 1)],
    3: [(8, 12, 10), (20, 5, 33), (3, 24, 10)],
}


def graph(spec: ImagePreparation) -> bytes:
    nodes = Nodes("p")
    ready = prepared(nodes, "image", spec)
    nodes.nodes.append(helper.make_node("Identity", [ready], ["ready"]))
    taken = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["c", *"zyx"[3 - spec.ndim :]])
    given = helper.make_tensor_value_info("ready", TensorProto.FLOAT, [1, spec.channels, *spec.size])
    made = helper.make_graph(nodes.nodes, "prepare", [taken], [given], nodes.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("name", list(SPECS))
def test_the_graph_prepares_as_the_package_does(name: str) -> None:
    spec = SPECS[name]
    ready = session(graph(spec), threads=1)
    for place, size in enumerate(SIZES[spec.ndim]):
        for channels in (1, 2, 3, 4, 6):
            image = (stream(place, name).random((channels, *size)) * 600 - 200).astype(np.float32)
            # a graph knows no affines: the volume already lies as the plan turns and resamples it
            grid = Grid(np.diag([*reversed(spec.spacing_mm), 1.0])) if spec.spacing_mm is not None else None
            wanted = prepare(Image(image, grid), spec).astype(np.float32)
            (found,) = ready.run(["ready"], {"image": image})
            if spec.storage == "uint8":
                # a value within rounding of a half may be stored one level apart
                levels = np.abs(found[0] * 255.0 - wanted)
                assert levels.max() < 1.01
                assert (levels > 0.01).mean() < 0.01
            else:
                np.testing.assert_allclose(found[0], wanted, atol=6e-4, err_msg=f"{size} {channels}")
                assert np.abs(found[0] - wanted).mean() < 5e-6

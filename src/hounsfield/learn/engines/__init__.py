"""Engines: what runs a fitted ensemble on this processor.

Enters: one torch module for the whole ensemble (`whole.Whole`), stored inputs of one size.
Leaves: merged raw outputs by target; or an ONNX graph of the same, for elsewhere.
"""

from hounsfield.core.tables import Table

ENGINES = Table(
    "engine",
    {
        "openvino": "hounsfield.learn.engines.openvino_engine:OPENVINO",
        "openvino-bfloat16": "hounsfield.learn.engines.openvino_engine:OPENVINO_BFLOAT16",
        "onnxruntime": "hounsfield.learn.engines.onnxruntime_engine:ONNXRUNTIME",
        "torch": "hounsfield.learn.engines.torch_engine:TORCH",
    },
)
"""Engines by name, the preferred ones first; adding one is a file and a line here."""

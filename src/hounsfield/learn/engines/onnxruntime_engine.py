"""onnxruntime: the portable fallback."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array
from hounsfield.learn.engines.freed import give_back
from hounsfield.learn.engines.graph import onnx_bytes
from hounsfield.learn.engines.whole import Whole

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


class OnnxRuntimeEngine:
    """Runs the ensemble's ONNX graph, float32, on the processor."""

    name = "onnxruntime"
    tolerance = 1e-3

    def lacks(self) -> str:
        """Return which package is missing."""
        missing = [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]
        return f"pip install {' '.join(missing)}" if missing else ""

    def open(self, whole: Whole, example: Mapping[str, AnyArray], *, threads: int) -> "OnnxRuntimeCompiled":
        """Make a session."""
        opened = session(onnx_bytes(whole, example, whole.outputs), threads=threads)
        give_back()
        return OnnxRuntimeCompiled(opened, whole)


def session(model: bytes, *, threads: int) -> "InferenceSession":
    """Return an onnxruntime session on the processor.

    Parameters
    ----------
    model : bytes
        Serialised ONNX model.
    threads : int
        Threads of one call.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class OnnxRuntimeCompiled:
    """A session and the names of its outputs."""

    def __init__(self, opened: "InferenceSession", whole: Whole) -> None:
        self._session = opened
        self._names = whole.outputs

    def run(self, calls: list[dict[str, AnyArray]]) -> list[dict[str, Float32Array]]:
        """Run calls one after the other, each on all threads."""
        return list(self.stream(calls))

    def stream(self, calls: Iterable[dict[str, AnyArray]]) -> Iterator[dict[str, Float32Array]]:
        """Run calls one after the other as they come."""
        for call in calls:
            outputs = self._session.run(list(self._names), call)
            yield {n: np.asarray(o, dtype=np.float32) for n, o in zip(self._names, outputs, strict=True)}


ONNXRUNTIME = OnnxRuntimeEngine()

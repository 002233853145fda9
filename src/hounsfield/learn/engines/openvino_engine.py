"""OpenVINO: the fastest engine on the processors that were measured."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array
from hounsfield.learn.engines.freed import give_back
from hounsfield.learn.engines.graph import onnx_bytes
from hounsfield.learn.engines.whole import EngineError, Whole

if TYPE_CHECKING:
    from openvino import CompiledModel, InferRequest


class OpenVinoEngine:
    """Runs the ensemble on the processor, calls side by side.

    Parameters
    ----------
    name : str
    precision : str
        ``f32`` or ``bf16``.
    tolerance : float
        See `hounsfield.learn.engines.protocol.Engine`.
    """

    def __init__(self, name: str, precision: Literal["f32", "bf16"], *, tolerance: float) -> None:
        self.name = name
        self.precision = precision
        self.tolerance = tolerance

    def lacks(self) -> str:
        """Return which package or instruction is missing."""
        missing = [name for name in ("onnx", "openvino") if find_spec(name) is None]
        if missing:
            return f"pip install {' '.join(missing)}"
        if self.precision == "bf16" and "BF16" not in _capabilities():
            return "a processor with bfloat16 instructions (avx512_bf16 or amx)"
        return ""

    def open(self, whole: Whole, example: Mapping[str, AnyArray], *, threads: int) -> "OpenVinoCompiled":
        """Compile the ensemble: one stream of calls for each thread, no thread shared."""
        from openvino import Core

        core = Core()
        settings = {
            "INFERENCE_PRECISION_HINT": self.precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
            "ENABLE_CPU_PINNING": False,
        }
        try:
            graph = onnx_bytes(whole, example, whole.outputs)
            give_back()
            model = core.read_model(graph)
            compiled = core.compile_model(model, "CPU", settings)
            del model, graph
            give_back()
            return OpenVinoCompiled(compiled, whole, streams=threads)
        except RuntimeError as error:
            raise EngineError(
                f"OpenVINO cannot run the ensemble: {type(error).__name__}.",
                expected="networks of this version",
                next_step="run it with PyTorch: the engine torch",
            ) from error


def _capabilities() -> tuple[str, ...]:
    from openvino import Core

    return tuple(str(c) for c in Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


class OpenVinoCompiled:
    """A compiled model with one request for each stream."""

    def __init__(self, compiled: "CompiledModel", whole: Whole, *, streams: int) -> None:
        self._inputs = whole.inputs
        self._names = whole.outputs
        self._requests = [compiled.create_infer_request() for _ in range(max(1, streams))]

    def run(self, calls: list[dict[str, AnyArray]]) -> list[dict[str, Float32Array]]:
        """Run as many calls at once as there are streams."""
        return list(self.stream(calls))

    def stream(self, calls: Iterable[dict[str, AnyArray]]) -> Iterator[dict[str, Float32Array]]:
        """Run as many calls at once as there are streams: no stream waits while there is a call."""
        free, busy = deque(self._requests), deque["InferRequest"]()
        try:
            for call in calls:
                found = None
                if not free:
                    done = busy.popleft()
                    found = self._found(done)
                    free.append(done)
                request = free.popleft()
                request.start_async([call[name] for name in self._inputs])
                busy.append(request)
                if found is not None:
                    yield found
            while busy:
                yield self._found(busy.popleft())
        finally:
            for request in busy:  # where the taker has stopped: the next stream begins with requests at rest
                request.wait()

    def _found(self, request: "InferRequest") -> dict[str, Float32Array]:
        request.wait()
        return {
            name: np.array(request.get_output_tensor(place).data, dtype=np.float32)
            for place, name in enumerate(self._names)
        }


OPENVINO = OpenVinoEngine("openvino", "f32", tolerance=1e-3)
OPENVINO_BFLOAT16 = OpenVinoEngine("openvino-bfloat16", "bf16", tolerance=0.05)

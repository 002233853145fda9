"""PyTorch itself: always there, ready at once."""

from collections.abc import Iterable, Iterator, Mapping

import torch

from hounsfield.core.types import AnyArray, Float32Array
from hounsfield.learn.engines.whole import Whole
from hounsfield.learn.threads import device


class TorchEngine:
    """Runs the module as it is, float32, on the GPU where there is one."""

    name = "torch"
    tolerance = 1e-3

    def lacks(self) -> str:
        """Return that nothing is missing."""
        return ""

    def open(self, whole: Whole, example: Mapping[str, AnyArray], *, threads: int) -> "TorchCompiled":
        """Move the module to its device; torch's own number of threads stays what it is."""
        del example, threads
        return TorchCompiled(whole)


class TorchCompiled:
    """A module in evaluation mode."""

    def __init__(self, whole: Whole) -> None:
        self._device = device()
        self._whole = whole.eval().to(self._device)

    def run(self, calls: list[dict[str, AnyArray]]) -> list[dict[str, Float32Array]]:
        """Run calls one after the other."""
        return list(self.stream(calls))

    def stream(self, calls: Iterable[dict[str, AnyArray]]) -> Iterator[dict[str, Float32Array]]:
        """Run calls one after the other as they come."""
        for call in calls:
            with torch.inference_mode():  # not around the yield: it would hold for the taker too
                outputs = self._whole(*(torch.from_numpy(call[n]).to(self._device) for n in self._whole.inputs))
                found = {n: o.float().cpu().numpy() for n, o in zip(self._whole.outputs, outputs, strict=True)}
            yield found


TORCH = TorchEngine()

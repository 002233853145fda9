"""The batch: what the feed hands to the loop, and what a loss sees."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """A group of samples as tensors.

    Parameters
    ----------
    index
        Position of each sample in its part, (b,), int64.
    inputs
        Prepared inputs by name; an image is (b c y x) or (b c z y x), float32.
    targets
        Answers by target name: (b,) int64 for classes (-1 = missing), (b k) or (b 1) float32 else (NaN = missing).
    weight
        Weight of each sample in the loss, (b,), float32, >= 0.
    times
        Time of each reading relative to the sample, days, (b r), float32, by input name.
    present
        Which readings or values are there, bool, by input name.
    context
        What is not an input but reaches the network: operators, addressed random keys (``"keys"``, (b,) int64).
    """

    index: Tensor
    inputs: Mapping[str, Tensor]
    targets: Mapping[str, Tensor]
    weight: Tensor
    times: Mapping[str, Tensor] = field(default_factory=dict)
    present: Mapping[str, Tensor] = field(default_factory=dict)
    context: Mapping[str, object] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of samples."""
        return int(self.index.shape[0])

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> "Batch":
        """Return the batch with every tensor on a device.

        Parameters
        ----------
        device
            Where to put the tensors.
        non_blocking
            Copy from pinned memory without waiting.

        Returns
        -------
        Batch
            A new batch; tensors already on the device are shared, entries of ``context`` that are no tensors are kept.
        """

        def move(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {name: tensor.to(device, non_blocking=non_blocking) for name, tensor in tensors.items()}

        context = {
            name: value.to(device, non_blocking=non_blocking) if isinstance(value, Tensor) else value
            for name, value in self.context.items()
        }
        return replace(
            self,
            index=self.index.to(device, non_blocking=non_blocking),
            inputs=move(self.inputs),
            targets=move(self.targets),
            weight=self.weight.to(device, non_blocking=non_blocking),
            times=move(self.times),
            present=move(self.present),
            context=context,
        )

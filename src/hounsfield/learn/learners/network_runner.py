"""A fitted network, ready to run: one view or several, in calls of one size."""

from collections.abc import Iterator, Mapping, Sequence
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

from hounsfield.core.errors import PlanError
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.learn.nn.network import Network
from hounsfield.learn.prepare.protocol import Preparation, only_images
from hounsfield.learn.threads import at_most

RUN_BATCH = 16
"""Samples per inference call. The last call is filled up to it: what is said of a sample must not depend on its
neighbours."""
LARGEST_CALL, VALUES_IN_CALL = 256, 1 << 15
"""Of small signals and rows, such as beats, up to so many samples and values are one call: it would cost more than what
is computed in it."""
ROW_SHARE = 1 / 16
"""What a value of a row counts beside one of a signal: it is read once, and turned into few numbers."""

AXES = ("x", "y", "z")
"""Space axes by their distance from the end of an array ``... z y x``."""


class NetworkRunner:
    """A network in evaluation mode, float32, in calls of one size.

    Parameters
    ----------
    network : Network
    preparation : mapping of str to Preparation
        By input name.
    views : sequence of str
        Axes to mirror along; outputs are the mean over the image as it is and each mirrored view.
    """

    def __init__(self, network: Network, preparation: Mapping[str, Preparation], *, views: Sequence[str] = ()) -> None:
        self._network = Viewed(network, views).eval()
        self._device = next(network.parameters()).device
        self._preparation = preparation
        self.size = call_size(preparation)
        # Small products one after the other: threads that wait for each other at each of them cost more than they save,
        # many times over where another process wants the cores too.
        self._threads = 1 if self.size > RUN_BATCH and not _convolves(network) else None

    @property
    def one_thread(self) -> bool:
        """Whether it computes with one thread whatever there is, so that several may run side by side."""
        return self._threads == 1

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Float64Array]:
        """Return raw outputs by target and the embedding, ``n w`` float64, for stored inputs ``n c ...``."""
        collected: dict[str, list[Float64Array]] = {}
        with torch.inference_mode(), at_most(self._threads):
            for part, count in calls(inputs, size=self.size):
                tensors = {
                    name: torch.from_numpy(self._preparation[name].normalised(stored)).to(self._device)
                    for name, stored in part.items()
                }
                for name, output in self._network(tensors).items():
                    collected.setdefault(name, []).append(output[:count].double().cpu().numpy())
        return {name: np.concatenate(parts) for name, parts in collected.items()}


class Viewed(nn.Module):
    """The mean of a network's outputs over an image and its mirrored views.

    Parameters
    ----------
    network : Network
    views : sequence of str
        Axes to mirror along, one view each: of ``x``, ``y``, ``z``.

    Raises
    ------
    PlanError
        If an axis is unknown.
    """

    def __init__(self, network: Network, views: Sequence[str]) -> None:
        super().__init__()
        unknown = sorted(set(views) - set(AXES))
        if unknown:
            raise PlanError(
                f"There is no view along {', '.join(unknown)}.",
                expected=f"some of {', '.join(AXES)}",
                next_step='correct "views" in the ensemble section of the plan',
            )
        self.network = network
        self.axes = tuple(-1 - AXES.index(view) for view in views)

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return each output ``b w``, averaged over the views of inputs ``b c ...``."""
        outputs: dict[str, Tensor] = self.network(inputs, {})
        for axis in self.axes:
            # An input without the axis (a plane beside a volume, a signal, a row) is shown as it is.
            mirrored = {n: x.flip(axis) if x.ndim >= 4 and x.ndim + axis >= 2 else x for n, x in inputs.items()}
            for name, output in self.network(mirrored, {}).items():
                outputs[name] = outputs[name] + output
        return {name: output / (1 + len(self.axes)) for name, output in outputs.items()} if self.axes else outputs


class Normalised(nn.Module):
    """A network in front of which stored inputs, images on the scale 0 to 1, are normalised.

    Parameters
    ----------
    network : nn.Module
        Takes normalised inputs by name.
    preparation : mapping of str to Preparation
        By input name.
    """

    def __init__(self, network: nn.Module, preparation: Mapping[str, Preparation]) -> None:
        super().__init__()
        self.network = network
        self.preparation = preparation

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the network's outputs for inputs ``b c ...``, float32, 0 to 1."""
        outputs: dict[str, Tensor] = self.network({n: self.preparation[n].on_tensors(x) for n, x in inputs.items()})
        return outputs


def _convolves(network: nn.Module) -> bool:
    return any(isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d) for module in network.modules())


def call_size(preparation: Mapping[str, Preparation]) -> int:
    """Return how many samples are run in one call: always the same for the same inputs.

    Parameters
    ----------
    preparation : mapping of str to Preparation
        By input name.

    Returns
    -------
    int
        `RUN_BATCH` where an input is an image; of signals and rows a multiple of it, a power of two.
    """
    if len(only_images(preparation)) < len(preparation):
        return RUN_BATCH
    values = sum(prod(s.stored_shape) * (ROW_SHARE if s.kind_name == "row" else 1.0) for s in preparation.values())
    size = LARGEST_CALL
    while size > RUN_BATCH and size * values > VALUES_IN_CALL:
        size //= 2
    return size


def calls(inputs: Mapping[str, AnyArray], *, size: int = RUN_BATCH) -> Iterator[tuple[dict[str, AnyArray], int]]:
    """Cut stored inputs into calls of one size, the last filled up with zeros.

    Parameters
    ----------
    inputs : mapping of str to numpy.ndarray
        ``n c ...`` each.
    size : int
        Samples in a call.

    Yields
    ------
    tuple
        The inputs of one call, and how many of its samples are real.
    """
    count = len(next(iter(inputs.values())))
    for start in range(0, count, size):
        real = min(size, count - start)
        part = {name: stored[start : start + real] for name, stored in inputs.items()}
        if real < size:
            part = {
                name: np.concatenate([stored, np.zeros((size - real, *stored.shape[1:]), stored.dtype)])
                for name, stored in part.items()
            }
        yield part, real

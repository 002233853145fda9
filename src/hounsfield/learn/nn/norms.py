"""Statistics of batch norms, taken again over images as they will be judged."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def norms(network: nn.Module) -> list[_BatchNorm]:
    """Return the batch norms of a network."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


@torch.no_grad()
def measure_norms(network: nn.Module, batches: Iterable[Mapping[str, Tensor]]) -> None:
    """Replace running means and variances by those over some batches, every batch counting alike; in place.

    Parameters
    ----------
    network
        Left in evaluation mode; weights stay as they are.
    batches
        Inputs by name, (b c y x) or (b c z y x), prepared and not augmented; nothing happens if there is none.

    Notes
    -----
    While training, running statistics follow augmented images: noisier, darker, cut. A network with those statistics
    meets plain images with all its features off by a little, and its answers off to one side. Drops are off, so that
    the statistics are those of the network that answers.

    References
    ----------
    Wu, Johnson, "Rethinking batch in BatchNorm", 2021 (precise statistics). Izmailov et al., "Averaging weights leads
    to wider optima", UAI 2018 (statistics of averaged weights).
    """
    layers = norms(network)
    given = iter(batches) if layers else iter(())
    first = next(given, None)
    network.eval()
    if first is None:
        return
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # every batch counts alike
        layer.train()
    try:
        while first is not None:
            network(first, {})
            first = next(given, None)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        network.eval()

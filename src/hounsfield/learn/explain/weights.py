"""The same members with randomised weights, from the head downwards."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import nn

from hounsfield.core.streams import address
from hounsfield.learn.explain.view import Voice
from hounsfield.learn.nn.network import Network
from hounsfield.learn.nn.table import build
from hounsfield.learn.threads import device

SHARES = (0.25, 0.5, 1.0)
"""Shares of the layers that are randomised, from the head downwards: a top block, the upper half, all."""


def randomised(voices: tuple[Voice, ...], *, share: float, seed: int) -> tuple[Voice, ...]:
    """Return members whose upper layers have fresh weights.

    Parameters
    ----------
    voices : tuple of Voice
    share : float
        Of the layers, counted from the head.
    seed : int

    Returns
    -------
    tuple of Voice
        Members that are no networks are left out: nothing of theirs can be drawn afresh.

    Notes
    -----
    Fresh weights are those that training started from, other draws; a norm's scale that starts at 0, which makes a
    residual block the identity, is set to 1, so that the block is random and not absent.

    References
    ----------
    Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018 (cascading randomisation).
    """
    found = []
    for place, voice in enumerate(voices):
        if voice.network is not None:
            fresh = fresh_network(voice, seed=address(seed, "randomised weights", place) % 2**31)
            for norm in fresh.modules():
                scale = getattr(norm, "weight", None)
                if isinstance(scale, nn.Parameter) and not bool(scale.any()):
                    nn.init.ones_(scale)
            found.append(replace(voice, network=_joined(voice.network, fresh, share)))
    return tuple(found)


def fresh_network(voice: Voice, *, seed: int) -> Network:
    """Return a member's network with the weights that training would start from, in evaluation mode."""
    return build(voice.job.network, seed=seed).to(device()).eval()


def fresh_voices(voices: tuple[Voice, ...], *, count: int, seed: int) -> Iterator[tuple[Voice, ...]]:
    """Yield `count` single untrained members, each in the shape of one member in turn."""
    networks = [v for v in voices if v.network is not None]
    for number in range(count if networks else 0):
        voice = networks[number % len(networks)]
        fresh = fresh_network(voice, seed=address(seed, "fresh weights", number) % 2**31)
        yield (replace(voice, network=fresh, weight=1.0),)


def _joined(trained: Network, fresh: Network, share: float) -> Network:
    """Return `fresh` with the trained weights in its lower layers."""
    layers = [(a, b) for a, b in zip(trained.modules(), fresh.modules(), strict=True) if _own(a)]
    kept = len(layers) - max(1, round(share * len(layers)))
    with torch.no_grad():
        for old, new in layers[:kept]:
            for name, values in old.state_dict().items():
                new.state_dict()[name].copy_(values)
    return fresh


def _own(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))

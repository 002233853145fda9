"""Grad-CAM at the last convolutional stage, sharpened by an earlier one, summed over all members."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from hounsfield.core.types import Float64Array
from hounsfield.learn.explain.view import View, Voice
from hounsfield.learn.nn.network import EncoderNetwork, Network
from hounsfield.learn.nn.spec import NetworkSpec
from hounsfield.learn.nn.table import build

COARSER = 1.5
"""An earlier stage has at least so many times the edge of the last one."""


def gradcam(view: View) -> Float64Array:
    """Return where the network's own features speak for the answer.

    Parameters
    ----------
    view : View

    Returns
    -------
    numpy.ndarray
        At the input's size; signed: positive speaks for the answer. Zero where no member is a network.

    Notes
    -----
    Last stage: ``L = sum_c a_c A_c`` with ``a_c`` the mean over space of the gradient of the score with respect to the
    feature map ``A_c`` (Selvaraju et al.), not cut at zero, so that places keep an order. Earlier stage:
    ``sum_c max(g_c, 0) A_c`` place by place (Jiang et al.), as means of gradients say little there. Each is laid on the
    input's pixels where its features look, summed over members and divided by its largest magnitude; the map is the
    mean of both. The gradient is that of the merged score, so members weigh as much as they contribute.

    References
    ----------
    Selvaraju et al., "Grad-CAM", ICCV 2017. Jiang et al., "LayerCAM", IEEE TIP 2021.
    """
    sums: dict[int, Float64Array] = {}
    for voice in view.voices:
        for level, found in enumerate(member_maps(view, voice)):
            sums[level] = sums.get(level, np.zeros(view.size)) + found
    total = np.zeros(view.size)
    for found in sums.values():
        largest = float(np.abs(found).max())
        if largest > 0:
            total += found / largest / len(sums)
    return total


def member_maps(view: View, voice: Voice) -> list[Float64Array]:
    """Return the maps of one member at the input's size, last stage first; none for one that is no network."""
    network = voice.network
    if network is None:
        return []
    images = view.tensor(view.image).requires_grad_()
    target = view.question.target.name
    with torch.no_grad():
        rest = view.raw(images)  # the other members' share moves the slope of the score, not the features
    with torch.enable_grad(), stages(network, view.name, ndim=len(view.size)) as kept:
        own = network(view.inputs(images, voice), {})[target]
        merged = rest + voice.weight * (own - own.detach())
        score = view.question.score(merged).sum()
        last, earlier = chosen(kept)
        wanted = [last] if earlier is None else [last, earlier]
        gradients = torch.autograd.grad(score, wanted)
    with torch.no_grad():
        maps = [(gradients[0].mean(dim=tuple(range(2, last.ndim)), keepdim=True) * last).sum(dim=1)[0]]
        if earlier is not None:
            maps.append((gradients[1].clamp_min(0) * earlier).sum(dim=1)[0])
    return [laid_out(m.double().cpu().numpy(), view.size, lattice_of(voice, view.name, tuple(m.shape))) for m in maps]


@dataclass(frozen=True)
class Lattice:
    """Where the places of a stage look, in pixels of the input: ``offset + step i`` along each axis."""

    offset: tuple[float, ...]
    step: tuple[float, ...]


def laid_out(coarse: Float64Array, size: tuple[int, ...], lattice: Lattice) -> Float64Array:
    """Return a coarse map at the input's size, linear between the pixels that its places look at.

    Parameters
    ----------
    coarse : numpy.ndarray
        ``y x`` or ``z y x`` of a stage.
    size : tuple of int
        Of the input.
    lattice : Lattice
    """
    from scipy.ndimage import affine_transform

    moved = [-o / s for o, s in zip(lattice.offset, lattice.step, strict=True)]
    found: Float64Array = affine_transform(
        coarse, [1.0 / s for s in lattice.step], offset=moved, output_shape=size, order=1, mode="nearest"
    )
    return found


def lattice_of(voice: Voice, name: str, shape: tuple[int, ...]) -> Lattice:
    """Return where the places of a stage look.

    Parameters
    ----------
    voice : Voice
    name : str
        Input.
    shape : tuple of int
        Of the stage, ``y x`` or ``z y x``.

    Notes
    -----
    Strided, padded convolutions and blur-pools keep every second pixel, so that place i of a stage looks at pixel
    s i and not at the middle of its share of the image: drawn there, a map of 7 x 7 on 224 pixels is 16 pixels off.
    It is measured: in a copy whose convolutions are plain means, the gradient of one place counts the ways to each
    pixel, and most ways lead to its middle.
    """
    return _lattice(voice.job.network.model_dump_json(), name, shape)


@lru_cache(maxsize=64)
def _lattice(spec: str, name: str, shape: tuple[int, ...]) -> Lattice:
    network = build(NetworkSpec.model_validate_json(spec), seed=0).eval()
    with torch.no_grad():
        for module in network.modules():
            weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
            if isinstance(weight, nn.Parameter):
                weight.fill_(1.0 / max(1, weight[0].numel()))
            if isinstance(bias, nn.Parameter):
                bias.zero_()
    shapes = NetworkSpec.model_validate_json(spec).inputs
    inputs = {k: torch.ones((1, s.channels, *s.size), requires_grad=True) for k, s in shapes.items()}
    with torch.enable_grad(), stages(network, name, ndim=len(shape)) as kept:
        network(inputs, {})
    first = tuple((m - 1) // 2 for m in shape)
    pixels = [_looks_at(kept[shape], inputs[name], place) for place in (first, tuple(i + 1 for i in first))]
    size = shapes[name].size
    step = tuple(float(max(1.0, b - a)) if m > 1 else float(n) for a, b, m, n in zip(*pixels, shape, size, strict=True))
    return Lattice(tuple(a - i * s for a, i, s in zip(pixels[0], first, step, strict=True)), step)


def _looks_at(features: Tensor, image: Tensor, place: tuple[int, ...]) -> tuple[float, ...]:
    """Return the pixel that most ways lead to from one place: the middle of the highest values along each axis."""
    inside = tuple(min(i, m - 1) for i, m in zip(place, features.shape[2:], strict=True))
    (ways,) = torch.autograd.grad(features[0].sum(dim=0)[inside], image, retain_graph=True)
    counts = ways[0].double().sum(dim=0).numpy()
    found = []
    for axis in range(counts.ndim):
        along = counts.sum(axis=tuple(a for a in range(counts.ndim) if a != axis))
        found.append(float(np.flatnonzero(along >= (1 - 1e-3) * along.max()).mean()))
    return tuple(found)


@contextmanager
def stages(network: Network, name: str, *, ndim: int) -> Iterator[dict[tuple[int, ...], Tensor]]:
    """Keep, for each size of feature maps, the last ones that a network makes while the block runs.

    Parameters
    ----------
    network : Network
    name : str
        Input whose encoder is watched.
    ndim : int
        Number of space axes.

    Yields
    ------
    dict
        Size ``y x`` or ``z y x`` to features ``b c ...``, filled by the next forward pass.
    """
    watched: nn.Module = network
    if isinstance(network, EncoderNetwork):
        watched = network.encoders[network.inputs.index(name)]
    kept: dict[tuple[int, ...], Tensor] = {}

    def keep(module: nn.Module, inputs: object, output: object) -> None:
        del module, inputs
        if isinstance(output, Tensor) and output.ndim == ndim + 2 and output.requires_grad:
            size = tuple(int(n) for n in output.shape[2:])
            if max(size) > 1:
                kept[size] = output

    handles = [module.register_forward_hook(keep) for module in watched.modules()]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()


def chosen(kept: dict[tuple[int, ...], Tensor]) -> tuple[Tensor, Tensor | None]:
    """Return the features of the last stage, and of the stage before it where there is one.

    Raises
    ------
    ValueError
        If the network made no feature maps.
    """
    if not kept:
        raise ValueError("the network made no feature maps")
    sizes = sorted(kept, key=max)
    last = sizes[0]
    earlier = next((s for s in sizes if max(s) >= COARSER * max(last)), None)
    return kept[last], None if earlier is None else kept[earlier]


def stride(view: View) -> tuple[float, ...]:
    """Return how many input pixels one place of the last stage stands for, along each axis; 1 without networks."""
    for voice in view.voices:
        if voice.network is not None:
            images = view.tensor(view.image).requires_grad_()
            with torch.enable_grad(), stages(voice.network, view.name, ndim=len(view.size)) as kept:
                voice.network(view.inputs(images, voice), {})
            last, _ = chosen(kept)
            return tuple(n / m for n, m in zip(view.size, last.shape[2:], strict=True))
    return (1.0,) * len(view.size)

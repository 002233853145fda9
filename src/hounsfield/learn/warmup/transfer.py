"""Weights of another encoder, fitted to this one by name and shape."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray

ENCODERS = "encoders."
"""How the names of a network's encoder weights begin."""
PREFIXES = ("average/network/", "network/network/", "module.", "network.", "model.", "encoder.", "backbone.")
"""What may stand before the names in a file: a checkpoint of a run keeps averaged weights first."""
ENOUGH = 0.5
"""Least share of the encoder's numbers that a file must give."""
SHOWN = 4


@dataclass(frozen=True)
class Matched:
    """Which of an encoder's tensors a file gives.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
        Name in the network to values of its shape.
    adapted : tuple of str
        Of these, the first convolutions whose input channels were adapted.
    missing : tuple of str
        Tensors of the encoder that the file does not give; they stay as they are.
    unused : tuple of str
        Tensors of the file that have no place: another network's, and heads.
    share : float
        Share of the encoder's numbers that are given, 0 to 1.
    """

    arrays: Mapping[str, AnyArray]
    adapted: tuple[str, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    share: float

    def __str__(self) -> str:
        """Return one sentence."""
        wanted = len(self.arrays) + len(self.missing)
        extra = f", {len(self.adapted)} adapted to the input channels" if self.adapted else ""
        return f"{len(self.arrays)} of {wanted} encoder tensors ({self.share:.0%} of the numbers){extra}"


def match(network: nn.Module, arrays: Mapping[str, AnyArray]) -> Matched:
    """Find the tensors of a file that belong to a network's encoders.

    Parameters
    ----------
    network : nn.Module
    arrays : mapping of str to numpy.ndarray
        The file's tensors. Names may carry one of `PREFIXES`, and for a single encoder lack ``encoders.0.``.

    Raises
    ------
    InputError
        If less than `ENOUGH` of the encoder's numbers are there; names and shapes found and expected are listed.

    Notes
    -----
    A first convolution for three channels serves one by the sum over its input channels: on a grey image repeated
    three times it gives what it gave before. One for one channel serves three by a third in each.
    """
    given = _without_prefixes(arrays)
    wanted = {name: tensor for name, tensor in network.state_dict().items() if name.startswith(ENCODERS)}
    found: dict[str, AnyArray] = {}
    adapted: list[str] = []
    used: set[str] = set()
    for name, tensor in wanted.items():
        key = next((k for k in (name, _bare(name)) if k in given), None)
        if key is None:
            continue
        values = _shaped(given[key], tensor)
        if values is None:
            continue
        used.add(key)
        if given[key].shape != tuple(tensor.shape):
            adapted.append(name)
        found[name] = values.numpy()
    size = {name: max(tensor.numel(), 1) for name, tensor in wanted.items()}
    share = sum(size[n] for n in found) / max(1, sum(size.values()))
    if share < ENOUGH:
        raise _unfitting(wanted, given, len(found), share)
    return Matched(
        found,
        tuple(adapted),
        tuple(n for n in wanted if n not in found),
        tuple(k for k in given if k not in used),
        share,
    )


def load(network: nn.Module, arrays: Mapping[str, AnyArray]) -> Matched:
    """Put the weights of another encoder into a network; what the file lacks, and the heads, stay as they are."""
    matched = match(network, arrays)
    network.load_state_dict({name: torch.from_numpy(v) for name, v in matched.arrays.items()}, strict=False)
    return matched


def _without_prefixes(arrays: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    for prefix in PREFIXES:
        inner = {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}
        if inner and ("/" in prefix or len(inner) == len(arrays)):
            return _without_prefixes(inner)
    return dict(arrays)


def _bare(name: str) -> str:
    """Return the name inside the first encoder; that of a further encoder has none."""
    first = ENCODERS + "0."
    return name[len(first) :] if name.startswith(first) else name


def _shaped(values: AnyArray, wanted: Tensor) -> Tensor | None:
    """Return values with the shape and type of a tensor, or None where they cannot have it."""
    try:
        found = torch.from_numpy(values.copy())
    except TypeError:
        return None
    shape = tuple(wanted.shape)
    if tuple(found.shape) == shape:
        return found.to(wanted.dtype)
    convolution = found.ndim == wanted.ndim >= 4 and found.shape[:1] + found.shape[2:] == shape[:1] + shape[2:]
    if not convolution:
        return None
    if found.shape[1] == 3 and shape[1] == 1:
        return found.sum(dim=1, keepdim=True).to(wanted.dtype)
    if found.shape[1] == 1 and shape[1] == 3:
        return (found.expand(-1, 3, *found.shape[2:]) / 3.0).contiguous().to(wanted.dtype)
    return None


def _unfitting(wanted: Mapping[str, Tensor], given: Mapping[str, AnyArray], count: int, share: float) -> InputError:
    def some(tensors: Mapping[str, tuple[int, ...]]) -> str:
        named = [f"{k} {'x'.join(map(str, shape)) or '1'}" for k, shape in tensors.items() if len(shape) > 1]
        return ", ".join(named[:SHOWN]) + (f", ... ({len(tensors)} in all)" if len(tensors) > SHOWN else "")

    ours = some({k: tuple(v.shape) for k, v in wanted.items()})
    theirs = some({k: tuple(v.shape) for k, v in given.items()})
    return InputError(
        f"The encoder file fits {count} of {len(wanted)} tensors ({share:.0%} of the numbers) of the plan's encoder; "
        f"it has {theirs or 'no tensors of two or more axes'}.",
        expected=f"names and shapes as {ours}",
        next_step="give weights of the same family and width (hu plan --why shows both), or leave --encoder out",
    )

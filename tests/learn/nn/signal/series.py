"""Small seeded signals and specs for the tests of this folder."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hounsfield.learn.nn.network import Network
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, OptionValue
from hounsfield.learn.nn.table import build

NAN = float("nan")
F64 = npt.NDArray[np.float64]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def ragged(lengths: list[int], *, channels: int = 2, steps: int = 40, seed: int = 0) -> Tensor:
    """Signals (b c t) of several lengths, NaN beyond, with a few gaps inside."""
    signal = noise(len(lengths), channels, steps, seed=seed)
    signal[:, 0, 3:5] = NAN
    for place, length in enumerate(lengths):
        signal[place, :, length:] = NAN
    return signal


def irregular(lengths: list[int], *, channels: int = 3, steps: int = 20, seed: int = 0) -> Tensor:
    """Series (b 1+c t): hours first, then values of which half are missing."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(len(lengths), channels, steps, generator=generator)
    values[torch.rand(values.shape, generator=generator) < 0.5] = NAN
    hours = torch.rand(len(lengths), 1, steps, generator=generator).cumsum(2)
    signal = torch.cat([hours - hours[..., :1], values], dim=1)
    for place, length in enumerate(lengths):
        signal[place, :, length:] = NAN
    return signal


def network(
    family: str,
    options: dict[str, OptionValue] | None = None,
    *,
    channels: int = 2,
    steps: int = 40,
    seed: int = 0,
) -> Network:
    shape = InputShape(channels=channels, ndim=1, size=(steps,))
    spec = NetworkSpec(family=family, inputs={"ecg": shape}, heads={"t": 3}, options=options or {})
    return build(spec, seed=seed)


def as64(tensor: Tensor) -> F64:
    return tensor.detach().numpy().astype(np.float64)

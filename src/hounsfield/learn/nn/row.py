"""The network for rows of numbers of which any may be missing."""

import itertools
from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.dropping import AddressedDropout
from hounsfield.learn.nn.kinds import KINDS, USUAL, MixedNetwork
from hounsfield.learn.nn.network import Encoder
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, read_options


class RowOptions(BaseModel):
    """Options of the row network.

    Parameters
    ----------
    spread
        Numbers that each column is spread over before columns meet.
    width
        Units of each hidden layer, and of the embedding.
    layers
        Hidden layers.
    inner
        Share of units dropped between hidden layers.
    dropout
        Share of embedding features dropped before the heads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spread: int = Field(default=4, ge=1, le=256)
    width: int = Field(default=32, ge=1, le=4096)
    layers: int = Field(default=2, ge=1, le=8)
    inner: float = Field(default=0.0, ge=0.0, lt=1.0)
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)


class ColumnSpread(nn.Module):
    """Spread each column over d numbers: ``e_j = relu(x_j w_j + b_j)``, or a learnt vector u_j where x_j is missing.

    Parameters
    ----------
    columns
        Number of columns c.
    spread
        Numbers d for each.

    Notes
    -----
    A missing value has a vector of its own, so a network tells "missing" from "average" without being told twice. The
    vectors start as those of an average value: a column that was never missing in training answers as the mean does.

    References
    ----------
    Gorishniy, Rubachev, Babenko, "On embeddings for numerical features in tabular deep learning", NeurIPS 2022.
    """

    def __init__(self, columns: int, spread: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.randn(columns, spread))
        self.shift = nn.Parameter(torch.empty(columns, spread).uniform_(-1.0, 1.0))
        self.missing = nn.Parameter(self.shift.detach().clamp_min(0.0).clone())

    def forward(self, row: Tensor) -> Tensor:
        """Return (b c d) of rows (b c), whatever is not finite being missing."""
        seen = row.isfinite()
        values = torch.where(seen, row, torch.zeros_like(row))
        spread = functional.relu(values[..., None] * self.scale + self.shift)
        return torch.where(seen[..., None], spread, self.missing)


class RowEncoder(Encoder):
    """Columns spread, then a multilayer perceptron, in float32.

    Parameters
    ----------
    shape
        Shape of the input, without axes.
    options
        Options of the family.

    Raises
    ------
    PlanError
        If the input is no row.
    """

    def __init__(self, shape: InputShape, options: RowOptions) -> None:
        super().__init__()
        if shape.ndim != 0:
            raise PlanError(
                f"The row network was given a {KINDS[shape.ndim]}.",
                expected="a row of numbers",
                next_step=f'choose "--network {USUAL[shape.ndim]}"',
            )
        self.columns = ColumnSpread(shape.channels, options.spread)
        widths = [shape.channels * options.spread] + [options.width] * options.layers
        self.maps = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))
        for linear in self.maps:
            if isinstance(linear, nn.Linear):
                nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
                nn.init.zeros_(linear.bias)
        self.drops = nn.ModuleList(
            AddressedDropout(options.inner, salt=201 + place) for place in range(options.layers - 1)
        )
        self.features = options.width

    def forward(self, image: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return the embedding (b c), float32, of rows (b c)."""
        with torch.autocast(image.device.type, enabled=False):
            features: Tensor = self.columns(image.float()).flatten(1)
            for place, linear in enumerate(self.maps):
                features = functional.relu(linear(features if place == 0 else self.drops[place - 1](features, context)))
        return features


class RowNetwork(MixedNetwork):
    """A row encoder for each row; inputs of another kind have that kind's usual encoder beside it.

    Parameters
    ----------
    spec
        The spec; ``options`` are :class:`RowOptions`.

    Raises
    ------
    PlanError
        If an option is unknown or out of range, or no input is a row.
    """

    Options: ClassVar[type[BaseModel]] = RowOptions

    def __init__(self, spec: NetworkSpec) -> None:
        options = read_options(spec, RowOptions)
        super().__init__(spec, lambda shape: RowEncoder(shape, options), axes=(0,), dropout=options.dropout)

"""The network protocol, and the shape most networks have: encoders, one embedding, heads."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import BaseModel
from torch import Tensor, nn

from hounsfield.learn.nn.dropping import AddressedDropout
from hounsfield.learn.nn.spec import NetworkSpec


class Network(nn.Module, ABC):
    """Something that turns inputs into one output for each head.

    A family is a subclass whose constructor takes a :class:`NetworkSpec` alone, and whose ``Options`` is the pydantic
    model (frozen, unknown keys forbidden) of its options.
    """

    Options: ClassVar[type[BaseModel]]

    @abstractmethod
    def forward(self, inputs: Mapping[str, Tensor], context: Mapping[str, object]) -> dict[str, Tensor]:
        """Run the network.

        Parameters
        ----------
        inputs
            Prepared inputs by name, (b c y x) or (b c z y x), float32.
        context
            What is not an input; ``"keys"``, (b,) int64, addresses dropout while training.

        Returns
        -------
        dict
            ``"embedding"`` (b c) and one entry for each head (b k), all float32 also under autocast.
        """


class Heads(nn.Module):
    """One linear map from the embedding for each target, computed in float32.

    Parameters
    ----------
    features
        Width of the embedding.
    widths
        Width of the output of each head by target name.
    dropout
        Share of embedding features dropped while training.

    Notes
    -----
    Weights start near zero (normal, deviation 0.01), so first predictions are the bias: with
    :meth:`set_bias` at the training part's log-odds the first steps are not spent on learning the prevalence.
    """

    def __init__(self, features: int, widths: Mapping[str, int], *, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = AddressedDropout(dropout)
        # By place, not by name: a ModuleDict cannot hold names with dots or those of its own methods.
        self.names = tuple(widths)
        self.maps = nn.ModuleList(nn.Linear(features, width) for width in widths.values())
        for linear in self.maps:
            if isinstance(linear, nn.Linear):
                nn.init.normal_(linear.weight, std=0.01)
                nn.init.zeros_(linear.bias)

    def set_bias(self, target: str, values: Tensor) -> None:
        """Set the bias of one head.

        Parameters
        ----------
        target
            Name of the head.
        values
            The bias, (k,).
        """
        linear = self.maps[self.names.index(target)]
        if isinstance(linear, nn.Linear):
            with torch.no_grad():
                linear.bias.copy_(values.to(linear.bias))

    def forward(self, embedding: Tensor, context: Mapping[str, object]) -> dict[str, Tensor]:
        """Return ``"embedding"`` and the output of each head, float32."""
        with torch.autocast(embedding.device.type, enabled=False):
            embedding = embedding.float()
            features = self.dropout(embedding, context)
            outputs = {name: linear(features) for name, linear in zip(self.names, self.maps, strict=True)}
        return {"embedding": embedding, **outputs}


class Encoder(nn.Module, ABC):
    """Something that turns one input into a vector of ``features`` numbers for each sample."""

    features: int

    @abstractmethod
    def forward(self, image: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return the embedding (b c), float32, of one input."""


class EncoderNetwork(Network):
    """One encoder for each input, their embeddings side by side, one head for each target.

    Parameters
    ----------
    spec
        The spec; heads and input names are taken from it.
    encoders
        One encoder for each input of the spec, in the spec's order.
    dropout
        Share of embedding features dropped before the heads while training.
    """

    def __init__(self, spec: NetworkSpec, encoders: list[Encoder], *, dropout: float = 0.0) -> None:
        super().__init__()
        self.inputs = tuple(spec.inputs)
        self.encoders = nn.ModuleList(encoders)
        self.heads = Heads(sum(encoder.features for encoder in encoders), spec.heads, dropout=dropout)

    def forward(self, inputs: Mapping[str, Tensor], context: Mapping[str, object]) -> dict[str, Tensor]:
        """Encode each input, join, and apply the heads."""
        parts = [encoder(inputs[name], context) for name, encoder in zip(self.inputs, self.encoders, strict=True)]
        outputs: dict[str, Tensor] = self.heads(parts[0] if len(parts) == 1 else torch.cat(parts, dim=1), context)
        return outputs

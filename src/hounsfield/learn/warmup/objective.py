"""An objective without answers: two views of one image are to be alike, images are to differ."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from hounsfield.learn.batch import Batch
from hounsfield.learn.loop import Phase
from hounsfield.learn.losses.base import Loss, combine
from hounsfield.learn.ranks import Ranks

ALIKE, SPREAD, DECORRELATED = 25.0, 25.0, 1.0
"""Weights of the three terms, as in the paper."""
WIDTH = 128
"""Width of the projection in which views are compared."""


class Projector(nn.Module):
    """Embedding to the space in which views are compared; thrown away after the warm-up.

    Parameters
    ----------
    features : int
        Width of the embedding.
    width : int
        Width inside and at the end.
    """

    def __init__(self, features: int, *, width: int = WIDTH) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(features, width), nn.BatchNorm1d(width), nn.ReLU(inplace=True), nn.Linear(width, width)
        )

    def forward(self, embedding: Tensor) -> Tensor:
        """Return projections (b w), float32, of embeddings (b c)."""
        with torch.autocast(embedding.device.type, enabled=False):
            projected: Tensor = self.layers(embedding.float())
        return projected


class TwoViews:
    """Objective: invariance to the augmentation, with variance and covariance terms against collapse.

    Parameters
    ----------
    network : nn.Module
        A `Network`; its ``embedding`` is trained, its heads are not touched.
    projector : Projector

    Notes
    -----
    A batch holds each image twice: the first view of all, then the second view of all. No term compares one image
    with every other, so small batches serve: that is why it was taken before contrastive objectives here. Several
    processes take their terms over their own share of a batch.

    References
    ----------
    Bardes, Ponce, LeCun, "VICReg: variance-invariance-covariance regularization", ICLR 2022, eq. 1 to 6.
    """

    def __init__(self, network: nn.Module, projector: Projector) -> None:
        self._networks = {"network": network, "projector": projector}

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the network and the projector."""
        return self._networks

    def phases(self) -> tuple[Phase, ...]:
        """Return the one phase, which trains both."""
        return (Phase("warm up", ("network", "projector")),)

    def loss(self, phase: Phase, networks: Mapping[str, nn.Module], batch: Batch, ranks: Ranks) -> Loss:
        """Return the loss of one batch of two views."""
        del phase
        embedding = networks["network"](batch.inputs, batch.context)["embedding"]
        first, second = networks["projector"](embedding).float().chunk(2)
        weights = {"alike": ALIKE, "spread": SPREAD, "decorrelated": DECORRELATED}
        return combine(terms(first, second), weights={name: w / ranks.world for name, w in weights.items()})


def terms(first: Tensor, second: Tensor) -> dict[str, Tensor]:
    """Return the three terms of VICReg.

    Parameters
    ----------
    first, second : Tensor
        Projections (b w) of the two views, float32, b at least 2.

    Returns
    -------
    dict of str to Tensor
        ``alike``: mean squared difference; ``spread``: mean over features and views of ``max(0, 1 - sd)``;
        ``decorrelated``: sum of squared off-diagonal covariances over w, summed over views. Lower is better.
    """
    spread = (_narrow(first) + _narrow(second)) / 2
    return {
        "alike": functional.mse_loss(first, second),
        "spread": spread,
        "decorrelated": _covariance(first) + _covariance(second),
    }


def _narrow(projected: Tensor) -> Tensor:
    return functional.relu(1.0 - torch.sqrt(projected.var(dim=0) + 1e-4)).mean()


def _covariance(projected: Tensor) -> Tensor:
    centred = projected - projected.mean(dim=0)
    covariance = centred.T @ centred / (len(projected) - 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / projected.shape[1]

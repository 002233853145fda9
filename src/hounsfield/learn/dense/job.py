"""What of a plan a dense learner needs."""

from collections.abc import Mapping
from typing import cast

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hounsfield.core.structures import Structures
from hounsfield.core.types import Json
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.dense.preparing import DensePreparation
from hounsfield.learn.loop import Optimisation
from hounsfield.learn.nn.spec import NetworkSpec

INPUT = "image"
"""Name of the network's one input: the channels of all images of a case."""


class Patches(BaseModel):
    """The plan's section ``patch``.

    Attributes
    ----------
    size : list of int
        ``y x`` or ``z y x``, voxels of the prepared grid.
    marked : float
        Share of the patches that are centred near a marked voxel, 0 to 1; the others lie anywhere.
    low_resolution : float
        Share of the patches that are seen as a coarser scan would show them, 0 to 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    size: list[int] = Field(min_length=2, max_length=3)
    marked: float = Field(default=0.33, ge=0, le=1)
    low_resolution: float = Field(default=0.0, ge=0, le=1)


class Terms(BaseModel):
    """The plan's section ``loss``.

    Attributes
    ----------
    dice, entropy : float
        Weights of the soft Dice and of the cross-entropy. Coarser outputs have half the weight of the finer one.
    focal : float
        Power of ``1 - p`` that weighs the cross-entropy of a voxel whose truth has probability `p`; 0: none, else 1
        to 5.
    boundary, skeleton : float
        Weights of the boundary loss and of the soft clDice; of the finest output only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    dice: float = Field(default=1.0, ge=0)
    entropy: float = Field(default=1.0, ge=0)
    focal: float = Field(default=0.0, ge=0, le=5)
    boundary: float = Field(default=0.0, ge=0)
    skeleton: float = Field(default=0.0, ge=0)

    @field_validator("focal")
    @classmethod
    def _sound(cls, value: float) -> float:
        if 0.0 < value < 1.0:
            raise ValueError("0, or at least 1: below it the gradient has no end where the truth is certain")
        return value


class DenseJob(BaseModel):
    """What of the plan a dense learner needs.

    Attributes
    ----------
    seed : int
        Seed of this member.
    network : NetworkSpec
        Of one input, `INPUT`, of the patch's size.
    preparation : DensePreparation
    structures : dict of str to Structures
        By target.
    patches : Patches
    augmentation : AugmentSpec
    optimisation : Optimisation
    terms : Terms
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    seed: int
    network: NetworkSpec
    preparation: DensePreparation
    structures: dict[str, Structures]
    patches: Patches
    augmentation: AugmentSpec
    optimisation: Optimisation
    terms: Terms = Terms()

    @property
    def layouts(self) -> tuple[int, ...]:
        """For each plane of the labels the number of classes in it, 0 for the last, the region's."""
        return layouts(self.structures)


def layouts(structures: Mapping[str, Structures]) -> tuple[int, ...]:
    """Return for each plane of the labels the number of classes in it, 0 for the last, the region's."""
    found: list[int] = []
    for one in structures.values():
        found += [1] * one.planes if one.layout == "overlapping" else [len(one.classes)]
    return (*found, 0)


def dense_json(job: DenseJob, facts: Json) -> Json:
    """Return what a member's JSON holds: its job and the learner's own facts."""
    return {"job": cast(Json, job.model_dump(mode="json")), "facts": facts}

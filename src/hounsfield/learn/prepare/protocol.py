"""What the preparation of an input kind must offer: from content as read to arrays, and what is known of these."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeAlias, cast

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, SerializeAsAny

from hounsfield.core.block import Block
from hounsfield.core.errors import PlanError
from hounsfield.core.kinds import AS_IT_IS, Content, Wanted, input_kind
from hounsfield.core.types import AnyArray, Float32Array, Float64Array

if TYPE_CHECKING:
    from torch import Tensor

    from hounsfield.learn.guard import GuardLimits
    from hounsfield.learn.nn.spec import InputShape


class Preparation(BaseModel, ABC):
    """How every input of one name is brought to the network: the plan's section ``preparation.<name>``.

    A kind's preparation is a frozen model with unknown keys forbidden; its fields are the keys of the section. It holds
    nothing of a patient.

    Attributes
    ----------
    measured : bool
        Whether ``mean`` and ``std`` of the prepared training values are written into the plan after preparing.
    required : bool
        Whether nothing is said of a sample of which this input holds nothing, though another one does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    measured: ClassVar[bool] = False
    required: ClassVar[bool] = True

    @property
    @abstractmethod
    def kind_name(self) -> str:
        """Name of the kind in `hounsfield.core.kinds.INPUT_KINDS`."""

    @property
    @abstractmethod
    def shape(self) -> "InputShape":
        """Shape of a prepared input."""

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """Shape of one input as it is stored: that of a prepared one, unless something is kept beside it."""
        return (self.shape.channels, *self.shape.size)

    @property
    @abstractmethod
    def dtype(self) -> str:
        """How prepared inputs are stored."""

    @property
    def wanted(self) -> Wanted:
        """What has to be read for it."""
        return AS_IT_IS

    @abstractmethod
    def prepared(self, content: Content) -> AnyArray:
        """Return one input as it is stored, ``c ...``; raise PlanError with the reason where it does not fit."""

    @abstractmethod
    def normalised(self, stored: AnyArray) -> Float32Array:
        """Return stored inputs ``n c ...`` as the network sees them, float32."""

    def on_tensors(self, unit: "Tensor") -> "Tensor":
        """Return what `normalised` returns for stored values as a float32 tensor (of images on the scale 0 to 1)."""
        return unit

    @abstractmethod
    def looks(self, stored: AnyArray) -> Float64Array:
        """Return what the input guard looks at: one vector of one prepared input ``c ...``."""

    @abstractmethod
    def described(self, stored: AnyArray) -> Float64Array:
        """Return simple numbers of one prepared input for the linear baseline: one vector, no NaN."""

    @abstractmethod
    def blank(self, stored: AnyArray) -> str:
        """Return why nothing can be said of one prepared input, one sentence; ``""`` where something can."""

    @abstractmethod
    def doubts(self, content: Content, limits: "GuardLimits") -> list[str]:
        """Return in clauses what of an input as read is unlike those of the training part."""

    def shown(self, content: Content) -> Content:
        """Return what a picture can show of an input as read: the input itself, unless it is too large for one."""
        return content

    def prepared_block(self, block: Block) -> AnyArray:
        """Return inputs that were read together as they are stored, ``n c ...``, each as `prepared` returns it.

        Parameters
        ----------
        block : Block

        Raises
        ------
        PlanError
            If one of them does not fit; to prepare them one by one tells which.
        """
        return np.stack([self.prepared(block.one(place)) for place in range(len(block))])

    def looks_block(self, stored: AnyArray) -> Float64Array:
        """Return what `looks` returns of each of stored inputs ``n c ...``, ``n f``."""
        return np.stack([self.looks(one) for one in stored])

    def blanks(self, stored: AnyArray) -> list[str]:
        """Return what `blank` returns of each of stored inputs ``n c ...``."""
        return [self.blank(one) for one in stored]

    def doubts_block(self, block: Block, limits: "GuardLimits") -> list[list[str]]:
        """Return what `doubts` returns of each of inputs that were read together."""
        return [self.doubts(block.one(place), limits) for place in range(len(block))]

    @abstractmethod
    def self_test(self) -> AnyArray:
        """Return two synthetic prepared inputs, the same for the same preparation."""


def read_preparation(value: object) -> Preparation:
    """Return a preparation of its kind from what a plan or a bundle holds; one that names no kind is of images."""
    if isinstance(value, Preparation):
        return value
    held: Mapping[str, object] = value if isinstance(value, Mapping) else {}
    return preparation_model(str(held.get("kind", "image"))).model_validate(value)


def preparation_model(kind: str) -> type[Preparation]:
    """Return the class of a kind's preparation."""
    return cast("type[Preparation]", input_kind(kind).part("prepared"))


AnyPreparation: TypeAlias = Annotated[SerializeAsAny[Preparation], BeforeValidator(read_preparation)]
"""A field that holds the preparation of any kind."""


def unfitting(found: str, wanted: str) -> PlanError:
    """Return the error for content of another kind than the plan is for."""
    return PlanError(
        f"The input is {found}, the plan is for {wanted}.",
        expected=wanted,
        next_step="give inputs of the kind that the model was trained on",
    )


def only_images(preparation: Mapping[str, Preparation]) -> Sequence[str]:
    """Return the names of the inputs that are no images."""
    return [name for name, spec in preparation.items() if spec.kind_name != "image"]

"""What the part of an input kind that is fingerprinted must offer."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias, TypeVar, cast, runtime_checkable

from hounsfield.core.cohort import InputSpec, Ref
from hounsfield.core.fingerprint import InputFacts
from hounsfield.core.kinds import AnyHeader, Content, input_kind
from hounsfield.stages.fingerprinting.looks import Look
from hounsfield.stages.fingerprinting.rows import RowLook
from hounsfield.stages.fingerprinting.signals import SignalLook

AnyLook: TypeAlias = Look | SignalLook | RowLook
"""What is kept of one input of one sample, by its kind."""
SomeContent_contra = TypeVar("SomeContent_contra", contravariant=True)
SomeHeader_contra = TypeVar("SomeHeader_contra", contravariant=True)
SomeLook = TypeVar("SomeLook")


@runtime_checkable
class Seer(Protocol[SomeContent_contra, SomeHeader_contra, SomeLook]):
    """Looks at inputs of one kind, and aggregates the looks."""

    def look(self, content: SomeContent_contra, header: SomeHeader_contra, *, spec: InputSpec, ref: Ref) -> SomeLook:
        """Keep what the fingerprint needs of one input, not more than some hundred numbers."""
        ...

    def facts(self, name: str, looks: Sequence[SomeLook]) -> InputFacts:
        """Aggregate the looks at one input; raise CohortError where they cannot be learned together."""
        ...


def seer(kind: str) -> Seer[Content, AnyHeader, AnyLook]:
    """Return who looks at inputs of a kind."""
    return cast("Seer[Content, AnyHeader, AnyLook]", input_kind(kind).part("seen"))


def input_facts(name: str, looks: Sequence[AnyLook]) -> InputFacts:
    """Aggregate the looks at one input, as its kind does it."""
    return seer(looks[0].kind).facts(name, looks)

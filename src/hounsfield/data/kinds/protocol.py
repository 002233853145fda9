"""What the part of an input kind that reads must offer."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from hounsfield.core.block import Block
from hounsfield.core.cohort import Cohort, Ref, Roles
from hounsfield.core.kinds import AS_IT_IS, AnyHeader, Content, Wanted, input_kind
from hounsfield.core.types import IntArray


@runtime_checkable
class ContentReader(Protocol):
    """Reads inputs of one kind."""

    def read(self, cohort: Cohort, ref: Ref, *, wanted: Wanted = AS_IT_IS) -> Content:
        """Return what a ref means; raise ReadError with the reason."""
        ...

    def header(self, cohort: Cohort, ref: Ref) -> AnyHeader:
        """Return what the file says of it without handing it out."""
        ...

    def loose(self, paths: Sequence[str | Path], roles: Roles, wanted: Mapping[str, Wanted]) -> tuple[Cohort, ...]:
        """Return the cases without answers that paths hold, with the inputs `wanted` by name as far as they are there.

        Raises
        ------
        CohortError
            If a path does not exist or there is no case.
        """
        ...


@runtime_checkable
class BlockReader(Protocol):
    """Reads many inputs of one record at once, where they differ in their anchors alone."""

    def block(self, cohort: Cohort, ref: Ref, anchors: IntArray, *, wanted: Wanted = AS_IT_IS) -> Block | None:
        """Return what `ContentReader.read` gives for each anchor.

        Parameters
        ----------
        cohort : Cohort
        ref : Ref
            Without an anchor.
        anchors : numpy.ndarray
            ``n``, int64, in any order.
        wanted : Wanted

        Returns
        -------
        Block or None
            None where they cannot be held in one array.

        Raises
        ------
        ReadError
            If any cannot be read; to read them one by one tells which.
        """
        ...


def content_reader(kind: str) -> ContentReader:
    """Return who reads inputs of a kind."""
    return cast(ContentReader, input_kind(kind).part("read"))

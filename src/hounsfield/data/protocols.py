"""What a reader and a layout must offer."""

from pathlib import Path
from typing import Protocol, runtime_checkable

from hounsfield.core.cohort import Cohort, Ref, Roles
from hounsfield.core.image import Header, Image


@runtime_checkable
class Reader(Protocol):
    """Turns refs of one kind of file into images.

    Notes
    -----
    A reader has no state of its own: it is built without arguments, and everything it needs lies in the
    cohort (its root, its arrays in memory) and in the ref.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the first bytes of a file (at most 512), and by its name only where bytes cannot tell."""
        ...

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return size, channels and format without handing out pixels; raise ReadError with the reason."""
        ...

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        """Return the image, channels first, in its stored dtype; raise ReadError with the reason."""
        ...


@runtime_checkable
class Layout(Protocol):
    """Recognises one way of laying out a data set and turns it into a cohort."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return how surely `root` is laid out this way, 0 (not at all) to 1; cheap, never raises."""
        ...

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort; raise CohortError where it cannot be understood."""
        ...

"""What a scrubber is asked to do: with which pseudonyms, under which options, with which eye for text in pixels."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.data.scrubbers.profile import ConfidentialityProfile

TextInPixels = Callable[[AnyArray], BoolArray]
"""``y x`` or ``y x c`` to a mask ``y x`` of pixels to cover; all False where there is no text."""

FaceRemover = Callable[[AnyArray, Float64Array], tuple[AnyArray, BoolArray]]
"""Volume ``z y x`` and its affine to the volume without the face, and the mask of voxels that were changed.

It raises RefusedError where it finds no head.
"""


class PseudonymMaker(Protocol):
    """Keyed pseudonyms: the same value under the same key gives the same pseudonym, in every format and every run."""

    def patient(self, identifier: str) -> str:
        """Return the pseudonym of a patient, a record or a file name."""
        ...

    def uid(self, uid: str) -> str:
        """Return the UID that stands for a UID."""
        ...

    def days(self, patient: str) -> int:
        """Return by how many days a patient's dates are shifted, never 0; `patient` is the original identifier."""
        ...

    def code(self, kind: str, value: str) -> str:
        """Return a short code for any other value, different for each kind."""
        ...


@dataclass(frozen=True)
class ScrubOrder:
    """How a file is de-identified.

    Parameters
    ----------
    pseudonyms : PseudonymMaker
        What replaces identifiers; it holds the key and is never shown.
    options : frozenset of str
        Named choices; a scrubber looks for those that concern it and leaves the others alone.
    text_in_pixels : callable or None
        Finds text burned into an image; None where pixels are left as they are.
    profile : ConfidentialityProfile or None
        The rules for DICOM; without them DICOM files are withheld.
    remove_face : callable or None
        Takes the face out of a volume of a head; None where faces are left as they are.
    """

    pseudonyms: PseudonymMaker = field(repr=False)
    options: frozenset[str] = frozenset()
    text_in_pixels: TextInPixels | None = field(default=None, repr=False)
    profile: ConfidentialityProfile | None = field(default=None, repr=False)
    remove_face: FaceRemover | None = field(default=None, repr=False)

    def asks(self, option: str) -> bool:
        """Tell whether an option was chosen."""
        return option in self.options

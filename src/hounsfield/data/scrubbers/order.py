"""What a scrubber is asked to do: with which pseudonyms, under which options, with which eye for text in pixels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.data.scrubbers.profile import ConfidentialityProfile

if TYPE_CHECKING:
    from hounsfield.data.scrubbers.known import KnownKeys

KeyKind = Literal["patient", "accession"]
"""What joins a table to images."""

TextInPixels = Callable[[AnyArray], BoolArray]
"""``y x`` or ``y x c`` to a mask ``y x`` of pixels to cover; all False where there is no text."""

FaceRemover = Callable[[AnyArray, Float64Array], tuple[AnyArray, BoolArray]]
"""Volume ``z y x`` and its affine to the volume without the face, and the mask of voxels that were changed.

It raises RefusedError where it finds no head.
"""


@dataclass(frozen=True)
class FaceMasks:
    """Where a face lies in the frames of a file.

    Parameters
    ----------
    frames : mapping of int to (bytes, shape)
        Frame from 0 to its mask, a bit a pixel, and its size ``y x``.
    background : float
        What the pixels become, after the modality transformation.
    """

    frames: Mapping[int, tuple[bytes, tuple[int, int]]] = field(repr=False)
    background: float

    @classmethod
    def packed(cls, masks: Mapping[int, BoolArray], background: float) -> "FaceMasks":
        """Return masks ``y x`` packed."""
        return cls({n: (np.packbits(m).tobytes(), (m.shape[0], m.shape[1])) for n, m in masks.items()}, background)

    def mask(self, frame: int) -> BoolArray | None:
        """Return the mask ``y x`` of a frame, None where nobody looked at it."""
        if frame not in self.frames:
            return None
        bits, (rows, columns) = self.frames[frame]
        flat = np.unpackbits(np.frombuffer(bits, np.uint8), count=rows * columns)
        return np.asarray(flat.reshape(rows, columns).astype(np.bool_))


FacesOfFiles = Callable[[Path], FaceMasks | str | None]
"""A DICOM file to where its faces are, to a reason to withhold it, or to None.

None stands for a file that shows no head in slices, such as an ultrasound or a report.
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
    faces_of : callable or None
        Where the faces lie in DICOM files, found in the volumes that the files form.
    known : KnownKeys or None
        Keys of the images of the same delivery, by which tables join them.
    """

    pseudonyms: PseudonymMaker = field(repr=False)
    options: frozenset[str] = frozenset()
    text_in_pixels: TextInPixels | None = field(default=None, repr=False)
    profile: ConfidentialityProfile | None = field(default=None, repr=False)
    remove_face: FaceRemover | None = field(default=None, repr=False)
    faces_of: FacesOfFiles | None = field(default=None, repr=False)
    known: "KnownKeys | None" = field(default=None, repr=False)

    def asks(self, option: str) -> bool:
        """Tell whether an option was chosen."""
        return option in self.options

"""What a reader, a writer, a layout and a scrubber must offer."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.cohort import Cohort, Ref, Roles
from hounsfield.core.image import Header, Image
from hounsfield.data.scrubbers.order import ScrubOrder


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
class Writer(Protocol):
    """Hands annotations back as one kind of file.

    Notes
    -----
    Like a reader it has no state and is built without arguments. Files are written whole or not at all, and the same
    annotation gives the same bytes.
    """

    def accepts(self, answer: Annotation, source: Source) -> str:
        """Return in one clause why the annotation cannot be written this way; ``""`` where it can. Reads no pixels."""
        ...

    def write(self, answer: Annotation, source: Source, folder: Path) -> tuple[Path, ...]:
        """Write one annotation below a folder and return the files; those of an earlier run are replaced.

        Raises
        ------
        InputError
            If `accepts` gives a reason; the message says it and names the format that can.
        StorageError
            If a file cannot be written whole.
        """
        ...

    def finish(self, folder: Path) -> tuple[Path, ...]:
        """Join what belongs into one file over all cases, after the last one; return the files that were written."""
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


@dataclass(frozen=True)
class Scrubbed:
    """What became of one file.

    Parameters
    ----------
    content : bytes or None
        The de-identified file; None where it is withheld.
    withheld : str
        Why there is no content, without any value of the file; empty where it is written.
    removed : tuple of str
        What kinds of things were taken out or replaced, such as ``"names"``; never a value.
    identifiers : tuple of str
        Every value seen in the input that names a person, a place, a visit or a device, and every date: names,
        numbers, addresses, UIDs, dates, as they were written. The second pass searches all outputs for them, word by
        word. A file that is withheld tells its identifiers too, as far as they could be read.
    texts : tuple of str
        Free text that was taken out (descriptions, comments, protocol names). Its words are searched for as well,
        except those of a medical vocabulary: "chest" in a removed comment is no leak where a body part says CHEST.
    coded : tuple of str
        Coded terms, codes, numbers and names of machines in the input that stay by rule: what stands there is nobody's
        name.
    kept : tuple of str
        Other texts that stay by rule. A word of another file's removed text that stands here, too, is no leak, nor is
        a number of a few digits.
    keys : tuple of (str, str)
        What joins the file to tables: ``patient`` or ``accession``, and its value.
    """

    content: bytes | None = field(repr=False)
    withheld: str = ""
    removed: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = field(default=(), repr=False)
    texts: tuple[str, ...] = field(default=(), repr=False)
    coded: tuple[str, ...] = field(default=(), repr=False)
    kept: tuple[str, ...] = field(default=(), repr=False)
    keys: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@runtime_checkable
class Scrubber(Protocol):
    """Takes what identifies out of files of one format.

    Notes
    -----
    Like a reader it has no state and is built without arguments. What it does not understand it withholds.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the first bytes of a file (at most 512), and by its name only where bytes cannot tell."""
        ...

    def scrub(self, source: Path, order: ScrubOrder) -> Scrubbed:
        """Return the file without what identifies; raise ReadError with the reason where it cannot be read."""
        ...

"""What an archive offers, whichever protocol it speaks, and how much of it is accepted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from hounsfield.core.errors import ArchiveError

Keep = Callable[[str, bytes], None]
"""Takes one file that arrived: SOP Instance UID, and the bytes of a DICOM Part 10 file."""


@dataclass(frozen=True)
class ArchiveLimits:
    """What is accepted from an archive, in bytes, matches and seconds; nothing waits or grows for ever.

    Parameters
    ----------
    instance_bytes : int
        Of one file.
    answer_bytes : int
        Of one answer to a query.
    matches : int
        Of one query.
    connect_seconds, answer_seconds : float
        Until a connection stands, and until an answer begins or goes on.
    whole_seconds : float
        For one answer as a whole, and for the copies of one series between two signs of life.
    """

    instance_bytes: int = 512 * 2**20
    answer_bytes: int = 64 * 2**20
    matches: int = 100_000
    connect_seconds: float = 10.0
    answer_seconds: float = 60.0
    whole_seconds: float = 600.0


LIMITS = ArchiveLimits()


class TooLargeError(ArchiveError):
    """One answer is larger than is accepted."""


def too_large(limits: ArchiveLimits) -> str:
    """Return what is said of a file past the limit."""
    return f"it is larger than {limits.instance_bytes >> 20} MiB"


@dataclass(frozen=True)
class SeriesFound:
    """One series that the archive has.

    Parameters
    ----------
    study_uid, series_uid : str
    told : mapping of str to str
        Keyword to value, as far as the archive told: Modality, SeriesDescription, ...
    """

    study_uid: str
    series_uid: str
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InstanceFound:
    """One instance of a series; the SOP class is empty where the archive does not tell it."""

    sop_uid: str
    sop_class: str = ""


@dataclass(frozen=True)
class Missed:
    """One instance that did not come or was not taken, and why, in words without its values."""

    sop_uid: str
    reason: str


@dataclass(frozen=True)
class Outgoing:
    """A file to send: where it lies, and what its file meta group and header say it is."""

    path: Path
    sop_class: str
    sop_uid: str
    transfer_syntax: str
    study_uid: str
    series_uid: str
    bytes: int
    data_bytes: int
    """Without preamble and file meta group."""


class Archive(Protocol):
    """An archive that was reached."""

    passed_over: int
    """Matches so far that contradict what was asked; none of them is returned."""

    def studies(self, keys: Mapping[str, str]) -> tuple[str, ...]:
        """Return the Study Instance UIDs that match; raise ArchiveError where it does not answer."""
        ...

    def series(self, study_uid: str, keys: Mapping[str, str]) -> tuple[SeriesFound, ...]:
        """Return the series of a study that match."""
        ...

    def instances(self, series: SeriesFound) -> tuple[InstanceFound, ...]:
        """Return all instances of a series."""
        ...

    def fetch(
        self, series: SeriesFound, wanted: Sequence[InstanceFound], keep: Keep, *, whole: bool
    ) -> tuple[Missed, ...]:
        """Hand each wanted instance to `keep` as it arrives; `whole` says that they are the whole series."""
        ...

    def send(self, files: Sequence[Outgoing], sent: Callable[[Outgoing], None]) -> tuple[Missed, ...]:
        """Send files as they are; tell each that was taken."""
        ...

    def close(self) -> None:
        """Let go of connections and ports."""
        ...

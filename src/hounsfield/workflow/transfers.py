"""What a pull or push did, counted while it goes on."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from hounsfield.core.errors import case_id

if TYPE_CHECKING:
    from hounsfield.core.progress import Step
    from hounsfield.data.pacs.archive import Missed


class Failed(BaseModel):
    """A file that did not come or was not taken: a hash that names it, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    case: str
    reason: str


class Transfer(BaseModel):
    """What a pull or push did.

    Attributes
    ----------
    dry_run : bool
        Whether it was only asked what would be transferred.
    studies, series, instances : int
        Found to be transferred.
    moved, present : int
        Transferred now, and there already.
    failed : tuple of Failed
        The rest; of a dry run, what cannot be transferred.
    others : int
        Files of a folder to send that are no DICOM files (Part 10), and were left out.
    bytes : int
        Transferred now.
    seconds : float
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    dry_run: bool = False
    studies: int
    series: int
    instances: int
    moved: int
    present: int
    failed: tuple[Failed, ...] = ()
    others: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass
class Tally:
    """Counts files as they come or go.

    Parameters
    ----------
    step : Step or None
        Is told of each.
    """

    step: "Step | None" = None
    moved: int = 0
    bytes: int = 0
    failed: list[Failed] = field(default_factory=list)
    _begun: float = field(default_factory=time.monotonic)

    def took(self, size: int) -> None:
        """Count one file that was transferred."""
        self.moved += 1
        self.bytes += size
        self._advance(1)

    def missed(self, missed: "Sequence[Missed]") -> None:
        """Note files that were not."""
        self.failed += [Failed(case=case_id(m.sop_uid), reason=m.reason) for m in missed]
        self._advance(len(missed))

    def seconds(self) -> float:
        """Return how long it has taken."""
        return round(time.monotonic() - self._begun, 3)

    def _advance(self, number: int) -> None:
        if self.step is not None:
            self.step.advance(float(number), note=f"{self.bytes / 2**20:.0f} MiB")

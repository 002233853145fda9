"""Roads: how a task's answers are learned, given and judged, between the study and the report.

What lies before (understanding, audit, split, fingerprint) and around (run folder, locks, resuming, the clock) is the
same for all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from hounsfield.core.audit import Audit
from hounsfield.core.plan import Plan
from hounsfield.core.prediction import Prediction
from hounsfield.core.progress import Progress
from hounsfield.core.protocols import Task
from hounsfield.core.report import Report
from hounsfield.core.tables import Table
from hounsfield.core.types import IntArray, Json

if TYPE_CHECKING:
    from hounsfield.bundle.sealed import BundleContents
    from hounsfield.workflow.fitting import Fitted, Fold, Hands
    from hounsfield.workflow.reports import Ran
    from hounsfield.workflow.study import Source, Study
    from hounsfield.workflow.wishes import Wishes

ROADS = Table(
    "road",
    {
        "vector": "hounsfield.workflow.vector_road:VECTOR",
        "dense": "hounsfield.workflow.dense.road:DENSE",
        "series": "hounsfield.workflow.forecast.road:SERIES",
    },
)
"""Roads by name: ``vector`` gives a few numbers for each sample, ``dense`` one for every voxel, ``series`` what
comes after every step of a series."""


class Fed(Protocol):
    """Prepared arrays of training and validation samples."""

    @property
    def parts(self) -> tuple[IntArray, IntArray]:
        """Rows of the training and of the validation part."""

    def rows(self, ids: Sequence[str]) -> IntArray:
        """Return the rows of samples."""


@dataclass(frozen=True)
class Asking:
    """How a bundle is judged.

    Parameters
    ----------
    learned : frozenset of str or None
        What the run has learned from, as `hounsfield.workflow.study.seen_digest`; None where nothing says it.
    began : float
        When the command began, by the clock that measures costs.
    progress : Progress
    """

    learned: frozenset[str] | None
    began: float
    progress: Progress


@dataclass(frozen=True)
class How:
    """How a bundle is applied.

    Parameters
    ----------
    out : Path or None
        Folder for what is written.
    engine : str or None
        Name in `hounsfield.learn.engines.ENGINES`; None lets the machine decide.
    series : str or None
        Which series of a DICOM study are meant.
    progress : Progress
    uncertainty : bool
        Whether maps of how unsure the model is are written too.
    """

    out: Path | None
    engine: str | None
    series: str | None
    progress: Progress
    uncertainty: bool = False


class Road(Protocol):
    """How answers of one shape are learned, given and judged."""

    def make_plan(
        self, known: "Study", wishes: "Wishes", *, work: Path, elapsed: Callable[[], float], progress: Progress
    ) -> tuple[Plan, Fed]:
        """Draft by rule, prepare, measure, fix the steps; return the plan and what was prepared to measure it."""

    def check_plan(self, plan: Plan, known: "Study") -> None:
        """Check every section of a plan against its schema."""

    def prepare(self, plan: Plan, known: "Study", *, work: Path, progress: Progress) -> Fed:
        """Prepare training and validation samples as a plan says."""

    def fit(self, plan: Plan, known: "Study", fed: Fed, folds: "Sequence[Fold]", hands: "Hands") -> "Fitted":
        """Fit baselines and members; what a killed run had finished is not done again."""

    def assemble(
        self,
        plan: Plan,
        known: "Study",
        fed: Fed,
        folds: "Sequence[Fold]",
        *,
        fitted: "Fitted",
        progress: Progress,
        notes: Mapping[str, Json],
    ) -> "BundleContents":
        """Fix thresholds on validation samples, fit the guard, and put everything into one bundle."""

    def report(
        self, contents: "BundleContents", ran: "Ran", *, elapsed: Callable[[], float], progress: Progress
    ) -> tuple[Report, str]:
        """Predict all judged parts from the sealed bundle, judge them; return the report and ``predictions.csv``."""

    def judged(
        self, contents: "BundleContents", source: "Source", wishes: "Wishes", *, asking: "Asking"
    ) -> tuple[Report, str, Audit]:
        """Judge a bundle on data with answers; return the report, ``predictions.csv`` and the audit."""

    def predict(self, contents: "BundleContents", inputs: Sequence[str | Path], *, how: "How") -> Iterator[Prediction]:
        """Say what a bundle says of new images, one after the other, writing as they come."""


def road_of(task: Task) -> Road:
    """Return the road of a task."""
    return cast(Road, ROADS.resolve(task.road))

"""What every learner can do, network or baseline."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.types import AnyArray, Float64Array, Json
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.feed import Feed
from hounsfield.learn.loop import Optimisation, Watch
from hounsfield.learn.nn.spec import NetworkSpec
from hounsfield.learn.prepare.protocol import AnyPreparation
from hounsfield.learn.series.boosting import Boosting
from hounsfield.learn.warmup.spec import Warmup


class HeadSpec(BaseModel):
    """One head: its target, loss and width, and how its numbers are standardised."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    target: TargetSpec
    loss: str
    width: int
    mean: float = 0.0
    std: float = 1.0


class Job(BaseModel):
    """What of the plan a learner needs.

    Attributes
    ----------
    seed : int
        Seed of this member.
    network : NetworkSpec
    preparation : dict of str to Preparation
        By input name.
    augmentation : AugmentSpec
    optimisation : Optimisation
    heads : tuple of HeadSpec
        The primary target's first.
    views : list of str
        Axes along which a mirrored view is judged too, at test time; raw outputs are averaged over the views.
    warmup : Warmup
        What the encoder learns before the fit.
    alone : str
        Variable of a row that is judged alone; ``""`` for none.
    trees : Boosting
        How boosted trees are grown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    seed: int
    network: NetworkSpec
    preparation: dict[str, AnyPreparation]
    augmentation: AugmentSpec
    optimisation: Optimisation
    heads: tuple[HeadSpec, ...]
    views: list[str] = []
    warmup: Warmup = Warmup()
    alone: str = ""
    trees: Boosting = Boosting()


@dataclass(frozen=True)
class State:
    """Everything that running a fitted learner needs.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
    json : Json
    history : mapping of str to list of float
        Training curves, where there are any.
    stopped_by_brake : bool
    steps : int
    """

    arrays: Mapping[str, AnyArray]
    json: Json
    history: Mapping[str, list[float]] = field(default_factory=dict)
    stopped_by_brake: bool = False
    steps: int = 0


class Runner(Protocol):
    """A fitted learner, ready to run."""

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Float64Array]:
        """Return raw outputs by target, ``n w``, and any ``embedding``, for stored inputs ``n c ...``."""


@runtime_checkable
class SelfFed(Protocol):
    """A learner with a job and a feed of its own kind, so that a process of its own can find them."""

    def read_job(self, stored: object) -> BaseModel:
        """Return the job that was written as JSON."""

    def read_feed(self, folder: Path) -> object:
        """Return the feed that lies in a work folder, without parts."""

    def probe(
        self, feed: object, job: BaseModel, *, steps: int, seconds: float, clock: Callable[[], float]
    ) -> list[float]:
        """Make real steps that are thrown away, at least so many and for so long; return the seconds of each."""


class Learner(Protocol):
    """Something that is fitted and run."""

    name: str

    def fit(self, feed: Feed, job: Job, *, watch: Watch) -> State:
        """Fit to the training rows of a feed; the validation rows may only select."""

    def open(self, state: State, job: Job) -> Runner:
        """Make a fitted state ready to run; only `State.arrays` and `State.json` may be used."""

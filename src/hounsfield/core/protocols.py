"""What a task and a target kind must be able to do; torch-free, so that every room can speak of them."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from hounsfield.core.cohort import Schema, TargetSpec
from hounsfield.core.fingerprint import TargetFacts
from hounsfield.core.prediction import SetRule, TargetPrediction
from hounsfield.core.types import AnyArray, Float64Array, TargetValue


class Decoding(BaseModel):
    """How raw outputs of one head become probabilities or a number.

    Attributes
    ----------
    temperature : float
        Raw outputs are divided by it before the link function; fitted on validation predictions.
    mean, std : float
        A number is ``output * std + mean``; from the training part.
    threshold : float
        Of the positive class or, for several labels, of each label.
    rule : str
        How the threshold was fixed.
    sets : SetRule or None
        How prediction sets are made; None in bundles that have none.
    class_thresholds : dict of str to float
        Of each class against the rest, where there are more than two, and of each label; empty elsewhere.
    class_factors : dict of str to float
        Of more than two classes that exclude each other: by what each probability is multiplied before the largest is
        called; empty where the most probable class is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    temperature: float = 1.0
    mean: float = 0.0
    std: float = 1.0
    threshold: float = 0.5
    rule: str = "default"
    sets: SetRule | None = None
    class_thresholds: dict[str, float] = {}
    class_factors: dict[str, float] = {}


class TargetKind(Protocol):
    """One kind of answer: how it is encoded, learned, decoded and said."""

    name: str
    loss: str

    def width(self, target: TargetSpec) -> int:
        """Return the number of raw outputs of the head."""

    def encode(self, target: TargetSpec, values: Sequence[TargetValue]) -> AnyArray:
        """Return answers as an array: ``n`` int64 (-1 missing) or ``n`` / ``n k`` float32 (NaN missing)."""

    def start(self, target: TargetSpec, facts: TargetFacts) -> Decoding:
        """Return the decoding before calibration."""

    def calibrate(self, target: TargetSpec, outputs: Float64Array, truth: AnyArray, decoding: Decoding) -> Decoding:
        """Return the decoding fitted on validation outputs, ``n w``, and encoded answers."""

    def decode(self, target: TargetSpec, outputs: Float64Array, decoding: Decoding) -> Float64Array:
        """Return probabilities ``n k``, or numbers ``n 1``."""

    def say(self, target: TargetSpec, row: Float64Array, decoding: Decoding) -> TargetPrediction:
        """Return the answer for one decoded row ``k``."""


class Task(Protocol):
    """A user's name for target kinds.

    Attributes
    ----------
    name : str
    road : str
        How its answers are learned, given and judged; a name in `hounsfield.workflow.roads.ROADS`.
    """

    name: str
    road: str

    def claim(self, schema: Schema) -> float:
        """Return how well the task fits what the cohort asks, 0 to 1."""

    def accepts(self, schema: Schema) -> tuple[TargetSpec, ...]:
        """Return the targets that the task answers, the primary one first.

        Raises
        ------
        CohortError
            If there is nothing to answer; says what there is instead.
        """

    def kind(self, target: TargetSpec) -> TargetKind:
        """Return the kind of a target."""

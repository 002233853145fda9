"""What a model says of one sample."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict


class SetRule(BaseModel):
    """How prediction sets are made, fitted on calibration cases.

    Attributes
    ----------
    level : float
        Wanted coverage of each class, 0 to 1.
    limits : dict of str to float or None
        Class or level to the strangest score that stays in the set, None where it always does. A label has two, for
        ``label`` and ``label:no``; a number has one, named ``""``: half the width of its interval.
    cases : dict of str to int
        Calibration cases behind each limit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    level: float
    limits: dict[str, float | None]
    cases: dict[str, int]


@dataclass(frozen=True)
class TargetPrediction:
    """The answer to one target.

    Parameters
    ----------
    probabilities : mapping of str to float
        Class, label or level to calibrated probability, 0 to 1; empty for a number and for a mask.
    value : str, float or tuple of str
        Class (argmax), level, labels at or above their threshold, or the number itself.
    at_operating_point : str or None
        The class that is called: by the fixed threshold, where there are two classes; of more, the one with the largest
        probability times the factor of its class. None for other answers.
    pointed_out : tuple of str or None
        Classes at or above a threshold of their own against the rest, where there are more than two, and labels: what
        the report tells sensitivity and specificity of. None where there are no such thresholds.
    plausible : str or None
        What cannot be ruled out: classes or levels joined by ``|``; labels that are there, and with ``?`` those that
        may be; a number's bounds joined by ``..``. None where the bundle has no rule for it.
    expected_dice : float or None
        Of a mask, how well it should agree with the truth, mean over structures; None where that could not be learned
        or nothing is marked.
    uncertainty : float or None
        Of a mask, the mean entropy of the voxels in question, 0 (sure) to 1 (knows nothing).
    sizes : mapping of str to float
        Of a mask the size of each structure; empty for other answers.
    size_unit : str
        ``"ml"`` of volumes that say how they lie, else ``"voxels"``; ``""`` where there are no sizes.
    """

    value: str | float | tuple[str, ...]
    probabilities: Mapping[str, float] = field(default_factory=dict)
    at_operating_point: str | None = None
    pointed_out: tuple[str, ...] | None = None
    plausible: str | None = None
    expected_dice: float | None = None
    uncertainty: float | None = None
    sizes: Mapping[str, float] = field(default_factory=dict)
    size_unit: str = ""


@dataclass(frozen=True)
class Prediction:
    """What a model says of one sample, or why it says nothing.

    Parameters
    ----------
    sample : str
    targets : mapping of str to TargetPrediction
        Empty where refused.
    flags : tuple of str
        Why the answer should be doubted: what of the input is unlike the training data.
    refusal : str
        Why nothing is said; ``""`` where something is.
    """

    sample: str
    targets: Mapping[str, TargetPrediction] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    refusal: str = ""

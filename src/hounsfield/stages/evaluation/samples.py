"""What is judged: samples beside their truth, encoded as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import InputError
from hounsfield.core.types import Attribute, BoolArray, Float64Array, TargetValue


@dataclass(frozen=True)
class JudgedSample:
    """One row of the predictions, without the prediction.

    Parameters
    ----------
    id, patient : str
        As in the cohort.
    truth : TargetValue
        The answer; None where missing, and the row then counts nowhere.
    attributes : mapping of str to Attribute
        Site, scanner, age, sex, ...: for subgroups.
    unit : str
        What is drawn with replacement for every interval: the patient where left out, or the group that joins
        patients who share a picture.
    """

    id: str
    patient: str
    truth: TargetValue
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    unit: str = ""


@dataclass(frozen=True)
class JudgeOptions:
    """How to judge.

    Parameters
    ----------
    seed : int
        Of the bootstrap.
    prevalence : float or None
        Share of positives where the model will be used: predictive values are given for it too.
    replicates : int
        Bootstrap replicates.
    faulty : frozenset of str
        Sample ids that the audit flagged in an official test part.
    folds : mapping of str to int
        Sample id to fold, for out-of-fold predictions.
    """

    seed: int = 0
    prevalence: float | None = None
    replicates: int = 1000
    faulty: frozenset[str] = frozenset()
    folds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Rows:
    """Rows with a known answer, as arrays.

    Parameters
    ----------
    target : TargetSpec
    samples : tuple of JudgedSample
        Length n.
    patients : array of str (n,)
    truth : float64 array
        Class index (n,), zeros and ones (n k) for labels, or the number (n,).
    answers : float64 array
        Probabilities (n k), or the predicted number (n,).
    """

    target: TargetSpec
    samples: tuple[JudgedSample, ...]
    patients: np.typing.NDArray[np.str_]
    truth: Float64Array
    answers: Float64Array

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, keep: BoolArray) -> "Rows":
        """Return the rows where `keep` (n,) is true."""
        samples = tuple(sample for sample, kept in zip(self.samples, keep, strict=True) if kept)
        return Rows(self.target, samples, self.patients[keep], self.truth[keep], self.answers[keep])

    def answered(self, answers: Float64Array) -> "Rows":
        """Return the same rows with other answers."""
        return Rows(self.target, self.samples, self.patients, self.truth, answers)

    @property
    def units(self) -> np.typing.NDArray[np.str_]:
        """What is drawn with replacement, shape (n,)."""
        return np.array([sample.unit or sample.patient for sample in self.samples], dtype=np.str_)

    @property
    def two_classes(self) -> bool:
        """Whether exactly two classes exclude each other."""
        return self.target.kind == "categorical" and len(self.target.classes) == 2

    @property
    def positive(self) -> int:
        """Index of the positive class; the last of two where none is declared."""
        named = self.target.positive
        return self.target.classes.index(named) if named in self.target.classes else len(self.target.classes) - 1

    def present(self) -> bool:
        """Whether the truth varies, so that telling apart means something."""
        if not len(self):
            return False
        return bool(np.any(self.truth != self.truth[:1]))


def known(samples: Sequence[JudgedSample]) -> BoolArray:
    """Return which samples have an answer, shape (n,)."""
    found: BoolArray = np.array([_is_known(sample.truth) for sample in samples], dtype=np.bool_)
    return found


def gather(target: TargetSpec, samples: Sequence[JudgedSample], answers: Float64Array) -> Rows:
    """Return the rows that have an answer, encoded.

    Parameters
    ----------
    target : TargetSpec
    samples : sequence of JudgedSample
        Length n.
    answers : float64 array (n k) or (n,)
        Probabilities in the order of the target's classes, or predicted numbers.

    Raises
    ------
    InputError
        If the shapes disagree or a truth is none of the target's classes.
    """
    answers = np.asarray(answers, dtype=np.float64)
    wanted = (len(samples),) if target.kind == "number" else (len(samples), len(target.classes))
    if answers.shape != wanted:
        raise InputError(
            f"Predictions for target {target.name!r} have the shape {answers.shape}.",
            expected=f"the shape {wanted}: a row per sample, a column per class in the target's order",
        )
    keep = known(samples)
    kept = tuple(sample for sample, has in zip(samples, keep, strict=True) if has)
    return Rows(
        target=target,
        samples=kept,
        patients=np.array([sample.patient for sample in kept], dtype=np.str_),
        truth=_encoded(target, kept),
        answers=answers[keep],
    )


def _is_known(truth: TargetValue) -> bool:
    return truth is not None and not (isinstance(truth, float) and not np.isfinite(truth))


def _encoded(target: TargetSpec, samples: tuple[JudgedSample, ...]) -> Float64Array:
    if target.kind == "number":
        return np.array([_number(target, sample) for sample in samples], dtype=np.float64)
    place = {name: index for index, name in enumerate(target.classes)}
    if target.kind == "multilabel":
        marks = np.zeros((len(samples), len(place)), dtype=np.float64)
        for row, sample in enumerate(samples):
            labels = sample.truth if isinstance(sample.truth, tuple) else (str(sample.truth),)
            for label in labels:
                marks[row, _place(target, place, label)] = 1.0
        return marks
    return np.array([_place(target, place, str(sample.truth)) for sample in samples], dtype=np.float64)


def _number(target: TargetSpec, sample: JudgedSample) -> float:
    if isinstance(sample.truth, tuple) or sample.truth is None:
        raise InputError(f"A truth of target {target.name!r} is no number.", expected="one number per sample")
    return float(sample.truth)


def _place(target: TargetSpec, place: Mapping[str, int], name: str) -> int:
    if name not in place:
        raise InputError(
            f"A truth of target {target.name!r} is the unknown class {name!r}.",
            expected=f"one of {', '.join(target.classes)}",
        )
    return place[name]

"""Public series as a learner sees them: prepared inputs, encoded answers, and which rows are the official test part."""

import csv
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from benchmarks.record import data_root
from hounsfield.core.cohort import TargetSpec
from hounsfield.core.types import AnyArray, Float32Array, Float64Array, IntArray
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import HeadSpec, Job
from hounsfield.learn.loop import Optimisation
from hounsfield.learn.nn.spec import InputShape, NetworkSpec

UCR = (
    "ECG200",
    "ECG5000",
    "ECGFiveDays",
    "DistalPhalanxOutlineAgeGroup",
    "MiddlePhalanxOutlineAgeGroup",
    "ProximalPhalanxOutlineAgeGroup",
    "PigArtPressure",
)
ICU_TYPES = 4
ROCKET = "ROCKET_mean_10runs_default_split(angus924/rocket results/results_ucr.csv)"


@dataclass(frozen=True)
class Series:
    """Samples of one set.

    Parameters
    ----------
    inputs : dict of str to numpy.ndarray
        Signals ``n c t``, rows ``n c``.
    answers : numpy.ndarray
        ``n`` int64, class of each.
    classes : tuple of str
    train, test : numpy.ndarray
        Rows, as the set divides them.
    timed : str
        Input whose first channel holds hours; empty for none.
    """

    inputs: dict[str, AnyArray]
    answers: IntArray
    classes: tuple[str, ...]
    train: IntArray
    test: IntArray
    timed: str = ""

    def job(self, seed: int) -> Job:
        """Return what a learner is told."""
        target = TargetSpec(name="class", kind="categorical", classes=self.classes)
        job = Job(
            seed=seed,
            network=NetworkSpec(
                family="none", inputs={"signal": InputShape(channels=1, ndim=0, size=())}, heads={"class": 1}
            ),
            preparation={},
            augmentation=AugmentSpec(),
            optimisation=Optimisation(steps=0, batch=1),
            heads=(HeadSpec(target=target, loss="categorical", width=len(self.classes)),),
        )
        told = {self.timed: SimpleNamespace(times=True)} if self.timed else {}
        return job.model_copy(update={"preparation": told})

    def feed(self, train: IntArray) -> Feed:
        """Return the feed of some training rows; every sample is its own group, as the sets know no patients."""
        return Feed(self.inputs, {"class": self.answers}, train, np.zeros(0, np.int64), np.arange(len(self.answers)))

    def rows(self, chosen: IntArray) -> dict[str, AnyArray]:
        """Return the inputs of some rows."""
        return {name: values[chosen] for name, values in self.inputs.items()}


def read_ucr(name: str) -> Series:
    """Return one set of the archive; each series has mean 0 and deviation 1, as its published figures have it."""
    with np.load(data_root() / "ucr_medical" / f"{name}.npz", allow_pickle=False) as z:
        parts = {key: z[key] for key in ("X_train", "y_train", "X_test", "y_test")}
    values = np.concatenate([parts["X_train"], parts["X_test"]]).astype(np.float64)
    values -= values.mean(axis=1, keepdims=True)
    values /= np.maximum(values.std(axis=1, keepdims=True), 1e-8)
    labels, answers = np.unique(np.concatenate([parts["y_train"], parts["y_test"]]), return_inverse=True)
    count = len(parts["X_train"])
    return Series(
        {"signal": values[:, None].astype(np.float32)},
        answers.astype(np.int64),
        tuple(str(label) for label in labels),
        np.arange(count),
        np.arange(count, len(values)),
    )


def published(column: str = ROCKET) -> dict[str, float]:
    """Return published accuracies by set."""
    with (data_root() / "ucr_medical" / "published_accuracy.csv").open(encoding="utf-8", newline="") as stream:
        return {row["dataset"]: float(row[column]) for row in csv.DictReader(stream)}


def read_stays() -> Series:
    """Return the stays of cinc2012_icu: hours and 37 variables, and what was known at the door; death in hospital."""
    parts = []
    for name in ("a", "b"):
        with np.load(data_root() / "cinc2012_icu" / f"set_{name}.npz", allow_pickle=False) as z:
            parts.append({key: z[key] for key in z.files})
    series = [_by_time(part) for part in parts]
    longest = max(s.shape[2] for s in series)
    series = [np.pad(s, ((0, 0), (0, 0), (0, longest - s.shape[2])), constant_values=np.nan) for s in series]
    count = len(series[0])
    return Series(
        {
            "stay": np.concatenate(series),
            "door": np.concatenate([_at_the_door(part["general"].astype(np.float64)) for part in parts]),
        },
        np.concatenate([part["outcomes"][:, 4] for part in parts]).astype(np.int64),
        ("survived", "died"),
        np.arange(count),
        np.arange(count, count + len(series[1])),
        timed="stay",
    )


def _by_time(part: dict[str, AnyArray]) -> Float32Array:
    """Return ``n 38 t``: hours, then variables, one column for each time at which anything was measured."""
    record, minute = part["rec"].astype(np.int64), part["minute"].astype(np.int64)
    variable, value = part["var"].astype(np.int64), part["value"].astype(np.float32)
    times, at = np.unique(record * 10_000 + minute, return_inverse=True)
    owner = times // 10_000
    place = np.arange(len(times)) - np.searchsorted(owner, owner)
    found = np.full((len(part["record_id"]), 1 + len(part["var_names"]), int(place.max()) + 1), np.nan, np.float32)
    found[owner, 0, place] = (times % 10_000) / 60.0
    found[record, 1 + variable, place[at]] = value
    return found


def _at_the_door(general: Float64Array) -> Float32Array:
    """Return age, sex, height, weight and kind of unit, ``n 8``, NaN where not known or impossible."""
    age, sex, height, icu, weight = np.where(general < 0, np.nan, general).T
    height = np.where((height > 100) & (height < 230), height, np.nan)
    weight = np.where((weight > 20) & (weight < 300), weight, np.nan)
    units = icu[:, None] == np.arange(1, ICU_TYPES + 1)
    return np.column_stack([age, sex, height, weight, units]).astype(np.float32)

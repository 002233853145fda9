"""Small cases that the tests of this folder share."""

import numpy as np
import numpy.typing as npt

from hounsfield.core.cohort import TargetSpec
from hounsfield.stages.evaluation.samples import JudgedSample

Floats = npt.NDArray[np.float64]
BINARY = TargetSpec(
    name="label", kind="categorical", classes=("normal", "COVID"), positive="COVID", positive_source="name"
)


def binary(
    count: int = 120, *, per_patient: int = 1, strength: float = 1.5
) -> tuple[list[JudgedSample], Floats, Floats]:
    """Return samples, class probabilities (n 2) and the positive class's truth (n,)."""
    rng = np.random.default_rng(7)
    truth = np.repeat(rng.integers(0, 2, count // per_patient + 1), per_patient)[:count]
    score = 1 / (1 + np.exp(-(strength * (2.0 * truth - 1) + rng.normal(size=count))))
    samples = [
        JudgedSample(
            f"s{index}",
            f"p{index // per_patient}",
            BINARY.classes[truth[index]],
            {"sex": "FM"[index % 2], "age": float(20 + index % 60)},
        )
        for index in range(count)
    ]
    return samples, np.stack([1 - score, score], axis=1), truth.astype(np.float64)

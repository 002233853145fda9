"""A small plan and fingerprint for what is written and read back."""

import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.fingerprint import Fingerprint, ImageFacts, TargetFacts
from hounsfield.core.plan import Decision, Plan


@pytest.fixture
def plan() -> Plan:
    """A plan with the values that are hard to write."""
    return Plan(
        hounsfield="0.1.0",
        cohort="小队列",
        cohort_digest="ab12",
        task="classify",
        targets=(TargetSpec(name="label", kind="categorical", classes=("no", "010", "1e-3"), positive="1e-3"),),
        sections={
            "preparation": {
                "size": Decision(value=[128, 128], rule="median size: rounded", evidence="median 130 x 127"),
                "channels": Decision(value=1),
            },
            "optimisation": {
                "rate": Decision(value=1e-5, rule="r", evidence="x" * 200),
                "weights": Decision(value={"no": 0.1, "yes": 1 / 3, "pairs": [[1, 2], [3, 4]], "none": None}),
                "stop": Decision(value=True),
            },
        },
    )


@pytest.fixture
def fingerprint() -> Fingerprint:
    """Aggregates of a small training part."""
    facts = ImageFacts(
        size_median=(64, 64), size_low=(60, 60), size_high=(70, 70), value_low=0.0, value_high=1.0, mean=0.5, std=0.1
    )
    return Fingerprint(
        samples=10,
        patients=5,
        val_samples=3,
        inputs={"image": facts},
        targets={"label": TargetFacts(kind="categorical", counts={"no": 5, "010": 5})},
    )

"""Hand-made facts for rules."""

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.fingerprint import Fingerprint, ImageFacts, InputFacts, TargetFacts
from hounsfield.core.plan import Budget, Decision, Facts, Machine, PlanValue

TARGET = TargetSpec(name="ill", kind="categorical", classes=("no", "yes"), positive="yes")
SLICE = ImageFacts(
    size_median=(300, 300),
    size_low=(280, 280),
    size_high=(320, 320),
    value_low=0.0,
    value_high=255.0,
    mean=100.0,
    std=40.0,
)


def facts(
    samples: int = 500,
    *,
    seen: InputFacts = SLICE,
    targets: tuple[TargetSpec, ...] = (TARGET,),
    counts: dict[str, int] | None = None,
    val: int = 100,
    minutes: float | None = None,
    machine: Machine | None = None,
) -> Facts:
    """Facts about a cohort with one image input, nothing decided yet."""
    each = {c: samples // max(1, len(targets[0].classes)) for c in targets[0].classes}
    return Facts(
        fingerprint=Fingerprint(
            samples=samples,
            patients=samples,
            val_samples=val,
            inputs={"image": seen},
            targets={
                t.name: TargetFacts(kind=t.kind, counts=(counts or each) if n == 0 else {})
                for n, t in enumerate(targets)
            },
        ),
        budget=Budget(minutes=minutes),
        machine=machine or Machine(cores=2),
        targets=targets,
        network=None,
        wishes={},
        decided={},
    )


def values(decisions: dict[str, Decision]) -> dict[str, PlanValue]:
    """The values alone."""
    return {key: decision.value for key, decision in decisions.items()}

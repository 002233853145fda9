"""Rules for augmentation: what could have happened to another patient, or in another scanner."""

import re

from hounsfield.core.kinds import input_kind
from hounsfield.core.plan import Decision, Facts, PlanValue
from hounsfield.stages.planning.rules import Rule

SIDES = re.compile(r"(^|[^a-z])(left|right|side|lateral\w*|situs|dextro\w*)([^a-z]|$)", re.IGNORECASE)


def _few(facts: Facts) -> bool:
    return facts.fingerprint.samples < 3000


def _small(facts: Facts) -> bool:
    return max(max(seen.size_median) for seen in facts.fingerprint.images.values()) <= 64


def _flips(facts: Facts) -> Decision:
    names = [t.name for t in facts.targets] + [c for t in facts.targets for c in t.classes]
    sided = next((n for n in names if SIDES.search(n)), None)
    chest = next((s.modality for s in facts.fingerprint.images.values() if s.modality in ("CR", "DX")), None)
    if sided or chest:
        return Decision(
            value=[],
            rule="no mirror image where the side matters: answers that name a side, the heart in a chest X-ray",
            evidence=f"answer {sided!r}" if sided else f"modality {chest}",
        )
    return Decision(
        value=["x"],
        rule="left and right may be exchanged where no answer names a side; never up and down",
        evidence="no class or target names a side",
    )


def _calibrated(facts: Facts) -> bool:
    """Return whether stored values carry a meaning, as CT numbers do, rather than a display setting."""
    return all(seen.bits > 8 and seen.modality != "MR" for seen in facts.fingerprint.images.values())


def _either(display: PlanValue, calibrated: PlanValue, rule: str) -> Rule:
    """Make a rule with one value for pictures under some display setting and one for calibrated values."""

    def decide(facts: Facts) -> Decision:
        exact = _calibrated(facts)
        return Decision(
            value=calibrated if exact else display,
            rule=f"{rule}; little where values are calibrated and a shift would be another tissue",
            evidence="more than 8 bits, not MR: calibrated" if exact else "8-bit pictures, or MR: a display setting",
        )

    return decide


def _number(value: PlanValue, rule: str) -> Rule:
    return lambda facts: Decision(value=value, rule=rule, evidence=f"{facts.fingerprint.samples} training samples")


def _rotation(facts: Facts) -> Decision:
    return Decision(
        value=15.0, rule="how far patients lie askew", evidence=f"{facts.fingerprint.samples} training samples"
    )


def _scale(facts: Facts) -> Decision:
    measured = next((t.name for t in facts.targets if t.kind == "number"), None)
    if measured is not None:
        return Decision(
            value=[1.0, 1.0],
            rule="no zoom where a number is asked for: a diameter or volume would no longer fit its picture",
            evidence=f"target {measured!r}",
        )
    low, high = (0.8, 1.25) if not _small(facts) else (0.9, 1.15)
    return Decision(
        value=[low, high],
        rule="bodies and fields of view differ by a fifth; less for small images, where pixels are precious",
        evidence="small images" if _small(facts) else "large images",
    )


def _intensity(facts: Facts) -> Decision:
    return Decision(
        value=0.5,
        rule="half of the samples meet each change of intensity",
        evidence=f"{facts.fingerprint.samples} training samples",
    )


def _none(facts: Facts) -> Decision:
    lacks = input_kind(facts.fingerprint.kinds[0]).lacks.get("augmentation", "no input is an image")
    return Decision(value=[], rule=f"no augmentation: {lacks}", evidence=", ".join(facts.fingerprint.kinds))


NO_IMAGES: dict[str, Rule] = {"flips": _none}
"""Rules of section ``augmentation`` where no input is an image."""

RULES: dict[str, Rule] = {
    "flips": _flips,
    "rotation_deg": _rotation,
    "scale": _scale,
    "translation": _number(0.1, "how far the region of interest lies off centre, share of the edge"),
    "gamma": _either([0.7, 1.4], [1.0, 1.0], "windows and display curves differ"),
    "contrast": _either([0.8, 1.25], [0.95, 1.05], "gain differs between devices"),
    "brightness": _either(0.1, 0.02, "offset differs between devices, on the scale 0 to 1"),
    "noise": _either(0.05, 0.01, "dose and coil differ, deviation on the scale 0 to 1"),
    "intensity_chance": _intensity,
    "mixup": _number(
        0.0,
        "samples are not mixed (pneumoniamnist, 800 images to train on and 1,600 held out of the training part, one "
        "seed: AUC .986 without, .985 with half of the samples mixed, log loss .217 and .223)",
    ),
}
"""Rules of section ``augmentation``, in order."""

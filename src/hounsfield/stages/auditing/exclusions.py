"""Which samples training does without, and which of an official test part are faulty."""

from collections.abc import Sequence
from dataclasses import dataclass

from hounsfield.core.cohort import Sample, SetAside
from hounsfield.stages.auditing.duplicates import Repeats

_PART_NAMES = {"val": "validation", "test": "test"}


@dataclass(frozen=True)
class Exclusions:
    """What follows from repeats.

    Parameters
    ----------
    removed : tuple of SetAside
        Samples that fitting does without (training, or validation where it repeats a test sample).
    flagged : tuple of SetAside
        Faulty samples of an official test part; they stay.
    """

    removed: tuple[SetAside, ...]
    flagged: tuple[SetAside, ...]


def exclusions(samples: Sequence[Sample], repeats: Repeats) -> Exclusions:
    """Decide what is left out because of repeats and contradictions.

    Parameters
    ----------
    samples : sequence of Sample
        In the cohort's order.
    repeats : Repeats
        Of these samples.

    Returns
    -------
    Exclusions

    Notes
    -----
    What is removed does not depend on any answer of an official test part: a sample gives way to a picture in the
    test part whatever both are called, and a contradiction removes samples only where both lie outside that part.
    Without official parts a contradictory pair is left out of all parts.
    """
    parts = {s.id: s.part for s in samples}
    reasons: dict[str, str] = {}
    for cluster in repeats.clusters:
        for name in cluster:
            stronger = _stronger(parts[name], [parts[other] for other in cluster])
            if stronger:
                reasons[name] = f"shows the same picture as a {_PART_NAMES[stronger]} sample"
    flagged: dict[str, str] = {}
    for a, b in repeats.contradictions:
        inside = [name for name in (a, b) if parts[name] == "test"]
        if inside:
            other = "the test part" if len(inside) == 2 else f"the {parts[a if inside[0] == b else b] or 'other'} part"
            for name in inside:
                flagged.setdefault(name, f"the same picture lies in {other} under a different answer")
            continue
        for name in (a, b):
            reasons.setdefault(name, "the same picture occurs under a different answer")
    return Exclusions(
        tuple(SetAside(sample=s.id, reason=reasons[s.id]) for s in samples if s.id in reasons),
        tuple(SetAside(sample=s.id, reason=flagged[s.id]) for s in samples if s.id in flagged),
    )


def _stronger(part: str | None, others: Sequence[str | None]) -> str | None:
    """Return the part that a sample of `part` gives way to, the test part before the validation part."""
    if part in ("train", "val") and "test" in others:
        return "test"
    if part == "train" and "val" in others:
        return "val"
    return None

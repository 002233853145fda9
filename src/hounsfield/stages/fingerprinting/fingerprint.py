"""Aggregate looks and answers into a fingerprint."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from hounsfield.core.cohort import Sample, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.core.fingerprint import Fingerprint, TargetFacts
from hounsfield.stages.fingerprinting.kinds import AnyLook, input_facts
from hounsfield.stages.fingerprinting.masks import MaskLook, mask_facts


def fingerprint(
    training: Sequence[Sample],
    looks: Mapping[str, Sequence[AnyLook]],
    *,
    targets: Sequence[TargetSpec],
    val_samples: int,
    masks: Mapping[str, Sequence[MaskLook]] | None = None,
) -> Fingerprint:
    """Aggregate the training part.

    Parameters
    ----------
    training : sequence of Sample
        The training part only.
    looks : mapping of str to sequence of look
        Input name to one look per training sample.
    targets : sequence of TargetSpec
        What is asked.
    val_samples : int
        Number of validation samples.
    masks : mapping of str to sequence of MaskLook, or None
        Mask target to one look per training sample.

    Returns
    -------
    Fingerprint

    Raises
    ------
    CohortError
        If the training part is empty, or one input mixes what cannot be learned together (2D and 3D images).
    """
    if not training:
        raise CohortError(
            "The training part is empty.",
            expected="at least a few training samples of each class",
            next_step="check the column of parts, and what the audit set aside",
        )
    return Fingerprint(
        samples=len(training),
        patients=len({s.patient for s in training}),
        val_samples=val_samples,
        inputs={name: input_facts(name, seen) for name, seen in looks.items()},
        targets={t.name: target_facts(t, training, (masks or {}).get(t.name)) for t in targets},
    )


def target_facts(
    target: TargetSpec, training: Sequence[Sample], masks: Sequence[MaskLook] | None = None
) -> TargetFacts:
    """Aggregate the answers to one target."""
    if masks is not None:
        return TargetFacts(kind=target.kind, mask=mask_facts(masks))
    if target.kind == "forecast":
        return TargetFacts(kind=target.kind)
    answers = [s.targets.get(target.name) for s in training]
    known = [a for a in answers if a is not None]
    missing = len(answers) - len(known)
    if target.kind == "number":
        numbers = np.array([float(a) for a in known if isinstance(a, int | float)])
        if not len(numbers):
            raise CohortError(
                f"No training sample has a number for {target.name!r}.",
                expected="numbers in the rows of the training part",
                next_step="fill the column, or name another one with --target",
            )
        return TargetFacts(
            kind=target.kind,
            missing=missing,
            mean=float(numbers.mean()),
            std=float(numbers.std()) or 1.0,
            median=float(np.median(numbers)),
        )
    counts = Counter(n for a in known for n in (a if isinstance(a, tuple) else (str(a),)))
    return TargetFacts(kind=target.kind, missing=missing, counts={n: counts.get(n, 0) for n in target.classes})

"""Aggregate looks and answers into a fingerprint."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from hounsfield.core.cohort import Sample, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.core.fingerprint import Fingerprint, InputFacts, TargetFacts
from hounsfield.core.types import Float64Array
from hounsfield.stages.fingerprinting.looks import Look
from hounsfield.stages.fingerprinting.masks import MaskLook, mask_facts


def fingerprint(
    training: Sequence[Sample],
    looks: Mapping[str, Sequence[Look]],
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
    looks : mapping of str to sequence of Look
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
        If the training part is empty, or 2D and 3D images are mixed in one input.
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


def input_facts(name: str, looks: Sequence[Look]) -> InputFacts:
    """Aggregate the looks at one input."""
    dims = {len(v.size) for v in looks}
    if len(dims) > 1:
        raise CohortError(
            f"Input {name!r} mixes 2D images and 3D volumes.",
            expected="one kind in one cohort",
            next_step="put them into two folders",
        )
    sizes = np.array([v.size for v in looks])
    pooled = np.concatenate([v.quantiles for v in looks])
    per_image = np.stack([v.quantiles for v in looks])
    low, high = np.percentile(pooled, (0.5, 99.5))
    colour = float(np.mean([v.colour for v in looks]))
    centre, low_size, high_size = (tuple(round(float(n)) for n in np.percentile(sizes, q, axis=0)) for q in (50, 5, 95))
    return InputFacts(
        ndim=dims.pop(),
        channels=3 if colour > 0.5 else 1,
        stored_channels=Counter(v.channels for v in looks).most_common(1)[0][0],
        size_median=centre,
        size_low=low_size,
        size_high=high_size,
        bits=Counter(v.bits for v in looks).most_common(1)[0][0],
        modality=Counter(v.modality for v in looks).most_common(1)[0][0],
        value_low=float(low),
        value_high=float(high),
        mean=float(per_image.mean()),
        std=float(pooled.std()),
        colour_share=colour,
        **_placed(looks),
    )


def _placed(looks: Sequence[Look]) -> dict[str, tuple[float, ...] | float]:
    """Return what is known of volumes that all say how they lie in the patient; nothing of others."""
    spacings = [v.spacing_mm for v in looks if v.spacing_mm is not None]
    if len(spacings) < len(looks):
        return {}
    spacing = np.array(spacings, dtype=np.float64)
    extent = spacing * np.array([v.size for v in looks])
    bright = np.percentile([v.quantiles[-1] for v in looks], (5, 95))
    return {
        "spacing_median": _rounded(np.median(spacing, axis=0)),
        "spacing_low": _rounded(np.percentile(spacing, 10, axis=0)),
        "extent_low": _rounded(np.percentile(extent, 5, axis=0)),
        "extent_median": _rounded(np.median(extent, axis=0)),
        "extent_high": _rounded(np.percentile(extent, 95, axis=0)),
        "brightness_ratio": float(bright[1] / bright[0]) if bright[0] > 0 else 1.0,
    }


def _rounded(values: Float64Array) -> tuple[float, ...]:
    return tuple(round(float(v), 4) for v in values)


def target_facts(
    target: TargetSpec, training: Sequence[Sample], masks: Sequence[MaskLook] | None = None
) -> TargetFacts:
    """Aggregate the answers to one target."""
    if masks is not None:
        return TargetFacts(kind=target.kind, mask=mask_facts(masks))
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

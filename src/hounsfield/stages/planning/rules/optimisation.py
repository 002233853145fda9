"""Rules for the optimiser, its schedule and what is kept of it."""

from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.recipes import recipe
from hounsfield.stages.planning.rules import Rule, beats, fixed

BALANCE = 3.0
"""Ratio of the most to the least frequent class from which classes are weighted."""

UNSMOOTHED = 20.0
"""The same ratio from which labels are not smoothed."""

LOW_SCALE = 0.6


def _batch(facts: Facts) -> Decision:
    n = facts.fingerprint.samples
    if beats.few(facts):
        return Decision(
            value=beats.BATCH,
            rule=f"{beats.BATCH} of the many beats of few patients: most are alike, and some rare ones in each step "
            "keep it steady",
            evidence=beats.counted(facts),
        )
    batch = 16 if n < 200 else 32 if n < 3000 else 64
    return Decision(
        value=batch,
        rule="16 below 200 samples, 32 below 3,000, else 64: enough steps per epoch for little data",
        evidence=f"{n} training samples",
    )


def _precision(facts: Facts) -> Decision:
    volumes = any(i.ndim == 3 for i in facts.fingerprint.images.values()) and facts.network != "slices"
    if facts.machine.device == "cpu" and volumes:
        return Decision(
            value="float32",
            rule="float32 for volumes on a processor: its bfloat16 gradient of a 3x3x3 convolution reads memory that "
            "nobody wrote where the volume is 2 deep (measured: NaN, and other bits at every run)",
            evidence="3D input",
        )
    if not facts.fingerprint.images:
        return Decision(
            value="float32",
            rule="float32 where no input is an image: products are small, and casting takes longer than it saves",
            evidence=", ".join(facts.fingerprint.kinds),
        )
    return Decision(
        value="bfloat16" if facts.machine.bfloat16 else "float32",
        rule="bfloat16 where the processor multiplies it in hardware (weights stay float32), else float32",
        evidence="the processor has it" if facts.machine.bfloat16 else "the processor lacks it",
    )


def enough(facts: Facts) -> int:
    """Return the number of steps after which more brings nothing on a cohort of this size."""
    n = max(facts.fingerprint.samples, 1)
    epochs = _epochs_of_beats(facts) if beats.few(facts) else min(300.0, max(30.0, 120_000.0 / n))
    batch = facts.decided[("optimisation", "batch")]
    size = min(int(batch) if isinstance(batch, int) else 32, n)
    return max(100, round(epochs * max(1, n // size)))


def _epochs_of_beats(facts: Facts) -> float:
    return beats.EPOCHS_AROUND if beats.around(facts) else beats.EPOCHS


def _steps(facts: Facts) -> Decision:
    decision = _steps_of_many(facts)
    if not beats.few(facts):
        return decision
    return Decision(
        value=decision.value,
        rule=f"{_epochs_of_beats(facts):g} epochs over the beats of few patients: "
        + (
            "longer, a network that reads the beats around learns these hearts by heart (MIT-BIH DS1 in four parts by "
            "record, a trial: jk .759 after 3 epochs, .745 after 6)"
            if beats.around(facts)
            else "longer, a network learns these hearts by heart (MIT-BIH DS1, five records left out, one seed: jk "
            ".818 after 2 epochs, .779 after 8)"
        )
        + ("; no more than fit into the minutes" if ("cost", "allowed_steps") in facts.decided else ""),
        evidence=f"{decision.evidence}; {beats.counted(facts)}",
    )


def _steps_of_many(facts: Facts) -> Decision:
    if ("cost", "allowed_steps") in facts.decided:
        allowed = facts.decided[("cost", "allowed_steps")]
        steps = min(int(allowed) if isinstance(allowed, int) else 0, enough(facts))
        return Decision(
            value=max(steps, 1),
            rule="as many steps as fit into the minutes at the measured speed, and not more than bring anything",
            evidence=f"{allowed} steps fit, {enough(facts)} are enough",
        )
    return Decision(
        value=enough(facts),
        rule="120,000 samples seen, at least 30 and at most 300 epochs (one seed: breastmnist, 3 folds, AUC .867 after "
        "10,000 samples, .881 after 41,000, three networks of about 10,000 together only .867; covid-ct, first of 3 "
        "folds, .903 after 17,000, .924 after 40,000)",
        evidence=f"{facts.fingerprint.samples} training samples, no limit of time yet",
    )


def _averaging(facts: Facts) -> Decision:
    steps = facts.decided.get(("optimisation", "steps"), 0)
    count = steps if isinstance(steps, int) else 0
    decay = min(0.998, max(0.9, 1.0 - 20.0 / max(count, 1)))
    return Decision(
        value=round(decay, 4),
        rule="average of about the last twentieth of the steps (Izmailov et al. 2018; exponential, Polyak 1992)",
        evidence=f"{count} steps",
    )


def _validate_every(facts: Facts) -> Decision:
    steps = facts.decided.get(("optimisation", "steps"), 0)
    count = steps if isinstance(steps, int) else 0
    if beats.few(facts):
        return Decision(
            value=max(10, count // 4),
            rule="four looks at the validation part, which chooses nothing here",
            evidence=f"{count} steps",
        )
    return Decision(value=max(10, count // 20), rule="twenty looks at the validation part", evidence=f"{count} steps")


def _selection(facts: Facts) -> Decision:
    if beats.few(facts):
        return Decision(
            value="last",
            rule="the averaged last weights: a few patients held out tell more of these patients than of the steps",
            evidence=f"{facts.fingerprint.val_samples} validation beats; {beats.counted(facts)}",
        )
    enough_val = facts.fingerprint.val_samples >= 300
    return Decision(
        value="best" if enough_val else "last",
        rule="the weights with the lowest validation loss from 300 validation samples on; below, that choice is noise "
        "and the averaged last weights are kept",
        evidence=f"{facts.fingerprint.val_samples} validation samples",
    )


def _class_weights(facts: Facts) -> Decision:
    primary = facts.targets[0]
    counts = facts.fingerprint.targets[primary.name].counts
    present = [c for c in counts.values() if c > 0]
    if primary.kind not in ("categorical", "ordinal") or not present or max(present) / min(present) < BALANCE:
        return Decision(
            value=[],
            rule=f"no weights below a ratio of {BALANCE:g} between classes: they would distort the probabilities "
            "(breastmnist, ratio 2.7, outputs of 3 folds moved as far as weights would: balanced accuracy .751 to "
            ".767, accuracy .845 to .838)",
            evidence=", ".join(f"{k}: {v}" for k, v in counts.items()) or primary.kind,
        )
    raw = [(max(present) / c) ** 0.5 if c else 0.0 for c in counts.values()]
    mean = sum(r * c for r, c in zip(raw, counts.values(), strict=True)) / sum(counts.values())
    return Decision(
        value=[round(r / mean, 4) for r in raw],
        rule="weights by the inverse square root of the class counts, average 1",
        evidence=", ".join(f"{k}: {v}" for k, v in counts.items()),
    )


def _ratio(facts: Facts) -> float:
    """Return how many samples of the most frequent class there are for each of the least frequent one."""
    primary = facts.targets[0]
    present = [c for c in facts.fingerprint.targets[primary.name].counts.values() if c > 0]
    return max(present) / min(present) if primary.kind in ("categorical", "ordinal") and present else 1.0


def _smoothing(facts: Facts) -> Decision:
    ratio = _ratio(facts)
    if ratio >= UNSMOOTHED:
        return Decision(
            value=0.0,
            rule=f"none from a ratio of {UNSMOOTHED:g} between classes on: the share of every label that goes to a "
            "rare class would have that class's weight, and outweigh the class itself",
            evidence=f"ratio {ratio:.0f}",
        )
    return Decision(
        value=0.05,
        rule="a little doubt in the labels (Szegedy et al. 2016)",
        evidence=f"{facts.fingerprint.samples} training samples",
    )


def _learning_rate(facts: Facts) -> Decision:
    if beats.few(facts):
        return Decision(
            value=beats.LEARNING_RATE,
            rule=f"peak for batches of {beats.BATCH} beats (half as much again as for 64 samples)",
            evidence=beats.counted(facts),
        )
    return Decision(
        value=2e-3,
        rule="peak for normalised networks of this width with AdamW",
        evidence=f"{facts.fingerprint.samples} training samples",
    )


def _low_until(facts: Facts) -> Decision:
    return Decision(value=0.0, rule="full size from the first step on", evidence="no gain shown yet")


def _plain_norms(facts: Facts) -> Decision:
    if recipe(facts.network):
        return Decision(value=False, rule="the network's own protocol does not", evidence=f"--network {facts.network}")
    norm = facts.decided.get(("network", "norm"), "batch")
    return Decision(
        value=norm == "batch",
        rule="batch norms end with the statistics of plain training images: those that followed augmented images push "
        "all answers to one side (pneumoniamnist, 800 images to train on and 1,600 held out of the training part, one "
        "seed: accuracy .912 to .938, log loss .216 to .165, AUC .986 both)",
        evidence=f"{norm} norm",
    )


RULES: dict[str, Rule] = {
    "batch": _batch,
    "steps": _steps,
    "optimiser": fixed("adamw", "Adam with decoupled weight decay (Loshchilov, Hutter 2019)"),
    "learning_rate": _learning_rate,
    "schedule": fixed("cosine", "warm-up, then half a cosine to zero (Loshchilov, Hutter 2017)"),
    "warmup": fixed(0.05, "a twentieth of the steps"),
    "weight_decay": fixed(0.05, "strong, for little data; not on biases and norms"),
    "clip": fixed(5.0, "a single odd batch must not throw the weights"),
    "averaging": _averaging,
    "precision": _precision,
    "validate_every": _validate_every,
    "selection": _selection,
    "smoothing": _smoothing,
    "class_weights": _class_weights,
    "plain_norms": _plain_norms,
    "low_until": _low_until,
    "low_scale": fixed(LOW_SCALE, "edge of the smaller images, where there are any"),
}
"""Rules of section ``optimisation``, in order."""

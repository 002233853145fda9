"""Rules for optimisation, augmentation and ensemble of dense answers."""

import math

from hounsfield.core.plan import Decision, Facts, PlanValue
from hounsfield.stages.planning.rules import Rule, fixed, training_samples
from hounsfield.stages.planning.rules.augmentation import SIDES
from hounsfield.stages.planning.rules.dense.shape import halved, steps_of, thin, trained
from hounsfield.stages.planning.rules.dense.slicing import axes_seen, primary

BATCH_VOXELS = {2: 16 * 128 * 128, 3: 400_000}
"""Voxels of a batch that are enough for its norms and a steady gradient."""
MOST_PASSES = 400.0
MOST_STEPS = 60_000
PASSES_EACH = 60.0
"""Passes over the training pictures from which a further network that halves them brings more than further steps."""


def _batch(facts: Facts) -> Decision:
    size = facts.decided[("patch", "size")]
    voxels = math.prod(int(n) for n in size if isinstance(n, int)) if isinstance(size, list) else 1
    times = 4.0 if facts.budget.device == "cuda" else 1.0
    least, most = (4, 16) if axes_seen(facts) == 2 else (2, 8)
    batch = min(most, max(least, round(times * BATCH_VOXELS[axes_seen(facts)] / voxels)))
    return Decision(
        value=batch,
        rule="as many patches as hold about 260,000 pixels or 400,000 voxels, from 4 to 16 of pictures, from 2 to 8 of "
        "volumes: enough for the statistics of batch norms",
        evidence=f"{voxels:,} voxels in a patch",
    )


def enough(facts: Facts) -> int:
    """Return the number of steps after which more brings little."""
    size = _batch_of(facts)
    patch = facts.decided[("patch", "size")]
    voxels = math.prod(int(n) for n in patch if isinstance(n, int)) if isinstance(patch, list) else 1
    whole = math.prod(primary(facts).size_median)
    passes = MOST_PASSES * max(1.0, whole / voxels) if voxels < whole else MOST_PASSES
    return max(200, min(MOST_STEPS, round(passes * max(facts.fingerprint.samples, 40) / size)))


def _batch_of(facts: Facts) -> int:
    batch = facts.decided[("optimisation", "batch")]
    return batch if isinstance(batch, int) else 1


def _steps(facts: Facts) -> Decision:
    most = enough(facts)
    allowed = facts.decided.get(("cost", "allowed_steps"))
    if isinstance(allowed, int):
        return Decision(
            value=max(1, min(allowed, most)),
            rule="as many steps as fit into the minutes at the measured speed, and not more than bring anything",
            evidence=f"{allowed} steps fit, {most} are enough",
        )
    return Decision(
        value=min(most, 20_000),
        rule=f"{MOST_PASSES:g} passes over the training images, at most 20,000 steps",
        evidence=f"{training_samples(facts)}, no limit of time yet",
    )


FLAT, WIDE = 8, 32
"""Voxels: volumes of a stage that are shorter than the first along an axis and longer than the second along another."""


def _precision(facts: Facts) -> Decision:
    flat = _flat_stage(facts) if facts.budget.device == "cpu" else ""
    return Decision(
        value="bfloat16" if facts.machine.bfloat16 and not flat else "float32",
        rule="bfloat16 where the device multiplies it in hardware (weights stay float32); not on a processor where a "
        f"stage sees volumes shorter than {FLAT} voxels along an axis and longer than {WIDE} along another: there the "
        "gradient of a convolution is wrong or ends the process (oneDNN of torch 2.13: 1 to 6 slices of 64 x 64 or "
        "128 x 128; right from 8 slices on, and at 32 x 32)",
        evidence=(flat or "the device has it") if facts.machine.bfloat16 else "the device lacks it",
    )


def _flat_stage(facts: Facts) -> str:
    """Return the size of the first stage that is too flat for bfloat16 on a processor; empty where none is."""
    size, strides = (_numbers(facts.decided.get(key)) for key in (("patch", "size"), ("network", "strides")))
    if len(size) != 3:
        return ""
    edges = size
    for first in range(0, max(len(strides), 3), 3):
        stride = strides[first : first + 3] or [1, 1, 1]
        edges = [max(1, e // s) for e, s in zip(edges, stride, strict=True)]
        if min(edges) < FLAT and max(edges) > WIDE:
            return f"a stage sees {' x '.join(str(e) for e in edges)} voxels"
    return ""


def _numbers(value: PlanValue) -> list[int]:
    return [int(n) for n in value if isinstance(n, int)] if isinstance(value, list) else []


def _averaging(facts: Facts) -> Decision:
    steps = facts.decided.get(("optimisation", "steps"), 0)
    count = steps if isinstance(steps, int) else 0
    return Decision(
        value=round(min(0.999, max(0.9, 1.0 - 20.0 / max(count, 1))), 4),
        rule="average of about the last twentieth of the steps (Izmailov et al. 2018; exponential, Polyak 1992)",
        evidence=f"{count} steps",
    )


def _validate_every(facts: Facts) -> Decision:
    steps = facts.decided.get(("optimisation", "steps"), 0)
    count = steps if isinstance(steps, int) else 0
    return Decision(value=max(20, count // 10), rule="ten looks at validation patches", evidence=f"{count} steps")


OPTIMISATION: dict[str, Rule] = {
    "batch": _batch,
    "steps": _steps,
    "optimiser": fixed("adamw", "Adam with decoupled weight decay (Loshchilov, Hutter 2019)"),
    "learning_rate": fixed(3e-3, "peak for a U-Net with batch norms and AdamW"),
    "schedule": fixed("cosine", "warm-up, then half a cosine to zero at the end of the minutes"),
    "warmup": fixed(0.05, "a twentieth of the steps"),
    "weight_decay": fixed(0.02, "not on biases and norms"),
    "clip": fixed(5.0, "a single odd batch must not throw the weights"),
    "averaging": _averaging,
    "precision": _precision,
    "validate_every": _validate_every,
    "selection": fixed("last", "the averaged last weights: a few patches are no ground to choose others"),
    "plain_norms": fixed(True, "batch norms end with the statistics of training patches as they will be judged"),
}
"""Rules of section ``optimisation``, in order."""


def _flips(facts: Facts) -> Decision:
    if facts.decided.get(("preparation", "slices")) == "x":
        return Decision(value=[], rule="no mirror image of slices that lie along the side axis", evidence="sagittal")
    names = [t.name for t in facts.targets] + [c for t in facts.targets for c in t.classes]
    sided = next((n for n in names if SIDES.search(n)), None)
    if sided:
        return Decision(value=[], rule="no mirror image where the side matters", evidence=f"class {sided!r}")
    chest = next((s.modality for s in facts.fingerprint.images.values() if s.modality in ("CR", "DX")), None)
    if chest:
        return Decision(
            value=[], rule="no mirror image of a chest: the heart is on the left", evidence=f"modality {chest}"
        )
    free = thin(facts) and primary(facts).ndim == 2
    return Decision(
        value=["y", "x"] if free else ["x"],
        rule="left and right may be exchanged where no class names a side; up and down only where lines are looked for",
        evidence="thin structures" if free else "no class names a side",
    )


def _rotation(facts: Facts) -> Decision:
    free = thin(facts) and primary(facts).ndim == 2
    steep = max(steps_of(facts)) > 2.0
    return Decision(
        value=180.0 if free else 20.0 if primary(facts).ndim == 3 or not steep else 15.0,
        rule="how far patients lie askew, about the axis of the body; lines have no upright",
        evidence="thin structures" if free else "bodies",
    )


def _tilt(facts: Facts) -> Decision:
    volume = axes_seen(facts) == 3 and max(steps_of(facts)) <= 2.0
    return Decision(
        value=15.0 if volume else 0.0,
        rule="volumes are tilted too, where slices do not lie far apart",
        evidence=f"steps {', '.join(f'{s:.2g}' for s in steps_of(facts))}",
    )


def _spacing(facts: Facts) -> Decision:
    steps = steps_of(facts)
    return Decision(
        value=[round(s, 4) for s in steps] if max(steps) > 1.01 else [],
        rule="turned in equal lengths, not in equal voxels",
        evidence=f"steps {', '.join(f'{s:.2g}' for s in steps)}",
    )


AUGMENTATION: dict[str, Rule] = {
    "flips": _flips,
    "rotation_deg": _rotation,
    "tilt_deg": _tilt,
    "scale": fixed([0.75, 1.35], "bodies and fields of view differ"),
    "translation": fixed(0.04, "patches lie anywhere already"),
    "elastic": lambda facts: Decision(
        value=0.0 if axes_seen(facts) == 3 else 0.01,
        rule="soft tissue bends; not in volumes, where it costs more time than it brings",
        evidence=f"{axes_seen(facts)}D",
    ),
    "geometry_chance": fixed(0.5, "half of the patches are turned, scaled and bent"),
    "padding": fixed("zeros", "beyond the case there is nothing"),
    "spacing": _spacing,
    "gamma": fixed([0.7, 1.5], "windows and display curves differ"),
    "contrast": fixed([0.75, 1.3], "gain differs between devices"),
    "brightness": fixed(0.2, "offset differs between devices, in deviations"),
    "blur": fixed(1.0, "sharpness differs between devices, pixels"),
    "noise": fixed(0.2, "dose and coil differ, in deviations"),
    "bias_field": lambda facts: Decision(
        value=0.2 if primary(facts).modality in ("MR", "US") else 0.0,
        rule="coils and probes are stronger near by",
        evidence=primary(facts).modality or "modality unknown",
    ),
    "intensity_chance": fixed(0.2, "a fifth of the patches meet each change of intensity"),
}
"""Rules of section ``augmentation``, in order."""


def _folds(facts: Facts) -> int:
    return max(1, int(facts.wishes.get("folds", "0")))


def _members(facts: Facts) -> Decision:
    asked = facts.wishes.get("members")
    if asked is not None:
        return Decision(value=int(asked), rule="asked for", evidence=f"--members {asked}")
    total = facts.decided.get(("cost", "total_steps"))
    if isinstance(total, int) and halved(facts):
        passes = total * _batch_of(facts) / (_folds(facts) * trained(facts))
        return Decision(
            value=max(1, min(4, int(passes / PASSES_EACH))),
            rule=f"one more for every {PASSES_EACH:g} passes over pictures that the network halves: few cases are "
            "marked wrongly by several alike (busi, validation and test of one split: networks of 12 minutes on one "
            "core .691 to .695 alone, .701 in pairs; one of 17 minutes .695; fewer healthy images marked)",
            evidence=f"{passes:.0f} passes fit",
        )
    if isinstance(total, int) and total >= 2 * _folds(facts) * enough(facts):
        count = min(4, total // (_folds(facts) * enough(facts)))
        return Decision(
            value=count, rule="several where each has all steps that bring anything", evidence=f"{total} fit"
        )
    return Decision(value=1, rule="one network in each fold, with all of its time", evidence=f"{_folds(facts)} fold(s)")


def _workers(facts: Facts) -> Decision:
    members = facts.decided[("ensemble", "members")]
    count = (members if isinstance(members, int) else 1) * _folds(facts)
    possible = 1 if facts.budget.device != "cpu" or facts.budget.processes > 1 else max(1, facts.budget.threads)
    return Decision(
        value=min(possible, count),
        rule="processes of one thread each, side by side: no core waits for another; one network takes all threads",
        evidence=f"{count} network(s), {possible} core(s)",
    )


ENSEMBLE: dict[str, Rule] = {"members": _members, "workers": _workers}
"""Rules of section ``ensemble``, in order."""

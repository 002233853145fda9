"""Rules for the network of dense answers."""

import math

from hounsfield.core.plan import Decision, Facts, PlanValue
from hounsfield.stages.planning.rules import Rule
from hounsfield.stages.planning.rules.dense.shape import (
    STEEP,
    halved,
    power,
    prepared_sizes,
    slices_of,
    steps_of,
    strides_of,
    thin,
)

PASSES = 100.0
"""Passes over all voxels that must still fit with a wider network."""


def _family(facts: Facts) -> Decision:
    if facts.network is not None:
        return Decision(value=facts.network, rule="asked for", evidence=f"--network {facts.network}")
    return Decision(
        value="unet",
        rule="a U-Net with a residual encoder: best or level with newer designs where all are given the same care "
        "(Isensee et al. 2024)",
        evidence="masks are asked for",
    )


def _size(facts: Facts) -> list[int]:
    size = facts.decided[("patch", "size")]
    return [int(n) for n in size if isinstance(n, int)] if isinstance(size, list) else []


def _width(facts: Facts) -> Decision:
    if "max_steps" in facts.wishes:
        return Decision(
            value=8, rule="8 channels in a quick trial", evidence=f"at most {facts.wishes['max_steps']} steps"
        )
    if halved(facts):
        return Decision(
            value=24,
            rule="24 channels behind a stage that halves pictures: the finest grid, which costs most, is left out",
            evidence="the first stage halves",
        )
    median, _ = prepared_sizes(facts)
    total = math.prod(median) * slices_of(facts) * facts.fingerprint.samples
    spare = power(facts) / max(total * PASSES, 1.0)
    width = 32 if spare >= 6.0 else 24 if spare >= 3.0 else 16
    return Decision(
        value=width,
        rule=f"16 channels; 24 or 32 only where more than three or six times {PASSES:g} passes over all voxels fit: "
        "at the same cost more steps bring as much as more channels or more (one seed each; hippocampus, first of 5 "
        "folds, Dice .888 at 16, .887 at 24, .881 at 32; drive, AUC .981 at 16 and at 32; busi, first of 5 folds, .732 "
        "at 16, .705 at 24)",
        evidence=f"{total:,} voxels, {spare * PASSES:.0f} passes fit with 16 channels",
    )


def _strides(facts: Facts) -> Decision:
    found = strides_of(facts, _size(facts))
    return Decision(
        value=[n for stage in found for n in stage],
        rule="each stage halves the axes whose voxels lie close, down to about 4 voxels, in 6 stages at most; the "
        "first one too of pictures in which a small thing has to be found and which are too large for the minutes "
        "(busi, validation and test of one split, one network of 12 minutes on one core: Dice .673 at 96 pixels, "
        "behind such a stage .693 at 128, .694 at 160)",
        evidence=f"patch {' x '.join(str(n) for n in _size(facts))}, "
        f"steps {', '.join(f'{s:.2g}' for s in steps_of(facts))}",
    )


def _kernels(facts: Facts) -> Decision:
    steps = steps_of(facts)
    found: list[PlanValue] = []
    wide = [False] * len(steps)
    for stage in strides_of(facts, _size(facts)):
        steps = [s * n for s, n in zip(steps, stage, strict=True)]
        # an axis that was looked along once stays so, however coarse it becomes beside one that is never halved
        wide = [w or s <= STEEP * min(steps) for w, s in zip(wide, steps, strict=True)]
        found += [3 if w else 1 for w in wide]
    return Decision(
        value=found,
        rule="kernels do not reach across slices that lie more than twice as far apart as the pixels within",
        evidence=f"steps {', '.join(f'{s:.2g}' for s in steps_of(facts))}",
    )


def _depths(facts: Facts) -> Decision:
    count = len(strides_of(facts, _size(facts)))
    return Decision(
        value=[1] * count, rule="one residual block of two convolutions in each stage", evidence=f"{count} stages"
    )


def _max_width(facts: Facts) -> Decision:
    value = 320 if facts.budget.device == "cuda" else 160 if len(_size(facts)) == 3 else 256
    return Decision(value=value, rule="few channels where few voxels are left", evidence=facts.budget.device)


def _deep(facts: Facts) -> Decision:
    count = len(strides_of(facts, _size(facts)))
    value = 0 if thin(facts) else max(0, min(2, count - 2))
    return Decision(
        value=value,
        rule="two coarser outputs are learned too (deep supervision); none where thin structures vanish when shrunk",
        evidence="thin structures" if thin(facts) else f"{count} stages",
    )


def _norm(facts: Facts) -> Decision:
    return Decision(
        value="batch",
        rule="batch norm: its statistics are fixed when it answers, so that a window's answer does not depend on what "
        "else the window holds, and engines fold it into the convolutions",
        evidence="",
    )


NETWORK: dict[str, Rule] = {
    "family": _family,
    "width": _width,
    "max_width": _max_width,
    "depths": _depths,
    "strides": _strides,
    "kernels": _kernels,
    "deep": _deep,
    "norm": _norm,
}
"""Rules of section ``network``, in order."""

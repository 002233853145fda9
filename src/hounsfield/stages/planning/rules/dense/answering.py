"""Rules for how dense answers are given, and what they are set beside."""

from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.rules import Rule
from hounsfield.stages.planning.rules.dense.slicing import axes_seen, primary


def _overlap(facts: Facts) -> Decision:
    value = 0.5 if axes_seen(facts) == 2 or facts.budget.device == "cuda" else 0.4
    return Decision(
        value=value,
        rule="windows overlap by half of their edge, in volumes on a processor by less, which a Gaussian still hides",
        evidence=f"{axes_seen(facts)}D on {facts.budget.device}",
    )


def _views(facts: Facts) -> Decision:
    flips = facts.decided.get(("augmentation", "flips"))
    axes = [str(a) for a in flips] if isinstance(flips, list) else []
    return Decision(
        value=[*axes],
        rule="mirrored views are judged too where training mirrored",
        evidence=f"flips {', '.join(axes) or 'none'}",
    )


def _engine(facts: Facts) -> Decision:
    return Decision(
        value="auto",
        rule="the fastest engine of the machine that answers, with bfloat16 where its processor has it; the report's "
        "figures are of the one that ran",
        evidence=facts.budget.device,
    )


PREDICTION: dict[str, Rule] = {
    "overlap": _overlap,
    "sharpness": lambda facts: Decision(
        value=0.125, rule="an eighth of the edge (Isensee et al. 2021)", evidence=f"{primary(facts).ndim}D"
    ),
    "views": _views,
    "engine": _engine,
}
"""Rules of section ``prediction``, in order."""


def _tolerance(facts: Facts) -> Decision:
    seen = primary(facts)
    if seen.spacing_median is not None:
        value = round(max(1.0, min(seen.spacing_median)), 2)
        return Decision(
            value=value, rule="surface tolerance of NSD: 1 mm, or a voxel where that is more", evidence="mm"
        )
    return Decision(value=2.0, rule="surface tolerance of NSD: 2 pixels where the scale is unknown", evidence="pixels")


JUDGING: dict[str, Rule] = {
    "threshold": lambda facts: Decision(
        value="dice",
        rule="each case is cut where the Dice to be expected of its own probabilities is highest, and left unmarked "
        "where that is low, if this gains on 20 or more validation cases over the one threshold with the highest "
        "mean Dice (busi, one split: .673 and 26% of healthy images marked, .655 and 37% with one threshold); fixed: "
        "one threshold; half: one half",
        evidence="one class, or classes that overlap; else the most probable class is marked",
    ),
    "tolerance_mm": _tolerance,
}
"""Rules of section ``operating_point``, in order."""


def _names(facts: Facts) -> Decision:
    flat = primary(facts).ndim == 2
    return Decision(
        value=["otsu", "forest"] if flat else ["atlas", "threshold"],
        rule="a threshold alone, and the cheapest method that learns: what a network must beat",
        evidence=f"{primary(facts).ndim}D",
    )


BASELINES: dict[str, Rule] = {"names": _names}
"""Rules of section ``baselines``."""

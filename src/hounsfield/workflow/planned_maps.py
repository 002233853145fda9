"""How many signals a report explains along time: as many as the minutes have room for."""

from hounsfield.core.plan import Decision, Plan

MAPS = "maps"
"""Section of the plan."""
MOST = 2
"""Errors that are explained, and right answers."""
TIME_SHARE = 0.03
"""Share of the minutes that they may take."""
UNASKED_S = 60.0
"""The same where nobody said how long a run may take, seconds."""


def planned_maps(plan: Plan, kinds: tuple[str, ...], *, seconds: float, quick: bool) -> Decision:
    """Decide how many errors, and how many right answers, a report explains.

    Parameters
    ----------
    plan : Plan
    kinds : tuple of str
        Of the inputs.
    seconds : float
        That all networks together take for one sample.
    quick : bool
        Whether the run is a trial.
    """
    minutes = plan.budget.minutes
    allowed = UNASKED_S if minutes is None else 60.0 * TIME_SHARE * minutes
    each = 2.0 * copies() * seconds if "signal" in kinds else 0.0
    fits = min(MOST, int(allowed / max(each, 1e-9))) if "signal" in kinds and not quick else 0
    return Decision(
        value=fits,
        rule=f"signals: up to {MOST} errors and as many right answers are explained along time in the report, in at "
        f"most {TIME_SHARE:.0%} of the minutes; images and rows: none; none in a quick trial",
        evidence=f"{', '.join(kinds)}" + (f"; about {each:.1f} s for each pair" if each else ""),
    )


def maps_seconds(decision: Decision, seconds: float) -> float:
    """Return how long the explanations of a report take, where one sample takes so many seconds."""
    count = decision.value if isinstance(decision.value, int) else 0
    return 2.0 * count * copies() * seconds if count else 0.0


def asked_maps(plan: Plan) -> int:
    """Return how many errors, and right answers, a plan has explained in the report; 0 in one of an older version."""
    held = plan.sections.get(MAPS, {}).get("cases")
    return held.value if held is not None and isinstance(held.value, int) else 0


def copies() -> int:
    """Return how many altered copies of a signal a map and its checks take: maps, curves, untrained networks."""
    from hounsfield.learn.explain.curves import STEPS
    from hounsfield.learn.explain.occlusion import PATCHES
    from hounsfield.learn.explain.weights import SHARES
    from hounsfield.stages.explaining.faithfulness import RANDOM

    return (1 + len(SHARES)) * 2 * PATCHES[1] + 2 * (STEPS - 1) * (RANDOM + 2) + 2 * RANDOM + 4

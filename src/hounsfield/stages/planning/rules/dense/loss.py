"""Rules for what the loss of masks is made of."""

from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.rules import Rule
from hounsfield.stages.planning.rules.dense.shape import masks, thin

RARE = 0.005
"""Share of marked voxels below which nearly all of a cross-entropy is background that is right already."""
SMALL = 0.01
"""Share of marked voxels below which a body is a speck in its patch, and the gradient of its Dice nearly flat."""
UNMEASURED = (
    "it is off there too until a paired run (benchmarks.accuracy.annotate.terms) shows that it brings something"
)


def _region(facts: Facts) -> Decision:
    return Decision(
        value=1.0,
        rule="soft Dice and cross-entropy alike (Isensee et al. 2021)",
        evidence=f"{facts.fingerprint.samples} training samples",
    )


def _share(facts: Facts) -> float:
    return min((found.share for found in masks(facts) if found.share > 0), default=1.0)


def _fill(facts: Facts) -> float:
    return min((found.fill for found in masks(facts) if found.fill > 0), default=0.0)


def _focal(facts: Facts) -> Decision:
    asked = _share(facts) < RARE
    return Decision(
        value=0.0,
        rule=f"a focal cross-entropy (Lin et al. 2017) would be asked for where less than {RARE:.1%} is marked; "
        f"{UNMEASURED}; patches are centred near what is marked already; loss.focal of the plan turns it on",
        evidence=f"median share marked {_share(facts):.2%}: {'asked for' if asked else 'not asked for'}",
    )


def _boundary(facts: Facts) -> Decision:
    asked = _share(facts) < SMALL and not thin(facts)
    return Decision(
        value=0.0,
        rule=f"a boundary loss (Kervadec et al. 2019) would be asked for where less than {SMALL:.0%} is marked and it "
        f"is no line; {UNMEASURED}; loss.boundary of the plan turns it on",
        evidence=f"median share marked {_share(facts):.2%}: {'asked for' if asked else 'not asked for'}",
    )


def _skeleton(facts: Facts) -> Decision:
    asked = thin(facts)
    return Decision(
        value=0.0,
        rule="a skeleton loss (soft clDice, Shit et al. 2021) would be asked for where lines are marked; "
        f"{UNMEASURED}; loss.skeleton of the plan turns it on",
        evidence=f"{_fill(facts):.1f} marked voxels for each at a border: {'lines' if asked else 'bodies'}",
    )


LOSS: dict[str, Rule] = {
    "dice": _region,
    "entropy": _region,
    "focal": _focal,
    "boundary": _boundary,
    "skeleton": _skeleton,
}
"""Rules of section ``loss``, in order."""

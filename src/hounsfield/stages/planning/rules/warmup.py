"""Rules for what a network learns before its first answer, and for weights that come from elsewhere."""

from hounsfield.core.kinds import input_kind
from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.recipes import recipe
from hounsfield.stages.planning.rules import Rule

MANY = 3.0
"""Images without answers per training sample from which a warm-up is made."""
FEWEST = 200
"""Images, with answers and without, below which none is made."""
SHARE = 0.3
STEP_COST = 2.1
"""Steps of the fit that one step of the warm-up costs: two views of each image."""
EVIDENCE = (
    "; measured with a quarter of the labels and three quarters as unlabelled, the same total time, mean AUC of 3 "
    "grouped folds: covid-ct .738 to .771 and .721 to .728 (two seeds), busi .815 to .817: no harm, but no gain is "
    "shown, for on covid-ct the fit alone with as few steps as the warm-up left to it gave .765 and .732; so only "
    "where the user gives images, and many"
)


def _counted(facts: Facts) -> tuple[int, int]:
    return int(facts.wishes.get("unlabelled", "0")), facts.fingerprint.samples


def _method(facts: Facts) -> Decision:
    beside, own = _counted(facts)
    lacking = next((k for k in facts.fingerprint.kinds if "unlabelled" in input_kind(k).lacks), None)
    if lacking is not None:
        reason = input_kind(lacking).lacks["unlabelled"]
        return Decision(value="none", rule=f"no warm-up: {reason}", evidence=f"an input is a {lacking}")
    if recipe(facts.network):
        return Decision(value="none", rule="the network's own protocol has none", evidence=f"--network {facts.network}")
    on = beside >= MANY * own and beside + own >= FEWEST
    return Decision(
        value="two-views" if on else "none",
        rule=f"two views of one image shall be alike and of two images differ (VICReg, Bardes et al. 2022), where "
        f"images without answers are at least {MANY:g} times as many as training samples, and {FEWEST} in all"
        f"{EVIDENCE}",
        evidence=f"{beside} images without answers, {own} training samples",
    )


def _on(facts: Facts) -> bool:
    return facts.decided.get(("warmup", "method"), "none") != "none"


def _share(facts: Facts) -> Decision:
    return Decision(
        value=SHARE if _on(facts) else 0.0,
        rule=f"{SHARE:.0%} of the optimisation's time",
        evidence="there is a warm-up" if _on(facts) else "there is none",
    )


def _steps(facts: Facts) -> Decision:
    share, fit = facts.decided[("warmup", "share")], facts.decided.get(("optimisation", "steps"), 0)
    share = float(share) if isinstance(share, int | float) else 0.0
    fit = int(fit) if isinstance(fit, int) else 0
    if "max_steps" in facts.wishes:
        fit = min(fit, int(facts.wishes["max_steps"]))
    return Decision(
        value=round(fit * share / (1.0 - share) / STEP_COST),
        rule=f"so many that they take their share; one costs about {STEP_COST:g} of the fit, for it sees two views",
        evidence=f"{share:.0%} beside {fit} steps",
    )


def _learning_rate(facts: Facts) -> Decision:
    del facts
    return Decision(
        value=1e-3, rule="half of the fit's peak: there are few steps, and no answers to keep them", evidence=""
    )


def _unlabelled(facts: Facts) -> Decision:
    beside, _ = _counted(facts)
    return Decision(
        value=beside,
        rule="every readable image of the folders given that repeats none of the cohort's own, of whatever part",
        evidence="--unlabelled" if "unlabelled" in facts.wishes else "no --unlabelled",
    )


def _digest(facts: Facts) -> Decision:
    return Decision(
        value=facts.wishes.get("unlabelled_digest", ""), rule="SHA-256 over the pixels of these images", evidence=""
    )


def _encoder(facts: Facts) -> Decision:
    given = facts.wishes.get("encoder", "")
    return Decision(
        value=given,
        rule="SHA-256 of the local file that the encoder's first weights come from; nothing is ever fetched",
        evidence="--encoder" if given else "no --encoder: fresh weights",
    )


def _encoder_rate(facts: Facts) -> Decision:
    given = "encoder" in facts.wishes
    return Decision(
        value=0.3 if given else 1.0,
        rule="weights from elsewhere learn at three tenths of the rate of the fresh heads; fresh ones at the same rate",
        evidence="--encoder" if given else "fresh weights",
    )


def _frozen(facts: Facts) -> Decision:
    given = "encoder" in facts.wishes
    return Decision(
        value=0.05 if given else 0.0,
        rule="fresh heads learn alone for the first twentieth of the steps, lest their first errors spoil weights from "
        "elsewhere (Kumar et al. 2022)",
        evidence="--encoder" if given else "fresh weights",
    )


RULES: dict[str, Rule] = {
    "method": _method,
    "share": _share,
    "steps": _steps,
    "learning_rate": _learning_rate,
    "unlabelled": _unlabelled,
    "unlabelled_digest": _digest,
    "encoder": _encoder,
    "encoder_rate": _encoder_rate,
    "frozen": _frozen,
}
"""Rules of section ``warmup``, in order; it comes after ``optimisation``."""

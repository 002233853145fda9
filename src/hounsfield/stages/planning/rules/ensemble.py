"""Rules for how many networks answer together, and who else."""

from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.plan import Decision, Facts, PlanValue
from hounsfield.stages.planning.rules import Rule
from hounsfield.stages.planning.rules.judging import others
from hounsfield.stages.planning.rules.optimisation import enough
from hounsfield.stages.planning.rules.preparation import SMALL

MOST = 8
MOST_ON_BEATS = 16
"""Networks of all folds together that read the signal around each beat: a day of ECG, 109,000 beats, is to be read
within a minute (two cores: 57 s with 15 networks)."""
LEAN = "one network alone where the minutes hold no whole plan"
SLOW_SHARE = 0.2
"""Share of the minutes that another learner beside the networks may take."""
LEAST_SHARE = 0.55
"""Share of the steps that are enough, below which one network with all the time is better than several with a part."""


def _folds(facts: Facts) -> int:
    return max(1, int(facts.wishes.get("folds", "0")))


def _workers_possible(facts: Facts) -> int:
    if facts.budget.device != "cpu" or facts.budget.processes > 1:
        return 1
    return max(1, facts.budget.threads)


def _members(facts: Facts) -> Decision:
    asked = facts.wishes.get("members")
    if asked is not None:
        return Decision(value=int(asked), rule="asked for", evidence=f"--members {asked}")
    if "lean" in facts.wishes:
        return Decision(value=1, rule=LEAN, evidence=f"{facts.budget.minutes:g} minutes at the speed measured here")
    if facts.budget.processes > 1:
        return Decision(
            value=1,
            rule="one network where several processes share each batch",
            evidence=f"{facts.budget.processes} processes",
        )
    if "max_steps" in facts.wishes:
        asked = facts.wishes["max_steps"]
        return Decision(value=1, rule="one network in a quick trial", evidence=f"--max-steps {asked}")
    workers = _workers_possible(facts)
    folds = _folds(facts)
    total = facts.decided.get(("cost", "total_steps"))
    if not isinstance(total, int):
        return Decision(
            value=max(4 if folds == 1 else 2, workers),
            rule="four networks, or two in each fold: the mean of several errs less than one, and what they disagree "
            "on is known to be unsure (Lakshminarayanan et al. 2017)",
            evidence="no limit of time",
        )
    full = enough(facts)
    # Any number from `workers` on keeps all workers busy: members are divided among them (workflow/turns.py), so that
    # three take one and a half rounds of two. Fewer than `workers` would leave one idle.
    most = max(1, min(MOST, MOST_ON_BEATS // folds)) if _reads_beats(facts) else MOST
    fitting = [m for m in range(2, most + 1) if m * folds * full * LEAST_SHARE <= total and m * folds >= workers]
    # More than that only where each still gets all steps that bring something.
    chosen = max((m for m in fitting if m * folds * full <= total), default=min(fitting, default=1))
    return Decision(
        value=chosen,
        rule=f"as many networks as the minutes hold, up to {most}"
        + (", so that a day of beats is read within a minute" if most < MOST else "")
        + ", each with the steps that are enough; at least two "
        f"where each gets {LEAST_SHARE:.0%} of them; else one with all the time (breastmnist, 3 folds, one seed: AUC "
        ".881 of one that was shown 41,000 images, .867 of three of 10,000 each)",
        evidence=f"{total} steps fit in all, {full} are enough for one, {folds} fold(s), {workers} at a time",
    )


def _reads_beats(facts: Facts) -> bool:
    return any(isinstance(seen, SignalFacts) and seen.anchored for seen in facts.fingerprint.inputs.values())


def _variant(facts: Facts) -> Decision:
    sizes = [v for (section, key), v in facts.decided.items() if key == "size" and section.startswith("preparation")]
    edges = [int(n) for size in sizes if isinstance(size, list) for n in size if isinstance(n, int)]
    tiny = max(edges, default=SMALL + 1) <= SMALL and all(i.ndim == 2 for i in facts.fingerprint.images.values())
    other: dict[str, dict[str, PlanValue]] = {
        "wavelet": {"stem": "small", "width": 16},
        "small": {"stem": "wavelet", "width": 32},
    }
    several = facts.decided[("ensemble", "members")] != 1
    chosen = other.get(str(facts.decided.get(("network", "stem"))), {})
    return Decision(
        value=dict(chosen) if tiny and several else {},
        rule=f"up to {SMALL} pixels every second network has the other kind of first layer, learned or of fixed "
        "wavelets: networks that see differently err differently (breastmnist, 3 folds of the training and validation "
        "parts, one seed: AUC .876 and .879 alone, .895 together, against .882 and .887 of two of a kind)",
        evidence=f"longest edge {max(edges, default=0)}",
    )


def _workers(facts: Facts) -> Decision:
    members = facts.decided[("ensemble", "members")]
    count = (members if isinstance(members, int) else 1) * _folds(facts)
    possible = _workers_possible(facts)
    several = count > 1 and possible > 1
    return Decision(
        value=min(possible, count) if several else 1,
        rule="processes of one thread each, side by side: no core waits for another; a single network takes all "
        "threads",
        evidence=f"{count} network(s), {possible} core(s)",
    )


def _features(facts: Facts) -> Decision:
    if "lean" in facts.wishes:
        return Decision(value=False, rule=LEAN, evidence="")
    if "causal" in facts.wishes:
        return Decision(value=False, rule="networks alone: no other learner follows a live series", evidence="--causal")
    if set(facts.fingerprint.kinds) != {"image"}:
        return _other_features(facts)
    small = facts.fingerprint.samples <= 5000
    if facts.budget.processes > 1 or "max_steps" in facts.wishes:
        return Decision(value=False, rule="networks alone in a quick trial or beside other processes", evidence="")
    return Decision(
        value=small,
        rule="up to 5,000 training samples a linear model on fixed features stands beside the networks; validation "
        "outputs weigh it, down to nothing",
        evidence=f"{facts.fingerprint.samples} training samples",
    )


def _other_features(facts: Facts) -> Decision:
    kinds, n = ", ".join(facts.fingerprint.kinds), facts.fingerprint.samples
    strongest = next(iter(others(facts)), None)
    if strongest is None:
        return Decision(value=False, rule="no learner takes images beside other inputs", evidence=kinds)
    taken = facts.decided.get(("cost", "beside"))
    seconds = float(taken) if isinstance(taken, int | float) else 0.0
    minutes = facts.budget.minutes
    fits = minutes is None or seconds * _folds(facts) <= SLOW_SHARE * 60.0 * minutes
    return Decision(
        value=n <= 5000 and fits,
        rule=f"up to 5,000 training samples the strongest of the others ({strongest}) stands beside the networks, if "
        f"it takes no more than {SLOW_SHARE:.0%} of the minutes; validation outputs weigh it, down to nothing",
        evidence=f"{n} training samples, {kinds}" + (f", {seconds:.1f} s" if seconds else ""),
    )


def _beside(facts: Facts) -> Decision:
    strongest = next(iter(others(facts)), "features")
    return Decision(
        value=strongest,
        rule="random kernels on signals of one rate; trees on irregular ones and on rows",
        evidence=", ".join(facts.fingerprint.kinds),
    )


def _views(facts: Facts) -> Decision:
    flips = facts.decided.get(("augmentation", "flips"))
    axes = [str(a) for a in flips] if isinstance(flips, list) else []
    return Decision(
        value=list(axes[:1]),
        rule="the mirrored image is judged too where training mirrored it (test-time augmentation)",
        evidence=f"flips {', '.join(axes) or 'none'}",
    )


RULES: dict[str, Rule] = {
    "members": _members,
    "variant": _variant,
    "workers": _workers,
    "features": _features,
    "views": _views,
}
"""Rules of section ``ensemble``, in order; ``cost/total_steps`` counts steps of one thread side by side."""

OTHERS: dict[str, Rule] = {**RULES, "beside": _beside}
"""The same where not all inputs are images."""

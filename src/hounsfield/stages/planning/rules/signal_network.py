"""Rules for the network that reads signals: its family, its size, and what it is compared with."""

from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.plan import Decision, Facts, PlanValue
from hounsfield.stages.planning.rules import Rule, beats, fixed
from hounsfield.stages.planning.rules.signal_facts import (
    EPOCHS,
    SLOWER,
    affordable_steps,
    causal,
    decided_rate,
    decided_steps,
    irregular,
    most_leads,
    seen_of,
)

SHORT = 64
"""Steps up to which a recurrent network reads a series of several leads step by step."""


def network(names: tuple[str, ...], facts: Facts) -> dict[str, Rule]:
    """Return the rules of section ``network``, or of the encoders, of signal inputs.

    Parameters
    ----------
    names : tuple of str
        The signal inputs; the longest decides.
    facts : Facts
        With the decisions on their preparation.
    """
    chosen = str(_family(names, facts).value)
    common: dict[str, Rule] = {"family": lambda now: _family(names, now), "times": lambda now: _net_times(names, now)}
    if chosen == "recurrent":
        return {
            **common,
            "missing": lambda now: _missing(names, now, chosen),
            "frame": lambda now: _frame(names, now),
            "width": _state,
            **(_CAUSAL if causal(facts) else _FINISHED),
            "dropout": _dropout,
        }
    trunk: dict[str, Rule] = {
        **common,
        "missing": lambda now: _missing(names, now, chosen),
        "width": _width,
        "depths": lambda now: _depths(names, now),
        "kernels": lambda now: _kernels(names, now),
        "shorten": lambda now: _shorten(names, now),
        "dropout": _dropout,
    }
    if chosen == "convolutional":
        why = "mean and maximum over time side by side: how much, and whether anywhere"
        return {**trunk, "pooling": fixed("mean+max", why)}
    return {**trunk, "pooling": fixed("attention", "a weighted mean over time: what matters may lie anywhere")}


def _family(names: tuple[str, ...], facts: Facts) -> Decision:
    steps, leads = decided_steps(names, facts), most_leads(names, facts)
    n = facts.fingerprint.samples
    told = f"{steps} steps, {leads} lead(s), {n} training samples, "
    told += "irregular times" if irregular(names, facts) else "one rate"
    if causal(facts):
        return Decision(
            value="recurrent",
            rule="asked to follow live series: a recurrence carries all that it has to remember from step to step",
            evidence=f"--causal; {told}",
        )
    if facts.network in ("convolutional", "recurrent", "convolutional-recurrent"):
        return Decision(value=facts.network, rule="asked for by name", evidence=f"--network {facts.network}; {told}")
    if irregular(names, facts):
        return Decision(
            value="recurrent",
            rule="a recurrent network carries over what was last seen, and how long ago (GRU-D, Che et al. 2018); a "
            "convolution would take unequal gaps for equal ones",
            evidence=told,
        )
    if any(seen_of(facts, name).anchored for name in names):
        return Decision(
            value="recurrent",
            rule="a beat is some dozen frames, which a recurrent network reads one after the other for less than "
            "convolutions cost (MIT-BIH DS1 in four parts by record, one seed, rows and the usual beat beside: mean "
            "sensitivity .67, jk .69 after 38 s of one thread; convolutions .64 and .69 after 63 s)",
            evidence=told,
        )
    if steps <= SHORT and leads >= 3:
        return _short(steps, told, facts)
    return Decision(
        value="convolutional",
        rule="residual convolutions along time: the family that learns most from few series of one rate, whose steps "
        "are computed side by side (Wang et al. 2017; Ismail Fawaz et al. 2020)",
        evidence=told,
    )


def _short(steps: int, told: str, facts: Facts) -> Decision:
    """Choose the family for short series of several leads: by whether the budget holds a recurrent network."""
    held = affordable_steps(facts, slower=SLOWER)
    fits = steps <= held
    return Decision(
        value="recurrent" if fits else "convolutional",
        rule=f"up to {SHORT} steps of several leads a recurrent network reads them all, one after the other, where the "
        f"budget holds {EPOCHS:g} passes; it takes {SLOWER:g} times as long for a step as a convolution, whose steps "
        "are computed side by side, and which is taken otherwise",
        evidence=f"{told}; the budget holds {held} recurrent steps of each",
    )


def _net_times(names: tuple[str, ...], facts: Facts) -> Decision:
    found = irregular(names, facts)
    return Decision(
        value=found,
        rule="channel 0 is the time of each step where times are irregular",
        evidence="irregular times" if found else "one rate",
    )


def _missing(names: tuple[str, ...], facts: Facts, family: str) -> Decision:
    share = max(seen_of(facts, name).missing_share for name in names)
    lacking = any(s > 0 for name in names for s in seen_of(facts, name).empty_share)
    told = f"{share:.1%} of the values are missing" + (", some leads throughout" if lacking else "")
    if share < 0.005 and not lacking:
        return Decision(value="mean", rule="a rare gap counts as the mean", evidence=told)
    if family == "recurrent" and irregular(names, facts):
        return Decision(
            value="decay",
            rule="what was last seen fades towards the mean as time goes by (GRU-D, Che et al. 2018)",
            evidence=told,
        )
    return Decision(value="flags", rule="a channel beside each lead says where it is missing", evidence=told)


def _frame(names: tuple[str, ...], facts: Facts) -> Decision:
    steps = decided_steps(names, facts)
    rate = max((decided_rate(name, facts) for name in names if seen_of(facts, name).anchored), default=0.0)
    if rate:
        return Decision(
            value=max(1, round(rate / beats.FRAME_HZ)),
            rule=f"about {beats.FRAME_HZ:g} steps in a second: a third of a narrow QRS complex is one",
            evidence=f"{steps} samples at {rate:g} Hz",
        )
    frame = 1 if irregular(names, facts) else max(1, steps // SHORT)
    return Decision(
        value=frame,
        rule=f"about {SHORT} to {2 * SHORT} steps: of longer series several samples are one step",
        evidence=f"{steps} samples",
    )


def _state(facts: Facts) -> Decision:
    n = facts.fingerprint.samples
    if beats.few(facts):
        return Decision(
            value=beats.WIDTH,
            rule=f"a state of {beats.WIDTH} numbers in each direction for beats of few patients: what differs between "
            "hearts is seen as often as there are hearts",
            evidence=beats.counted(facts),
        )
    return Decision(
        value=32 if n < 500 else 64,
        rule="a state of 32 numbers below 500 samples, else 64, in each direction",
        evidence=f"{n} training samples",
    )


def _width(facts: Facts) -> Decision:
    n = facts.fingerprint.samples
    return Decision(
        value=16 if n < 100 else 32,
        rule="16 channels below 100 samples, else 32; twice as many in each later stage",
        evidence=f"{n} training samples",
    )


def _depths(names: tuple[str, ...], facts: Facts) -> Decision:
    steps = decided_steps(names, facts)
    stages = 3 if steps <= 512 else 4
    return Decision(
        value=[1] * stages,
        rule="three stages of one block up to 512 steps, four above",
        evidence=f"{steps} steps",
    )


def _kernels(names: tuple[str, ...], facts: Facts) -> Decision:
    steps = decided_steps(names, facts)
    longest = [9, 19, 39]
    fitting: list[PlanValue] = [k for k in longest if k <= max(9, steps // 3)]
    return Decision(
        value=fitting,
        rule="kernels of 9, 19 and 39 steps side by side, so that sharp and slow waves are seen at once (Ismail Fawaz "
        "et al. 2020); none longer than a third of the series",
        evidence=f"{steps} steps",
    )


def _shorten(names: tuple[str, ...], facts: Facts) -> Decision:
    steps = decided_steps(names, facts)
    halvings = 0 if steps <= 256 else 1 if steps <= 1024 else 2
    return Decision(
        value=halvings,
        rule="halved once, anti-aliased, right behind the first convolution above 256 steps, twice above 1,024",
        evidence=f"{steps} steps",
    )


def _dropout(facts: Facts) -> Decision:
    number = next((t.name for t in facts.targets if t.kind == "number"), None)
    if number is not None:
        return Decision(
            value=0.0,
            rule="none beside a number: dropped features change the scale of what a linear head adds up",
            evidence=f"target {number!r}",
        )
    few = facts.fingerprint.samples < 2000
    return Decision(
        value=0.2 if few else 0.1,
        rule="0.2 below 2,000 samples, 0.1 above (Srivastava et al. 2014)",
        evidence=f"{facts.fingerprint.samples} training samples",
    )


_FINISHED: dict[str, Rule] = {
    "bidirectional": fixed(True, "a finished series is read from both ends"),
    "pooling": fixed("attention", "a weighted mean over time: what matters may lie anywhere"),
}
_CAUSAL: dict[str, Rule] = {
    "bidirectional": fixed(False, "asked to follow live series: what comes later is not known (--causal)"),
    "pooling": fixed("last", "the state after the last step: all that is known so far"),
}


def baselines(facts: Facts) -> tuple[str, ...]:
    """Return what a network on signals is compared with, the strongest first.

    Parameters
    ----------
    facts : Facts

    Notes
    -----
    At one rate random kernels with a ridge (ROCKET: Dempster et al. 2020); at irregular times trees and a ridge on
    summaries. The nearest neighbour is none of them: it would put recordings of patients into the bundle.
    """
    signals = [seen for seen in facts.fingerprint.inputs.values() if isinstance(seen, SignalFacts)]
    if any(seen.irregular for seen in signals):
        return ("trees", "summaries")
    return ("kernels",)

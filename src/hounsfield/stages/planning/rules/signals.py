"""Rules for signals: how they are prepared, which network reads them, and how large it is."""

from collections.abc import Callable
from typing import cast

from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.plan import Decision, Facts, PlanValue
from hounsfield.stages.planning.rules import Rule, beats

MOST_STEPS = 4096
"""Steps that a network looks at in one signal, at most."""
MOST_AROUND = 1024
"""The same around an anchor: there are tens of thousands of them."""
LEAST_STEPS = 16
STEPS_PER_CORE_MINUTE = 6e7
"""Time steps of a convolutional network of width 32 that one thread trains on in a minute: 1 microsecond each."""
SLOWER = 8.0
"""How many times longer a recurrent network takes for a step: it cannot begin one before the last is done."""
EPOCHS = 30.0
ENOUGH_HZ = {"mV": 100.0, "uV": 100.0, "mmHg": 60.0}
"""Rates below which a wave would lose what it is read for: QRS complexes (to 40 Hz), pressure upstrokes (to 25 Hz)."""
GAP_BEST = 0.8
MOST_GAP, LEAST_GAP = 2.0, 0.25
SHORT = 64
"""Steps up to which a recurrent network reads a series of several leads step by step."""


def preparation(name: str, facts: Facts) -> dict[str, Rule]:
    """Return the rules of section ``preparation.<name>`` for a signal input.

    Parameters
    ----------
    name : str
    facts : Facts
        Which keys there are depends on what is known of the signals: an anchor, a rate, irregular times.
    """

    def about(rule: Callable[[SignalFacts, Facts], Decision]) -> Rule:
        return lambda now: rule(seen_of(now, name), now)

    def length(rule: Callable[[SignalFacts, Facts, str], Decision]) -> Rule:
        return lambda now: rule(seen_of(now, name), now, name)

    seen = seen_of(facts, name)
    around = {"before_s": about(_before), "after_s": about(_after)} if seen.anchored else {}
    rate = {"rate_hz": length(_rate)} if seen.rate_hz is not None else {}
    times = {"times": about(_times)} if seen.irregular else {}
    return {
        "leads": about(_leads),
        "optional": about(_optional),
        "units": about(_units),
        **around,
        **rate,
        "steps": length(_steps),
        **times,
        "scale": about(_causal_scale if causal(facts) else _scale),
        "mean": about(_mean),
        "std": about(_std),
        "storage": about(_storage),
    }


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
        return {**trunk, "pooling": _fixed("mean+max", why)}
    return {**trunk, "pooling": _fixed("attention", "a weighted mean over time: what matters may lie anywhere")}


def causal(facts: Facts) -> bool:
    """Whether a plan was asked for that can follow a live series."""
    return "causal" in facts.wishes


def seen_of(facts: Facts, name: str) -> SignalFacts:
    """Return what is known of a signal input."""
    return cast(SignalFacts, facts.fingerprint.inputs[name])


def _leads(seen: SignalFacts, facts: Facts) -> Decision:
    del facts
    return Decision(
        value=list(seen.leads),
        rule="leads that at least half of the training signals have, in one order, found under their synonyms",
        evidence=f"{len(seen.leads)} lead(s)",
    )


def _optional(seen: SignalFacts, facts: Facts) -> Decision:
    lacking = [lead for lead, share in zip(seen.leads, seen.empty_share, strict=True) if share > 0]
    return Decision(
        value=list(lacking),
        rule="a lead that some training signals lack may be missing; a signal that lacks another one is refused",
        evidence=f"{len(lacking)} of {len(seen.leads)} are empty somewhere in {facts.fingerprint.samples} signals",
    )


def _units(seen: SignalFacts, facts: Facts) -> Decision:
    del facts
    told = ", ".join(dict.fromkeys(u for u in seen.units if u)) or "none recorded"
    return Decision(value=list(seen.units), rule="the training signals' own; others are converted", evidence=told)


def _before(seen: SignalFacts, facts: Facts) -> Decision:
    return _around(seen, facts, beats.BEFORE_S)


def _after(seen: SignalFacts, facts: Facts) -> Decision:
    return _around(seen, facts, beats.AFTER_S)


def _around(seen: SignalFacts, facts: Facts, own: float) -> Decision:
    if beats.voltages(seen) and beats.told(facts, beats.INTERVALS):
        return Decision(
            value=own,
            rule="the beat itself, from before its P wave to behind its T wave: a row beside it tells how early it "
            "comes, which a network learns from few hearts only as a number (MIT-BIH DS1, halves by record, one seed, "
            "convolutions: mean sensitivity .37 of a second on either side, .54 of the beat with the row)",
            evidence="a row tells the intervals before and after",
        )
    gap = seen.anchor_gap_s
    wanted = min(MOST_GAP, max(LEAST_GAP, gap if gap is not None else GAP_BEST))
    return Decision(
        value=round(wanted, 3),
        rule="as far as the neighbouring beat usually lies, on either side: what came too early or too wide is seen "
        f"beside what is usual; {LEAST_GAP:g} to {MOST_GAP:g} s",
        evidence=f"median distance of neighbours {gap:.2f} s" if gap is not None else "distances are not known",
    )


def _span(seen: SignalFacts, facts: Facts, name: str) -> float | None:
    """Return how many seconds are looked at; None where nothing tells."""
    if not seen.anchored:
        return seen.duration_high_s
    held = [facts.decided.get((f"preparation.{name}", key)) for key in ("before_s", "after_s")]
    return sum(float(v) for v in held if isinstance(v, int | float))


def _room(seen: SignalFacts, facts: Facts) -> int:
    """Return how many steps of a signal the budget holds."""
    minutes = facts.budget.minutes if facts.budget.minutes is not None else 30.0
    power = minutes * max(facts.machine.cores, 1) * (20.0 if facts.machine.device == "cuda" else 1.0)
    n = max(facts.fingerprint.samples, 200) * max(1, int(facts.wishes.get("folds", "0")))
    slower = SLOWER if seen.irregular else 1.0
    affordable = int(power * STEPS_PER_CORE_MINUTE / slower / (EPOCHS * n))
    return max(LEAST_STEPS, min(MOST_AROUND if seen.anchored else MOST_STEPS, affordable))


def _rate(seen: SignalFacts, facts: Facts, name: str) -> Decision:
    own = seen.rate_hz or 1.0
    span = _span(seen, facts, name)
    room = _room(seen, facts)
    least = max((ENOUGH_HZ[u] for u in seen.units if u in ENOUGH_HZ), default=0.0)
    chosen = own
    if span is not None and span * own > room:
        chosen = min(own, max(room / span, least))
    if beats.of_hearts(seen) and chosen > beats.ENOUGH_HZ:
        rate = float(f"{min(chosen, own / max(1, int(own / beats.ENOUGH_HZ + 1e-6))):.6g}")
        return Decision(
            value=rate,
            rule=f"a whole fraction of the median rate, not under {beats.ENOUGH_HZ:g} Hz, behind an anti-aliasing "
            "filter: QRS complexes reach to 40 Hz, and every further sample is a step more for the network; less where "
            "the budget holds less",
            evidence=f"{own:g} Hz ({seen.rate_low:g} to {seen.rate_high:g}), room for {room} steps",
        )
    rounded = float(f"{chosen:.4g}") if chosen < own else own
    return Decision(
        value=rounded,
        rule="the median rate of the training signals; lower, behind an anti-aliasing filter, where the signals would "
        f"be longer than the budget holds{f', but not under {least:g} Hz' if least else ''}",
        evidence=f"{own:g} Hz ({seen.rate_low:g} to {seen.rate_high:g}), "
        + (f"{span:.4g} s, {room} steps" if span is not None else f"length unknown, {room} steps"),
    )


def _steps(seen: SignalFacts, facts: Facts, name: str) -> Decision:
    room = _room(seen, facts)
    rate = facts.decided.get((f"preparation.{name}", "rate_hz"))
    span = _span(seen, facts, name)
    if isinstance(rate, int | float) and span is not None:
        wanted = max(2, round(span * float(rate)))
        what = f"{span:.4g} s at {float(rate):g} Hz"
    else:
        wanted, what = max(2, seen.steps_high), f"95th percentile {seen.steps_high}, median {seen.steps_median}"
    exact = seen.anchored or seen.steps_low == seen.steps_high
    cut = MOST_STEPS if exact else room
    end = "beginning" if seen.irregular else "end"
    return Decision(
        value=min(wanted, max(cut, LEAST_STEPS)),
        rule=f"as long as nearly every training signal; of longer ones, and where the budget holds less, the {end} is "
        "cut off; shorter ones are filled up with missing values",
        evidence=f"{what}, room for {room}",
    )


def _times(seen: SignalFacts, facts: Facts) -> Decision:
    del seen, facts
    return Decision(
        value=True,
        rule="times are kept as they are, beside the values: how long ago something was measured, and that it was "
        "measured at all, tells something",
        evidence="irregular times",
    )


def _scale(seen: SignalFacts, facts: Facts) -> Decision:
    if seen.own_scale:
        return Decision(
            value="none",
            rule="every series has mean 0 and deviation 1 already",
            evidence="so in the training part",
        )
    if beats.of_hearts(seen) and beats.told(facts, beats.FORMS):
        return Decision(
            value="own",
            rule="each beat by its own mean and deviation: amplitudes differ between hearts and electrodes, and a row "
            "beside it tells how this one differs from the usual beat of its record (MIT-BIH DS1 in four parts by "
            "record, one seed: accuracy .928, jk .653, against .911 and .645 with amplitudes kept)",
            evidence=f"unit {seen.units[0]}, a row tells the form",
        )
    if beats.voltages(seen):
        return Decision(
            value="level",
            rule="voltages drift: each signal less its own mean, over the training part's deviation, so that "
            "amplitudes keep their meaning",
            evidence=f"unit {seen.units[0]}",
        )
    return Decision(
        value="training",
        rule="each lead by the training part's mean and deviation, so that level and amplitude keep their meaning",
        evidence=", ".join(dict.fromkeys(u or "no unit" for u in seen.units)),
    )


def _mean(seen: SignalFacts, facts: Facts) -> Decision:
    return Decision(
        value=list(seen.mean), rule="of each lead", evidence=f"{facts.fingerprint.samples} training signals"
    )


def _std(seen: SignalFacts, facts: Facts) -> Decision:
    return Decision(
        value=[max(s, 1e-6) for s in seen.std],
        rule="of each lead",
        evidence=f"{facts.fingerprint.samples} training signals",
    )


def _storage(seen: SignalFacts, facts: Facts) -> Decision:
    many = facts.fingerprint.samples > 20_000 and not seen.irregular
    return Decision(
        value="float16" if many else "float32",
        rule="float16 holds 11 bits, as the converters of most recorders do; only where there are many",
        evidence=f"{facts.fingerprint.samples} training signals",
    )


def _decided_steps(names: tuple[str, ...], facts: Facts) -> int:
    found = [facts.decided.get((f"preparation.{name}", "steps")) for name in names]
    return max((int(v) for v in found if isinstance(v, int)), default=MOST_STEPS)


def _irregular(names: tuple[str, ...], facts: Facts) -> bool:
    return any(seen_of(facts, name).irregular for name in names)


def _most_leads(names: tuple[str, ...], facts: Facts) -> int:
    return max(len(seen_of(facts, name).leads) for name in names)


def _family(names: tuple[str, ...], facts: Facts) -> Decision:
    steps, leads = _decided_steps(names, facts), _most_leads(names, facts)
    n = facts.fingerprint.samples
    told = f"{steps} steps, {leads} lead(s), {n} training samples, "
    told += "irregular times" if _irregular(names, facts) else "one rate"
    if causal(facts):
        return Decision(
            value="recurrent",
            rule="asked to follow live series: a recurrence carries all that it has to remember from step to step",
            evidence=f"--causal; {told}",
        )
    if facts.network in ("convolutional", "recurrent", "convolutional-recurrent"):
        return Decision(value=facts.network, rule="asked for by name", evidence=f"--network {facts.network}; {told}")
    if _irregular(names, facts):
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
        return Decision(
            value="recurrent",
            rule=f"up to {SHORT} steps of several leads a recurrent network reads them all, one after the other, "
            "within the budget; longer series cost it a multiple of what a convolution takes",
            evidence=told,
        )
    return Decision(
        value="convolutional",
        rule="residual convolutions along time: the family that learns most from few series of one rate, whose steps "
        "are computed side by side (Wang et al. 2017; Ismail Fawaz et al. 2020)",
        evidence=told,
    )


def _net_times(names: tuple[str, ...], facts: Facts) -> Decision:
    found = _irregular(names, facts)
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
    if family == "recurrent" and _irregular(names, facts):
        return Decision(
            value="decay",
            rule="what was last seen fades towards the mean as time goes by (GRU-D, Che et al. 2018)",
            evidence=told,
        )
    return Decision(value="flags", rule="a channel beside each lead says where it is missing", evidence=told)


def _frame(names: tuple[str, ...], facts: Facts) -> Decision:
    steps = _decided_steps(names, facts)
    rate = max((_decided_rate(name, facts) for name in names if seen_of(facts, name).anchored), default=0.0)
    if rate:
        return Decision(
            value=max(1, round(rate / beats.FRAME_HZ)),
            rule=f"about {beats.FRAME_HZ:g} steps in a second: a third of a narrow QRS complex is one",
            evidence=f"{steps} samples at {rate:g} Hz",
        )
    frame = 1 if _irregular(names, facts) else max(1, steps // SHORT)
    return Decision(
        value=frame,
        rule=f"about {SHORT} to {2 * SHORT} steps: of longer series several samples are one step",
        evidence=f"{steps} samples",
    )


def _decided_rate(name: str, facts: Facts) -> float:
    rate = facts.decided.get((f"preparation.{name}", "rate_hz"))
    return float(rate) if isinstance(rate, int | float) else 0.0


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
    steps = _decided_steps(names, facts)
    stages = 3 if steps <= 512 else 4
    return Decision(
        value=[1] * stages,
        rule="three stages of one block up to 512 steps, four above",
        evidence=f"{steps} steps",
    )


def _kernels(names: tuple[str, ...], facts: Facts) -> Decision:
    steps = _decided_steps(names, facts)
    longest = [9, 19, 39]
    fitting: list[PlanValue] = [k for k in longest if k <= max(9, steps // 3)]
    return Decision(
        value=fitting,
        rule="kernels of 9, 19 and 39 steps side by side, so that sharp and slow waves are seen at once (Ismail Fawaz "
        "et al. 2020); none longer than a third of the series",
        evidence=f"{steps} steps",
    )


def _shorten(names: tuple[str, ...], facts: Facts) -> Decision:
    steps = _decided_steps(names, facts)
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


def _fixed(value: PlanValue, rule: str) -> Rule:
    return lambda facts: Decision(value=value, rule=rule, evidence=f"{facts.fingerprint.samples} training samples")


def _causal_scale(seen: SignalFacts, facts: Facts) -> Decision:
    del facts
    return Decision(
        value="none" if seen.own_scale else "training",
        rule="asked to follow live series: by the training part's mean and deviation, as a series' own are not known "
        "before its end",
        evidence="--causal",
    )


_FINISHED: dict[str, Rule] = {
    "bidirectional": _fixed(True, "a finished series is read from both ends"),
    "pooling": _fixed("attention", "a weighted mean over time: what matters may lie anywhere"),
}
_CAUSAL: dict[str, Rule] = {
    "bidirectional": _fixed(False, "asked to follow live series: what comes later is not known (--causal)"),
    "pooling": _fixed("last", "the state after the last step: all that is known so far"),
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

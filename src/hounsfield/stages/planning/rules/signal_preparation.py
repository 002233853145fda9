"""Rules for the preparation of signals: which leads, how much of them, at which rate and on which scale."""

from collections.abc import Callable

from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.rules import Rule, beats
from hounsfield.stages.planning.rules.signal_facts import MOST_STEPS, SLOWER, affordable_steps, causal, seen_of

MOST_AROUND = 1024
"""The same around an anchor: there are tens of thousands of them."""
LEAST_STEPS = 16
ENOUGH_HZ = {"mV": 100.0, "uV": 100.0, "mmHg": 60.0}
"""Rates below which a wave would lose what it is read for: QRS complexes (to 40 Hz), pressure upstrokes (to 25 Hz)."""
GAP_BEST = 0.8
MOST_GAP, LEAST_GAP = 2.0, 0.25


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
    affordable = affordable_steps(facts, slower=SLOWER if seen.irregular else 1.0)
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


def _causal_scale(seen: SignalFacts, facts: Facts) -> Decision:
    del facts
    return Decision(
        value="none" if seen.own_scale else "training",
        rule="asked to follow live series: by the training part's mean and deviation, as a series' own are not known "
        "before its end",
        evidence="--causal",
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

"""Beats of few hearts: what tens of thousands of samples of some dozen patients ask of a plan.

A record of half an hour holds two thousand beats and one heart: what differs from heart to heart is seen as often as
there are patients, however many beats there are.
"""

from hounsfield.core.fingerprint import RowFacts, SignalFacts
from hounsfield.core.plan import Facts

FEW_PATIENTS = 100
MANY_EACH = 20
BEFORE_S, AFTER_S = 0.3, 0.5
"""From before the P wave to behind the T wave, about the mark of a beat."""
ENOUGH_HZ = 120.0
"""QRS complexes reach to 40 Hz: three samples of the fastest wave that is read."""
FRAME_HZ = 30.0
"""A frame is a thirtieth of a second, a third of a narrow QRS complex."""
BATCH = 128
LEARNING_RATE = 3e-3
EPOCHS = 2.0
"""MIT-BIH DS1, five records left out, one network and seed, rows beside: jk .818 after 2 epochs, .779 after 8 (a trial
outside the plan; mean sensitivity .60 and .63)."""
EPOCHS_AROUND = 3.0
"""Where a recurrent network reads the rows of the beats around: MIT-BIH DS1 in four parts by record, two networks of
one seed: jk .759 after 3 epochs, .745 after 6 (a trial outside the plan; mean sensitivity .66 and .64)."""
AROUND = 10
"""Beats on either side whose rows are read with a beat's own."""
WIDTH = 32
INTERVALS, FORMS = ("pre_rr", "post_rr"), ("form_unlikeness", "form_size")
"""Variables of rows that tell how early a beat comes, and how it differs from the usual one of its record."""
VOLTAGES = frozenset({"mV", "uV", "V"})


def voltages(seen: SignalFacts) -> bool:
    """Whether all leads are voltages between electrodes, whose level drifts and means nothing."""
    return bool(seen.units) and all(u in VOLTAGES for u in seen.units)


def of_hearts(seen: SignalFacts) -> bool:
    """Whether samples are places in electrocardiograms."""
    return seen.anchored and voltages(seen)


def told(facts: Facts, names: tuple[str, ...]) -> bool:
    """Whether a row beside the signal has these variables."""
    rows = [seen for seen in facts.fingerprint.inputs.values() if isinstance(seen, RowFacts)]
    return any(all(n in seen.columns for n in names) for seen in rows)


def around(facts: Facts) -> bool:
    """Whether it was decided that the rows of neighbouring beats are read."""
    return any(bool(value) for (_, key), value in facts.decided.items() if key == "around")


def few(facts: Facts) -> bool:
    """Whether the samples are many beats each of few patients."""
    seen = facts.fingerprint
    return seen.anchored and seen.patients < FEW_PATIENTS and seen.samples >= MANY_EACH * seen.patients


def counted(facts: Facts) -> str:
    """Return how many beats of how many patients there are."""
    return f"{facts.fingerprint.samples} training beats of {facts.fingerprint.patients} patients"

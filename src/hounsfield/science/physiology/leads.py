"""Names of electrocardiogram leads, their standard order, and whether they contradict each other."""

from dataclasses import dataclass, replace

import numpy as np

from hounsfield.core.leads import STANDARD, ordered_names, standard_lead
from hounsfield.core.signal import Signal
from hounsfield.core.types import Float64Array
from hounsfield.core.units import conversion
from hounsfield.science.physiology.filters import band_pass, filled

__all__ = ["STANDARD", "LeadFault", "in_standard_order", "lead_faults", "ordered_names", "standard_lead"]

CLEAR_CORRELATION = 0.85
"""Two leads that agree so far over QRS complexes are taken for the same."""
SAMPLES_LOOKED_AT = 200_000
COMPARED = (*STANDARD[:6], "V6")
"""Leads that a law binds, and one that tells which way lead I should point."""


def in_standard_order(signal: Signal) -> Signal:
    """Return a signal with its standard leads first, in the standard order and by their standard names.

    Parameters
    ----------
    signal : Signal

    Returns
    -------
    Signal
        The same values; leads of no standard name follow in their order. A lead whose standard name is taken already
        (``MLII`` beside ``II``) keeps its own name.
    """
    named: dict[str, int] = {}
    for row, name in enumerate(signal.leads):  # a plain name goes before a modified lead of the same name
        found = standard_lead(name, beside=signal.leads)
        if found and (found not in named or name.casefold() == found.casefold()):
            named[found] = row
    first = [(name, named[name]) for name in STANDARD if name in named]
    taken = {row for _, row in first}
    rest = [(name, row) for row, name in enumerate(signal.leads) if row not in taken]
    order = [row for _, row in first + rest]
    return replace(
        signal,
        array=np.ascontiguousarray(signal.array[order]),
        leads=tuple(name for name, _ in first + rest),
        units=tuple(signal.units[row] for row in order),
    )


@dataclass(frozen=True)
class LeadFault:
    """Leads that contradict each other.

    Parameters
    ----------
    kind : str
        ``"swapped"`` (two leads carry each other's names), ``"reversed"`` (a lead is upside down), ``"inconsistent"``
        (a law does not hold, and no exchange mends it), ``"arms"`` (left and right arm electrodes look exchanged).
    leads : tuple of str
    evidence : str
        The figure that says so.
    """

    kind: str
    leads: tuple[str, ...]
    evidence: str

    @property
    def name(self) -> str:
        """What is wrong with which leads, such as ``"aVR and aVL swapped"``."""
        if self.kind == "arms":
            return "arm electrodes exchanged"
        return f"{' and '.join(self.leads)} {self.kind}"


def lead_faults(signal: Signal) -> tuple[LeadFault, ...]:
    """Return where the limb leads of an electrocardiogram contradict Einthoven's and Goldberger's laws.

    Parameters
    ----------
    signal : Signal
        With a rate; leads under any of their names, in any units of voltage.

    Notes
    -----
    Of I, II and III, II = I + III; aVR = -(I + II) / 2, aVL = I - II / 2, aVF = II - I / 2, so that the three add up
    to 0. Each augmented lead is compared with what I and II say (0.5 to 40 Hz); a sum alone does not tell swapped
    aVR and aVL, since it stays 0. Exchanged arm electrodes keep all laws: there, lead I is upside down as a whole,
    which is told by its QRS complexes pointing down while those of V6 point up. A true dextrocardia looks like it.
    """
    rate_hz = signal.rate_hz
    if rate_hz is None or rate_hz < 20 or signal.samples < rate_hz:
        return ()
    if len({standard_lead(n) for n in signal.leads}.intersection(COMPARED)) < 2:
        return ()
    # cut first: of a day's record a copy in another order would be as large as the day
    named = in_standard_order(replace(signal, array=signal.array[:, :SAMPLES_LOOKED_AT]))
    have = _calm(named, rate_hz)
    faults: list[LeadFault] = []
    if {"I", "II", "III"} <= set(have):
        faults.extend(_einthoven(have))
    broken = bool(faults)
    if {"I", "II"} <= set(have) and not broken:
        said = _said(have["I"], have["II"])
        faults.extend(_augmented({n: have[n] for n in said if n in have}, said))
    if {"I", "V6"} <= set(have):
        faults.extend(_arms(have["I"], have["V6"]))
    return tuple(faults)


def _calm(signal: Signal, rate_hz: float) -> dict[str, Float64Array]:
    """Return the leads of `COMPARED` that a signal has, in mV, from 0.5 to 40 Hz, 0 where nothing was recorded."""
    rows = [signal.leads.index(n) for n in COMPARED if n in signal.leads]
    bridged = [filled(signal.array[row]) for row in rows]
    series = np.stack(
        [values * (conversion(signal.units[r], "mV") or 1.0) for r, (values, _) in zip(rows, bridged, strict=True)]
    )
    calm = band_pass(series, rate_hz, (0.5, min(40.0, 0.45 * rate_hz)))
    calm[np.stack([missing for _, missing in bridged])] = 0
    return {signal.leads[row]: found for row, found in zip(rows, calm, strict=True)}


def _residual(found: Float64Array, said: Float64Array) -> float:
    """Return the share of a lead's power that the law does not explain; 0 for silence."""
    power = float((found**2).mean() + (said**2).mean()) / 2
    return float(((found - said) ** 2).mean()) / power if power > 0 else 0.0


def _einthoven(have: dict[str, Float64Array]) -> list[LeadFault]:
    """Return what mends II = I + III: one lead upside down and two exchanged look alike without augmented leads."""
    i, ii, iii = have["I"], have["II"], have["III"]
    rest = _residual(ii, i + iii)
    if rest < 0.1:
        return []
    ways: dict[tuple[str, tuple[str, ...]], tuple[Float64Array, Float64Array, Float64Array]] = {
        ("reversed", ("I",)): (-i, ii, iii),
        ("reversed", ("II",)): (i, -ii, iii),
        ("reversed", ("III",)): (i, ii, -iii),
        ("swapped", ("I", "II")): (ii, i, iii),
        ("swapped", ("II", "III")): (i, iii, ii),
    }
    mended = {way: _said(a, b) for way, (a, b, c) in ways.items() if _residual(b, a + c) < 0.05}
    others = [n for n in ("aVR", "aVL", "aVF") if n in have]
    fitting = [w for w, said in mended.items() if others and max(_residual(have[n], said[n]) for n in others) < 0.1]
    evidence = f"II differs from I + III by {rest:.0%} of its power"
    if len(fitting) == 1:
        return [LeadFault(*fitting[0], evidence)]
    if mended:
        evidence += "; either of these mends it: " + ", ".join(
            f"{' and '.join(names)} {kind}" for kind, names in mended
        )
    return [LeadFault("inconsistent", ("I", "II", "III"), evidence)]


def _said(i: Float64Array, ii: Float64Array) -> dict[str, Float64Array]:
    """Return the augmented leads that follow from I and II."""
    return {"aVR": -(i + ii) / 2, "aVL": i - ii / 2, "aVF": ii - i / 2}


def _augmented(found: dict[str, Float64Array], said: dict[str, Float64Array]) -> list[LeadFault]:
    wrong = [n for n in found if _residual(found[n], said[n]) > 0.25]
    faults: list[LeadFault] = []
    for a in list(wrong):
        for b in wrong:
            if a < b and _alike(found[a], said[b]) and _alike(found[b], said[a]):
                pair = tuple(n for n in STANDARD if n in (a, b))
                worst = max(_residual(found[a], said[a]), _residual(found[b], said[b]))
                faults.append(LeadFault("swapped", pair, f"each differs from what I and II say by up to {worst:.0%}"))
                wrong = [n for n in wrong if n not in (a, b)]
    for n in wrong:
        kind = "reversed" if _residual(-found[n], said[n]) < 0.1 else "inconsistent"
        faults.append(LeadFault(kind, (n,), f"differs from what I and II say by {_residual(found[n], said[n]):.0%}"))
    return faults


def _alike(a: Float64Array, b: Float64Array) -> bool:
    spread = float(np.sqrt((a**2).mean() * (b**2).mean()))
    return spread > 0 and float((a * b).mean()) / spread > CLEAR_CORRELATION


def _arms(i: Float64Array, v6: Float64Array) -> list[LeadFault]:
    down, up = _skew(i), _skew(v6)
    if down < -0.3 and up > 0.3 and _correlation(i, v6) < -0.5:
        return [LeadFault("arms", ("I",), "QRS complexes of I point down, those of V6 up")]
    return []


def _skew(x: Float64Array) -> float:
    """Return how much further a lead reaches up than down, -1 to 1."""
    low, high = (abs(float(v)) for v in np.quantile(x, (0.002, 0.998)))
    return (high - low) / (high + low) if high + low > 0 else 0.0


def _correlation(a: Float64Array, b: Float64Array) -> float:
    spread = float(np.sqrt((a**2).mean() * (b**2).mean()))
    return float((a * b).mean()) / spread if spread > 0 else 0.0

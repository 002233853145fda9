"""What is kept of one signal for the fingerprint, and what is known of signals over the training part."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

import numpy as np

from hounsfield.core.cohort import InputSpec, Ref
from hounsfield.core.errors import CohortError
from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.leads import place_of
from hounsfield.core.long_signal import LongSignal
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.types import Float64Array
from hounsfield.core.units import change, spelled
from hounsfield.stages.fingerprinting.long_signals import long_values

QUANTILES = 20
"""Quantiles kept of each lead, at the middles of equal shares."""
MOST_VALUES = 16384
"""Values of a lead that its quantiles are taken over, at most."""
REGULAR = 0.05
"""Rates that differ by less are one rate."""


@dataclass(frozen=True, slots=True)
class SignalLook:
    """Leads, length and values of one signal.

    Parameters
    ----------
    leads, units : tuple of str
    rate_hz : float or None
    irregular : bool
    steps : int
        Time steps of the reading; of an anchored one those that were looked at.
    duration_s : float or None
    record : str
        Which record an anchored one lies in; ``""`` for a whole one.
    anchor : int
        Sample number; -1 for a whole one.
    missing : numpy.ndarray
        Share of missing values of each lead, float64 ``l``.
    moments : numpy.ndarray
        Mean and mean square of the values of each lead, float64 ``l 2``; NaN where it holds none.
    quantiles : numpy.ndarray
        `QUANTILES` of each lead, float64 ``l q``; NaN where it holds none.
    """

    kind: ClassVar[str] = "signal"
    leads: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float | None
    irregular: bool
    steps: int
    duration_s: float | None
    record: str
    anchor: int
    missing: Float64Array
    moments: Float64Array
    quantiles: Float64Array


class Signals:
    """Looks at signals."""

    def look(self, content: Signal | LongSignal, header: SignalHeader, *, spec: InputSpec, ref: Ref) -> SignalLook:
        """Keep the facts of one signal; of a long one those of the same held whole, to rounding."""
        content = in_order(content, spec.leads)
        parts = dict(ref.part)
        anchor = parts.get("anchor")
        record = "|".join((ref.reader, ref.path, *(f"{k}={v}" for k, v in ref.part if k != "anchor")))
        missing, moments, quantiles = _values(content)
        return SignalLook(
            leads=content.leads,
            units=content.units,
            rate_hz=content.rate_hz,
            irregular=content.times_s is not None,
            steps=content.samples if anchor is None else header.samples,
            duration_s=content.duration_s if anchor is None else None,
            record=record if anchor is not None else "",
            anchor=int(anchor) if anchor is not None else -1,
            missing=missing,
            moments=moments,
            quantiles=quantiles,
        )

    def facts(self, name: str, looks: Sequence[SignalLook]) -> SignalFacts:
        """Aggregate the looks at one input, all values of a lead in the unit that most signals have it in.

        Raises
        ------
        CohortError
            If regular and irregular signals, or anchored and whole ones, are mixed, or no lead is common.

        Notes
        -----
        Where a signal does not tell the unit that most tell, or tells one that cannot be converted, what its values
        mean is not known: they are left out of means, deviations and quantiles.
        """
        mixed = len({v.irregular for v in looks}) > 1 or len({v.anchor >= 0 for v in looks}) > 1
        if mixed:
            raise CohortError(
                f"Input {name!r} mixes signals at a rate with irregular ones, or beats with whole records.",
                expected="one sort in one cohort",
                next_step="put them into two folders",
            )
        leads = common_leads(looks)
        if not leads:
            raise CohortError(
                f"No lead of input {name!r} is in half of the signals.",
                expected="signals with the same leads",
                next_step="give the leads the same names in all records",
            )
        rates = np.array([v.rate_hz for v in looks if v.rate_hz is not None])
        durations = np.array([v.duration_s for v in looks if v.duration_s is not None])
        steps = np.array([v.steps for v in looks])
        units = tuple(_unit(looks, lead) for lead in leads)
        moments, quantiles, missing = _of_leads(looks, leads, units)
        mean = _mean(moments[:, :, 0])
        std = np.sqrt(np.maximum(_mean(moments[:, :, 1]) - mean**2, 0.0))
        pooled = [_known(quantiles[:, place]) for place in range(len(leads))]
        own_mean, own_square = moments[:, :, 0], moments[:, :, 1]
        standard = np.abs(own_mean) < 0.02, np.abs(own_square - 1.0) < 0.05
        low, median, high = (round(float(n)) for n in np.percentile(steps, (5, 50, 95)))
        return SignalFacts(
            leads=leads,
            units=units,
            rate_hz=float(np.median(rates)) if len(rates) else None,
            rate_low=float(rates.min()) if len(rates) else None,
            rate_high=float(rates.max()) if len(rates) else None,
            irregular=looks[0].irregular,
            steps_median=median,
            steps_low=low,
            steps_high=high,
            duration_median_s=float(np.median(durations)) if len(durations) == len(looks) else None,
            duration_high_s=float(np.percentile(durations, 95)) if len(durations) == len(looks) else None,
            anchored=looks[0].anchor >= 0,
            anchor_gap_s=_gap(looks),
            missing_share=float(missing.mean()),
            empty_share=tuple(round(float(s), 4) for s in (missing >= 1.0).mean(axis=0)),
            mean=_rounded(mean),
            std=_rounded(std),
            low=_rounded([np.percentile(p, 0.5) if len(p) else 0.0 for p in pooled]),
            high=_rounded([np.percentile(p, 99.5) if len(p) else 0.0 for p in pooled]),
            own_scale=bool(np.mean(standard[0] & standard[1]) > 0.95),
        )


def _values(signal: Signal | LongSignal) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return missing shares ``l``, moments ``l 2`` and quantiles ``l q``."""
    if isinstance(signal, LongSignal):
        found = long_values(signal, most=MOST_VALUES)
        return found.missing, found.moments, np.array([_quantiles_of(few) for few in found.few])
    known = np.isfinite(signal.array)
    rows = list(zip(signal.array, known, strict=True))
    moments = np.array([_moments(row[k]) for row, k in rows])
    return 1.0 - known.mean(axis=1), moments, np.array([_quantiles(row[k]) for row, k in rows])


def in_order(signal: Signal | LongSignal, leads: Sequence[str]) -> Signal | LongSignal:
    """Return a signal with the leads that a cohort names, under its names and in its order; as it is without any.

    The only lead of a signal is the one that a cohort names alone: it was asked for by the record's own name for it.
    """
    if len(leads) == len(signal.leads) == 1:
        return (
            signal.picked([0], tuple(leads)) if isinstance(signal, LongSignal) else replace(signal, leads=tuple(leads))
        )
    places = {lead: place_of(lead, signal.leads) for lead in leads}
    found = {lead: at for lead, at in places.items() if at is not None}
    if not found or len(set(found.values())) < len(found):
        return signal
    rows = list(found.values())
    if isinstance(signal, LongSignal):
        return signal.picked(rows, tuple(found))
    return replace(signal, array=signal.array[rows], leads=tuple(found), units=tuple(signal.units[r] for r in rows))


def common_leads(looks: Sequence[SignalLook]) -> tuple[str, ...]:
    """Return the leads that at least half of the signals have, in the order of the first signal with the most."""
    counts = Counter(lead for v in looks for lead in v.leads)
    kept = {lead for lead, count in counts.items() if count >= 0.5 * len(looks)}
    if not kept:
        return ()
    order = max(looks, key=lambda v: len(kept.intersection(v.leads))).leads
    found = [lead for lead in order if lead in kept]
    return (*found, *sorted(kept.difference(found)))


def usual_units(looks: Sequence[SignalLook]) -> dict[str, str]:
    """Return the unit in which most signals have each of the leads that they have in common.

    Parameters
    ----------
    looks : sequence of SignalLook
        Of the training part.
    """
    return {lead: _unit(looks, lead) for lead in common_leads(looks)}


def unlike_unit(look: SignalLook, usual: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the first lead of a signal whose values cannot be brought to the usual unit, and its own unit.

    Parameters
    ----------
    look : SignalLook
    usual : mapping of str to str
        Lead to unit, see `usual_units`.

    Returns
    -------
    tuple of (str, str) or None
        None where there is none. A lead that holds no value does not count, nor one whose unit is not told.
    """
    foreign = _foreign(look.leads, look.units, tuple(usual.items()))
    return next(((lead, look.units[at]) for lead, at in foreign if look.missing[at] < 1.0), None)


@lru_cache(maxsize=1024)
def _foreign(
    leads: tuple[str, ...], units: tuple[str, ...], usual: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, int], ...]:
    """Return the usual leads that are in a unit of another sort, with their rows; once for all beats of a record."""
    alone = len(usual) == len(leads) == 1
    rows = [(lead, unit, 0 if alone else place_of(lead, leads)) for lead, unit in usual]
    return tuple((lead, at) for lead, unit, at in rows if at is not None and change(lead, units[at], unit) is None)


def _of_leads(
    looks: Sequence[SignalLook], leads: tuple[str, ...], units: tuple[str, ...]
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return moments ``n l 2``, quantiles ``n l q`` and missing shares ``n l`` of leads in their order and units."""
    moments = np.full((len(looks), len(leads), 2), np.nan)
    quantiles = np.full((len(looks), len(leads), QUANTILES), np.nan)
    missing = np.ones((len(looks), len(leads)))
    for row, v in enumerate(looks):
        for place, (lead, unit) in enumerate(zip(leads, units, strict=True)):
            if lead in v.leads:
                at = v.leads.index(lead)
                missing[row, place] = v.missing[at]
                how = None if unit and not v.units[at] else change(lead, v.units[at], unit)
                if how is not None:
                    mean, square = v.moments[at]
                    moments[row, place] = (
                        mean * how.times + how.plus,
                        square * how.times**2 + 2 * mean * how.times * how.plus + how.plus**2,
                    )
                    quantiles[row, place] = v.quantiles[at] * how.times + how.plus
    return moments, quantiles, missing


def _gap(looks: Sequence[SignalLook]) -> float | None:
    """Return the median distance of neighbouring anchors, seconds; None where none is known."""
    places: dict[str, list[int]] = defaultdict(list)
    rates: dict[str, float] = {}
    for v in looks:
        if v.anchor >= 0 and v.rate_hz is not None:
            places[v.record].append(v.anchor)
            rates[v.record] = v.rate_hz
    gaps = [np.diff(np.unique(found)) / rates[record] for record, found in places.items() if len(found) > 1]
    return round(float(np.median(np.concatenate(gaps))), 4) if gaps else None


def _unit(looks: Sequence[SignalLook], lead: str) -> str:
    found = Counter(spelled(v.units[v.leads.index(lead)]) for v in looks if lead in v.leads)
    return found.most_common(1)[0][0]


def _moments(values: np.typing.NDArray[np.float32]) -> tuple[float, float]:
    if not len(values):
        return float("nan"), float("nan")
    wide = values.astype(np.float64)
    return float(wide.mean()), float((wide**2).mean())


def _quantiles(values: np.typing.NDArray[np.float32]) -> Float64Array:
    return _quantiles_of(values[:: max(1, len(values) // MOST_VALUES)])


def _quantiles_of(few: np.typing.NDArray[np.float32]) -> Float64Array:
    if not len(few):
        return np.full(QUANTILES, np.nan)
    shares = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return np.asarray(np.quantile(few.astype(np.float64), shares), dtype=np.float64)


def _mean(values: Float64Array) -> Float64Array:
    known = np.isfinite(values)
    total: Float64Array = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return total


def _known(values: Float64Array) -> Float64Array:
    flat = values.ravel()
    return flat[np.isfinite(flat)]


def _rounded(values: Float64Array | Sequence[float]) -> tuple[float, ...]:
    return tuple(float(f"{float(v):.6g}") for v in values)


SIGNALS = Signals()

"""What the signals of a cohort are like: rates, leads, lengths, gaps, flat leads, missing values, on some records."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.cohort import Cohort, InputSpec, Listing, Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.leads import common_name, standard_lead
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.data.signal.readers import read_signal, signal_header

MOST_RECORDS = 40
MOST_HEADERS = 5000
SECONDS = 60.0
"""How much of a record is read, from its middle."""
LEAST_SAMPLES = 1000
"""At least so many are read: of values that come once a minute a minute tells nothing."""
GAP, FLAT, SATURATED = 0.02, 0.05, 0.01
"""Shares of the time from which a lead of a record is told."""


@dataclass(frozen=True)
class _Seen:
    headers: list[SignalHeader]
    signals: list[tuple[str, Signal]]
    faults: Counter[str]


def series_listings(cohort: Cohort, *, progress: Progress = SILENT) -> tuple[Listing, ...]:
    """Return tables of what the signals are like.

    Parameters
    ----------
    cohort : Cohort
    progress : Progress

    Returns
    -------
    tuple of Listing
        Of each input that is a signal: the records (rates, lengths, leads), and the quality of each lead or the values
        of each variable over at most 40 records, spread over the cohort.
    """
    found: list[Listing] = []
    for spec in cohort.schema.inputs:
        if spec.kind != "signal":
            continue
        seen = _look(cohort, spec, progress)
        found.append(_records(spec, seen, _refs(cohort, spec.name)))
        if any(s.times_s is not None for _, s in seen.signals):
            found.append(_variables(spec, seen))
        elif seen.signals:
            found.append(_leads(spec, seen))
    return tuple(found)


def _refs(cohort: Cohort, name: str) -> list[Ref]:
    """Return one ref for each record: without start, stop and anchor; of an archive each series is one."""
    inside = ("start", "stop", "anchor")
    seen: dict[tuple[str, str, tuple[tuple[str, str | int], ...]], Ref] = {}
    for sample in cohort.samples:
        for reading in sample.inputs.get(name, ()):
            ref = reading.ref
            part = tuple(p for p in ref.part if p[0] not in inside)
            seen.setdefault((ref.reader, ref.path, part), Ref(ref.reader, ref.path, part))
    return list(seen.values())


def _look(cohort: Cohort, spec: InputSpec, progress: Progress) -> _Seen:
    refs = _refs(cohort, spec.name)
    headers: list[SignalHeader] = []
    signals: list[tuple[str, Signal]] = []
    faults: Counter[str] = Counter()
    looked = {refs[i].key() for i in np.unique(np.linspace(0, len(refs) - 1, min(MOST_RECORDS, len(refs))).astype(int))}
    with progress.step("Reading headers", float(min(len(refs), MOST_HEADERS))) as shown:
        for ref in refs[:: max(1, len(refs) // MOST_HEADERS)]:
            try:
                head = signal_header(cohort, ref)
                headers.append(head)
                if ref.key() in looked:
                    signals.append((ref.path, _middle(cohort, ref, head)))
            except ReadError as error:
                faults[error.found.partition(": ")[2] or error.found] += 1
            shown.advance()
    return _Seen(headers, signals, faults)


def _middle(cohort: Cohort, ref: Ref, head: SignalHeader) -> Signal:
    if head.rate_hz is None:
        return read_signal(cohort, ref)
    wanted = min(head.samples, max(LEAST_SAMPLES, round(SECONDS * head.rate_hz)))
    start = (head.samples - wanted) // 2
    return read_signal(cohort, ref, start=start, stop=start + wanted)


def _records(spec: InputSpec, seen: _Seen, refs: Sequence[Ref]) -> Listing:
    heads = seen.headers
    rates = Counter("none told" if h.rate_hz is None else f"{h.rate_hz:g} Hz" for h in heads)
    rows = [("records", f"{len(refs)}" + (f", {len(heads)} looked at" if len(heads) < len(refs) else ""))]
    rows.append(("rate", _counted(rates)))
    rows.append(("length", _lengths(heads)))
    names = Counter(common_name(n, beside=h.leads) for h in heads for n in h.leads)
    if len(names) > 12:
        rows.append(("leads", f"{len(names)}: {', '.join(n for n, _ in names.most_common(8))}, ..."))
    else:
        rows.append(("leads", ", ".join(n if c == len(heads) else f"{n} (in {c})" for n, c in names.most_common())))
    units = Counter(u or "not told" for h in heads for u in h.units)
    rows.append(("units", _counted(units)))
    if spec.leads and len(spec.leads) <= 12:
        rows.append(("looked at", ", ".join(spec.leads)))
    rows += [("cannot be read", f"{n} x {why}") for why, n in seen.faults.most_common(5)]
    return Listing(f"Records of input {spec.name!r}", ("what", "found"), tuple(rows))


def _counted(counts: Counter[str]) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    shown = ", ".join(f"{name} ({n})" for name, n in counts.most_common(6))
    return shown + (", ..." if len(counts) > 6 else "")


def _lengths(heads: Sequence[SignalHeader]) -> str:
    timed = [h.samples / h.rate_hz for h in heads if h.rate_hz]
    if len(timed) == len(heads) and timed:
        low, mid, high = (_clock(v) for v in (min(timed), float(np.median(timed)), max(timed)))
        return low if low == high else f"{low} to {high}, median {mid}"
    counts = [h.samples for h in heads]
    if not counts:
        return ""
    what = "times" if any("events" in h.file_format for h in heads) else "samples"
    if min(counts) == max(counts):
        return f"{counts[0]} {what}"
    return f"{min(counts)} to {max(counts)} {what}, median {np.median(counts):g}"


def _clock(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def _leads(spec: InputSpec, seen: _Seen) -> Listing:
    """Return gaps, flat lines, saturation, hum and the index of quality of each lead."""
    from hounsfield.science.physiology.leads import lead_faults
    from hounsfield.science.physiology.quality import lead_quality

    gathered: dict[str, list[tuple[float, float, float, float, float]]] = {}
    faults: Counter[str] = Counter()
    for _, signal in seen.signals:
        if signal.rate_hz is None:
            for name, lead in zip(signal.leads, signal.array, strict=True):
                flat = float(np.nanmax(lead) == np.nanmin(lead)) if np.isfinite(lead).any() else 1.0
                gathered.setdefault(common_name(name, beside=signal.leads), []).append(
                    (float(np.isnan(lead).mean()), flat, np.nan, np.nan, np.nan)
                )
            continue
        for q in lead_quality(signal):
            gathered.setdefault(common_name(q.lead, beside=signal.leads), []).append(
                (q.missing, q.flat, q.saturated, q.hum, q.index)
            )
        for fault in lead_faults(signal):
            faults[fault.name] += 1
    order = [*(n for n in (standard_lead(n, beside=spec.leads) for n in spec.leads) if n), *gathered]
    rows = []
    for name in dict.fromkeys(n for n in order if n in gathered):
        missing, flat, saturated, hum, index = np.array(gathered[name]).T
        cells = [name, str(len(missing)), *(str(int((v > t).sum())) for v, t in ((missing, GAP), (flat, FLAT)))]
        if np.isfinite(index).any():
            cells += [str(int((saturated > SATURATED).sum())), f"{np.nanmedian(hum):.0%}"]
            cells += [f"{np.nanmedian(index):.2f}", f"{np.nanmin(index):.2f}"]
        else:
            cells += [""] * 4
        rows.append(tuple(cells))
    rows += [(f"in doubt: {what}", str(n), *[""] * 6) for what, n in faults.most_common(5)]
    heads = ("lead", "records", "with gaps", "flat", "saturated", "hum", "quality", "worst")
    return Listing(f"Quality of input {spec.name!r}, on {len(seen.signals)} records", heads, tuple(rows))


def _variables(spec: InputSpec, seen: _Seen) -> Listing:
    """Return how often each variable of irregular series is measured, and between which values."""
    counts: dict[str, list[int]] = {}
    values: dict[str, list[np.ndarray]] = {}
    for _, signal in seen.signals:
        for name, row in zip(signal.leads, signal.array, strict=True):
            known = row[np.isfinite(row)]
            counts.setdefault(name, []).append(len(known))
            values.setdefault(name, []).append(known)
    rows = []
    for name in sorted(counts, key=lambda n: -sum(counts[n])):
        number = np.array(counts[name])
        all_of = np.concatenate(values[name])
        span = "{:.4g} to {:.4g}".format(*np.quantile(all_of, (0.01, 0.99))) if len(all_of) else ""
        never = len(seen.signals) - int((number > 0).sum())
        rows.append((name, f"{never / len(seen.signals):.0%}", f"{np.median(number):g}", span))
    heads = ("variable", "never measured", "values (median)", "1st to 99th percentile")
    return Listing(f"Variables of input {spec.name!r}, on {len(seen.signals)} records", heads, tuple(rows))

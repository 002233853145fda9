"""Measured signals in a terminal: the first stretches, what has no value and why, and what was set aside."""

from collections import Counter
from math import isnan
from pathlib import Path

from hounsfield.cli.output import line, table
from hounsfield.core.types import Json
from hounsfield.workflow.feature_tables import beside
from hounsfield.workflow.measure_signals import MeasuredSignals

_SHOWN = 12
_FEW = ("heart_rate_bpm", "sdnn_ms", "rmssd_ms", "qrs_ms", "qtc_fridericia_ms")
_PRESSURES = ("_systolic_mmhg", "_diastolic_mmhg", "_mean_mmhg")


def show_signals(found: MeasuredSignals, out: Path | None) -> None:
    """Print how many stretches were measured, the first of them, and where everything was written."""
    records = len({r.case for r in found.rows})
    line(f"{len(found.rows)} stretches of {records} records, {len(found.names)} values each.")
    line()
    names = [n for n in found.names if n in _FEW or n.endswith(_PRESSURES)]
    rows = [
        [r.case, f"{r.start_s:g}", f"{r.duration_s:g}", *(f"{r.values.get(n, float('nan')):.4g}" for n in names)]
        for r in found.rows[:_SHOWN]
    ]
    title = "Stretches" if len(found.rows) <= _SHOWN else f"The first {_SHOWN} of {len(found.rows)} stretches"
    table(title, ["record", "from s", "s", *names], rows)
    missing = Counter(f"{what}: {why}" for r in found.rows for what, why in r.missing.items())
    table("Without a value", ["stretches", "reason"], [[str(n), reason] for reason, n in missing.most_common(_SHOWN)])
    apart = Counter(a.reason for a in found.record.apart)
    table("Set aside", ["number", "reason"], [[str(n), reason] for reason, n in apart.most_common()])
    if out is not None:
        others = ", ".join(p.name for p in beside(out) if p.exists())
        line(f"Written: {out}; beside it {others}")


def signals_json(found: MeasuredSignals) -> Json:
    """Return stretches and what was set aside as JSON; null where there is no value."""
    rows: list[Json] = [
        {
            "case": r.case,
            "start_s": r.start_s,
            "duration_s": None if isnan(r.duration_s) else r.duration_s,
            "values": {n: None if isnan(v) else v for n, v in r.values.items()},
            "missing": dict(r.missing),
            "notes": list(r.notes),
        }
        for r in found.rows
    ]
    apart: list[Json] = [a.model_dump(mode="json") for a in found.record.apart]
    return {"rows": rows, "apart": apart}

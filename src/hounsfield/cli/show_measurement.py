"""A measurement in a terminal: what was measured, what has no value and why, and what was set aside."""

from collections import Counter
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.bundle.yaml_text import yaml_text
from hounsfield.cli.output import line, table
from hounsfield.core.types import Json
from hounsfield.science.radiomics.settings import Settings
from hounsfield.science.radiomics.stability import LEAST
from hounsfield.workflow.feature_tables import beside
from hounsfield.workflow.measured import Measured

if TYPE_CHECKING:
    from hounsfield.workflow.measure_beside import Beside

_SHOWN = 12
_FEW = ("morph_volume", "stat_mean", "stat_var")


def show_measurement(found: Measured, out: Path | None, *, repeated: bool) -> None:
    """Print how many regions were measured, the first of them, and where everything was written."""
    cases = len({r.case for r in found.rows})
    line(f"{len(found.rows)} regions of {cases} cases, {len(found.tags)} values each.")
    line()
    tags = [t for t in _FEW if t in found.tags]
    rows = [
        [
            r.case,
            r.mask,
            str(r.label),
            str(r.part or ""),
            str(r.voxels),
            *(f"{r.values.get(t, float('nan')):.4g}" for t in tags),
        ]
        for r in found.rows[:_SHOWN]
    ]
    title = "Regions" if len(found.rows) <= _SHOWN else f"The first {_SHOWN} of {len(found.rows)} regions"
    table(title, ["case", "mask", "label", "part", "voxels", *tags], rows)
    missing = Counter(reason for r in found.rows for reason in r.missing.values())
    table("Without a value", ["values", "reason"], [[str(n), reason] for reason, n in missing.most_common()])
    apart = Counter(a.reason for a in found.apart)
    table("Set aside", ["number", "reason"], [[str(n), reason] for reason, n in apart.most_common()])
    if repeated:
        line("The same bytes." if not found.changed else f"Not the same: {'; '.join(found.changed)}.")
    if out is not None:
        others = ", ".join(p.name for p in beside(out) if p.exists())
        line(f"Written: {out}; beside it {others}")


def measurement_json(found: Measured) -> Json:
    """Return rows, what was set aside, and what differs, as JSON; null where there is no value."""
    rows: list[Json] = [
        {
            "case": r.case,
            "mask": r.mask,
            "label": r.label,
            "part": r.part,
            "voxels": r.voxels,
            "notes": list(r.notes),
            "values": {t: None if isnan(v) else v for t, v in r.values.items()},
            "missing": dict(r.missing),
        }
        for r in found.rows
    ]
    apart: list[Json] = [{"case": a.sample, "reason": a.reason} for a in found.apart]
    return {"rows": rows, "apart": apart, "changed": list(found.changed)}


def show_settings(settings: Settings) -> None:
    """Print settings as YAML that `--settings` takes."""
    print(yaml_text(settings.model_dump(mode="json")), end="")


def show_beside(made: "Beside") -> None:
    """Print what was made beside the table."""
    if made.pictures is not None:
        line(f"Pictures: {len(made.pictures.names)}.")
        for reason in made.pictures.without:
            line(f"  without {reason}")
    if made.stability is not None:
        found = made.stability
        line(
            f"Stability, {found.repeats} times each: {len(found.going_on)} of {len(found.rows)} features have a lower "
            f"limit of ICC(1,1) above {LEAST:g} and go on."
        )
        lacking = Counter(r.reason for r in found.rows if r.reason)
        table("Without an ICC", ["features", "reason"], [[str(n), reason] for reason, n in lacking.most_common()])
    if made.deep is not None:
        line(
            f"Embeddings: {len(made.deep.rows)} regions, {made.deep.width} values each, of {made.deep.members} members."
        )
        table("Without an embedding", ["case", "reason"], [[a.sample, a.reason] for a in made.deep.apart])

"""What cells of tables are made of: results as they were written, figures with their interval."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

TOP = Path(__file__).parents[1]
RESULTS = TOP / "benchmarks" / "results"
Figures = Mapping[str, Mapping[str, float | None]]
Result = dict[str, object]


def results(pattern: str, *, but: str = "") -> list[Result]:
    """Return the results whose file names fit, in the order of their names; without those that begin with `but`."""
    found = sorted(p for p in RESULTS.glob(f"{pattern}.json") if not but or not p.name.startswith(but))
    return [json.loads(p.read_text(encoding="utf-8")) for p in found]


def span(figures: Figures, name: str) -> str:
    """Return a figure with its interval."""
    found = figures[name]
    value, low, high = (found[k] for k in ("value", "low", "high"))
    return f"{value:.3f} ({low:.3f}–{high:.3f})"


def number(found: object, *path: str) -> float:
    """Return a number inside a result; NaN where there is none."""
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return float(found) if isinstance(found, int | float) else float("nan")


def inside(found: object, *path: str) -> dict[str, object]:
    """Return what lies inside a result by name; empty where there is nothing."""
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def titled(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table under its title; nothing without rows."""
    if not rows:
        return ""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"**{title}**", "", f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines])


def met(found: object) -> str:
    """Return the word for a bound that was kept, was not, or was not asked."""
    return "–" if found is None else "met" if found else "missed"

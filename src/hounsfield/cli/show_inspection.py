"""What was understood of a folder, in tables that a clinician can read."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hounsfield.cli.options import quoted
from hounsfield.cli.output import heading, line, shortened, table
from hounsfield.cli.show_model import bar, figure
from hounsfield.core.audit import Audit, Duplicate, Shortcut
from hounsfield.core.cohort import Cohort, Sample, SetAside, TargetSpec
from hounsfield.core.types import Json

_KINDS = {
    "categorical": "one of several classes",
    "multilabel": "several labels at once",
    "ordinal": "ordered grades",
    "number": "a number",
    "mask": "a mask",
    "boxes": "boxes",
}
_HOW = {
    "declared": "as you said",
    "name": "by its name",
    "assumed": "ASSUMED: only numbers were found; correct it with --positive",
    "": "",
}
_MOST = 10
_MOST_ROWS = 40


def inspection_json(cohort: Cohort, audit: Audit) -> Json:
    """Return what was understood and found as one JSON value."""
    parts: dict[str, Json] = {}
    for name, samples in _parts(cohort).items():
        classes: dict[str, Json] = dict(audit.balance.get(name, {}).items())
        parts[name] = {"samples": len(samples), "patients": _patients(samples), "classes": classes}
    schema: dict[str, Json] = cohort.schema.model_dump(mode="json")
    found: dict[str, Json] = {
        "name": cohort.name,
        **schema,
        "samples": len(cohort),
        "patients": _patients(cohort.samples),
        "parts": parts,
        "listings": [
            {"title": t.title, "heads": list(t.heads), "rows": [list(r) for r in t.rows]} for t in cohort.listings
        ],
        "set_aside": [entry.model_dump(mode="json") for entry in cohort.set_aside],
    }
    return {"schema_version": 1, "cohort": found, "audit": audit.model_dump(mode="json")}


def show_inspection(cohort: Cohort, audit: Audit, *, written: Sequence[str], out: Path | None = None) -> None:
    """Print what was understood, what is wrong, and what a person should check.

    Parameters
    ----------
    cohort : Cohort
    audit : Audit
    written : sequence of str
        Names of the files that were written; empty where nothing was.
    out : Path or None
        The folder that they were written to.
    """
    _show_understood(cohort, audit)
    _show_found(audit)
    _show_aside(cohort, audit)
    if cohort.schema.unsure:
        heading("Please check")
        for text in cohort.schema.unsure:
            line(f"? {text}")
        line()
    if written and out is not None:
        line(f"Written: {', '.join(written)}. Correct answers, and delete or change rows, if something is wrong.")
        line(f"Next: hu plan {quoted(out)} shows what would be done with them as they are then; hu train does it.")
    else:
        line("Nothing was written: --out FOLDER writes cohort.yaml and samples.csv for correction.")
        line("Next: hu plan with the same path and options shows what would be done; hu train does it.")


def _show_understood(cohort: Cohort, audit: Audit) -> None:
    schema = cohort.schema
    patients = f"{_patients(cohort.samples)} patients" if schema.patients_known else "patients not known"
    heading(f"{cohort.name}: {len(cohort)} samples, {patients} (layout: {schema.layout or 'unknown'})")
    line()
    rows = [(t.name, _KINDS[t.kind], shortened(t.classes), _positive(t)) for t in schema.targets]
    table("What is asked", ("target", "kind", "classes", "positive class"), rows)
    if not schema.targets:
        line("What is asked: no answer was found that this task could learn.")
        line()
    for listing in cohort.listings:
        table(listing.title, listing.heads, _first_rows(listing.rows))
    _show_parts(cohort, audit)
    columns = [(c.table, c.column, c.role, c.reason) for c in schema.columns]
    table("Columns", ("table", "column", "taken for", "because"), columns)
    if schema.side_tables:
        line(f"Side tables, not the manifest: {shortened(schema.side_tables)}")
    for note in schema.notes:
        line(f"- {note}")
    if schema.side_tables or schema.notes:
        line()


def _first_rows(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the rows that fit a screen or two, and how many more there are."""
    shown = list(rows[:_MOST_ROWS])
    if len(rows) > _MOST_ROWS:
        more = f"... and {len(rows) - _MOST_ROWS} more (--json lists all)"
        shown.append((more, *("" for _ in rows[0][1:])))
    return shown


def _show_parts(cohort: Cohort, audit: Audit) -> None:
    parts = _parts(cohort)
    classes = list(dict.fromkeys(name for counts in audit.balance.values() for name in counts))[:_MOST]
    rows = [_part_row(name, samples, audit, classes) for name, samples in parts.items()]
    if len(parts) != 1:
        rows.append(_part_row("all", cohort.samples, audit, classes))
    official = "as the data brought them" if cohort.schema.official_parts else "not yet divided"
    table(f"Parts ({official})", ("part", "samples", "patients", *classes), rows)


def _part_row(name: str, samples: Sequence[Sample], audit: Audit, classes: Sequence[str]) -> list[str]:
    counts: Counter[str] = Counter(audit.balance.get(name, {}))
    if name == "all" and not counts:
        for part in audit.balance.values():
            counts.update(part)
    return [name, str(len(samples)), str(_patients(samples)), *(str(counts[c]) for c in classes)]


def _show_found(audit: Audit) -> None:
    across = len(audit.duplicates_across_parts)
    rows = [
        ("files that cannot be used", str(len(audit.unreadable)), _asides(audit.unreadable)),
        ("same picture twice", str(len(audit.duplicates)), _duplicates(audit.duplicates)),
        ("same picture in two parts", str(across), _pairs(audit.duplicates_across_parts)),
        ("same picture, other answer", str(len(audit.contradictions)), _pairs(audit.contradictions)),
        ("patients in two parts", str(audit.patients_in_two_parts), ""),
        ("left out of training", str(len(audit.removed_from_training)), _asides(audit.removed_from_training)),
        ("faulty in the official test part (kept)", str(len(audit.flagged_in_test)), _asides(audit.flagged_in_test)),
    ]
    table("What is wrong with the data", ("finding", "number", "which"), rows)
    if audit.in_doubt:
        doubts = [(entry.sample, entry.reason) for entry in audit.in_doubt]
        table("Used, and to be looked at", ("case", "what is in doubt"), _first_rows(doubts))
    if audit.shortcut is not None:
        _show_shortcut(audit.shortcut)
    shown = audit.shortcut.warnings if audit.shortcut else ()
    rest = [w for w in audit.warnings if w not in shown]
    if rest:
        heading("Warnings")
        for warning in rest:
            line(f"! {warning}")
        line()


def _show_aside(cohort: Cohort, audit: Audit) -> None:
    """Name what was set aside and stands in no other table: rows without files, studies without a row."""
    listed = {cell for listing in cohort.listings for row in listing.rows for cell in row[:1]}
    rows = [(e.sample, e.reason) for e in audit.unreadable if e.sample not in listed]
    if len(rows) > 3 or (rows and listed):
        table("Set aside", ("case", "reason"), _first_rows(rows))


def _show_shortcut(shortcut: Shortcut) -> None:
    rows = [("all together", _bar(shortcut.auroc.value), figure(shortcut.auroc))]
    cues = sorted(shortcut.by.items(), key=lambda item: -abs((item[1].value or 0.5) - 0.5))
    rows += [(name, _bar(cue.value), figure(cue)) for name, cue in cues[: 2 * _MOST]]
    for part, found in shortcut.by_part.items():
        strong = sorted(found.items(), key=lambda item: -abs((item[1].value or 0.5) - 0.5))[:3]
        rows += [(f"{name} (in {part})", _bar(cue.value), figure(cue)) for name, cue in strong]
    title = "Shortcuts: how well the answer is guessed without looking at the anatomy (AUC; 0.5 is chance)"
    table(title, ("cue", "strength", "AUC with 95% interval"), rows)
    for warning in shortcut.warnings:
        line(f"! {warning}")
    if shortcut.warnings:
        line()


def _bar(value: float | None) -> str:
    return "" if value is None else bar(value)


def _positive(target: TargetSpec) -> str:
    if target.positive is None:
        return ""
    how = _HOW[target.positive_source]
    return f"{target.positive} ({how})" if how else target.positive


def _parts(cohort: Cohort) -> dict[str, list[Sample]]:
    if not cohort.schema.official_parts:
        return {"all": list(cohort.samples)}
    parts = {name: [s for s in cohort.samples if s.part == name] for name in cohort.schema.official_parts}
    other = [s for s in cohort.samples if s.part not in parts]
    return {**parts, "no part": other} if other else parts


def _patients(samples: Sequence[Sample]) -> int:
    return len({sample.patient for sample in samples})


def _asides(entries: Sequence[SetAside]) -> str:
    if len(entries) <= 3:
        return "; ".join(f"{entry.sample}: {entry.reason}" for entry in entries)
    reasons = Counter(entry.reason for entry in entries).most_common(3)
    return "; ".join(f"{number} x {reason}" for reason, number in reasons)


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    return shortened([f"{a} = {b}" for a, b in pairs], 4)


def _duplicates(found: Sequence[Duplicate]) -> str:
    exact = sum(pair.kind == "exact" for pair in found)
    return f"{exact} exact, {len(found) - exact} near" if found else ""

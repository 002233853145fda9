"""What the page and the terminal show of repeated validation."""

from collections.abc import Iterator
from dataclasses import dataclass

from hounsfield.core.report import Repeated
from hounsfield.stages.reporting.numbers import ABSENT, change, interval, with_interval, written
from hounsfield.stages.reporting.opening import baseline_name
from hounsfield.stages.reporting.table import Cell, Table
from hounsfield.stages.reporting.words import Both, metric_words, say


@dataclass(frozen=True)
class RepeatedView:
    """The block as the page shows it.

    Parameters
    ----------
    words : Both
        How it was done.
    table : Table
        A row for each model.
    variables : tuple of (Both, str)
        Of models that choose, what they chose most often.
    """

    words: Both
    table: Table
    variables: tuple[tuple[Both, str], ...]


def repeated_view(block: Repeated | None) -> RepeatedView | None:
    """Return what the page shows; None where nothing was validated so.

    Parameters
    ----------
    block : Repeated or None
    """
    if block is None:
        return None
    words = metric_words(block.metric)
    heads = [say("repeated_mean"), say("repeated_pooled"), say("repeated_by_repeat")]
    heads += [say("repeated_apart")] if block.reference else []
    rows = []
    for one in block.models:
        known = [v for v in one.by_repeat if v is not None]
        spread = (
            f"{written(min(known), words.format)}\N{EN DASH}{written(max(known), words.format)}" if known else ABSENT
        )
        figures = [(written(f.value, words.format), interval(f, words.format), f) for f in (one.mean, one.pooled)]
        cells = [Cell(v, f"({b})" if b else "", "" if b else f.note) for v, b, f in figures] + [Cell(spread)]
        if block.reference:
            cells.append(Cell(change(one.difference, words) if one.difference is not None else ABSENT))
        rows.append((baseline_name(one.model), tuple(cells)))
    chosen = tuple(
        (baseline_name(m.model), ", ".join(f"{v} {100 * s:.0f}%" for v, s in m.variables.items()))
        for m in block.models
        if m.variables
    )
    told = say("repeated_text", repeats=block.repeats, folds=block.folds, patients=block.patients)
    return RepeatedView(told, Table(tuple(heads), tuple(rows)), chosen)


def repeated_lines(block: Repeated | None) -> Iterator[str]:
    """Yield what a terminal shows of it, in English.

    Parameters
    ----------
    block : Repeated or None
    """
    if block is None:
        return
    words = metric_words(block.metric)
    yield f"Repeated nested validation, {block.repeats} times {block.folds} folds, mean over folds:"
    for one in block.models:
        apart = f"   less {block.reference} {change(one.difference, words)}" if one.difference is not None else ""
        yield f"  {one.model:<14} {with_interval(one.mean, words.format)}{apart}"

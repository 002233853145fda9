"""A table of written figures."""

from dataclasses import dataclass

from hounsfield.core.report import Figure
from hounsfield.stages.reporting.numbers import ABSENT, interval, written
from hounsfield.stages.reporting.words import Both, metric_words


@dataclass(frozen=True)
class Cell:
    """A written figure: value, interval in brackets, and why either is absent."""

    value: str
    bounds: str = ""
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table: heads of the columns, and rows of a label and cells."""

    heads: tuple[Both, ...]
    rows: tuple[tuple[Both, tuple[Cell, ...]], ...]


def cell(name: str, figure: Figure | None) -> Cell:
    """Return a figure as the metric `name` is written; a dash where there is none."""
    if figure is None:
        return Cell(ABSENT)
    how = metric_words(name).format
    bounds = interval(figure, how)
    return Cell(written(figure.value, how), f"({bounds})" if bounds else "", "" if bounds else figure.note)

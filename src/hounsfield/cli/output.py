"""Standard output: JSON for machines, plain tables for people."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, TextIO

from hounsfield.core.types import Json

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH_OF_A_FILE = 120
_LONGEST_LIST = 12


@contextmanager
def quiet_stdout() -> Iterator[TextIO]:
    """Yield standard output, and send to standard error what anything else prints there meanwhile."""
    out = sys.stdout
    with redirect_stdout(sys.stderr):
        yield out


def print_json(value: Json, out: TextIO | None = None) -> None:
    """Print one JSON value in ASCII, so that it survives every terminal and pipe."""
    json.dump(value, out or sys.stdout, indent=1, allow_nan=False)
    print(file=out or sys.stdout)


def console() -> "Console":
    """Return a console on standard output that takes every text literally."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _WIDTH_OF_A_FILE
    return Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False, soft_wrap=False)


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with a title; nothing where there are no rows."""
    if not rows:
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=Text(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    shown.show_header = any(head)
    for name in head:
        shown.add_column(name, overflow="fold", justify="left")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    console().print(shown)


def heading(text: str) -> None:
    """Print a heading."""
    console().print(text, style="bold", soft_wrap=True)


def line(text: str = "") -> None:
    """Print one line; it is not cut, so that a path in it can be copied."""
    console().print(text, soft_wrap=True)


def shortened(items: Sequence[str], most: int = _LONGEST_LIST) -> str:
    """Return items separated by commas, the first `most` of them and how many more there are."""
    shown = ", ".join(items[:most])
    return shown + (f" and {len(items) - most} more" if len(items) > most else "")

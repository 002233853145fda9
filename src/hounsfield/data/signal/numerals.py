"""Numbers as a column writes them: a comma is a decimal mark or parts thousands, the same way in all of its cells."""

import re
from collections.abc import Sequence

from hounsfield.data.table import parse_number

_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_CERTAIN = re.compile(r"[-+]?\d{1,3}(,\d{3})+\.\d+|[-+]?\d{1,3}(,\d{3}){2,}")


def column_numbers(cells: Sequence[str | None]) -> list[float | None]:
    """Return the cells of a column as finite numbers, None where one is none.

    Parameters
    ----------
    cells : sequence of (str or None)
        Cells of the column, or its different cells once each.

    Notes
    -----
    One cell alone does not tell: ``1,234`` is a thousand in a table that writes ``7.35``, and a little more than one in
    a table that writes ``7,35``. A comma parts thousands where all cells with a comma are written in groups of three
    and another cell has a decimal point, or one of them can be read in no other way (``1,234.5``); else it is a decimal
    mark.
    """
    if not _parts_thousands(cells):
        return [parse_number(cell) for cell in cells]
    return [parse_number(cell.replace(",", "") if cell is not None else None) for cell in cells]


def _parts_thousands(cells: Sequence[str | None]) -> bool:
    commas = [c for c in cells if c is not None and "," in c and any(x.isdigit() for x in c)]
    if not commas or not all(_GROUPED.fullmatch(c) for c in commas):
        return False
    if any(_CERTAIN.fullmatch(c) for c in commas):
        return True
    return any(c is not None and "." in c and "," not in c and parse_number(c) is not None for c in cells)

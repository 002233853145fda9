"""What a reader of rows must offer."""

from typing import Protocol, runtime_checkable

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.row import Row


@runtime_checkable
class RowReader(Protocol):
    """Turns refs of one kind into rows.

    Notes
    -----
    A reader has no state of its own: it is built without arguments. Hundreds of thousands of rows are read one by one,
    in the order of their files, so that what several of them need is remembered by file.
    """

    def read(self, cohort: Cohort, ref: Ref) -> Row:
        """Return the row, its variables as the input's `RowColumn` say; raise ReadError with the reason."""
        ...

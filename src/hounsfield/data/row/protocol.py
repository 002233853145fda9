"""What a reader of rows must offer."""

from typing import Protocol, runtime_checkable

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.row import Row
from hounsfield.core.types import Float64Array, IntArray


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


@runtime_checkable
class AnchoredRowReader(Protocol):
    """Reads the rows of many anchors of one record at once."""

    def rows(self, cohort: Cohort, ref: Ref, anchors: IntArray) -> Float64Array:
        """Return the values of the rows at anchors, ``n c`` float64, as `RowReader.read` gives each.

        Parameters
        ----------
        cohort : Cohort
        ref : Ref
            Without an anchor.
        anchors : numpy.ndarray
            ``n``, int64, in any order.

        Raises
        ------
        ReadError
            If any cannot be read.
        """
        ...

    def around(self, cohort: Cohort, ref: Ref, anchors: IntArray, beats: int) -> Float64Array:
        """Return the rows of so many beats on either side of each anchor, ``n s c`` float64, its own in the middle.

        Parameters
        ----------
        cohort : Cohort
        ref : Ref
            Without an anchor.
        anchors : numpy.ndarray
            ``n``, int64, in any order.
        beats : int

        Raises
        ------
        ReadError
            If any cannot be read.
        """
        ...

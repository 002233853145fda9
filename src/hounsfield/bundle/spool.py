"""Rows of one shape that are too many for memory, in a file without a name that ends with the process."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import IO

import numpy as np

from hounsfield.core.errors import StorageError
from hounsfield.core.types import AnyArray, IntArray


@dataclass(frozen=True, eq=False)
class Spool:
    """Rows on disk, read back as they are asked for.

    Parameters
    ----------
    shape : tuple of int
        Of a row.
    dtype : str
        As stored.

    Notes
    -----
    Read, not mapped: pages of a map count as the process's memory for as long as the system leaves them there.
    """

    shape: tuple[int, ...]
    dtype: str
    _file: IO[bytes] = field(default_factory=tempfile.TemporaryFile, repr=False)

    def __del__(self) -> None:
        self._file.close()

    def extend(self, rows: AnyArray) -> None:
        """Put rows (n ...) behind those that are there.

        Raises
        ------
        StorageError
            If the system refuses the write.
        """
        try:
            self._file.seek(0, 2)
            self._file.write(np.ascontiguousarray(rows, dtype=self.dtype).data)
        except OSError as error:
            raise StorageError(
                "Small pictures for the search for duplicates could not be written to the temporary folder.",
                expected="room for about 20 KiB per image there",
                next_step="free space, or name another folder with TMPDIR",
            ) from error

    def take(self, numbers: IntArray | Iterable[int]) -> AnyArray:
        """Return rows (n ...) by number, in the order asked; a row may be asked for twice.

        Parameters
        ----------
        numbers : iterable of int
        """
        wanted = np.asarray(list(numbers), dtype=np.int64)
        distinct, place = np.unique(wanted, return_inverse=True)
        found = np.empty((len(distinct), *self.shape), dtype=self.dtype)
        for at, number in enumerate(distinct):
            self._file.seek(int(number) * found[:1].nbytes)
            found[at] = np.frombuffer(self._file.read(found[:1].nbytes), dtype=self.dtype).reshape(self.shape)
        taken: AnyArray = found[place]
        return taken

"""What the rows of one record share: made once, and found again without looking at the record."""

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from hounsfield.core.cohort import Ref
from hounsfield.core.types import AnyArray
from hounsfield.data.files import inside
from hounsfield.data.signal.windows import damaged

T = TypeVar("T")


class OfArray(Generic[T]):
    """Remembers what was made of arrays that stay as they are.

    Parameters
    ----------
    most : int
        So many are kept.

    Notes
    -----
    The beats of a day are a hundred thousand numbers, and each of as many rows asks about them: to compare the numbers
    themselves would take longer than all the rest. The array is held, so that no other one can be taken for it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[tuple[int, Hashable], tuple[AnyArray, T]] = {}

    def get(self, array: AnyArray, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` gave when it was asked about this very array and key."""
        place = (id(array), key)
        found = self._kept.get(place)
        if found is not None and found[0] is array:
            return found[1]
        made = make()
        while len(self._kept) >= self._most:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[place] = (array, made)
        return made


@lru_cache(maxsize=64)
def place_of(root: str, path: str) -> Path:
    """Return where a path of a cohort lies; raise ReadError where that is outside."""
    return inside(Path(root), path)


def annotations_beside(root: str, ref: Ref, ending: str) -> tuple[Path, tuple[int, int]]:
    """Return the annotation file of a record, and a stamp that changes when it does.

    Raises
    ------
    ReadError
        If it cannot be opened.
    """
    path = place_of(root, ref.path)
    marks = path.with_name(f"{path.name[: -len('.hea')]}.{ending}")
    try:
        stat = marks.stat()
    except OSError as error:
        raise damaged(ref, f"its annotations cannot be opened ({error.strerror}).", "a readable file") from error
    return marks, (stat.st_mtime_ns, stat.st_size)


def found_beats(arrays: Mapping[str, AnyArray], ref: Ref) -> AnyArray:
    """Return the sample numbers that a detector found in a record.

    Raises
    ------
    ReadError
        If none were looked for.
    """
    found = arrays.get(f"beats:{ref.path}")
    if found is None:
        raise damaged(
            ref,
            "nothing says where its beats are.",
            "annotations beside the record, or detected R peaks",
            "name the ending of the annotation files",
        )
    return found


def rate_of_found(arrays: Mapping[str, AnyArray], ref: Ref) -> float | None:
    """Return the rate at which `found_beats` count, None where nothing tells."""
    told = arrays.get(f"rate:{ref.path}")
    return float(np.asarray(told, np.float64)[0]) if told is not None else None

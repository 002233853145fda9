"""How one column stands to another: the same under another name, or giving the answer away."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.data.answers import fold
from hounsfield.data.table import Column, parse_number

LEAK_AUC = 0.99
MIN_ROWS = 20
MIN_CLASS = 5


def mapping(first: Column, second: Column, rows: Sequence[int]) -> dict[str, str]:
    """Return the folded value of `first` to its most frequent folded value in `second`."""
    counts: dict[str, Counter[str]] = {}
    for i in rows:
        a, b = first[i], second[i]
        if a is not None and b is not None:
            counts.setdefault(fold(a), Counter())[fold(b)] += 1
    return {k: min(c, key=lambda v, c=c: (-c[v], v)) for k, c in counts.items()}  # type: ignore[misc]  # the default binds the loop's own counter


def disagreements(first: Column, second: Column, rows: Sequence[int], pairs: dict[str, str]) -> list[int]:
    """Return the rows in which `second` is not what `pairs` says of `first`."""
    found = []
    for i in rows:
        a, b = first[i], second[i]
        if a is not None and b is not None and pairs.get(fold(a)) != fold(b):
            found.append(i)
    return found


def same(first: Column, second: Column, rows: Sequence[int]) -> bool:
    """Tell whether two columns are one under two names: one to one in every row, two values at least."""
    if any((first[i] is None) != (second[i] is None) for i in rows):
        return False
    pairs = mapping(first, second, rows)
    one_to_one = len(pairs) >= 2 and len(set(pairs.values())) == len(pairs)
    return one_to_one and not disagreements(first, second, rows, pairs)


def leak(column: Column, target: Column, rows: Sequence[int]) -> str | None:
    """Return how a column alone determines the target, or None where it does not.

    Parameters
    ----------
    column, target : tuple of (str or None)
        Cells of the column and of a categorical target.
    rows : sequence of int
        Rows to judge by; rows of a test part are left out.

    Returns
    -------
    str or None
        A clause for a reader.

    Notes
    -----
    A number leaks when it separates some class from the rest with AUC >= .99 in either direction, a text when
    each of few values occurs with one class only, and a missing cell when it tells a class. At least 20 rows
    and 5 of each class are needed: with fewer it happens by chance.
    """
    rows = [i for i in rows if target[i] is not None]
    answers = [fold(t) for t in (target[i] for i in rows) if t is not None]
    counts = Counter(answers)
    if len(rows) < MIN_ROWS or len(counts) < 2:
        return None
    truth = np.array(answers)
    classes = [c for c, n in counts.items() if n >= MIN_CLASS and len(rows) - n >= MIN_CLASS]
    absent = np.array([column[i] is None for i in rows], dtype=np.float64)
    for name in classes:
        if 0 < absent.sum() < len(rows) and _auc(absent, truth == name) >= LEAK_AUC:
            return f"whether it is missing tells {_shown(target, name, rows)!r} from the rest"
    present = absent == 0
    numbers = [parse_number(column[i]) for i in rows]
    if all(n is not None for n, p in zip(numbers, present, strict=True) if p):
        values = np.array([np.nan if n is None else n for n in numbers])
        for name in classes:
            here = truth[present] == name
            if min(here.sum(), (~here).sum()) >= MIN_CLASS and present.mean() > 0.5:
                area = _auc(values[present], here)
                if area >= LEAK_AUC:
                    return f"it alone tells {_shown(target, name, rows)!r} from the rest, AUC {area:.3f}"
    return _purity(column, target, rows)


def _purity(column: Column, target: Column, rows: Sequence[int]) -> str | None:
    used = [i for i in rows if column[i] is not None]
    pairs = mapping(column, target, used)
    if len(used) < max(MIN_ROWS, len(rows) // 2) or not 2 <= len(pairs) <= max(2, min(50, len(used) // 5)):
        return None
    if len(set(pairs.values())) < 2 or len(disagreements(column, target, used, pairs)) > 0.01 * len(used):
        return None
    minority = min(Counter(pairs[fold(c)] for c in (column[i] for i in used) if c is not None).values())
    return "each of its values goes with one answer" if minority >= MIN_CLASS else None


def _shown(target: Column, name: str, rows: Sequence[int]) -> str:
    return next(t for t in (target[i] for i in rows) if t is not None and fold(t) == name)


def _auc(values: Float64Array, positive: np.typing.NDArray[np.bool_]) -> float:
    """Area under the ROC curve in the better direction, ties counted half (Mann-Whitney)."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    n1 = int(positive.sum())
    n0 = len(values) - n1
    if n1 == 0 or n0 == 0:
        return 0.5
    area = float((ranks[positive].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))
    return max(area, 1 - area)

"""What the parts should hold in equal shares."""

import math
from collections.abc import Sequence

import numpy as np

from hounsfield.core.cohort import INSIDE_KINDS, Sample, TargetSpec

_BINS = 5
_MISSING = "(missing)"
_NONE = "(none)"


def strata_of(samples: Sequence[Sample], target: TargetSpec | None) -> dict[str, tuple[str, ...]]:
    """Tag each sample with the answers that should be spread evenly.

    Parameters
    ----------
    samples : sequence of Sample
    target : TargetSpec or None
        The primary target.

    Returns
    -------
    dict of str to tuple of str
        Sample id to its class or level, all its labels, or the fifth of the values that a number lies in.
    """
    if target is None or target.kind in INSIDE_KINDS:
        return {s.id: ("all",) for s in samples}
    values = {s.id: s.targets.get(target.name) for s in samples}
    if target.kind == "number":
        return _binned({name: _number(value) for name, value in values.items()})
    tags: dict[str, tuple[str, ...]] = {}
    for name, value in values.items():
        if value is None:
            tags[name] = (_MISSING,)
        elif isinstance(value, tuple):
            tags[name] = tuple(sorted(value)) or (_NONE,)
        else:
            tags[name] = (str(value),)
    return tags


def demanded(samples: Sequence[Sample], target: TargetSpec | None) -> tuple[str, ...]:
    """Return the tags that every part must hold: the classes or levels that occur.

    Parameters
    ----------
    samples : sequence of Sample
    target : TargetSpec or None
        A multi-label target or a number demands nothing: a rare label may miss a part.
    """
    if target is None or target.kind not in ("categorical", "ordinal"):
        return ()
    present = {str(s.targets[target.name]) for s in samples if s.targets.get(target.name) is not None}
    return tuple(c for c in target.classes if c in present) or tuple(sorted(present))


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _binned(values: dict[str, float]) -> dict[str, tuple[str, ...]]:
    known = np.array([v for v in values.values() if not math.isnan(v)])
    edges = np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1]) if len(known) else np.zeros(0)
    return {
        name: (_MISSING,) if math.isnan(value) else (f"bin {int(np.searchsorted(edges, value, side='right'))}",)
        for name, value in values.items()
    }

"""What a part of this size can tell, before anything is trained."""

import math
from collections.abc import Mapping

from hounsfield.core.cohort import TargetSpec
from hounsfield.science.statistics.intervals import expected_auroc_interval, wilson

AUROCS = (0.8, 0.9)
Z = 1.959964
HALF_NORMAL_CV = math.sqrt(math.pi / 2 - 1)
"""Standard deviation over mean of the absolute value of a normal error."""


def expected_interval(target: TargetSpec, counts: Mapping[str, int], *, total: int | None = None) -> str:
    """Return the 95 % intervals that so many patients can give.

    Parameters
    ----------
    target : TargetSpec
    counts : mapping of str to int
        Patients (or samples, where patients are not known) of each class, label or level in the part that will be
        judged. For a number only the sum counts.
    total : int or None
        All patients; the sum of the counts where left out. Needed for several labels, which overlap.

    Returns
    -------
    str
        Such as ``AUC 0.80: 0.74–0.86; AUC 0.90: 0.86–0.94 (n = 98 + 105)``; readable in any language.

    Notes
    -----
    AUC by Hanley and McNeil, for the rarest class against the rest where there are more than two. Accuracy of grades
    by Wilson. Numbers: Fisher's z for the correlation; the mean absolute error of normal errors varies by
    ``1.96 sqrt(pi/2 - 1) / sqrt(n)`` of itself.
    """
    number = sum(counts.values()) if total is None else total
    if number < 1:
        return ""
    if target.kind == "number":
        return _of_number(number)
    if target.kind == "ordinal":
        inside = wilson(round(0.8 * number), number)
        return f"accuracy 0.80: {inside.low:.2f}\N{EN DASH}{inside.high:.2f} (n = {number})"
    present = {name: count for name, count in counts.items() if 0 < count < number}
    if not present:
        return ""
    rarest = min(present, key=lambda name: min(present[name], number - present[name]))
    positives = present[target.positive] if target.positive in present else present[rarest]
    parts = []
    for auroc in AUROCS:
        inside = expected_auroc_interval(auroc, positives, number - positives)
        parts.append(f"AUC {auroc:.2f}: {inside.low:.2f}\N{EN DASH}{inside.high:.2f}")
    named = f"{rarest}: " if len(counts) > 2 else ""
    return f"{'; '.join(parts)} ({named}n = {positives} + {number - positives})"


def _of_number(number: int) -> str:
    share = 100 * Z * HALF_NORMAL_CV / math.sqrt(number)
    error = f"MAE \N{PLUS-MINUS SIGN} {share:.0f}%"
    if number < 5:
        return f"{error} (n = {number})"
    centre, half = math.atanh(0.8), Z / math.sqrt(number - 3)
    low, high = math.tanh(centre - half), math.tanh(centre + half)
    return f"{error}; r 0.80: {low:.2f}\N{EN DASH}{high:.2f} (n = {number})"

"""Which samples of a record are asked for, and how much one answer may hold."""

from collections.abc import Sequence

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError, case_id

MAX_VALUES = 1 << 28
"""Values in one answer (1 GiB as float32); longer records are read window by window."""


def window_of(ref: Ref, samples: int, start: int, stop: int | None) -> tuple[int, int]:
    """Return first sample and end of what is asked, in samples of the record.

    Parameters
    ----------
    ref : Ref
        Its part may hold ``start`` and ``stop``.
    samples : int
        Length of the record.
    start, stop : int
        Counted from the ref's start; None is the ref's end.

    Raises
    ------
    ReadError
        If the window is empty or leaves the record.
    """
    parts = dict(ref.part)
    first, end = _number(ref, parts.get("start", 0)), _number(ref, parts.get("stop", samples))
    begin, finish = first + start, end if stop is None else first + stop
    if not (0 <= first <= begin < finish <= end <= samples):
        raise ReadError(
            f"Case {case_id(ref.path)}: samples {begin} to {finish} were asked of a record of {samples}.",
            expected="a window that is not empty and lies in the record",
            next_step="correct the window or leave the case out",
        )
    return begin, finish


def _number(ref: Ref, value: str | int) -> int:
    try:
        return int(value)
    except ValueError:
        raise ReadError(
            f"Case {case_id(ref.path)}: the window of a ref is not a number.",
            expected="samples as whole numbers",
            next_step="correct the cohort",
        ) from None


def check_size(ref: Ref, leads: int, samples: int) -> None:
    """Raise ReadError where one answer would be too large."""
    if leads * samples > MAX_VALUES:
        raise ReadError(
            f"Case {case_id(ref.path)}: {leads} leads of {samples} samples were asked for at once.",
            expected=f"at most {MAX_VALUES} values in one window",
            next_step="read the record window by window",
        )


def chosen_leads(ref: Ref, leads: Sequence[str]) -> list[int]:
    """Return the rows that a ref means: all, or the one that its part ``lead`` names.

    Raises
    ------
    ReadError
        If there is no such lead.
    """
    wanted = dict(ref.part).get("lead")
    if wanted is None:
        return list(range(len(leads)))
    if wanted not in leads:
        raise ReadError(
            f"Case {case_id(ref.path)}: the record has no lead {str(wanted)[:40]!r}.",
            expected="one of " + ", ".join(leads[:20]),
            next_step="correct the cohort or leave the case out",
        )
    return [list(leads).index(str(wanted))]


def unlike(names: Sequence[str]) -> tuple[str, ...]:
    """Return names none of which is there twice: ``ECG``, ``ECG #2``, ..."""
    taken: set[str] = set()
    result: list[str] = []
    for name in names:
        best, n = name, 1
        while best in taken:
            n += 1
            best = f"{name} #{n}"
        taken.add(best)
        result.append(best)
    return tuple(result)


def damaged(ref: Ref, why: str, expected: str, next_step: str = "copy the record again, or leave it out") -> ReadError:
    """Return the error for a record that cannot be understood."""
    return ReadError(f"Case {case_id(ref.path)}: {why}", expected=expected, next_step=next_step)

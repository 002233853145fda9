"""Sentences that name the shortcuts which matter."""

from collections.abc import Mapping, Sequence

from hounsfield.core.cohort import Sample, TargetSpec
from hounsfield.core.report import Figure
from hounsfield.stages.auditing.cues import Cue

ALL = "all"
"""Key of the figure for all cues of the file together."""

MATTERS = 0.6
"""A cue is named when the lower end of its interval lies above this AUROC."""

_PRESENCE_WORDS = 3


def sentences(
    cues: Sequence[Cue],
    by: Mapping[str, Figure],
    by_part: Mapping[str, Mapping[str, Figure]],
    *,
    samples: Sequence[Sample],
    target: TargetSpec,
) -> tuple[str, ...]:
    """Name the cues that matter, one sentence each, the strongest first.

    Parameters
    ----------
    cues : sequence of Cue
        All cues that were tried.
    by : mapping of str to Figure
        Cross-validated figure of each, and of `ALL`.
    by_part : mapping of str to mapping of str to Figure
        Figures of the official parts.
    samples : sequence of Sample
        The samples guessed for.
    target : TargetSpec
        What was guessed.
    """
    test = by_part.get("test", {})
    subjects = {c.name: f"{c.subject[0].upper()}{c.subject[1:]}" for c in cues}
    verbs = {name: f"{subject} predicts {target.name} without the picture" for name, subject in subjects.items()}
    verbs[ALL] = f"All that is known of the files together predicts {target.name}"
    named: list[tuple[float, str]] = []
    for name, phrase in verbs.items():
        lows = [f.low for f in (by.get(name), test.get(name)) if f is not None and f.low is not None]
        if not lows or max(lows) <= MATTERS:
            continue
        parts = [f"AUC {_shown(by[name])} cross-validated"] if by[name].value is not None else []
        if name in test and test[name].value is not None:
            parts.append(f"AUC {_shown(test[name])} on the test part")
        extra = _presence(name, samples, target) if name.startswith("in:") else ""
        named.append((-(by[name].value or 0.0), f"{phrase}: {', '.join(parts)}.{extra}"))
    return tuple(sentence for _, sentence in sorted(named))


def _presence(name: str, samples: Sequence[Sample], target: TargetSpec) -> str:
    """Say of which answers alone a side table has rows, where that is so."""
    answers = {str(s.targets[target.name]) for s in samples if s.records.get(name) not in (None, "", 0, "no")}
    everything = {str(s.targets[target.name]) for s in samples}
    if not answers or answers == everything or len(answers) > _PRESENCE_WORDS:
        return ""
    return f" The table has rows only for samples answered {', '.join(sorted(answers))}."


def _shown(figure: Figure) -> str:
    value = f"{figure.value:.2f}"
    return value if figure.low is None or figure.high is None else f"{value} ({figure.low:.2f} to {figure.high:.2f})"

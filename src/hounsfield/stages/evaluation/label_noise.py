"""Samples whose answer is worth a second look; nothing is ever removed for it."""

from collections.abc import Sequence

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.report import SecondLook
from hounsfield.core.types import Float64Array
from hounsfield.science.statistics.label_noise import doubted
from hounsfield.stages.evaluation.samples import JudgedSample, gather

MOST = 50
"""Suspects that a report lists."""
FEWEST = 20
"""With fewer samples the mean probability of a class says too little to contradict anyone."""


def second_look(
    target: TargetSpec, samples: Sequence[JudgedSample], answers: Float64Array, *, part: str
) -> tuple[SecondLook, ...]:
    """List suspected label errors.

    Parameters
    ----------
    target : TargetSpec
        Others than categorical and ordinal ones are not looked at.
    samples : sequence of JudgedSample
        Length n.
    answers : numpy.ndarray
        Probabilities ``n k`` of models that have not learned from these samples.
    part : str
        Its name, for the list.
    """
    if target.kind not in ("categorical", "ordinal"):
        return ()
    rows = gather(target, samples, answers)
    if len(rows) < FEWEST:
        return ()
    given = rows.truth.astype("int64")
    found = doubted(rows.answers, given)
    return tuple(
        SecondLook(
            sample=rows.samples[row].id,
            part=part,
            given=target.classes[given[row]],
            suggested=target.classes[said],
            given_probability=float(rows.answers[row, given[row]]),
            suggested_probability=float(rows.answers[row, said]),
        )
        for row, said in zip(found.rows[:MOST].tolist(), found.suggested[:MOST].tolist(), strict=True)
    )

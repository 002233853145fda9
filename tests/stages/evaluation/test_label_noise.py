"""What the report lists as worth a second look."""

import numpy as np

from hounsfield.core.cohort import TargetSpec
from hounsfield.stages.evaluation.label_noise import second_look
from hounsfield.stages.evaluation.samples import JudgedSample

TARGET = TargetSpec(name="label", kind="categorical", classes=("no", "yes"), positive="yes")


def test_the_contradicted_answer_is_listed_and_others_are_not() -> None:
    truths = ["no", "no", "yes", "yes", "yes", None]
    answers = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.97, 0.03], [0.9, 0.1]])
    truths, answers = truths[:4] * 6 + truths[4:], np.concatenate([np.tile(answers[:4], (6, 1)), answers[4:]])
    samples = [JudgedSample(f"s{i}", f"p{i}", truth) for i, truth in enumerate(truths)]
    found = second_look(TARGET, samples, answers, part="val")
    assert [(f.sample, f.given, f.suggested, f.part) for f in found] == [("s24", "yes", "no", "val")]
    assert found[0].suggested_probability == 0.97
    assert second_look(TARGET.model_copy(update={"kind": "number", "classes": ()}), samples, answers, part="val") == ()
    assert second_look(TARGET, samples[-7:], answers[-7:], part="val") == ()

"""Each kind of target: encoded, decoded, calibrated and said as by hand."""

from typing import cast

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from hounsfield.core.cohort import Schema, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.core.fingerprint import TargetFacts
from hounsfield.core.protocols import Decoding, TargetKind, Task
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array, TargetValue
from hounsfield.learn.losses import ordinal as torch_ordinal
from hounsfield.tasks import TASKS
from hounsfield.tasks.classify.categorical import CATEGORICAL
from hounsfield.tasks.classify.multilabel import MULTILABEL
from hounsfield.tasks.classify.number import NUMBER
from hounsfield.tasks.classify.ordinal import ORDINAL, cumulative
from hounsfield.tasks.classify.task import TARGET_KINDS, Classify
from hounsfield.tasks.classify.temperature import PRIOR_SAMPLES
from tests.references import losses

BINARY = TargetSpec(name="ill", kind="categorical", classes=("no", "yes"), positive="yes")
THREE = TargetSpec(name="type", kind="categorical", classes=("a", "b", "c"))
LABELS = TargetSpec(name="labels", kind="multilabel", classes=("x", "y", "z"))
GRADE = TargetSpec(name="grade", kind="ordinal", classes=("0", "1", "2", "3"))
SIZE = TargetSpec(name="size", kind="number", unit="mm")
MASK = TargetSpec(name="mask", kind="mask")
TARGETS = (BINARY, THREE, LABELS, GRADE, SIZE)


def kind(target: TargetSpec) -> TargetKind:
    return cast(TargetKind, TARGET_KINDS.resolve(target.kind))


def outputs(target: TargetSpec, count: int = 40, *, scale: float = 2.0) -> Float64Array:
    return scale * stream(0, "outputs").standard_normal((count, kind(target).width(target)))


@pytest.mark.parametrize(
    ("target", "values", "wanted"),
    [
        (BINARY, ["no", "yes", None, "maybe"], [0, 1, -1, -1]),
        (THREE, ["c", None, "a"], [2, -1, 0]),
        (GRADE, ["3", None, "0", "2"], [3, -1, 0, 2]),
        (LABELS, [("x", "z"), (), None, "y"], [[1, 0, 1], [0, 0, 0], [np.nan] * 3, [0, 1, 0]]),
        (SIZE, [2.5, None, 3, float("nan")], [[2.5], [np.nan], [3.0], [np.nan]]),
    ],
    ids=lambda v: v.name if isinstance(v, TargetSpec) else "",
)
def test_encoding(target: TargetSpec, values: list[TargetValue], wanted: list[object]) -> None:
    encoded = kind(target).encode(target, values)
    np.testing.assert_array_equal(encoded, np.array(wanted, dtype=np.float64))
    assert encoded.dtype == (np.int64 if target.kind in ("categorical", "ordinal") else np.float32)


def test_numbers_in_names_of_classes_are_found() -> None:
    target = TargetSpec(name="label", kind="categorical", classes=("0", "1"))
    np.testing.assert_array_equal(CATEGORICAL.encode(target, ["0", "1"]), [0, 1])


def test_widths() -> None:
    assert [kind(t).width(t) for t in TARGETS] == [2, 3, 3, 3, 1]


def test_decoding_at_a_temperature() -> None:
    warm = Decoding(temperature=2.0)
    raw = outputs(THREE)
    np.testing.assert_allclose(CATEGORICAL.decode(THREE, raw, warm), losses.softmax(raw / 2), rtol=1e-12)
    raw = outputs(LABELS)
    np.testing.assert_allclose(MULTILABEL.decode(LABELS, raw, warm), losses.logistic(raw / 2), rtol=1e-12)
    raw = outputs(SIZE)
    np.testing.assert_allclose(NUMBER.decode(SIZE, raw, Decoding(mean=10.0, std=3.0)), 10 + 3 * raw)


def test_levels_are_read_as_the_loss_reads_them() -> None:
    raw = outputs(GRADE)
    above = torch_ordinal.cumulative_logits(torch.from_numpy(raw)).double().numpy()
    np.testing.assert_allclose(cumulative(raw), above, rtol=1e-5, atol=1e-5)
    probability = ORDINAL.decode(GRADE, raw, Decoding())
    np.testing.assert_allclose(probability, losses.level_probabilities(raw), atol=1e-12)
    decoded = torch_ordinal.decode(torch.from_numpy(raw)).double().numpy()
    np.testing.assert_allclose(probability, decoded, atol=1e-5)


@pytest.mark.parametrize("temperature", [0.05, 1.0, 20.0])
def test_level_probabilities_are_never_negative_and_sum_to_one(temperature: float) -> None:
    raw = np.vstack([outputs(GRADE, scale=10.0), np.full((1, 3), -80.0), np.full((1, 3), 80.0)])
    probability = ORDINAL.decode(GRADE, raw, Decoding(temperature=temperature))
    assert (probability >= 0).all()
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)


def likelihood(target: TargetSpec, raw: Float64Array, truth: AnyArray, temperature: float) -> float:
    """The mean loss of known answers, from the formulas."""
    known = truth.astype(np.float64)
    ones = np.ones(len(raw))
    if target.kind == "categorical":
        return losses.cross_entropy(raw / temperature, truth.astype(np.int64), ones)
    if target.kind == "multilabel":
        return losses.binary_cross_entropy(raw / temperature, known, ones)
    p = losses.logistic(losses.above(raw) / temperature)
    inside = truth.astype(np.int64) >= 0
    is_above = truth.astype(np.int64)[:, None] > np.arange(raw.shape[1])
    return float(-np.where(is_above, np.log(p), np.log(1 - p))[inside].mean())


@pytest.mark.parametrize("target", [BINARY, THREE, LABELS, GRADE], ids=lambda t: t.name)
def test_calibration_finds_the_most_likely_temperature(target: TargetSpec) -> None:
    rng = stream(1, "truth")
    raw = outputs(target, 300, scale=3.0)
    probability = kind(target).decode(target, raw / 2.5, Decoding())
    truth: AnyArray
    if target.kind == "multilabel":
        truth = (rng.random(raw.shape) < probability).astype(np.float32)
        truth[::7] = np.nan
    else:
        drawn = (rng.random((300, 1)) > np.cumsum(probability, axis=1)[:, :-1]).sum(axis=1)
        truth = np.where(np.arange(300) % 7 == 0, -1, drawn)
    found = kind(target).calibrate(target, raw, truth, Decoding(threshold=0.3))
    best = minimize_scalar(
        lambda log_t: likelihood(target, raw, truth, float(np.exp(log_t))), bounds=(-2, 2.5), method="bounded"
    )
    known = int((np.asarray(truth, dtype=np.float64) >= 0).reshape(300, -1).any(axis=1).sum())
    drawn_to_one = float(np.exp(best.x * known / (known + PRIOR_SAMPLES)))
    assert found.temperature == pytest.approx(drawn_to_one, rel=5e-3)
    assert found.threshold == 0.3
    assert found.temperature > 1.2  # the outputs were too sure


def test_a_few_perfect_answers_do_not_make_the_model_certain() -> None:
    """Three validation samples told apart perfectly have their best temperature at its lower bound."""
    raw = np.array([[2.0, -2.0], [-2.0, 2.0], [1.0, -1.0]])
    found = kind(BINARY).calibrate(BINARY, raw, np.array([0, 1, 0]), Decoding())
    assert 0.5 < found.temperature < 1.0


@pytest.mark.parametrize("target", [BINARY, THREE, LABELS, GRADE], ids=lambda t: t.name)
def test_no_known_answer_calibrates_nothing(target: TargetSpec) -> None:
    raw = outputs(target, 5)
    truth = kind(target).encode(target, [None] * 5)
    assert kind(target).calibrate(target, raw, truth, Decoding()) == Decoding()


def test_a_number_has_no_temperature_and_starts_from_the_training_part() -> None:
    start = NUMBER.start(SIZE, TargetFacts(kind="number", mean=12.0, std=4.0, median=11.0))
    assert (start.mean, start.std) == (12.0, 4.0)
    assert NUMBER.calibrate(SIZE, outputs(SIZE), np.zeros((40, 1)), start) == start
    for target in TARGETS[:4]:
        assert kind(target).start(target, TargetFacts(kind=target.kind)) == Decoding()


def test_saying_a_class_and_the_call_at_the_operating_point() -> None:
    said = CATEGORICAL.say(BINARY, np.array([0.7, 0.3]), Decoding(threshold=0.25))
    assert said.value == "no"
    assert said.at_operating_point == "yes"
    assert said.probabilities == {"no": 0.7, "yes": 0.3}
    at = CATEGORICAL.say(BINARY, np.array([0.75, 0.25]), Decoding(threshold=0.25))
    assert at.at_operating_point == "yes"  # at the threshold is a call
    turned = BINARY.model_copy(update={"positive": "no"})
    assert CATEGORICAL.say(turned, np.array([0.2, 0.8]), Decoding(threshold=0.3)).at_operating_point == "yes"
    three = CATEGORICAL.say(THREE, np.array([0.2, 0.3, 0.5]), Decoding())
    assert (three.value, three.at_operating_point) == ("c", "c")
    rare = CATEGORICAL.say(THREE, np.array([0.2, 0.3, 0.5]), Decoding(class_factors={"a": 3.0, "b": 1.1, "c": 1.0}))
    assert (rare.value, rare.at_operating_point) == ("c", "a")
    assert rare.probabilities == three.probabilities
    unnamed = BINARY.model_copy(update={"positive": None})
    assert CATEGORICAL.say(unnamed, np.array([0.2, 0.8]), Decoding()).at_operating_point is None


def test_saying_labels() -> None:
    said = MULTILABEL.say(LABELS, np.array([0.5, 0.49, 0.9]), Decoding())
    assert said.value == ("x", "z")
    assert MULTILABEL.say(LABELS, np.array([0.1, 0.2, 0.3]), Decoding()).value == ()


@pytest.mark.parametrize(
    ("row", "level"),
    [([0.6, 0.2, 0.1, 0.1], "0"), ([0.4, 0.0, 0.1, 0.5], "2"), ([0.0, 0.0, 0.0, 1.0], "3"), ([0.25] * 4, "1")],
)
def test_saying_the_median_level(row: list[float], level: str) -> None:
    assert ORDINAL.say(GRADE, np.array(row), Decoding()).value == level


def test_median_level_loses_least() -> None:
    for row in stream(0, "levels").dirichlet(np.ones(4), 50):
        cost = [(row * np.abs(np.arange(4) - level)).sum() for level in range(4)]
        assert cost[int(str(ORDINAL.say(GRADE, row, Decoding()).value))] == pytest.approx(min(cost))


def test_saying_a_number() -> None:
    said = NUMBER.say(SIZE, np.array([3.25]), Decoding())
    assert said.value == 3.25
    assert said.probabilities == {}


def test_the_task_claims_what_it_can_answer() -> None:
    task: Task = Classify()
    assert task.claim(Schema(targets=(BINARY, MASK))) == 1.0
    assert task.claim(Schema(targets=(MASK, BINARY))) == 0.5
    assert task.claim(Schema(targets=(MASK,))) == 0.0
    assert task.claim(Schema()) == 0.0
    assert task.accepts(Schema(targets=(MASK, BINARY, SIZE))) == (BINARY, SIZE)
    for target in TARGETS:
        assert task.kind(target).name == target.kind
    assert TASKS.resolve("classify") is Classify


@pytest.mark.parametrize(("targets", "said"), [((MASK,), r"mask \(mask\)"), ((), "no answers at all")])
def test_nothing_to_classify_is_said(targets: tuple[TargetSpec, ...], said: str) -> None:
    with pytest.raises(CohortError, match=said) as caught:
        Classify().accepts(Schema(targets=targets))
    assert "--target" in caught.value.next_step

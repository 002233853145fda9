"""The table of predictions: one row per sample, refusals without an answer."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from hounsfield.core.cohort import Cohort, Reading, Ref, Sample, Schema, TargetSpec
from hounsfield.core.errors import HounsfieldError
from hounsfield.core.protocols import Decoding
from hounsfield.core.types import Float64Array, TargetValue
from hounsfield.learn.model import Judgement
from hounsfield.learn.prepare.image import ImagePreparation
from hounsfield.tasks.classify.task import Classify
from hounsfield.workflow.predicting import prediction_json
from hounsfield.workflow.predictions import Row, Rows, say, table_header, table_row, written, written_answer
from hounsfield.workflow.together import items

ILL = TargetSpec(name="ill", kind="categorical", classes=("no", "yes"), positive="yes")
SIZE = TargetSpec(name="size", kind="number")
TARGETS = (ILL, SIZE)
DECODINGS = {"ill": Decoding(threshold=0.2), "size": Decoding(mean=10.0, std=2.0)}


def judged(key: str, p: float, *, refusal: str = "", flags: tuple[str, ...] = ()) -> Judgement:
    outputs: dict[str, Float64Array] = {"ill": np.log([1 - p, p]), "size": np.array([1.5])}
    return Judgement(key, outputs, {"prevalence.0": {"ill": np.zeros(2)}}, flags, refusal)


def sample(key: str, **targets: TargetValue) -> Sample:
    return Sample(id=key, patient=f"p-{key}", inputs={"image": (Reading(Ref("memory", key)),)}, targets=targets)


def table(*rows: Rows) -> list[dict[str, str]]:
    text = written(rows, TARGETS, task=Classify(), decodings=DECODINGS)
    assert "\r" not in text
    return list(csv.DictReader(io.StringIO(text)))


def test_one_row_per_sample() -> None:
    rows = Rows(
        rows=(
            Row(sample("a", ill="yes", size=12.5), "test", judged("a", 0.3, flags=("dark", "small"))),
            Row(sample("b", ill=None, size=None), "test", judged("b", 0.9, refusal="unlike")),
        ),
        failed=(Row(sample("c", ill="no", size=3.0), "test", Judgement("c", {}, {}, (), "cut short")),),
    )
    one, refused, failed = table(rows)
    assert list(one) == table_header(TARGETS, with_truth=True)
    assert (one["sample"], one["patient"], one["part"], one["truth"]) == ("a", "p-a", "test", "yes")
    assert float(one["probability:yes"]) == pytest.approx(0.3)
    assert float(one["probability:yes"]) + float(one["probability:no"]) == pytest.approx(1.0)
    assert (one["predicted"], one["at_operating_point"]) == ("no", "yes")
    assert (one["size/truth"], one["size/predicted"]) == ("12.5", "13")
    assert (one["flags"], one["refusal"]) == ("dark; small", "")
    assert (refused["truth"], refused["predicted"], refused["at_operating_point"]) == ("", "", "")
    assert (refused["size/predicted"], refused["size/value"]) == ("", "13")
    assert float(refused["probability:yes"]) == pytest.approx(0.9)  # kept, so that figures can be recomputed
    assert refused["refusal"] == "unlike"
    assert (failed["truth"], failed["probability:yes"], failed["predicted"]) == ("no", "", "")
    assert failed["refusal"] == "cut short"


def test_classes_are_pointed_out_at_thresholds_of_their_own() -> None:
    kind = TargetSpec(name="kind", kind="categorical", classes=("a", "b", "c"))
    judgement = Judgement("x", {"kind": np.log([0.5, 0.3, 0.2])}, {}, ("dark",), "")

    def row(limits: dict[str, float], *, refusal: str = "") -> dict[str, str]:
        decodings = {"kind": Decoding(class_thresholds=limits)}
        said = replace(judgement, refusal=refusal)
        text = written(
            [Rows((Row(sample("x", kind="b"), "test", said),))], [kind], task=Classify(), decodings=decodings
        )
        return next(csv.DictReader(io.StringIO(text)))

    own = row({"a": 0.6, "b": 0.25, "c": 0.1})
    assert (own["predicted"], own["pointed_out"]) == ("a", "b|c")
    assert row({"a": 0.6, "b": 0.6, "c": 0.6})["pointed_out"] == "(none)"
    assert row({})["pointed_out"] == ""  # a bundle without such thresholds
    assert row({"a": 0.1, "b": 0.1, "c": 0.1}, refusal="unlike")["pointed_out"] == ""
    told = prediction_json(
        say(
            judgement,
            [kind],
            task=Classify(),
            decodings={"kind": Decoding(class_thresholds={"a": 0.1, "b": 0.9, "c": 0.1})},
        )
    )
    assert isinstance(told, dict)
    assert '"pointed_out": ["a", "c"]' in json.dumps(told)


def test_the_class_that_is_called_stands_beside_the_most_probable_one() -> None:
    kind = TargetSpec(name="kind", kind="categorical", classes=("a", "b", "c"))
    judgement = Judgement("x", {"kind": np.log([0.5, 0.3, 0.2])}, {}, (), "")
    rows = [Rows((Row(sample("x", kind="c"), "test", judgement),))]
    for factors, called in (({}, "a"), ({"a": 1.0, "b": 1.0, "c": 3.0}, "c")):
        text = written(rows, [kind], task=Classify(), decodings={"kind": Decoding(class_factors=factors)})
        (row,) = csv.DictReader(io.StringIO(text))
        assert (row["predicted"], row["at_operating_point"]) == ("a", called)


def test_a_row_has_as_many_cells_as_the_header() -> None:
    for judgement in (judged("a", 0.5), Judgement("b", {}, {}, (), "no")):
        cells = table_row(say(judgement, TARGETS, task=Classify(), decodings=DECODINGS), TARGETS)
        assert len(cells) + 1 == len(table_header(TARGETS, with_truth=False))


@pytest.mark.parametrize(
    ("answer", "text"),
    [(None, ""), ("yes", "yes"), (("x", "z"), "x|z"), ((), "(none)"), (0.1, "0.1"), (1 / 3, "0.333333333")],
)
def test_answers_as_text(answer: TargetValue, text: str) -> None:
    assert written_answer(answer) == text


def test_outputs_of_network_and_baseline() -> None:
    rows = Rows((Row(sample("a"), "test", judged("a", 0.5)), Row(sample("b"), "test", judged("b", 0.25))))
    np.testing.assert_allclose(np.exp(rows.outputs("ill"))[:, 1], [0.5, 0.25])
    np.testing.assert_array_equal(rows.outputs("ill", "prevalence.0"), np.zeros((2, 2)))


def test_an_unreadable_sample_becomes_its_error_and_the_rest_goes_on() -> None:
    good = np.zeros((4, 4), np.uint8)
    arrays = {"a": good, "b": np.full((4, 4), np.nan), "d": good}
    cohort = Cohort("toy", "/", tuple(sample(k) for k in "abcd"), Schema(targets=TARGETS), arrays=arrays)
    found = dict(items(((cohort, sample) for sample in cohort.samples), {"image": ImagePreparation(size=(4, 4))}))
    assert [isinstance(v, HounsfieldError) for v in found.values()] == [False, True, True, False]

"""A few variables are selected and weighed on the training rows alone."""

import numpy as np
import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import PlanError
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array, Json
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import HeadSpec, Job, State
from hounsfield.learn.learners.selected import SELECTED
from hounsfield.learn.loop import Optimisation, Watch
from hounsfield.learn.nn.spec import InputShape, NetworkSpec
from hounsfield.learn.prepare.row import RowPreparation
from hounsfield.science.radiomics import combat
from hounsfield.science.radiomics.selection import RowModel

NAMES = tuple(f"v{i}" for i in range(6))


def job(target: TargetSpec, loss: str, width: int) -> Job:
    spec = RowPreparation(columns=NAMES, middle=dict.fromkeys(NAMES, 0.0), spread=dict.fromkeys(NAMES, 1.0))
    return Job(
        seed=0,
        network=NetworkSpec(
            family="row", inputs={"x": InputShape(channels=6, ndim=0, size=())}, heads={target.name: width}
        ),
        preparation={"x": spec},
        augmentation=AugmentSpec(),
        optimisation=Optimisation(batch=8, steps=1),
        heads=(HeadSpec(target=target, loss=loss, width=width),),
    )


def feed(answers: AnyArray, rows: Float64Array, name: str) -> Feed:
    every = np.arange(len(rows))
    return Feed({"x": rows.astype(np.float32)}, {name: answers}, every[:80], every[80:], every)


TWO = TargetSpec(name="ill", kind="categorical", classes=("no", "yes"), positive="yes")
THREE = TargetSpec(name="kind", kind="categorical", classes=("a", "b", "c"))


def drawn() -> tuple[Float64Array, AnyArray]:
    draws = stream(0, "selected")
    rows = draws.standard_normal((120, 6))
    answers = (rows[:, 2] + 0.3 * draws.standard_normal(120) > 0).astype(np.int64)
    rows[::9, 2] = np.nan
    return rows, answers


def test_the_telling_variable_is_found_and_held_out_rows_are_answered() -> None:
    rows, answers = drawn()
    asked = job(TWO, "categorical", 2)
    state = SELECTED.fit(feed(answers, rows, "ill"), asked, watch=Watch())
    raw = SELECTED.open(state, asked).run({"x": rows[80:].astype(np.float32)})["ill"]
    known = np.isfinite(rows[80:, 2])
    assert (raw.argmax(axis=1) == answers[80:])[known].mean() > 0.85
    held = state.json
    assert isinstance(held, list)
    assert 2 in held[0][0]["chosen"]  # type: ignore[call-overload,index,operator]  # JSON of one model


def test_held_out_rows_change_nothing() -> None:
    rows, answers = drawn()
    asked = job(TWO, "categorical", 2)
    first = SELECTED.fit(feed(answers, rows, "ill"), asked, watch=Watch())
    rows[80:], answers[80:] = 99.0, 1 - answers[80:]
    assert SELECTED.fit(feed(answers, rows, "ill"), asked, watch=Watch()).json == first.json


def test_a_row_is_answered_alike_alone() -> None:
    rows, answers = drawn()
    asked = job(TWO, "categorical", 2)
    runner = SELECTED.open(SELECTED.fit(feed(answers, rows, "ill"), asked, watch=Watch()), asked)
    stored = rows.astype(np.float32)
    np.testing.assert_array_equal(runner.run({"x": stored})["ill"][5:6], runner.run({"x": stored[5:6]})["ill"])


def test_one_of_three_classes_and_a_class_that_is_not_there() -> None:
    rows, _ = drawn()
    rows = np.nan_to_num(rows)
    answers = np.where(rows[:, 0] > 0.5, 1, 0)
    asked = job(THREE, "categorical", 3)
    state = SELECTED.fit(feed(answers, rows, "kind"), asked, watch=Watch())
    raw = SELECTED.open(state, asked).run({"x": rows.astype(np.float32)})["kind"]
    assert raw.shape == (120, 3)
    assert (raw.argmax(axis=1) == answers).mean() > 0.9
    assert (raw[:, 2] < -3).all()


def test_rows_without_any_difference_get_the_base_rate() -> None:
    answers = np.arange(120) % 4 == 0
    asked = job(TWO, "categorical", 2)
    state = SELECTED.fit(feed(answers.astype(np.int64), np.zeros((120, 6)), "ill"), asked, watch=Watch())
    assert State({}, state.json).json == state.json
    raw = SELECTED.open(state, asked).run({"x": np.zeros((2, 6), np.float32)})["ill"]
    np.testing.assert_allclose(raw[:, 1] - raw[:, 0], np.log(21 / 61))


def test_covariates_of_another_row_are_kept_by_what_the_fold_alone_says() -> None:
    draws = stream(1, "selected covariates")
    age, place = draws.standard_normal(120), np.arange(120) % 2
    rows = np.column_stack([draws.standard_normal((120, 6)) + age[:, None] + 3 * place[:, None], place])
    answers = (rows[:, 2] - 3 * place + 0.3 * draws.standard_normal(120) > 0).astype(np.int64)
    features = RowPreparation(
        columns=NAMES,
        middle=dict.fromkeys(NAMES, 0.0),
        spread=dict.fromkeys(NAMES, 1.0),
        site="hospital",
        sites=("A", "B"),
        harmonise="empirical-bayes",
        covariates=("age", "sex"),  # this part of the cohort has no sex
    )
    beside = RowPreparation(columns=("age",), middle={"age": 0.0}, spread={"age": 1.0})
    asked = job(TWO, "categorical", 2).model_copy(update={"preparation": {"x": features, "more": beside}})
    every = np.arange(120)

    def fitted() -> Json:
        inputs = {"x": rows.astype(np.float32), "more": age[:, None].astype(np.float32)}
        return SELECTED.fit(Feed(inputs, {"ill": answers}, every[:80], every[80:], every), asked, watch=Watch()).json

    first = fitted()
    assert isinstance(first, list)
    assert isinstance(first[0], list)
    model = RowModel.model_validate(first[0][0])
    assert (model.covariates, model.harmonised) == ((6,), tuple(range(6)))
    assert model.combat is not None
    inside = slice(0, 80)
    wanted = combat.fit(
        rows[inside, :6].astype(np.float32).astype(np.float64),
        ["AB"[p] for p in place[inside]],
        covariates=age[inside, None].astype(np.float32).astype(np.float64),
    )
    np.testing.assert_allclose(model.combat.slopes, wanted.slopes, rtol=1e-9)
    rows[80:, :6], age[80:], answers[80:] = 99.0, -50.0, 1 - answers[80:]
    assert fitted() == first


def test_signals_and_numbers_are_refused() -> None:
    rows, answers = drawn()
    number = TargetSpec(name="size", kind="number")
    with pytest.raises(PlanError, match="answers yes-no questions"):
        SELECTED.fit(feed(answers[:, None].astype(np.float64), rows, "size"), job(number, "number", 1), watch=Watch())
    with pytest.raises(PlanError, match="is no row"):
        SELECTED.fit(feed(answers, rows[:, None], "ill"), job(TWO, "categorical", 2), watch=Watch())

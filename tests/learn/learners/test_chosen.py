"""The choice of learner and variables is nested, harmonisation is fitted in the fold, one variable can stand alone."""

import numpy as np
import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import BundleError, UnknownNameError
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float32Array
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.chosen import CHOSEN
from hounsfield.learn.learners.protocol import HeadSpec, Job, State
from hounsfield.learn.learners.selected import ALONE, SELECTED
from hounsfield.learn.loop import Optimisation, Watch
from hounsfield.learn.nn.spec import InputShape, NetworkSpec
from hounsfield.learn.prepare.row import RowPreparation

NAMES = tuple(f"v{i}" for i in range(12))
TWO = TargetSpec(name="ill", kind="categorical", classes=("no", "yes"), positive="yes")
LABELS = TargetSpec(name="ill", kind="multilabel", classes=("a", "b"))


def job(target: TargetSpec = TWO, loss: str = "categorical", *, harmonise: str = "empirical-bayes") -> Job:
    spec = RowPreparation.model_validate(
        {
            "columns": NAMES,
            "middle": dict.fromkeys(NAMES, 0.0),
            "spread": dict.fromkeys(NAMES, 1.0),
            "site": "hospital",
            "sites": ("A", "B"),
            "harmonise": harmonise,
        }
    )
    return Job(
        seed=0,
        network=NetworkSpec(
            family="row", inputs={"x": InputShape(channels=12, ndim=0, size=())}, heads={target.name: 2}
        ),
        preparation={"x": spec},
        augmentation=AugmentSpec(),
        optimisation=Optimisation(batch=8, steps=1),
        heads=(HeadSpec(target=target, loss=loss, width=2),),
        alone="v3",
    )


def drawn(*, shift: float = 0.0) -> tuple[Float32Array, AnyArray]:
    """Variable 3 tells the answer; the second site has it shifted by more than the answer moves it."""
    draws = stream(0, "chosen")
    site = np.arange(90) % 2
    answers = (draws.random(90) < 0.4).astype(np.int64)
    rows = draws.standard_normal((90, 12)) + shift * site[:, None] * np.linspace(0.5, 1.5, 12)
    rows[:, 3] += 2.0 * answers
    return np.column_stack([rows, site]).astype(np.float32), answers


def feed(rows: Float32Array, answers: AnyArray) -> Feed:
    every = np.arange(90)
    return Feed({"x": rows}, {"ill": answers}, every[:60], every[60:], every)


def right(raw: AnyArray, answers: AnyArray) -> float:
    return float((raw[60:].argmax(axis=1) == answers[60:]).mean())


def test_sites_are_harmonised_in_the_fold_and_help() -> None:
    rows, answers = drawn(shift=6.0)
    said = {}
    for method in ("none", "empirical-bayes", "each-feature"):
        asked = job(harmonise=method)
        state = SELECTED.fit(feed(rows, answers), asked, watch=Watch())
        said[method] = right(SELECTED.open(state, asked).run({"x": rows})["ill"], answers)
    assert min(said["empirical-bayes"], said["each-feature"]) > max(0.75, said["none"])


def test_an_unknown_site_is_answered_as_of_the_average_one() -> None:
    rows, answers = drawn(shift=1.0)
    asked = job()
    runner = SELECTED.open(SELECTED.fit(feed(rows, answers), asked, watch=Watch()), asked)
    other = rows[:4].copy()
    other[:, -1] = np.nan
    first, second = (runner.run({"x": r})["ill"] for r in (rows[:4], other))
    assert np.isfinite(second).all()
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("learner", [CHOSEN, SELECTED, ALONE])
def test_held_out_rows_change_nothing(learner: object) -> None:
    assert hasattr(learner, "fit")
    rows, answers = drawn()
    first = learner.fit(feed(rows, answers), job(), watch=Watch())
    rows[60:, :12], answers[60:] = 99.0, 1 - answers[60:]
    assert learner.fit(feed(rows, answers), job(), watch=Watch()).json == first.json


def test_the_nested_choice_answers_and_survives_json() -> None:
    rows, answers = drawn()
    asked = job()
    state = CHOSEN.fit(feed(rows, answers), asked, watch=Watch())
    assert isinstance(state.json, dict)
    assert state.json["learner"] in ("selected", "summaries")
    raw = CHOSEN.open(State(state.arrays, state.json), asked).run({"x": rows})["ill"]
    assert right(raw, answers) > 0.75
    with pytest.raises(BundleError, match="which learner"):
        CHOSEN.open(State({}, {"learner": "other"}), asked)


def test_labels_are_chosen_for_together() -> None:
    rows, answers = drawn()
    both = np.stack([answers, 1 - answers], axis=1).astype(np.float64)
    both[0, 1] = np.nan
    asked = job(LABELS, "multilabel")
    raw = CHOSEN.open(CHOSEN.fit(feed(rows, both), asked, watch=Watch()), asked).run({"x": rows})["ill"]
    assert ((raw[60:, 0] > 0) == (answers[60:] == 1)).mean() > 0.75


def test_one_variable_alone_keeps_its_own_order() -> None:
    rows, answers = drawn()
    asked = job()
    raw = ALONE.open(ALONE.fit(feed(rows, answers), asked, watch=Watch()), asked).run({"x": rows})["ill"]
    assert np.array_equal(np.argsort(raw[:, 1] - raw[:, 0]), np.argsort(rows[:, 3]))
    with pytest.raises(UnknownNameError, match="nothing"):
        ALONE.fit(feed(rows, answers), asked.model_copy(update={"alone": "nothing"}), watch=Watch())

import numpy as np
import pytest
import torch

from hounsfield.core.errors import UnknownNameError
from hounsfield.core.prediction import TargetPrediction
from hounsfield.learn.explain.question import Question, question_of
from hounsfield.learn.losses import ordinal
from tests.learn.toys import TARGETS

RAW = torch.tensor([[1.2, -0.4, 0.7]])


def test_a_class_is_explained_by_its_log_odds() -> None:
    target = TARGETS["categorical"].model_copy(update={"classes": ("a", "b", "c")})
    for place in range(3):
        p = torch.softmax(RAW / 2.0, dim=1)[0, place]
        score = Question(target, place, temperature=2.0).score(RAW)
        assert score[0] == pytest.approx(float(torch.log(p / (1 - p))), abs=1e-5)
        assert Question(target, place).linked(np.array([float(score[0])]))[0] == pytest.approx(float(p), abs=1e-6)


def test_a_label_is_explained_by_its_logit() -> None:
    assert float(Question(TARGETS["multilabel"], 2).score(RAW)[0]) == pytest.approx(0.7)


def test_a_level_is_explained_as_at_least() -> None:
    raw = torch.tensor([[0.8, 0.3]])
    shares = ordinal.decode(raw)[0]
    for place, wanted in ((0, shares[0]), (1, shares[1] + shares[2]), (2, shares[2])):
        question = Question(TARGETS["ordinal"], place)
        assert question.linked(question.score(raw).double().numpy())[0] == pytest.approx(float(wanted), abs=1e-6)
    assert Question(TARGETS["ordinal"], 1).answer == "at least 1"
    assert Question(TARGETS["ordinal"], 0).answer == "0"


def test_a_number_is_explained_away_from_the_average() -> None:
    said = TargetPrediction(value=3.0)
    low = question_of(TARGETS["number"], said, np.array([-0.7]), temperature=1.0)
    assert low.answer == "below average"
    assert float(low.score(torch.tensor([[-0.7]]))[0]) == pytest.approx(0.7)
    assert low.linked(np.array([0.7]))[0] == 0.7
    assert question_of(TARGETS["number"], said, np.array([0.1]), temperature=1.0).answer == "above average"


def test_what_is_said_is_explained_or_what_is_asked_for() -> None:
    target, raw = TARGETS["categorical"], np.array([0.0, 1.0])
    said = TargetPrediction(value="b", probabilities={"a": 0.3, "b": 0.7}, at_operating_point="a")
    assert question_of(target, said, raw, temperature=1.0).answer == "a"
    assert question_of(target, said, raw, temperature=1.0, wanted="b").answer == "b"
    with pytest.raises(UnknownNameError):
        question_of(target, said, raw, temperature=1.0, wanted="c")
    labels = TargetPrediction(value=("x", "z"), probabilities={"x": 0.6, "y": 0.1, "z": 0.9})
    assert question_of(TARGETS["multilabel"], labels, np.zeros(3), temperature=1.0).answer == "z"

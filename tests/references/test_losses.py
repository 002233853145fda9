"""Losses and decoders compute what the explanation pages say."""

import numpy as np
import pytest
import torch
from torch import Tensor

from hounsfield.learn.losses import categorical, multilabel, number, ordinal
from tests.references import losses
from tests.references.losses import Array

LOGITS = np.random.default_rng(0).normal(0.0, 2.0, size=(6, 4))
WEIGHT = np.array([1.0, 0.5, 2.0, 1.0, 0.0, 3.0])
CLASSES = np.array([0, 3, -1, 2, 1, 2])


def _tensor(values: Array) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy(smoothing: float, weighted: bool) -> None:  # noqa: FBT001  # pytest fills it by name
    class_weight = np.array([0.5, 1.0, 2.0, 0.5]) if weighted else None
    value = categorical.loss(
        _tensor(LOGITS),
        torch.as_tensor(CLASSES),
        _tensor(WEIGHT),
        class_weight=None if class_weight is None else _tensor(class_weight),
        smoothing=smoothing,
    )
    expected = losses.cross_entropy(LOGITS, CLASSES, WEIGHT, class_weight=class_weight, smoothing=smoothing)
    assert float(value) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(categorical.decode(_tensor(LOGITS)).numpy(), losses.softmax(LOGITS), atol=1e-6)


def test_binary_cross_entropy() -> None:
    target = (np.random.default_rng(1).random((6, 4)) < 0.5).astype(np.float64)
    target[1, 2] = target[4, 0] = np.nan
    positive = np.array([1.0, 2.0, 0.5, 3.0])
    value = multilabel.loss(
        _tensor(LOGITS), _tensor(target), _tensor(WEIGHT), positive_weight=_tensor(positive), smoothing=0.1
    )
    expected = losses.binary_cross_entropy(LOGITS, target, WEIGHT, positive_weight=positive, smoothing=0.1)
    assert float(value) == pytest.approx(expected, rel=1e-5)


def test_ordinal_cross_entropy_and_levels() -> None:
    levels = np.array([0, 4, -1, 2, 1, 3])
    value = ordinal.loss(_tensor(LOGITS), torch.as_tensor(levels), _tensor(WEIGHT))
    assert float(value) == pytest.approx(losses.ordinal_cross_entropy(LOGITS, levels, WEIGHT), rel=1e-5)
    expected = losses.level_probabilities(LOGITS)
    np.testing.assert_allclose(ordinal.decode(_tensor(LOGITS)).numpy(), expected, atol=1e-6)
    assert expected.min() >= 0.0
    np.testing.assert_allclose(expected.sum(axis=1), 1.0)


@pytest.mark.parametrize("delta", [0.5, 1.0])
def test_huber(delta: float) -> None:
    predicted, target = LOGITS[:, 0], LOGITS[:, 1].copy()
    target[2] = np.nan
    value = number.loss(_tensor(predicted)[:, None], _tensor(target)[:, None], _tensor(WEIGHT), delta=delta)
    assert float(value) == pytest.approx(losses.huber(predicted, target, WEIGHT, delta=delta), rel=1e-5)


def test_nothing_labelled_gives_zero() -> None:
    missing = np.full(6, -1)
    assert losses.cross_entropy(LOGITS, missing, WEIGHT) == 0.0
    assert float(categorical.loss(_tensor(LOGITS), torch.as_tensor(missing), _tensor(WEIGHT))) == 0.0
